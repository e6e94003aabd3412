"""Signals: reloads and stops under load, workers and masters that are killed or stopped."""

import os
import signal
import time
from collections.abc import Iterator

from bench.chaos import watch
from bench.chaos.case import Chaos, Finding, case
from bench.chaos.load import Load, answered, lost
from bench.harness.service import Service

GRACE_S = 15  # graceful_timeout
RELOAD_S = (
    30  # for new workers to be there and the old ones gone, on a machine that is busy
)
RECOVERY_S = 2.0
TIMEOUT_S = 4  # --timeout where a worker hangs: the usual 30 s would only take longer
ANSWERED = "http_server_request_duration_seconds_count"


def reload(server: Service) -> float | None:
    """Send SIGHUP; return the seconds until only new workers serve, None if they do not."""
    before = server.worker_pids()
    server.process.send_signal(signal.SIGHUP)
    return watch.wait(lambda: watch.all_ready(server, before), RELOAD_S)


@case(
    "SIGHUP five times, then SIGTERM, under load",
    "0 failed in the reloads, 0 failed in the stop, new pids each time, exit code 0 within "
    f"graceful_timeout ({GRACE_S} s)",
)
def reload_and_stop(chaos: Chaos) -> Iterator[Finding]:
    right = in_reloads = in_stops = 0
    codes, stops, stuck, texts = set(), [], 0, []
    for _ in range(chaos.rounds):
        server = chaos.start().wait_ready()
        with Load(server.port) as load:
            for _ in range(5):
                stuck += reload(server) is None
            reloads = load.look()
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            codes.add(server.process.wait(2 * GRACE_S))
            stops.append(time.monotonic() - began)
            account = load.stop()
        bad = {
            kind: account[kind] for kind in ("wrong", "unexpected", "shed") if account[kind]
        }
        if bad:
            yield Finding(f"{bad}", False)
        right += account["right"]
        in_reloads += reloads["failed"]
        in_stops += account["failed"] - reloads["failed"]
        texts += account.texts
    yield Finding(f"{chaos.rounds} rounds, {right:,} answered", right > 0)
    yield Finding(f"{in_reloads} failed in the reloads", in_reloads == 0)
    yield Finding(f"{in_stops} failed in the stops", in_stops == 0)
    yield Finding(f"{stuck} reloads without new pids", stuck == 0)
    yield Finding(f"exit codes {sorted(codes)}", codes == {0})
    yield Finding(f"slowest stop {max(stops):.1f} s", max(stops) < GRACE_S)
    if texts:
        yield Finding(f"({'; '.join(texts[:4])})", True)


@case(
    "kill -9 of each worker in turn, under load",
    "failures at most the worker's connections; all workers there in < "
    f"{RECOVERY_S:.0f} s; counters never fall; files and processes constant",
)
def kill_workers(chaos: Chaos) -> Iterator[Finding]:
    server = chaos.start().wait_ready()
    watch.wait(lambda: watch.all_ready(server), RELOAD_S)
    time.sleep(1)  # until they have all files open, too
    files = _files(server)
    failed = allowed = excess = fallen = 0
    times: list[float] = []
    with Load(server.port) as load:
        for _ in range(chaos.rounds):
            for pid in server.worker_pids():
                failed_before = load.look()["failed"]
                counted = watch.total(watch.metrics(server), ANSWERED)
                os.kill(pid, signal.SIGSTOP)  # so that the count is exact
                held = watch.clients(pid)
                os.kill(pid, signal.SIGKILL)
                times.append(_replaced(server, pid))
                fallen += watch.total(watch.metrics(server), ANSWERED) < counted
                new = load.look()["failed"] - failed_before
                failed, allowed = failed + new, allowed + held
                excess += max(0, new - held)
        account = load.stop()
    yield Finding(
        f"{len(times)} kills, {account['right']:,} answered", account["right"] > 0
    )
    for kind in ("wrong", "unexpected"):
        if account[kind]:
            yield Finding(f"{account[kind]} {kind}", False)
    yield Finding(f"{failed} failed, {allowed} were connected to those killed", excess == 0)
    yield Finding(f"slowest recovery {max(times):.2f} s", max(times) < RECOVERY_S)
    yield Finding(f"counters fell {fallen} times", fallen == 0)
    watch.wait(lambda: _files(server) == files, GRACE_S)
    yield Finding(f"open files {files}, then {_files(server)}", _files(server) == files)


def _replaced(server: Service, pid: int) -> float:
    """Return the seconds until another worker serves in place of one."""
    took = watch.wait(lambda: watch.all_ready(server, [pid]), RELOAD_S)
    return RELOAD_S if took is None else took


def _files(server: Service) -> list[int]:
    """Return how many files the master and the workers have open.

    Without the pipes and heartbeats of older workers, which a younger one inherits.
    """
    kept = [
        [file for file in watch.files(pid) if not file.startswith(("pipe", "/dev"))]
        for pid in (server.process.pid, *server.worker_pids())
    ]
    return [len(kept[0]), *sorted(map(len, kept[1:]))]


@case(
    f"SIGSTOP of one worker, for 2 s and for longer than --timeout ({TIMEOUT_S} s here)",
    "after 2 s and SIGCONT it goes on; then: the other serves (new clients < 1 s), the "
    "stopped one is replaced; failures at most its connections",
)
def stop_worker(chaos: Chaos) -> Iterator[Finding]:
    server = chaos.start("--timeout", str(TIMEOUT_S)).wait_ready()
    watch.wait(lambda: watch.all_ready(server), RELOAD_S)
    pids = server.worker_pids()
    os.kill(pids[0], signal.SIGSTOP)
    time.sleep(2)
    os.kill(pids[0], signal.SIGCONT)
    time.sleep(1)
    kept = server.worker_pids() == pids and watch.all_ready(server)
    yield Finding(
        "SIGCONT after 2 s is harmless" if kept else "SIGCONT: not as before", kept
    )
    with Load(server.port, keep=8, close=0) as load:
        os.kill(pids[0], signal.SIGSTOP)
        held = watch.clients(pids[0])
        slowest = 0.0
        while time.monotonic() and watch.alive(pids[0]):
            began = time.monotonic()
            server.request("GET", "/livez")
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.02)
            if slowest > 3 * TIMEOUT_S:
                break
        yield Finding(f"slowest new client {slowest:.2f} s", slowest < 1)
        replaced = watch.wait(lambda: watch.all_ready(server, pids[:1]), RELOAD_S)
        yield Finding(
            "replaced" if replaced is not None else "never replaced", replaced is not None
        )
        account = load.stop()
    yield lost(account["failed"], held)
    yield Finding(f"{account['right']:,} answered", not account["wrong"])


@case("kill -9 of the master, idle", "the workers exit by themselves in < 2 s")
def kill_master(chaos: Chaos) -> Iterator[Finding]:
    yield from _kill_master(chaos.start().wait_ready())


@case("kill -9 of the master, under load", "the workers exit in < 2 s; 0 wrong, 0 failed")
def kill_master_under_load(chaos: Chaos) -> Iterator[Finding]:
    server = chaos.start().wait_ready()
    with Load(server.port) as load:
        yield from _kill_master(server)
        yield from answered(load.stop(), shed_allowed=True)


def _kill_master(server: Service) -> Iterator[Finding]:
    watch.wait(lambda: watch.all_ready(server), RELOAD_S)
    pids = server.worker_pids()
    server.process.kill()
    took = watch.wait(lambda: not any(map(watch.alive, pids)), RELOAD_S)
    for pid in filter(watch.alive, pids):
        os.kill(pid, signal.SIGKILL)
    seen = "the workers never exit" if took is None else f"gone after {took:.2f} s"
    yield Finding(seen, took is not None and took < RECOVERY_S)
