"""Whatever a stranger sends gets its code and harms nothing: the rows of ``hostile``."""

import json
import os
import re
import signal
import socket
import struct
from pathlib import Path

import pytest

from tests.hostile import bodies, documents, files, heads
from tests.hostile.dialects import PREDICT, RAW, SEVEN, request

ROWS = {**documents.ROWS, **bodies.ROWS, **files.ROWS, **heads.ROWS}
# gunicorn's own worker reads these its own way (the README names this project's).
OTHERWISE = ("chunks-", "wire-")
# Bodies of more bytes are not repeated where memory is measured.
LIGHT = 100_000
REPEATS = 10
GOLDEN = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" + request(
    PREDICT, SEVEN.tobytes(), RAW, "Connection: close"
)
# What would tell a client of the inside: objects, files, modules and exceptions.
INSIDE = re.compile(
    rb" at 0x|Traceback|File \"|/work|site-packages|msgspec|werkzeug|PIL|numpy|"
    rb"onnxruntime|\b[A-Z]\w+Error\b|<class|<html"
)


@pytest.fixture(scope="module")
def attacked(start):
    """A server, its first answer, and its workers at that time."""
    server = start("--access-logfile", "-").wait_ready()
    return server, answered(server), server.worker_pids()


def replies(received):
    """Take replies apart: of each its status, its head and its body."""
    found = []
    while received:
        head, end, rest = received.partition(b"\r\n\r\n")
        assert end, head
        status = re.fullmatch(
            rb"HTTP/1\.[01] (\d{3}) [A-Za-z \-']+", head.split(b"\r\n")[0]
        )
        assert status, head
        length = int(re.search(rb"\r\nContent-Length: (\d+)", head)[1])
        assert len(rest) >= length
        found.append((int(status[1]), head, rest[:length]))
        received = rest[length:]
    return found


def answered(server):
    """Ask for what every worker must answer at any time: that it lives, and a digit."""
    alive, predicted = replies(server.raw(GOLDEN))
    assert (alive[0], alive[2]) == (200, b'{"live":true}')
    assert json.loads(predicted[2])["predictions"][0]["digit"] == 7
    return predicted[2]


def statuses(server, name):
    return [status for status, _, _ in replies(server.raw(ROWS[name].make()))]


@pytest.mark.parametrize("name", ROWS)
def test_a_row_gets_its_code_and_harms_nothing(attacked, name):
    server, golden, pids = attacked
    before = server.log_path.stat().st_size
    found = replies(server.raw(ROWS[name].make()))
    expected = ROWS[name].status
    assert [status for status, _, _ in found] == ([expected] if expected else []), found
    for status, head, body in found:
        assert b"\r\nX-Content-Type-Options: nosniff" in head
        assert b"\r\nX-Evil" not in head
        assert b"\r\nAccess-Control" not in head
        if status >= 400:
            assert list(json.loads(body)) == ["error"]
            assert not INSIDE.search(body), body
            assert len(body) < 500
        if name.startswith("legal-") or "-and-html" in name or "html-in-" in name:
            assert b'"digit":3' in body or b"v1" in name.encode()
            assert b"script" not in head + body
    assert answered(server) == golden
    assert server.worker_pids() == pids
    with server.log_path.open("rb") as log:
        log.seek(before)
        lines = log.read().splitlines()
    # Nothing but lines of access, each whole, from the true address.
    assert all(re.match(rb'127\.0\.0\.1 - - \[[^]]+\] "', line) for line in lines), lines


@pytest.mark.parametrize(
    ("path", "expected"), [("v1-rows", "predictions"), ("v2-uint8", "outputs")]
)
def test_each_dialect_answers_what_no_row_changes(attacked, path, expected):
    good = documents.ask(path, documents.GOOD)
    (reply,) = replies(attacked[0].raw(good))
    assert (reply[0], expected in json.loads(reply[2])) == (200, True)


def test_a_legal_row_of_v1_is_read_as_its_digit(attacked):
    (reply,) = replies(attacked[0].raw(ROWS["legal-palette-v1-b64"].make()))
    row = json.loads(reply[2])["predictions"][0]
    assert row.index(max(row)) == 3


def test_no_numpy_file_is_unpickled(root, attacked):
    for name in ROWS:
        if name.startswith("npy-"):
            statuses(attacked[0], name)
    assert not (root / bodies.UNPICKLED).exists()


def test_good_and_bad_requests_on_one_connection_are_answered_in_their_order(attacked):
    good = request(PREDICT, SEVEN.tobytes(), RAW)
    bad = [ROWS[name].make() for name in ("json-cut-/predict", "raw-783-/predict")]
    path, nothing = ROWS["path-/nope"].make(), ROWS["wire-no-host"].make()
    received = attacked[0].raw(b"".join([good, *bad, path, good, nothing, good]))
    found = [status for status, _, _ in replies(received)]
    assert found == [200, 400, 400, 404, 200, 400]  # after no HTTP, nothing


@pytest.mark.parametrize("server", ["flask", "gthread"], indirect=True)
def test_every_row_gets_the_same_code_on_the_other_ways(server):
    own = "gthread" not in server.process.args
    names = [name for name in ROWS if own or not name.startswith(OTHERWISE)]
    found = {name: statuses(server, name) for name in names}
    expected = {name: [ROWS[name].status] if ROWS[name].status else [] for name in names}
    assert found == expected
    assert "Traceback" not in server.log


def resident(server):
    """Return the memory of a worker in KiB."""
    (pid,) = server.worker_pids()
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def test_no_row_leaves_memory_behind(start):
    """A hundred times over would take too long; of a leak, these show 100 bytes a row."""
    server = start(WEB_CONCURRENCY="1").wait_ready()
    kept = []
    for row in ROWS.values():
        content = row.make()
        received = server.raw(content)
        if b"\r\nConnection: keep-alive" in received and len(content) < LIGHT:
            kept.append(content)
    # On one connection after the other, hundreds at once: that is ten times as fast.
    parts = [b"".join(kept[first : first + 100]) for first in range(0, len(kept), 100)]
    sizes = []
    for times in (2, REPEATS):
        for content in parts * times:
            assert len(replies(server.raw(content))) > 10
        sizes.append(resident(server))
    assert sizes[1] - sizes[0] < 1024


def test_a_client_that_has_gone_before_it_is_accepted_leaves_no_trace(start):
    server = start(WEB_CONCURRENCY="1").wait_ready()
    (pid,) = server.worker_pids()
    os.kill(pid, signal.SIGSTOP)
    try:
        for path in ("/livez", "/", PREDICT):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
    finally:
        os.kill(pid, signal.SIGCONT)
    answered(server)
    assert "Traceback" not in server.log
