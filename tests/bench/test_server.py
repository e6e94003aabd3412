"""The starter of servers: real processes, and no wall clock."""

import os
import subprocess
import sys

import pytest

from bench.chaos import watch
from bench.harness.server import Server, ServerError, memory
from bench.harness.service import service
from tests.support.server import eventually

# A program that ignores SIGTERM, with a child that does too.
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
print("up", os.getpid(), flush=True)
time.sleep(600)
"""


def wait_gone(pids):
    """Wait until none runs."""
    eventually(lambda: not any(map(watch.alive, pids)))


def test_a_service_runs_where_it_should_and_its_work_is_counted():
    core = str(min(os.sched_getaffinity(0)))
    with service(cores=core) as server:
        assert [os.sched_getaffinity(pid) for pid in server.family()] == [{int(core)}] * 2
        assert server.ready_seconds > 0
        before = server.core_seconds()
        assert server.request("GET", "/livez").status == 200
        assert server.core_seconds() > before
        (worker,) = server.worker_pids()
        assert 0 < memory(worker)["Pss"] <= memory(worker)["VmRSS"]
        family = server.family()
    wait_gone(family)


def test_what_does_not_stop_is_killed_with_its_children(tmp_path):
    with Server([sys.executable, "-c", STUBBORN], tmp_path / "log") as server:
        server.wait_until(r"up \d+\nup \d+\n")
        family = server.family()
        assert len(family) == 2
        with pytest.raises(subprocess.TimeoutExpired):
            server.stop(0.1)
    wait_gone(family)


def test_a_server_that_ends_early_is_an_error_with_its_last_words(tmp_path):
    command = [sys.executable, "-c", "print('one\\ntwo'); raise SystemExit(3)"]
    with (
        Server(command, tmp_path / "log", port=1) as server,
        pytest.raises(ServerError, match=r"exit code 3: one \| two"),
    ):
        server.wait_ready()
