"""Run a soak, exit code 1 if it fails: ``python -m bench soak [--minutes 30]``."""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.chaos import watch
from bench.chaos.life import reload
from bench.harness import results
from bench.harness.cores import ROOT, on
from bench.harness.results import say
from bench.harness.service import Service
from bench.soak import report, samples

CAPACITY_REQUESTS, CAPACITY_ROUNDS = 10_000, 3  # the first warms up, the last counts
READY_S = 30
RELOADS = 6  # before the load: the master grows by 2 MB in its first few, and no more
# All due at once, beside the load: a worker's memory stays at what its worst moment took.
# Without such a moment at the start each of the machine's hiccups, which come at random,
# adds some hundred kB once, and looks like a leak.
BURST_REQUESTS = 5000
IDLE_S = 15  # in which the server closes what the clients have left


def generate(port: int, core: int, *options: str) -> subprocess.Popen[str]:
    """Start the generator on its core, if the machine has it."""
    command = [sys.executable, "-m", "bench.soak.generator", f"--port={port}", *options]
    return subprocess.Popen(
        on(available([core]), command), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def available(wanted: Iterable[int]) -> str:
    """Return those cores that there are, as `Service` takes them; empty if none is."""
    return ",".join(str(core) for core in sorted({*wanted} & os.sched_getaffinity(0)))


def capacity(port: int, core: int, requests: int = CAPACITY_REQUESTS) -> float:
    """Return how many requests of the mix the server answers a second."""
    found = 0.0
    for _ in range(CAPACITY_ROUNDS):
        out, _ = generate(port, core, f"--capacity={requests}").communicate()
        found = json.loads(out)["per_s"]
    return found


def burst(server: Service, core: int) -> None:
    """Let new workers open the files and take the memory that they will keep."""
    generate(server.port, core, f"--capacity={BURST_REQUESTS}").communicate()


def idle_files(server: Service, wanted: list[int] | None = None) -> list[int]:
    """Return how many files the processes have open once no client is there.

    Args:
        server: the server.
        wanted: how many it should be; what clients have left is swept away in a while.
    """

    def count() -> list[int]:
        return [
            len(watch.files(pid)) for pid in (server.process.pid, *server.worker_pids())
        ]

    watch.wait(lambda: not sum(map(watch.held, server.worker_pids())), IDLE_S)
    watch.wait(lambda: wanted in (None, count()), IDLE_S)
    return count()


def soak(server: Service, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Load a server that is ready, and return the record.

    Args:
        server: the server.
        folder: its folder for temporary files.
        options: the command line's.
    """
    watch.wait(lambda: watch.all_ready(server), READY_S)
    generator_core = options.workers  # the first that is not the server's
    found = options.capacity or capacity(server.port, generator_core)
    for _ in range(RELOADS):
        reload(server)
    burst(server, generator_core)
    record: dict[str, Any] = {
        **{name: getattr(options, name) for name in ("minutes", "workers", "share")},
        **{"reload_minutes": options.reload_minutes, "warm_up_s": options.warm_up},
        **{"interval_s": options.interval, "capacity": found},
        **{"rate": options.share * found, "master": server.process.pid},
        **{"intervals": [], "samples": [], "reloads": []},
        **{
            "idle_files": [idle_files(server)],
            "left_behind": [samples.left_behind(folder)],
        },
    }
    with generate(
        server.port,
        generator_core,
        f"--rate={record['rate']}",
        f"--seconds={60 * options.minutes}",
        f"--interval={options.interval}",
    ) as process:
        reader = threading.Thread(target=_read, args=(process, record["intervals"]))
        reader.start()
        _watch(server, process, record, options)
        reader.join()
    record["idle_files"].append(idle_files(server, record["idle_files"][0]))
    record["left_behind"].append(samples.left_behind(folder))
    return record


def _read(process: subprocess.Popen[str], intervals: list[dict[str, Any]]) -> None:
    assert process.stdout
    for line in process.stdout:
        intervals.append(json.loads(line))
        say(line.strip())


def _watch(
    server: Service,
    process: subprocess.Popen[str],
    record: dict[str, Any],
    options: argparse.Namespace,
) -> None:
    """Take samples and reload, until the generator ends."""
    start = time.monotonic()
    next_reload = 60 * options.reload_minutes
    # The last moments are without a reload, so that each one is over before the end.
    while process.poll() is None:
        at = time.monotonic() - start
        record["samples"] += samples.as_dicts(samples.take_all(at, server))
        if next_reload < at < 60 * options.minutes - READY_S:
            record["reloads"].append(reload(server) is not None)
            burst(server, options.workers)
            next_reload += 60 * options.reload_minutes
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(options.interval - (time.monotonic() - start) % options.interval)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench soak")
    parser.add_argument("--minutes", type=float, default=30, help="(default: 30)")
    parser.add_argument("--workers", type=int, default=1, help="one a core (default: 1)")
    parser.add_argument(
        "--share", type=float, default=0.7, help="of capacity (default: 0.7)"
    )
    parser.add_argument("--reload-minutes", type=float, default=10, help="(default: 10)")
    # A worker goes on filling what it keeps (heads, the allocator's room) for two minutes.
    parser.add_argument("--warm-up", type=float, default=180, help="s (default: 180)")
    parser.add_argument("--interval", type=float, default=10, help="s (default: 10)")
    parser.add_argument("--capacity", type=float, help="requests/s (default: measured)")
    parser.add_argument(
        "--output", type=Path, default=results.FOLDER, help="(default: bench/results)"
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    return parser.parse_args(arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """Run, write the tables, and return 1 if a gate fails."""
    options = parse(argv)
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name) / "tmp"
        temporary.mkdir()
        environment: dict[str, Any] = {
            "WEB_CONCURRENCY": str(options.workers),
            "TMPDIR": str(temporary),
        }
        environment |= dict(setting.split("=", 1) for setting in options.set)
        cores = available(range(options.workers))
        server = Service(Path(name), cores=cores, **environment)
        try:
            record = soak(server.wait_ready(), temporary, options)
        finally:
            code = server.stop()
    record["exit_code"] = code
    print(results.write("soak", record, report.markdown(record), options.output))
    return 0 if all(finding.ok for finding in report.judge(record).values()) else 1


if __name__ == "__main__":
    sys.exit(main())
