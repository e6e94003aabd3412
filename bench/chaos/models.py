"""Model files that are no good at the start or a reload, or replaced while they serve."""

import hashlib
import json
import re
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from bench.chaos import watch
from bench.chaos.case import Chaos, Finding, case
from bench.chaos.life import RELOAD_S, reload
from bench.chaos.load import Load, answered
from bench.harness.cores import ROOT
from bench.harness.service import Service

SHIPPED = ROOT / "models" / "mnist"
REFUSED = 'mnist_reloads_total{result="refused"}'
SETTLED_S = 5  # in which a reload that is refused has been given up, several times over


def repository(chaos: Chaos) -> Path:
    """Return a repository of the case's own, with version 1 in it."""
    folder = chaos.folder / "models"
    shutil.copytree(SHIPPED / "1", folder / "mnist" / "1")
    return folder


def write(folder: Path, content: bytes, honest: bool = True) -> None:
    """Write a version's model, and with ``honest`` its SHA-256, too."""
    (folder / "model.onnx").write_bytes(content)
    if honest:
        path = folder / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest["sha256"] = hashlib.sha256(content).hexdigest()
        path.write_text(json.dumps(manifest))


def _without_numbers(content: bytes) -> bytes:
    model = onnx.load_from_string(content)
    for tensor in model.graph.initializer:
        values = np.full_like(numpy_helper.to_array(tensor), np.nan)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return bytes(model.SerializeToString())


def _other_shape(content: bytes) -> bytes:
    model = onnx.load_from_string(content)
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 785
    return bytes(model.SerializeToString())


# What is done to the file, whether the manifest has its hash, what the log must say.
SPOILED: dict[str, tuple[Callable[[bytes], bytes], bool, str]] = {
    "wrong hash": (lambda c: c[:-1] + bytes([c[-1] ^ 1]), False, "has the SHA-256"),
    "truncated": (lambda c: c[: len(c) // 2], True, "cannot be read as ONNX"),
    "corrupt": (lambda c: c[::-1], True, "cannot be read as ONNX"),
    "wrong shape": (_other_shape, True, "the input is|ONNX Runtime cannot load"),
    "NaN weights": (_without_numbers, True, "do not add up to 1"),
}


def spoil(folder: Path, kind: str) -> None:
    """Make a version's model bad."""
    change, honest, _ = SPOILED[kind]
    write(folder, change((SHIPPED / "1" / "model.onnx").read_bytes()), honest)


@case(
    f"a model that is no good at the start ({', '.join(SPOILED)})",
    "each ends with a code other than 0, says why, and never listens as ready",
)
def bad_at_start(chaos: Chaos) -> Iterator[Finding]:
    root = repository(chaos)
    for kind, (_, _, reason) in SPOILED.items():
        spoil(root / "mnist" / "1", kind)
        server = chaos.start(MNIST_MODEL_ROOT=str(root))
        code, log = server.process.wait(RELOAD_S), server.log
        said = re.search(reason, log) and "Traceback" not in log and "serving" not in log
        yield Finding(
            f"{kind}: code {code}" + ("" if said else f", {log[-300:]}"),
            bool(code and said),
        )


@case(
    "SIGHUP under load when every version has become bad, then when it is good again",
    f"0 failed, same pids, {REFUSED} counts each; then new pids",
)
def bad_at_reload(chaos: Chaos) -> Iterator[Finding]:
    root = repository(chaos)
    folder = root / "mnist" / "1"
    good = (folder / "model.onnx").read_bytes()
    server = chaos.start(MNIST_MODEL_ROOT=str(root)).wait_ready()
    watch.wait(lambda: watch.all_ready(server), RELOAD_S)
    pids, kept = set(server.worker_pids()), []
    with Load(server.port) as load:
        for kind in SPOILED:
            spoil(folder, kind)
            kept.append(_refused(server, pids))
        yield Finding(f"{sum(kept)} of {len(kept)} reloads left the same pids", all(kept))
        counted = watch.metrics(server).get(REFUSED, 0)
        yield Finding(f"{REFUSED} {counted:.0f}", counted == len(SPOILED))
        write(folder, good)
        took = reload(server)
        yield Finding(
            "new pids once it is good" if took else "no reload after it", bool(took)
        )
        yield from answered(load.stop())


def _refused(server: Service, pids: set[int]) -> bool:
    """Ask for a reload that must be refused; return whether the same workers go on."""
    server.process.send_signal(signal.SIGHUP)
    time.sleep(SETTLED_S)
    return watch.alive(server.process.pid) and set(watch.ready(server)) == pids


@case(
    "SIGHUP under load when a served version has become bad, and when a new one is bad",
    "0 failed; the first is refused, same pids; the second is done, new pids",
)
def one_bad_at_reload(chaos: Chaos) -> Iterator[Finding]:
    root = repository(chaos)
    folder = root / "mnist" / "2"
    shutil.copytree(SHIPPED / "2", folder)
    server = chaos.start(MNIST_MODEL_ROOT=str(root)).wait_ready()
    watch.wait(lambda: watch.all_ready(server), RELOAD_S)
    with Load(server.port) as load:
        spoil(folder, "truncated")
        same = _refused(server, set(server.worker_pids()))
        yield Finding(
            "served and bad: " + ("same pids" if same else "not the same pids"), same
        )
        shutil.rmtree(folder)
        shutil.copytree(SHIPPED / "1", root / "mnist" / "3")  # its manifest says version 1
        took = reload(server)
        yield Finding("new and bad: " + ("new pids" if took else "no new pids"), bool(took))
        yield from answered(load.stop())
    said = "mnist version 3 is refused" in server.log
    yield Finding("the log says why" if said else "the log does not say why", said)


@case(
    "model files replaced, not at once, during load and five SIGHUPs",
    "0 wrong, 0 failed: the hash is of the bytes that were loaded",
)
def replaced(chaos: Chaos) -> Iterator[Finding]:
    root = repository(chaos)
    folder = root / "mnist" / "1"
    contents = [(SHIPPED / v / "model.onnx").read_bytes() for v in ("1", "2")]
    server = chaos.start(MNIST_MODEL_ROOT=str(root)).wait_ready()
    ended = threading.Event()

    def replace() -> None:
        while not ended.is_set():
            for content in contents:
                write(folder, content)
                ended.wait(0.01)

    writer = threading.Thread(target=replace)
    with Load(server.port) as load:
        writer.start()
        try:
            for _ in range(5):
                server.process.send_signal(signal.SIGHUP)
                time.sleep(1.5)
        finally:
            ended.set()
            writer.join()
        write(folder, contents[0])
        took = reload(server)
        yield Finding("new pids at the end" if took else "no reload after it", bool(took))
        yield from answered(load.stop())
