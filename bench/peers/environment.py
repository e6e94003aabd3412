"""The servers' environments: made when missing, listed, and started from."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from bench.harness.cores import ROOT
from bench.harness.results import say
from bench.harness.server import Server, ServerError, free_port
from bench.peers.servers import OWN, Peer

FOLDER = Path(__file__).resolve().parent
SHARED = "import sysconfig; print(sysconfig.get_config_var('Py_ENABLE_SHARED'))"
READY_S = 90  # Triton takes some 10 on an idle machine


def place(peer: Peer) -> Path:
    """Return the folder of a server's environment."""
    return ROOT / ".venv" / ("service" if peer is OWN else f"peers/{peer.home}")


def install(peer: Peer) -> None:
    """Make a server's environment if it is missing or made of other requirements.

    Raises:
        ServerError: pip's last words.
    """
    # pip writes the path into programs, so not that of a link to a shared folder.
    environment = place(peer).resolve()
    if peer is OWN:
        if not (environment / "bin" / "python").exists():
            raise ServerError("found no .venv/service, expected `make serve` to make it")
        return
    requirements = FOLDER / peer.home / "requirements.txt"
    stamp, wanted = environment / "installed", requirements.read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"installing {peer.home}")
    _run([_python(peer), "-m", "venv", "--clear", str(environment)])
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    _run([*pip, "--disable-pip-version-check", "-r", str(requirements)])
    stamp.write_text(wanted)


def versions(peer: Peer) -> dict[str, str]:
    """Return the version of every package in a server's environment."""
    folders = [str(path) for path in place(peer).glob("lib/python3*/site-packages")]
    found = {
        each.metadata["Name"].lower(): each.version
        for each in metadata.distributions(path=folders)
    }
    return dict(sorted(found.items()))


@contextlib.contextmanager
def running(peer: Peer, cores: str, workers: int = 1) -> Iterator[Server]:
    """Run a ready server for the duration of a ``with`` block.

    Args:
        peer: which.
        cores: those it may run on.
        workers: how many, where the server is this service.

    Raises:
        ServerError: it did not become ready.
    """
    port, binaries = free_port(), place(peer) / "bin"
    words = peer.command.format(folder=FOLDER / peer.home, port=port).split()
    # Some servers write where they are started; none of it is to stay.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        kept = {key: os.environ[key] for key in ("HOME", "LANG") if key in os.environ}
        environment = {
            **kept,
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PORT": str(port),
            "WEB_CONCURRENCY": str(workers),
            "MNIST_MODEL_VERSION": "1",  # the file that the others have
            "ORT_DISABLE_TELEMETRY": "1",
            "OMP_NUM_THREADS": "1",
            "BENTOML_DO_NOT_TRACK": "True",
            "BENTOML_HOME": name,
            "MLSERVER_HOST": "127.0.0.1",
            "MLSERVER_HTTP_PORT": str(port),
            "MLSERVER_GRPC_PORT": str(free_port()),
            "MLSERVER_METRICS_PORT": str(free_port()),
            "PYTRITON_HOME": name,
        }
        with Server(
            [binaries / words[0], *words[1:]],
            Path(name) / "server.log",
            port=port,
            cores=cores,
            environment=environment,
            folder=Path(name),
        ) as server:
            yield server.wait_ready(peer.ready, READY_S)


def _python(peer: Peer) -> str:
    """Return the interpreter for a server's environment."""
    own = f"python3.{sys.version_info.minor}"
    if peer.name != "triton":
        return str(Path(sys.base_prefix) / "bin" / own)
    # Triton's Python backend is a program linked with libpython, and takes the one that the
    # system's linker finds, so the modules beside it must be of the same release.
    for folder in ("/usr/bin", "/usr/local/bin", str(Path(sys.base_prefix) / "bin")):
        python = shutil.which(own, path=folder) or shutil.which("python3", path=folder)
        if python and _run([python, "-c", SHARED]).strip() == "1":
            return python
    raise ServerError(
        "found no Python built as a shared library, expected one such as Debian's "
        "(packages python3 and python3-venv)"
    )


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ServerError(f"{' '.join(command[1:4])}: {done.stderr.strip()[-300:]}")
    return done.stdout
