"""Whatever a stranger sends gets its code and harms nothing: the rows of ``hostile``."""

import json
import os
import re
import signal
import socket
import struct
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest

from bench.harness.server import START_S
from tests.hostile import bodies, documents, files, heads
from tests.hostile.dialects import PREDICT, RAW, SEVEN, request
from tests.hostile.replies import check, take_all

ROWS = {**documents.ROWS, **bodies.ROWS, **files.ROWS, **heads.ROWS}
# gunicorn's own worker reads these its own way (the README names this project's).
OTHERWISE = ("chunks-", "wire-")
# Bodies of more bytes are not repeated where memory is measured.
LIGHT = 20_000
WARM_UP, WINDOWS = 1, 3
LEAK_KIB = (
    100  # in a window of a thousand rows; without a leak, one in three has 20 at most
)
TOGETHER = 10  # rows of a kind in a test
GOLDEN = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" + request(
    PREDICT, SEVEN.tobytes(), RAW, "Connection: close"
)


@pytest.fixture(scope="module")
def attacked(start):
    """A server, its first answer, and its workers at that time."""
    server = start("--access-logfile", "-", WEB_CONCURRENCY="2").wait_ready()
    server.wait_until("in a browser")  # the last line that is none of a request
    return server, answered(server), server.worker_pids()


def send(server, content):
    return take_all(server.raw(content), headless=False)


def answered(server):
    """Ask for what every worker must answer at any time: that it lives, and a digit."""
    alive, predicted = send(server, GOLDEN)
    assert (alive.status, alive.body) == (200, b'{"live":true}')
    assert json.loads(predicted.body)["predictions"][0]["digit"] == 7
    return predicted.body


def statuses(server, name):
    return [reply.status for reply in send(server, ROWS[name].make())]


def expected(name):
    return [ROWS[name].status] if ROWS[name].status else []


def together():
    """Return the names of all rows, a few of a kind at a time."""
    kinds = groupby(ROWS, lambda name: name.partition("-")[0])
    return [
        names[first : first + TOGETHER]
        for names in (list(group) for _, group in kinds)
        for first in range(0, len(names), TOGETHER)
    ]


@pytest.mark.parametrize("names", together(), ids=lambda names: names[0])
def test_rows_get_their_codes_and_harm_nothing(attacked, names):
    server, golden, pids = attacked
    before = server.log_path.stat().st_size
    for name in names:
        found = send(server, ROWS[name].make())
        assert [reply.status for reply in found] == expected(name), (name, found)
        for reply in found:
            check_row(name, reply)
    assert answered(server) == golden
    assert server.worker_pids() == pids
    with server.log_path.open("rb") as log:
        log.seek(before)
        lines = log.read().splitlines()
    # Nothing but lines of access, each whole, from the true address.
    assert all(re.match(rb'127\.0\.0\.1 - - \[[^]]+\] "', line) for line in lines), lines


def check_row(name, reply):
    check(reply)
    assert reply.headers[b"x-content-type-options"] == b"nosniff", name
    evil = (b"x-evil", b"access-control")
    assert not any(header.startswith(evil) for header in reply.headers), name
    assert reply.status < 400 or len(reply.body) < 500, name
    assert reply.status != 405 or b"allow" in reply.headers, name
    if name.startswith("batch-1"):
        assert b"expected at most" in reply.body, name
    if name in files.ROWS and reply.status == 200:
        assert digit(reply) == 3, name
        assert b"script" not in reply.body, name


def digit(reply):
    """Return the digit that a reply of /predict, /explain or /v1 says."""
    (prediction,) = json.loads(reply.body)["predictions"]
    return prediction["digit"] if "digit" in prediction else np.argmax(prediction)


def test_no_numpy_file_is_unpickled(root, attacked):
    for name in ROWS:
        if name.startswith("npy-"):
            statuses(attacked[0], name)
    assert not (root / bodies.UNPICKLED).exists()


def test_good_and_bad_requests_on_one_connection_are_answered_in_their_order(attacked):
    good = request(PREDICT, SEVEN.tobytes(), RAW)
    bad = [ROWS[name].make() for name in ("json-cut-/predict", "raw-783-/predict")]
    path, nothing = ROWS["path-/nope"].make(), ROWS["wire-no-host"].make()
    found = send(attacked[0], b"".join([good, *bad, path, good, nothing, good]))
    assert [reply.status for reply in found] == [
        200,
        400,
        400,
        404,
        200,
        400,
    ]  # after no HTTP, nothing


# Flask behind gunicorn's own worker; behind this project's, each has its rows elsewhere.
@pytest.mark.parametrize(
    ("server", "every"), [("flask", 5), ("gthread", 1)], indirect=["server"]
)
def test_rows_get_the_same_code_on_the_other_ways(server, every):
    left_out = OTHERWISE if "gthread" in server.process.args else ()
    names = [
        name
        for name in ROWS
        if not name.startswith(left_out)
        # A picture is read by the same function wherever it comes from.
        and (name not in files.ROWS or name.endswith("-body"))
    ][::every]
    found = {name: statuses(server, name) for name in names}
    assert found == {name: expected(name) for name in names}
    assert "Traceback" not in server.log


def resident(server):
    """Return the memory of a worker in KiB."""
    (pid,) = server.worker_pids()
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def test_no_row_leaves_memory_behind(start):
    """A hundred times over would take too long; of a leak, these show 100 bytes a row."""
    server = start().wait_ready()
    light = [content for row in ROWS.values() if len(content := row.make()) < LIGHT]
    kept = [x for x in light if b"\r\nConnection: keep-alive" in server.raw(x)]
    # A hundred on one connection: that is ten times as fast.
    parts = [kept[first : first + 100] for first in range(0, len(kept), 100)]
    sizes = []
    for number in range(WARM_UP + WINDOWS):
        for part in parts:
            assert len(send(server, b"".join(part))) == len(part)
        if number >= WARM_UP - 1:
            sizes.append(resident(server))
    # What leaks grows in each window; the allocator takes a megabyte now and then.
    assert min(after - before for before, after in pairwise(sizes)) < LEAK_KIB


def test_a_client_that_has_gone_before_it_is_accepted_leaves_no_trace(start):
    server = start().wait_ready()
    (pid,) = server.worker_pids()
    os.kill(pid, signal.SIGSTOP)
    try:
        for path in ("/livez", "/", PREDICT):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=START_S)
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
    finally:
        os.kill(pid, signal.SIGCONT)
    answered(server)
    assert "Traceback" not in server.log
