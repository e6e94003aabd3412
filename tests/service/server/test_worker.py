"""The worker's life: how it stops, is replaced, and shares connections with others."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.support.server import eventually
from tests.support.wire import connect, digit, post, read_reply


def wait_until_it_stops(server):
    """Wait until the worker has received the signal: it accepts no connection any more."""

    def refuses():
        try:
            connect(server).close()
        except ConnectionRefusedError:
            return True

    eventually(refuses)


def test_a_stopping_worker_answers_what_was_accepted(start, frames):
    server = start().wait_ready()
    request = post(frames[8].tobytes())
    kept = connect(server, request)
    assert read_reply(kept)[0] == 200
    half = connect(server, request[:-10])
    time.sleep(0.1)
    queued = [connect(server, request) for _ in range(50)]
    server.process.send_signal(signal.SIGTERM)
    assert [read_reply(client)[0] for client in queued] == [200] * 50
    wait_until_it_stops(server)
    half.sendall(request[-10:])
    kept.sendall(request)
    for client in (half, kept):
        status, headers, _ = read_reply(client)
        assert (status, headers["Connection"]) == (200, "close")
        client.close()
    for client in queued:
        client.close()
    assert server.wait() == 0


def test_a_worker_ends_after_max_requests_and_no_request_is_lost(start, frames):
    server = start("--max-requests", "20").wait_ready()
    (first,) = server.worker_pids()
    assert all(digit(server, frames, n % 10) for n in range(60))
    assert first not in server.worker_pids()


def test_a_hung_worker_is_replaced(start, tmp_path, frames):
    script = tmp_path / "wsgi_hang.py"
    script.write_text(
        "import time\nfrom service.wsgi import load\napp = load()\n"
        "app.add_url_rule('/hang', 'hang', lambda: time.sleep(600))\n"
    )
    # Longer than a worker takes to start on a busy machine.
    options = ("--pythonpath", str(tmp_path), "--timeout", "6", "wsgi_hang:app")
    server = start(*options).wait_ready()
    (pid,) = server.worker_pids()
    hanging = threading.Thread(
        target=lambda: server.raw(b"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n"), daemon=True
    )
    hanging.start()
    server.wait_until("WORKER TIMEOUT")
    assert digit(server, frames)
    eventually(lambda: server.worker_pids() not in ([], [pid]))
    assert digit(server, frames)
    text = server.request("GET", "/metrics").body.decode()
    assert 'mnist_worker_exits_total{cause="hung"} 1.0' in text


def test_the_access_log_has_a_line_per_request_on_every_path(start, frames):
    server = start("--access-logfile", "-").wait_ready()
    digit(server, frames)
    server.request("GET", "/livez")
    server.wait_until(r'127\.0\.0\.1 - - \[.*\] "POST /predict HTTP/1\.1" 200 \d+ "-" "-"')
    server.wait_until(r'"GET /livez HTTP/1\.1" 200 13 "-" "-"')


def test_a_certificate_is_refused_at_the_start(start, tmp_path):
    (tmp_path / "x.pem").touch()
    server = start("--certfile", str(tmp_path / "x.pem"))
    assert server.wait() != 0
    assert "use gthread" in server.log


def open_sockets(pid):
    count = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has been closed meanwhile
            count += os.readlink(link).startswith("socket:")
    return count


@pytest.fixture
def one_core():
    """Let this process, and the servers that it starts, run on one core only."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    yield
    os.sched_setaffinity(0, cores)


def test_connections_that_arrive_at_once_are_shared_among_the_workers(start, one_core):
    # On one core, where the worker that is awake could accept them all.
    server = start(WEB_CONCURRENCY="2").wait_ready()

    def sockets():
        return [open_sockets(pid) for pid in server.worker_pids()]

    def shares():
        """Return how many of 16 connections each worker has accepted."""
        # The earlier ones have closed a moment later: then both are alike.
        before = eventually(lambda: len(set(found := sockets())) == 1 and found)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(connect(server)) for _ in range(16)]
            for client in clients:
                client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert all(client.recv(100).startswith(b"HTTP/1.1 200 ") for client in clients)
            return [count - base for count, base in zip(sockets(), before)]

    # Where others want the core, a worker may not wake up in time: not each time, though.
    assert any(min(shares()) >= 4 for _ in range(20))
