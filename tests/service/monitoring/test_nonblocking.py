"""The log handler: whatever becomes of the reader, lines are lost and nothing waits."""

import contextlib
import fcntl
import logging
import os
import pty
import re
import select
import socket
import time

import pytest

from bench.harness.server import START_S
from service.monitoring.nonblocking import Handler, _Polled

pytestmark = pytest.mark.usefixtures("alarm")

LINE = "y" * 999  # 66 of them fill a pipe of 64 KiB


def unread_pipe():
    return os.pipe()


def unread_socket():
    # As systemd's journal has one.
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
    """Make handlers, and close them at the end."""
    with contextlib.ExitStack() as stack:

        def make(target):
            return stack.enter_context(contextlib.closing(Handler(target)))

        yield make


def log(handler, *lines):
    for line in lines:
        handler.handle(logging.makeLogRecord({"msg": line}))


def read(reader, end=""):
    """Return the text that has arrived, up to its end if that is known."""
    received = ""
    deadline = time.monotonic() + START_S
    # The kernel takes a moment to pass a terminal's text on, longer on a busy machine.
    while True:
        if select.select([reader], [], [], 0.1)[0]:
            received += os.read(reader, 65536).decode().replace("\r", "")
        elif received.endswith(end):
            return received
        assert time.monotonic() < deadline


def lost(text):
    return [int(count) for count in re.findall(r"(\d+) lines of this log are lost", text)]


@pytest.mark.parametrize("ends", UNREAD, indirect=True)
def test_lines_that_nobody_reads_are_lost_without_a_wait_and_reported_later(ends, handlers):
    reader, writer = ends
    handler = handlers(writer)
    log(handler, *[LINE] * 1000)
    text = read(reader)
    log(handler, "again")
    text += read(reader, "\nagain\n")
    kept = text.count(f"{LINE}\n")
    assert 0 < kept < 1000
    counts = lost(text)  # two where room came in between
    # A line that was cut right before its end counts as lost, and looks like a whole one.
    assert counts
    assert 0 <= sum(counts) - (1000 - kept) <= len(counts)
    log(handler, "reported once")
    assert read(reader, "\n") == "reported once\n"


@pytest.mark.parametrize("ends", [unread_pipe], indirect=True)
def test_a_loss_is_reported_once_even_if_the_next_line_is_cut(ends, handlers):
    reader, writer = ends
    handler = handlers(writer)
    page = "y" * (select.PIPE_BUF - 1)
    for _ in range(fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ) // select.PIPE_BUF):
        log(handler, page)
    log(handler, *[LINE] * 7)  # for which there is no room
    assert os.read(reader, select.PIPE_BUF) == f"{page}\n".encode()
    log(handler, "z" * 2 * select.PIPE_BUF)  # and for half of this
    text = read(reader)
    log(handler, "again")
    assert lost(text + read(reader, "\nagain\n")) == [7, 1]


@pytest.mark.parametrize("ends", UNREAD, indirect=True)
def test_the_open_file_of_others_keeps_its_flags(ends, handlers):
    _, writer = ends
    before = fcntl.fcntl(writer, fcntl.F_GETFL)
    log(handlers(writer), *[LINE] * 1000)
    assert fcntl.fcntl(writer, fcntl.F_GETFL) == before


@pytest.mark.parametrize("ends", [unread_pipe], indirect=True)
def test_a_pipe_that_cannot_be_reopened_is_polled_for_room(ends):
    reader, writer = ends
    with _Polled(writer, "w", closefd=False) as stream:
        taken = stream.write(b"z" * 5000)
        while more := stream.write(b"z" * 5000):
            taken += more
    assert taken > 30_000
    assert len(read(reader)) == taken


@pytest.mark.parametrize("ends", [unread_pipe], indirect=True)
def test_a_reader_that_is_gone_costs_only_lines(ends, handlers):
    reader, writer = ends
    os.close(reader)
    log(handlers(writer), LINE, LINE)


def test_a_line_that_was_cut_is_ended_and_counted(handlers):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    handler = handlers(writer)
    log(handler, "z" * 6000)
    assert read(reader) == "z" * 4096
    log(handler, "next")
    text = read(reader)
    assert lost(text) == [1]
    assert text.startswith("\n")
    assert text.endswith("\nnext\n")


def test_a_full_disk_costs_only_lines(handlers):
    log(handlers("/dev/full"), LINE, LINE)


def test_a_record_whose_arguments_do_not_match_is_lost_like_any_other(handlers, tmp_path):
    handler = handlers(tmp_path / "x.log")
    handler.handle(logging.makeLogRecord({"msg": "%d", "args": ("x",)}))
    log(handler, "next")
    assert lost((tmp_path / "x.log").read_text()) == [1]


def test_a_file_that_cannot_be_opened_is_tried_with_each_line(handlers, tmp_path):
    handler = handlers(tmp_path / "folder" / "x.log")
    log(handler, "lost")
    (tmp_path / "folder").mkdir()
    log(handler, "kept")
    text = (tmp_path / "folder" / "x.log").read_text()
    assert lost(text) == [1]
    assert text.endswith("\nkept\n")


def test_a_file_is_continued_where_others_stopped(handlers, tmp_path):
    with (tmp_path / "x.log").open("wb") as others:
        others.write(b"before\n")
        others.flush()
        log(handlers(others.fileno()), "line")
        others.write(b"after\n")
    assert (tmp_path / "x.log").read_text() == "before\nline\nafter\n"


def test_a_forked_process_does_not_report_what_its_parent_lost(handlers, tmp_path):
    handler = handlers(tmp_path / "folder" / "x.log")
    log(handler, "lost")
    (tmp_path / "folder").mkdir()
    # As in a child: records carry the id of their process.
    handler.handle(logging.makeLogRecord({"msg": "child", "process": os.getpid() + 1}))
    assert (tmp_path / "folder" / "x.log").read_text() == "child\n"
