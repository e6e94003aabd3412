"""Stops, and workers that do not go on: what the master does, and what is answered."""

import contextlib
import os
import signal
import time
from pathlib import Path

from tests.support.server import eventually, workers
from tests.support.wire import digit

# Shorter than the usual 30 s, and longer than a worker takes to start on a busy machine.
TIMEOUT_S = 6


def test_a_stop_reports_not_ready_first_and_goes_on_answering(start, frames):
    server = start(MNIST_DRAIN_SECONDS="600").wait_ready()
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: server.request("GET", "/readyz").status == 503)
    assert server.request("GET", "/readyz").json == {"ready": False}
    assert server.request("GET", "/v2/health/ready").status == 503
    assert server.request("GET", "/livez").status == 200
    assert digit(server, frames)
    server.process.send_signal(signal.SIGINT)  # a second signal ends the waiting
    assert server.wait() == 0


def test_a_stop_ends_when_its_time_is_over(start):
    server = start(MNIST_DRAIN_SECONDS="1").wait_ready()
    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == 0


def test_a_client_that_keeps_its_connection_is_asked_to_close_it(start):
    server = start(MNIST_DRAIN_SECONDS="600").wait_ready()
    assert server.request("GET", "/livez").headers["Connection"] != "close"
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: server.request("GET", "/livez").headers["Connection"] == "close")
    server.process.send_signal(signal.SIGINT)
    server.wait()


def test_a_pause_of_the_whole_service_kills_no_worker(start, frames):
    server = start("--timeout", str(TIMEOUT_S), WEB_CONCURRENCY="2").wait_ready()
    pids = workers(server)
    everyone = [server.process.pid, *pids]
    for pid in everyone:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(TIMEOUT_S + 2)
    for pid in everyone:
        os.kill(pid, signal.SIGCONT)
    assert digit(server, frames)
    time.sleep(3)  # until the master looks again
    assert workers(server) == pids


def test_a_worker_without_a_master_ends(start):
    server = start(WEB_CONCURRENCY="2").wait_ready()
    pids = workers(server)
    server.process.kill()
    server.process.wait()
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def test_a_stopped_worker_does_not_hold_up_the_other(start, frames):
    server = start(WEB_CONCURRENCY="2").wait_ready()
    stopped, _ = workers(server)
    with contextlib.ExitStack() as stack:
        os.kill(stopped, signal.SIGSTOP)
        stack.callback(os.kill, stopped, signal.SIGCONT)
        assert all(digit(server, frames, n % 10) for n in range(50))


HANGS_AT_START = """
import signal, time
from service.wsgi import load as real

def load():
    with open({flag!r}, "a+") as flag:
        flag.seek(0)
        first = not flag.read()
        flag.write("x")
    if first:
        time.sleep(1000)
    return real()
"""


def test_a_worker_that_hangs_before_its_first_heartbeat_is_replaced(start, tmp_path):
    (tmp_path / "hangs.py").write_text(HANGS_AT_START.format(flag=str(tmp_path / "flag")))
    options = ["--pythonpath", str(tmp_path), "--timeout", str(TIMEOUT_S), "hangs:load()"]
    server = start(*options)
    server.wait_until("WORKER TIMEOUT")
    assert server.wait_ready().request("GET", "/readyz").status == 200
