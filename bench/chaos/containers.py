"""The container: stopped, paused, and with little memory; needs a Docker engine."""

import contextlib
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator

from bench.chaos import asks
from bench.chaos.asks import Ask
from bench.chaos.case import Chaos, Finding, SkipError, case
from bench.harness.cores import ROOT
from tests.support.engine import BUILD_S, STOP_S, Project, call, output

PAUSE_S = 40  # longer than gunicorn's timeout of 30 s
RESUME_S = 5
MEMORY = "512m"  # for two workers
LARGE, LARGE_S = 16, 10  # clients that send the largest batches, and for how long
MOST_IMAGES = 1024


@contextlib.contextmanager
def project() -> Iterator[Project]:
    """Build and start the service as its compose file says."""
    if not shutil.which("docker") or call(["docker", "info"]).returncode != 0:
        raise SkipError("`docker info` does not answer")
    plugin = call(["docker", "compose", "version"]).returncode == 0
    if not plugin and not shutil.which("docker-compose"):
        raise SkipError("there is neither `docker compose` nor `docker-compose`")
    found = Project(["docker", "compose"] if plugin else ["docker-compose"], ROOT)
    try:
        found.compose("build", "service", timeout=BUILD_S)
        found.start()
        yield found
    finally:
        found.compose("down", "--volumes", timeout=2 * STOP_S)


def ask(port: int, ask: Ask) -> str:
    """Return what the reply to a request is: see `asks.judge`."""
    reply = asks.exchange(port, ask.content)
    return asks.judge(ask, reply)[0] if reply else "no reply"


@case("docker compose stop", "exit code 0 (137 would be SIGKILL) within stop_grace_period")
def stop(chaos: Chaos) -> Iterator[Finding]:
    with project() as found:
        began = time.monotonic()
        found.compose("stop", "service", timeout=2 * STOP_S)
        took = time.monotonic() - began
        state = found.inspect("{{.State.Status}} {{.State.ExitCode}}")
        yield Finding(f"{state} after {took:.1f} s", state == "exited 0" and took < STOP_S)


@case(
    f"docker pause for {PAUSE_S} s, longer than the timeout of a worker, then unpause",
    f"the first answer in < {RESUME_S} s, the same workers go on",
)
def pause(chaos: Chaos) -> Iterator[Finding]:
    one = asks.single()[0]
    with project() as found:
        workers = found.run_python(PROCESSES)
        output(["docker", "pause", found.container])
        time.sleep(PAUSE_S)
        output(["docker", "unpause", found.container])
        began = time.monotonic()
        kind = ask(found.port, one)
        took = time.monotonic() - began
        yield Finding(
            f"the first answer, {kind}, after {took:.2f} s",
            took < RESUME_S and kind == "right",
        )
        time.sleep(RESUME_S)
        same = bool(workers) and found.run_python(PROCESSES) == workers
        yield Finding("same processes" if same else "other processes", same)


PROCESSES = """
import glob
for path in sorted(glob.glob("/proc/[0-9]*/cmdline")):
    if b"gunicorn" in open(path, "rb").read() or b"service" in open(path, "rb").read():
        if path.split("/")[2] != str(__import__("os").getpid()):
            print(path.split("/")[2])
"""


@case(
    f"{LARGE} clients, {MOST_IMAGES} images each, for {LARGE_S} s, and {MEMORY} of memory",
    "every answer right or 503; no process is killed for memory, no restart",
)
def little_memory(chaos: Chaos) -> Iterator[Finding]:
    batch = asks.batches(MOST_IMAGES)[0]
    counts: Counter[str] = Counter()
    with project() as found:
        output(
            [
                "docker",
                "update",
                f"--memory={MEMORY}",
                f"--memory-swap={MEMORY}",
                found.container,
            ]
        )
        until = time.monotonic() + LARGE_S

        def client() -> None:
            while time.monotonic() < until:
                try:
                    counts[ask(found.port, batch)] += 1
                except OSError as error:
                    counts[repr(error)] += 1

        threads = [threading.Thread(target=client) for _ in range(LARGE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        fine = counts["right"] > 0 and set(counts) <= {"right", asks.SHED}
        yield Finding(f"{dict(counts)}", fine)
        state = found.inspect("{{.State.OOMKilled}} {{.RestartCount}} {{.State.Status}}")
        yield Finding(f"OOMKilled, restarts: {state}", state == "false 0 running")
        killed = "SIGKILL" in found.compose("logs", "service")
        yield Finding(
            "a worker was killed" if killed else "no worker was killed", not killed
        )
