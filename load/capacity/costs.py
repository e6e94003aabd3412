"""What a request costs besides a worker's core: memory, a line of the log, a proxy."""

import time
from pathlib import Path

from load.capacity.haproxy import Haproxy, shipped
from load.capacity.targets import TARGETS, Record, Target, alone, core_seconds
from load.direct import urlopen
from load.overload import OWN
from load.peers import wrk
from load.peers.measure import GENERATOR_CORE, SERVER_CORE, bare, say
from load.peers.process import Process, memory

RAW = TARGETS[1]
MODEL = Path(__file__).resolve().parents[2] / "models" / "mnist" / "2" / "model.onnx"


def costs(folder: Path, seconds: int) -> Record:
    """Return them; ``folder`` takes the log."""
    log = folder / "access.log"
    server = OWN._replace(command=f"{OWN.command} --access-logfile {log}")
    say("memory, lines of the log, metrics")
    with Process(server, SERVER_CORE) as process:
        alone(RAW, process.port, 1)
        start = time.perf_counter()
        url = f"http://127.0.0.1:{process.port}/metrics"
        with urlopen(url, timeout=10) as reply:
            text = reply.read()
        scrape = time.perf_counter() - start
        used = [memory(pid) for pid in process.family()]
    lines = log.read_bytes().splitlines(keepends=True)
    return {
        "memory_kb": used,
        "log_bytes": sum(map(len, lines)) / len(lines),
        "metrics_bytes": len(text),
        "series": sum(not line.startswith(b"#") for line in text.splitlines()),
        "scrape_ms": 1000 * scrape,
        "model_bytes": MODEL.stat().st_size,
        "bare_images_per_s": bare(seconds),
    }


def proxy(target: Target, seconds: int) -> Record:
    """Return what a request takes of HAProxy's core, with 16 clients.

    It has that core for itself; replica and generator share the other one.
    """
    say(f"HAProxy: {target.item.title}")
    launcher = ("taskset", "--cpu-list", SERVER_CORE)
    with (
        Process(OWN, GENERATOR_CORE) as replica,
        Haproxy([replica.port], launcher, shipped("balance")) as front,
    ):
        wrk.run(target.item, target.way, front.port, 1, GENERATOR_CORE)
        before = core_seconds([front.pid])
        found = wrk.run(target.item, target.way, front.port, seconds, GENERATOR_CORE)
        used = core_seconds([front.pid]) - before
    return {
        "title": target.item.title,
        "requests": found["requests"],
        "failed": sum(found["errors"].values()),
        "proxy_us": 1e6 * used / found["requests"],
    }
