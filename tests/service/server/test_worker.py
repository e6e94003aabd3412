"""The worker on the wire: what it does that gunicorn's own workers do not."""

import contextlib
import http.client
import json
import os
import re
import resource
import signal
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from bench.chaos import watch
from bench.harness.server import START_S
from tests.support.server import eventually

RAW = "application/octet-stream"
SECONDS = 2  # that a client has where it is to be too slow


@pytest.fixture(scope="module")
def worker(start):
    return start().wait_ready()


@pytest.fixture(scope="module")
def hasty(start):
    """A worker that gives its clients little time."""
    return start(MNIST_CLIENT_SECONDS=str(SECONDS)).wait_ready()


@pytest.fixture(scope="module")
def many_files():
    """Let this process, and the servers that it starts, have thousands of sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 10_000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def post(body, *headers, path="/predict", content_type=RAW):
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: x",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def connect(server, content=b""):
    client = socket.create_connection(("127.0.0.1", server.port), timeout=START_S)
    client.sendall(content)
    return client


def wait_until_it_stops(server):
    """Wait until the worker has received the signal: it accepts no connection any more."""

    def refuses():
        try:
            connect(server).close()
        except ConnectionRefusedError:
            return True

    eventually(refuses)


def read_all(client):
    """Return what arrives until the other side closes; a reset ends it too."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := client.recv(65536):
            received += chunk
    return received


def read_reply(client):
    response = http.client.HTTPResponse(client)
    response.begin()
    return response.status, response.headers, response.read()


def digit(server, frames, expected=3):
    answer = server.post(frames[expected].tobytes(), RAW)
    return answer.json["predictions"][0]["digit"] == expected


# The three paths to a reply.

REQUESTS = {
    "raw": lambda f: post(f[0].tobytes()),
    "raw reply": lambda f: post(f[:2].tobytes(), f"Accept: {RAW}"),
    "json": lambda f: post(
        json.dumps({"instances": f[:2].tolist()}).encode(), content_type="application/json"
    ),
    "v1": lambda f: post(
        json.dumps({"inputs": f[:2].tolist()}).encode(), path="/v1/models/mnist:predict"
    ),
    "v2": lambda f: post(
        json.dumps(
            {
                "inputs": [
                    {
                        "name": "image",
                        "datatype": "UINT8",
                        "shape": [1, 784],
                        "data": f[0].tolist(),
                    }
                ]
            }
        ).encode(),
        path="/v2/models/mnist/versions/1/infer",
    ),
    "echo": lambda f: post(f[0].tobytes(), path="/predict?echo=frame&version=1"),
    "bad query": lambda f: post(f[0].tobytes(), path="/predict?a%20b=%FF"),
    "bad version": lambda f: post(f[0].tobytes(), path="/predict?version=7"),
    "unknown model": lambda f: post(f[0].tobytes(), path="/v2/models/other/infer"),
    "short": lambda f: post(b"abc"),
    "blank": lambda f: post(bytes(784)),
    "type": lambda f: post(b"x", content_type="text/plain"),
    "no digits": lambda f: post(b"{", content_type="application/json"),
    "encoding": lambda f: post(b"x", "Content-Encoding: br"),
    "not gzip": lambda f: post(b"x", "Content-Encoding: gzip"),
    "too long": lambda f: post(bytes(17_000_000)),
    "chunked": lambda f: CHUNKED + chunks(f[0].tobytes()) + b"0\r\n\r\n",
    "no length": lambda f: b"POST /predict HTTP/1.1\r\nHost: x\r\n\r\n",
    "method": lambda f: b"GET /predict HTTP/1.1\r\nHost: x\r\n\r\n",
    "old": lambda f: post(f[0].tobytes()).replace(b"HTTP/1.1", b"HTTP/1.0"),
}


@pytest.fixture(scope="module")
def paths(start):
    return [
        start().wait_ready(),
        start(MNIST_FAST_PATH="0").wait_ready(),
        start("--worker-class", "gthread").wait_ready(),
    ]


@pytest.mark.parametrize("name", REQUESTS)
def test_the_reply_is_the_same_to_the_byte_on_every_path(paths, frames, name):
    request = REQUESTS[name](frames).replace(b"Host: x", b"Host: x\r\nX-Request-ID: one", 1)
    found = set()
    for server in paths:
        reply = server.raw(request)
        reply = re.sub(rb"\r\nDate: [^\r]+", b"", reply)
        reply = re.sub(rb";dur=[\d.]+", b"", reply)
        # A body that is left unread, or chunked, ends the connection of this worker only.
        if name in ("too long", "chunked"):
            reply = reply.replace(b"keep-alive", b"close")
        found.add(reply)
    (reply,) = found
    assert reply.startswith(b"HTTP/1.")
    assert b"\r\nX-Request-ID: one" in reply


def test_the_counts_are_the_same_on_every_path(paths, frames):
    def counts(server):
        text = server.request("GET", "/metrics").body.decode()
        lines = [line for line in text.splitlines() if "_count" in line]
        # Only this worker counts turns, and some have only a probe.
        return sorted(line for line in lines if not line.startswith("mnist_turn"))

    assert counts(paths[0])
    assert counts(paths[0]) == counts(paths[1]) == counts(paths[2])


# One connection.


def test_pipelined_requests_are_answered_in_their_order(worker, frames):
    received = worker.raw(
        b"".join(post(frames[n].tobytes()) for n in range(10))
        + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
        + post(frames[4].tobytes())
    )
    digits = [int(n) for n in re.findall(rb'"digit":(\d)', received)]
    assert digits == [*range(10), 4]
    assert received.index(b'"live"') < received.rindex(b'"digit":4')


def test_a_request_is_read_from_single_bytes(worker, frames):
    with connect(worker) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post(frames[5].tobytes()):
            client.send(bytes([byte]))
        status, _, body = read_reply(client)
    assert (status, json.loads(body)["predictions"][0]["digit"]) == (200, 5)


def test_a_request_after_a_long_body_in_pieces_is_read(worker, frames):
    with connect(worker) as client:
        body = frames.tobytes() * 20
        content = post(body) + post(frames[6].tobytes())
        for first in range(0, len(content), 100_001):
            client.sendall(content[first : first + 100_001])
            time.sleep(0.01)
        client.shutdown(socket.SHUT_WR)
        received = read_all(client)
    assert received.count(b'"digit":') == 601
    assert received.count(b"HTTP/1.1 200 OK") == 2


def test_head_has_the_headers_and_no_body(worker):
    received = worker.raw(b"HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"Content-Length: 13" in head
    assert body == b""


@pytest.mark.parametrize(
    ("version", "header", "kept"),
    [
        ("1.1", "Accept: */*", True),
        ("1.1", "Connection: close", False),
        ("1.0", "Accept: */*", False),
        ("1.0", "Connection: keep-alive", True),
    ],
)
def test_a_connection_is_kept_where_both_sides_want_it(worker, version, header, kept):
    request = f"GET /livez HTTP/{version}\r\nHost: x\r\n{header}\r\n\r\n".encode()
    with connect(worker, request) as client:
        status, headers, _ = read_reply(client)
        assert (status, headers["Connection"]) == (200, "keep-alive" if kept else "close")
        if kept:
            client.sendall(request)
            assert read_reply(client)[0] == 200
        else:
            assert client.recv(1) == b""


def test_the_client_gets_100_continue_before_it_sends_the_body(worker, frames):
    body = frames[2].tobytes()
    request = post(body, "Expect: 100-continue")
    with connect(worker, request[: -len(body)]) as client:
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert read_reply(client)[0] == 200


def test_the_client_gets_no_100_continue_for_a_body_that_is_too_long(worker):
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    with connect(worker, head + b"Content-Length: 99999999\r\n\r\n") as client:
        assert client.recv(20).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("request_", "status", "message"),
    [
        (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "at most 4094"),
        (b"GET /" + b"x" * 5000, 414, "request line is too long"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 9000 + b"\r\n\r\n", 431, "8190"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431, "found 101 headers"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, 431, "more than 65536 bytes"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "there is no header Host"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n\r\n", 417, "100-continue"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 tls\r\n\r\n", 400, "not HTTP/1.1"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "not HTTP/1.1"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_no_request_gets_its_code_and_the_end(worker, request_, status, message):
    with connect(worker, request_) as client:
        found, headers, body = read_reply(client)
        assert client.recv(1) == b""
    assert (found, headers["Connection"]) == (status, "close")
    assert message in json.loads(body)["error"]
    assert len(headers["X-Request-ID"]) == 32


def chunks(*parts):
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


CHUNKED = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (chunks(bytes(783), b"\xff") + b"0\r\n\r\n", 200),
        (chunks(*[bytes(1_000_000)] * 17), 413),
        (chunks(b"x") * 6_000_000, 413),
        (b"x\r\n", 400),
        (chunks(b"abc"), 400),
    ],
    ids=["whole", "too long", "tiny chunks", "malformed", "cut"],
)
def test_a_chunked_body_is_whole_and_bounded(worker, body, status):
    with connect(worker) as client:
        with contextlib.suppress(ConnectionError):  # the refusal may arrive before the end
            client.sendall(CHUNKED + body)
            client.shutdown(socket.SHUT_WR)
        found, headers, _ = read_reply(client)
    assert (found, headers["Connection"]) == (status, "close")


# Slow clients, and those that leave.


def test_half_a_head_gets_a_408_in_time(hasty):
    with connect(hasty, b"GET / HTTP/1.1\r\nHo") as client:
        status, _, body = read_reply(client)
    assert status == 408
    assert b"the rest of the head did not come in 2 s" in body


def test_a_head_that_trickles_gets_no_more_time(hasty):
    with connect(hasty, b"GET / HTTP/1.1\r\n") as client:
        with contextlib.suppress(ConnectionError):
            for _ in range(5 * SECONDS):
                client.sendall(b"A: b\r\n")
                time.sleep(0.5)
        assert read_all(client).startswith(b"HTTP/1.1 408 ")


def test_half_a_body_gets_a_408_in_time(hasty, frames):
    with connect(hasty, post(frames[0].tobytes())[:-1]) as client:
        status, _, body = read_reply(client)
    assert status == 408
    assert b"the rest of the body did not come in 2 s" in body


def test_an_idle_connection_is_closed_without_a_word(hasty):
    with connect(hasty) as client:
        assert client.recv(1) == b""


def test_a_client_that_never_reads_is_closed(hasty, frames):
    request = post(frames.tobytes() * 20, path="/predict?echo=frame")
    with connect(hasty) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            while True:  # until the other side gives up; a timeout fails
                client.sendall(request)
        assert digit(hasty, frames)


def memory(server):
    (pid,) = server.worker_pids()
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def test_thousands_of_slow_clients_cost_the_others_nothing(start, many_files, frames):
    server = start(MNIST_CLIENT_SECONDS=str(SECONDS)).wait_ready()
    body = post(frames[0].tobytes())
    kinds = {b"": 1000, b"POST /predict HTTP/1.1\r\nHost: x\r\nA": 1000, body[:-1]: 200}
    used = []
    for _ in range(2):
        clients = [connect(server, c) for c, count in kinds.items() for _ in range(count)]
        last = post(frames[1].tobytes(), "Connection: close")
        lingering = [connect(server, last) for _ in range(50)]
        assert all(digit(server, frames, n % 10) for n in range(50))
        ends = [read_all(client)[:12] for client in clients]
        assert ends.count(b"") == 1000
        assert ends.count(b"HTTP/1.1 408") == 1200
        for client in [*clients, *lingering]:
            client.close()
        used.append(memory(server))
    assert digit(server, frames)
    assert used[1] - used[0] < 4096  # kB; a worker that kept them would need some 10 MB


def test_clients_that_go_away_leave_nothing_behind(worker, frames):
    whole = post(frames[0].tobytes())
    reset = struct.pack("ii", 1, 0)
    for end in (0, 10, 60, 200, 500, len(whole)):
        for _ in range(20):
            client = connect(worker, whole[:end])
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            client.close()
    assert digit(worker, frames)
    (pid,) = worker.worker_pids()
    eventually(lambda: len(watch.files(pid)) <= 40)
    assert "Traceback" not in worker.log


# Life.


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
    links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    return sum(link.startswith("socket:") for link in links)


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
