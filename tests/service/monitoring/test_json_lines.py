"""The log in JSON: every line one object, whatever clients send."""

import datetime
import http.client
import json
import logging
import re
import threading
from contextlib import closing

import pytest

from service.http import Reply
from service.monitoring import json_lines
from service.monitoring.access_log import format_json
from service.monitoring.nonblocking import Handler
from service.monitoring.outcome import HeadFacts, Outcome
from service.monitoring.trace_context import read_trace
from service.server.http1.request import MAX_HEAD_BYTES

RAW = "application/octet-stream"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACED = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
SECRET = "key-of-letters-and-digits-0123456789"
WAYS = {
    "fast path": {},
    "flask": {"MNIST_FAST_PATH": "0", "WEB_CONCURRENCY": "1"},
    "gthread": {"GUNICORN_CMD_ARGS": "--worker-class gthread", "WEB_CONCURRENCY": "1"},
}


def lines(text):
    """Parse a log as a program would: a line ends with a line feed and nothing else."""
    assert text.isascii()
    return [json.loads(line) for line in text.split("\n") if line]


def requests(server):
    return [x for x in lines(server.log) if x["logger"] == "gunicorn.access"]


@pytest.fixture(scope="module", params=WAYS)
def server(request, start, tmp_path_factory):
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(SECRET)
    options = {"MNIST_LOG_FORMAT": "json", "MNIST_API_KEYS": str(keys)}
    started = start("--access-logfile", "-", **options, **WAYS[request.param])
    started.wait_until("in a browser")
    (port,) = re.findall(r"Listening at: http://127.0.0.1:(\d+)", started.log)
    started.port = int(port)
    return started


def ask(server, frames, **headers):
    known = {"Content-Type": RAW, "Authorization": f"Bearer {SECRET}", **headers}
    return server.request("POST", "/predict?version=1", frames[3].tobytes(), known)


def line_of(server, used_id):
    server.wait_until(f'"request_id":"{used_id}"')
    (line,) = [line for line in requests(server) if line["request_id"] == used_id]
    return line


def test_a_prediction_has_a_line_with_its_own_fields(server, frames):
    headers = {"X-Request-ID": "own", "User-Agent": "test/1", **TRACED}
    reply = ask(server, frames, **headers)
    line = line_of(server, "own")
    time = datetime.datetime.fromisoformat(line.pop("time"))
    now = datetime.datetime.now(datetime.UTC)
    assert abs((now - time).total_seconds()) < 60
    assert line.pop("pid") in server.worker_pids()
    assert 0 < line.pop("duration_ms") < 60_000
    assert line == {
        "level": "info",
        "logger": "gunicorn.access",
        "message": "request",
        "method": "POST",
        "path": "/predict",
        "route": "/predict",
        "status": 200,
        "model_version": "1",
        "images": 1,
        "bytes_in": 784,
        "bytes_out": len(reply.body),
        "client": "127.0.0.1",
        "user_agent": "test/1",
        "request_id": "own",
        "trace_id": TRACE,
        "parent_id": SPAN,
    }


def test_the_line_of_a_refusal_has_the_reason_in_one_word(server):
    headers = {"Authorization": f"Bearer {SECRET}", "X-Request-ID": "blank"}
    server.request("POST", "/predict", bytes(784), {"Content-Type": RAW, **headers})
    line = line_of(server, "blank")
    assert (line["status"], line["reason"], line["model_version"]) == (422, "no_ink", "3")
    assert "images" not in line


def test_every_line_is_json_from_the_first_on(server, frames):
    ask(server, frames, **{"X-Request-ID": "last"})
    line_of(server, "last")
    found = lines(server.log)
    assert {"gunicorn.error", "gunicorn.access"} <= {line["logger"] for line in found}
    for line in found:
        assert line["level"] in ("debug", "info", "warning", "error", "critical")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        assert isinstance(line["pid"], int)
        assert line["message"]


HOSTILE = {
    "quotes": b'"} {"level":"forged"',
    "backslash": b"\\",
    "escape": b"\\u000a\\n",
    "NEL": b"a\xc2\x85b",
    "bare NEL": b"a\x85b",
    "line separator": b"a\xe2\x80\xa8b\xe2\x80\xa9c",
    "not UTF-8": b"\xff\xfe\xc3",
    "half a surrogate": b"\xed\xa0\x80",
    "a terminal's command": b"\xc2\x9b31m",
    "tab": b"a\tb",
    "long": b"\xff" * 8000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_header_forges_a_line(server, name):
    own = f"hostile-{name.replace(' ', '-')}".replace("'", "")
    value = HOSTILE[name]
    server.raw(
        b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-ID: %b\r\n"
        b"User-Agent: %b\r\nReferer: %b\r\nX-A: %b\r\n\r\n" % (own.encode(), *[value] * 3)
    )
    line = line_of(server, own)
    assert (line["path"], line["status"]) == ("/livez", 200)
    expected = value.decode(errors="backslashreplace")
    assert expected.startswith(line["user_agent"][:250])
    assert len(json.dumps(line)) < 4096


def test_no_path_forges_a_line(server):
    server.request("GET", '/%0A{"a":"%E2%80%A8"}', headers={"X-Request-ID": "path"})
    line = line_of(server, "path")
    assert line["path"] == '/%0A{"a":"%E2%80%A8"}'
    assert line["status"] in (401, 404)


def test_neither_key_nor_query_nor_body_is_in_the_log(server, frames):
    ask(server, frames)
    body = b'{"instances": "from-the-body"}'
    headers = {"Authorization": f"Bearer {SECRET}", "X-Request-ID": "secret"}
    server.request("POST", f"/predict?key={SECRET}", body, headers)
    line_of(server, "secret")
    assert SECRET not in server.log
    assert "from-the-body" not in server.log


def test_an_id_of_a_client_that_is_not_sane_is_not_in_the_log(server):
    reply = server.request("GET", "/livez", headers={"X-Request-ID": 'a","b":"sane'})
    line_of(server, reply.headers["X-Request-ID"])
    assert "sane" not in server.log


def test_a_malformed_request_has_a_line_too(server):
    # gthread logs a message of its own.
    server.raw(b"GET /no-request HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")
    server.wait_until(r'"status":400|Invalid request from ip')


def test_a_malformed_trace_is_left_out(server):
    headers = {"X-Request-ID": "no-trace", "traceparent": f"00-{'0' * 32}-{SPAN}-01"}
    server.request("GET", "/livez", headers=headers)
    assert "trace_id" not in line_of(server, "no-trace")


def test_lines_of_many_workers_are_whole_and_one_per_request(server, frames):
    def send(number):
        with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
            for turn in range(50):
                headers = {
                    "Content-Type": RAW,
                    "Authorization": f"Bearer {SECRET}",
                    "X-Request-ID": f"many-{number}-{turn}",
                    "User-Agent": "é" * 100,
                }
                body = frames[turn % 10].tobytes()
                connection.putrequest("POST", "/predict")
                for name, value in {**headers, "Content-Length": "784"}.items():
                    connection.putheader(name, value.encode())
                connection.endheaders(body)
                reply = connection.getresponse()
                assert reply.read()
                assert reply.headers["X-Request-ID"] == headers["X-Request-ID"]

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(8):
        line_of(server, f"many-{number}-49")
    ids = [line["request_id"] for line in requests(server)]
    assert len([one for one in ids if one.startswith("many-")]) == 8 * 50
    assert len(ids) == len({*ids})


@pytest.fixture(scope="module")
def buggy(start, tmp_path_factory):
    """Start a server with a bug and a library that warns, without an access log."""
    folder = tmp_path_factory.mktemp("buggy")
    (folder / "wsgi_bug.py").write_text(
        "import warnings\nfrom service.wsgi import load\napp = load()\n"
        "app.add_url_rule('/bug', 'bug', lambda: 1 / 0)\n"
        "warnings.warn('line one\\nline two')\n"
    )
    options = ("--pythonpath", str(folder), "wsgi_bug:app")
    server = start(*options, MNIST_LOG_FORMAT="json").wait_ready()
    server.reply = server.request("GET", "/bug", headers=TRACED)
    server.wait_until("ZeroDivisionError")
    return server


def test_a_bug_is_logged_with_traceback_and_trace_even_without_access_log(buggy):
    assert buggy.reply.status == 500
    (line,) = [line for line in lines(buggy.log) if line["level"] == "error"]
    assert line["logger"] == "service.monitoring"
    assert line["request_id"] == buggy.reply.headers["X-Request-ID"]
    assert (line["trace_id"], line["parent_id"]) == (TRACE, SPAN)
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ZeroDivisionError: division by zero")


def test_messages_of_libraries_are_json_too(buggy):
    (line,) = [line for line in lines(buggy.log) if line["logger"] == "py.warnings"]
    assert line["level"] == "warning"
    assert "UserWarning: line one\nline two" in line["message"]


def test_an_error_that_stops_the_start_is_json_too(start):
    server = start(MNIST_LOG_FORMAT="json", MNIST_MAX_IMAGES="x")
    assert server.wait() != 0
    messages = [line["message"] for line in lines(server.log)]
    assert any("MNIST_MAX_IMAGES has value 'x'" in message for message in messages)


# The lines alone.


@pytest.mark.parametrize(
    "text", ["\ud800", "\n\r\t\0\x7f\x9b", "\u2028\u2029\x85", 'é😀\\"']
)
def test_a_message_is_one_line_of_ascii_and_comes_back(text):
    record = logging.makeLogRecord({"msg": text, "levelname": "ERROR", "name": "x"})
    line = json_lines.Formatter().format(record)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line)["message"] == text.replace("\ud800", "\\ud800")


def test_lines_are_written_together_in_pieces_that_a_pipe_takes_whole(tmp_path):
    path = tmp_path / "x.log"
    written = []

    class Spy(Handler):
        def _write(self, data):
            written.append(data)
            return super()._write(data)

    with closing(Spy(str(path))) as handler:
        some = [b"%d %b\n" % (n, b"x" * 300) for n in range(40)]
        handler.write_lines([*some, b"y" * 5000 + b"\n", b"end\n"])
    assert path.read_bytes() == b"".join(some) + b"y" * 5000 + b"\nend\n"
    assert [len(piece) for piece in written if len(piece) > 4096] == [5001]
    assert len(written) == 6


def test_the_longest_line_of_a_request_fits_into_what_a_pipe_takes_whole():
    worst = "\xff" * MAX_HEAD_BYTES
    outcome = Outcome(
        "M" * 20,
        "x" * 99,
        10**10,
        "i" * 128,
        Reply(200, b"", images=1024),
        received=10**9,
        seconds=1e6,
        client="x" * 64,
        head=HeadFacts("M" * 20, worst, {"user-agent": worst}),
        trace=read_trace(TRACED),
        sent=10**9,
    )
    (line,) = format_json([outcome])
    assert len(line) < 4096 - 100
