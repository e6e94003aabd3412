"""The server's log: whatever becomes of its reader, lines are lost and no request."""

import contextlib
import json
import os
import re
import select
import signal

import pytest

from tests.support.server import eventually, free_port

pytestmark = pytest.mark.usefixtures("alarm")

LONG = "/livez?" + "x" * 2000
ENOUGH = 100  # requests whose lines fill a pipe of 64 KiB three times


@pytest.fixture
def piped(start):
    """Start a server whose log is a pipe; yield it and the end to read."""
    reader, writer = os.pipe()
    options = "--access-logfile", "-"
    server = start(*options, output=writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as reader:
        said = b""
        while b" in a browser" not in said:
            said += os.read(reader.fileno(), 65536)
        server.port = int(re.search(rb"Listening at: http://127.0.0.1:(\d+)", said)[1])
        yield server, reader


def ask_often(server):
    for _ in range(ENOUGH):
        assert server.request("GET", LONG).status == 200


def reload(server):
    """Send SIGHUP and wait until a new worker has taken the place of the old one."""
    (old,) = server.worker_pids()
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: len(pids := server.worker_pids()) == 1 and pids != [old])


def lost(text):
    return [int(count) for count in re.findall(r"(\d+) lines of this log are lost", text)]


def test_a_log_reader_that_stops_costs_no_request_no_reload_and_no_stop(piped):
    server, reader = piped
    ask_often(server)
    reload(server)
    ask_often(server)
    assert server.stop() == 0
    text = reader.read().decode()
    assert text.count("GET /livez") < 2 * ENOUGH


def test_a_log_reader_that_comes_back_learns_how_much_it_missed(piped):
    server, reader = piped
    ask_often(server)
    written = b""
    while select.select([reader], [], [], 0.1)[0]:
        written += os.read(reader.fileno(), 65536)
    server.request("GET", "/readyz")
    server.stop()
    text = (written + reader.read()).decode()
    assert sum(lost(text)) == ENOUGH - text.count("GET /livez")


def test_a_log_reader_that_goes_away_costs_no_request_and_no_stop(piped):
    server, reader = piped
    reader.close()
    ask_often(server)
    reload(server)
    assert server.request("GET", "/readyz").status == 200
    assert server.stop() == 0


def test_a_log_on_a_full_disk_costs_no_request_and_no_stop(start):
    options = "--access-logfile", "/dev/full", "--error-logfile", "/dev/full"
    port = free_port()
    server = start(*options, port=port)
    server.port = port

    def is_ready():
        with contextlib.suppress(ConnectionError):
            return server.request("GET", "/readyz").status == 200

    eventually(is_ready)
    assert server.stop() == 0
    assert server.log == ""


def test_a_log_that_was_moved_away_is_reopened_on_sigusr1(start, tmp_path):
    path, moved = tmp_path / "x.log", tmp_path / "x.log.1"
    path.touch()
    options = ["--access-logfile", str(path), "--error-logfile", str(path)]
    server = start(*options)
    server.log_path = path
    server.wait_ready()
    path.rename(moved)
    server.process.send_signal(signal.SIGUSR1)

    def is_logged():
        server.request("GET", "/livez")
        return path.exists() and "GET /livez" in path.read_text()

    eventually(is_logged)
    assert "Listening at" in moved.read_text()


@pytest.mark.parametrize("worker", ["service.server.worker.Worker", "gthread"])
def test_a_request_to_another_application_has_a_json_line(start, tmp_path, worker):
    (tmp_path / "wsgi_other.py").write_text(
        "def app(environ, start):\n"
        "    start('200 OK', [('Content-Length', '2'), ('X-Request-ID', 'theirs')])\n"
        "    return [b'ok']\n"
    )
    options = ["--access-logfile", "-", "--worker-class", worker]
    options += ["--pythonpath", str(tmp_path), "wsgi_other:app"]
    server = start(*options, MNIST_LOG_FORMAT="json")
    server.port = int(server.wait_until(r"Listening at: http://127.0.0.1:(\d+)")[1])
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    server.request("GET", "/x?y", headers={"traceparent": f"00-{trace}-{span}-01"})
    line = json.loads(server.wait_until(r'(?m)^.*"logger":"gunicorn.access".*$')[0])
    assert (line["path"], line["status"], line["bytes_out"]) == ("/x", 200, 2)
    assert line["request_id"] == "theirs"
    assert (line["trace_id"], line["parent_id"]) == (trace, span)


@pytest.fixture(scope="module", params=[[], ["--worker-class", "gthread"]])
def logging(start, request):
    return start("--access-logfile", "-", *request.param).wait_ready()


@pytest.mark.parametrize("path", ["/livez", "/predict", "/nope"])
def test_the_text_log_has_no_control_character(logging, path):
    """A terminal obeys those of the second set, too: 9b begins a command."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    head += "User-Agent: a\x85b\x9b31mc\x9d\xe9\r\nReferer: \x90\r\n\r\n"
    logging.raw(head.encode("latin-1"))
    logging.wait_until(rf'"POST {path} .*"\\x90" "a\\x85b\\x9b31mc\\x9d\xe9"')
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", logging.log)


def test_an_error_is_logged_without_control_characters(logging):
    server = logging
    server.raw(b"GET / HTTP/1.1\r\nHost: x\r\nExpect: \x9b31m\r\n\r\n")
    server.raw(b"GET /\x9b HTTP/1.1\r\nHost: \x9b\r\nA\x9b: \x9b\r\n\r\n")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", server.log)
