"""The log: whatever becomes of its reader, lines are lost and no request."""

import contextlib
import fcntl
import logging
import os
import pty
import re
import select
import signal
import socket
import time

import pytest

from service.log import Handler, _Asked

LONG = "/livez?" + "x" * 2000
ENOUGH = 100  # requests whose lines fill a pipe of 64 KiB three times
LINE = "y" * 999  # 66 of them fill it
DEADLINE_S = 30


@pytest.fixture(autouse=True)
def alarm():
    """End a write that waits."""

    def end(*_):
        raise TimeoutError("a write has waited")

    previous = signal.signal(signal.SIGALRM, end)
    signal.alarm(2 * DEADLINE_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


# The handler alone.


def unread_pipe():
    return os.pipe()


def unread_socket():
    # systemd's journal is the other end of such a one.
    return [end.detach() for end in socket.socketpair()]


def unread_terminal():
    reader, writer = pty.openpty()
    return reader, writer


UNREAD = [unread_pipe, unread_socket, unread_terminal]


@pytest.fixture
def ends(request):
    reader, writer = request.param()
    yield reader, writer
    for end in (reader, writer):
        with contextlib.suppress(OSError):
            os.close(end)


@pytest.fixture
def handlers():
    """Make handlers; they are closed in the end."""
    with contextlib.ExitStack() as stack:

        def make(target):
            return stack.enter_context(contextlib.closing(Handler(target)))

        yield make


def say(handler, *lines):
    for line in lines:
        handler.handle(logging.makeLogRecord({"msg": line}))


def read(reader, end=""):
    """Return the text that is there, up to its end if that is known."""
    received = ""
    deadline = time.monotonic() + DEADLINE_S
    # The kernel itself takes a moment to bring a terminal's text to the other end, and a
    # long one where the machine is busy.
    while True:
        if select.select([reader], [], [], 0.1)[0]:
            received += os.read(reader, 65536).decode().replace("\r", "")
        elif received.endswith(end):
            return received
        assert time.monotonic() < deadline


def lost(text):
    return [int(count) for count in re.findall(r"(\d+) lines of this log are lost", text)]


@pytest.mark.parametrize("ends", UNREAD, indirect=True)
def test_lines_that_nobody_reads_are_lost_without_a_wait_and_told_later(ends, handlers):
    reader, writer = ends
    handler = handlers(writer)
    say(handler, *[LINE] * 1000)
    text = read(reader)
    say(handler, "again")
    text += read(reader, "\nagain\n")
    kept = text.count(f"{LINE}\n")
    assert 0 < kept < 1000
    told = lost(text)  # twice where room came in between
    # A line that was cut right before its end counts as lost, and looks like a whole one.
    assert told
    assert 0 <= sum(told) - (1000 - kept) <= len(told)
    say(handler, "told once")
    assert read(reader, "\n") == "told once\n"


@pytest.mark.parametrize("ends", [unread_pipe], indirect=True)
def test_a_loss_is_told_once_even_if_the_next_line_is_cut(ends, handlers):
    reader, writer = ends
    handler = handlers(writer)
    page = "y" * (select.PIPE_BUF - 1)
    for _ in range(fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ) // select.PIPE_BUF):
        say(handler, page)
    say(handler, *[LINE] * 7)  # for which there is no room
    assert os.read(reader, select.PIPE_BUF) == f"{page}\n".encode()
    say(handler, "z" * 2 * select.PIPE_BUF)  # and for half of this
    text = read(reader)
    say(handler, "again")
    assert lost(text + read(reader, "\nagain\n")) == [7, 1]


@pytest.mark.parametrize("ends", UNREAD, indirect=True)
def test_the_open_file_of_others_keeps_its_flags(ends, handlers):
    _, writer = ends
    before = fcntl.fcntl(writer, fcntl.F_GETFL)
    say(handlers(writer), *[LINE] * 1000)
    assert fcntl.fcntl(writer, fcntl.F_GETFL) == before


@pytest.mark.parametrize("ends", [unread_pipe], indirect=True)
def test_a_pipe_that_cannot_be_opened_again_is_asked_for_room(ends):
    reader, writer = ends
    with _Asked(writer, "w", closefd=False) as stream:
        taken = stream.write(b"z" * 5000)
        while more := stream.write(b"z" * 5000):
            taken += more
    assert taken > 30_000
    assert len(read(reader)) == taken


@pytest.mark.parametrize("ends", [unread_pipe], indirect=True)
def test_a_reader_that_is_gone_costs_lines(ends, handlers):
    reader, writer = ends
    os.close(reader)
    say(handlers(writer), LINE, LINE)


def test_a_line_that_was_cut_is_ended_and_counted(handlers):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    handler = handlers(writer)
    say(handler, "z" * 6000)
    assert read(reader) == "z" * 4096
    say(handler, "next")
    text = read(reader)
    assert lost(text) == [1]
    assert text.startswith("\n")
    assert text.endswith("\nnext\n")


def test_a_full_disk_costs_lines(handlers):
    say(handlers("/dev/full"), LINE, LINE)


def test_a_record_whose_arguments_do_not_fit_is_lost_like_any_other(handlers, tmp_path):
    handler = handlers(tmp_path / "x.log")
    handler.handle(logging.makeLogRecord({"msg": "%d", "args": ("x",)}))
    say(handler, "next")
    assert lost((tmp_path / "x.log").read_text()) == [1]


def test_a_file_that_cannot_be_opened_is_tried_with_each_line(handlers, tmp_path):
    handler = handlers(tmp_path / "folder" / "x.log")
    say(handler, "lost")
    (tmp_path / "folder").mkdir()
    say(handler, "kept")
    text = (tmp_path / "folder" / "x.log").read_text()
    assert lost(text) == [1]
    assert text.endswith("\nkept\n")


def test_a_file_is_written_on_from_where_others_stopped(handlers, tmp_path):
    with (tmp_path / "x.log").open("wb") as others:
        others.write(b"before\n")
        others.flush()
        say(handlers(others.fileno()), "line")
        others.write(b"after\n")
    assert (tmp_path / "x.log").read_text() == "before\nline\nafter\n"


def test_a_forked_process_does_not_tell_what_its_parent_lost(handlers, tmp_path):
    handler = handlers(tmp_path / "folder" / "x.log")
    say(handler, "lost")
    (tmp_path / "folder").mkdir()
    # As in a child: the records tell their process.
    handler.handle(logging.makeLogRecord({"msg": "child", "process": os.getpid() + 1}))
    assert (tmp_path / "folder" / "x.log").read_text() == "child\n"


# A gunicorn whose log is written so.


@pytest.fixture
def piped(start):
    """A server whose log is a pipe, and the end that is read."""
    reader, writer = os.pipe()
    options = "--access-logfile", "-"
    server = start(*options, output=writer, WEB_CONCURRENCY="1")
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
    deadline = time.monotonic() + DEADLINE_S
    while len(pids := server.worker_pids()) != 1 or pids == [old]:
        assert time.monotonic() < deadline, f"still the workers {pids}"
        time.sleep(0.02)


def test_a_log_reader_that_stops_costs_no_request_no_reload_and_no_stop(piped):
    server, reader = piped
    ask_often(server)
    reload(server)
    ask_often(server)
    assert server.stop() == 0
    text = reader.read().decode()
    assert text.count("GET /livez") < 2 * ENOUGH


def test_a_log_reader_that_comes_back_is_told_what_it_missed(piped):
    server, reader = piped
    ask_often(server)
    written = b""
    # The kernel itself takes a moment to bring a terminal's text to the other end.
    while select.select([reader], [], [], 0.1)[0]:
        written += os.read(reader.fileno(), 65536)
    server.request("GET", "/readyz")
    server.stop()
    assert lost(reader.read().decode())[0] == ENOUGH - written.count(b"GET /livez")


def test_a_log_reader_that_goes_away_costs_no_request_and_no_stop(piped):
    server, reader = piped
    reader.close()
    ask_often(server)
    reload(server)
    assert server.request("GET", "/readyz").status == 200
    assert server.stop() == 0


def test_a_log_on_a_full_disk_costs_no_request_and_no_stop(start):
    options = "--access-logfile", "/dev/full", "--error-logfile", "/dev/full"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = start(*options, port=port, WEB_CONCURRENCY="1")
    server.port = port
    deadline = time.monotonic() + DEADLINE_S
    while True:
        with contextlib.suppress(ConnectionError):
            if server.request("GET", "/readyz").status == 200:
                break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert server.stop() == 0
    assert server.log == ""


def test_a_log_that_was_moved_away_is_opened_anew_on_sigusr1(start, tmp_path):
    path, moved = tmp_path / "x.log", tmp_path / "x.log.1"
    path.touch()
    options = ["--access-logfile", str(path), "--error-logfile", str(path)]
    server = start(*options, WEB_CONCURRENCY="1")
    server.log_path = path
    server.wait_ready()
    path.rename(moved)
    server.process.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + DEADLINE_S
    while not path.exists() or "GET /livez" not in path.read_text():
        assert time.monotonic() < deadline
        server.request("GET", "/livez")
    assert "Listening at" in moved.read_text()
