"""Accepting connections: a fair share, no more than there is room for, and none is lost.

All workers wait on the same queue, and whichever is awake could take all of it: sixteen
connections that arrive at once would keep one core busy and leave the other idle for as
long as they last. So a worker that has more than another gives that one a moment. But if
many wait there is enough for all, and each worker accepts its share at once, so that
clients that cannot be served are refused rather than left waiting.
"""

import asyncio
import contextlib
import logging
import re
import socket
import struct
from collections.abc import Callable, Sequence
from fcntl import ioctl
from termios import FIONREAD
from typing import Any

from service.server.http1.request import END
from service.server.pool import Pool

# Connections that are accepted per turn of the loop. Not all that wait: the workers share
# the queue, and the first to wake up would take the others' share. Not one: a turn with
# fifty requests takes 3 ms, and the last of many new clients would wait for long.
AT_ONCE = 4
# A share of the queue that counts as long: so many new clients rarely arrive together.
LONG = 32
# Most connections of a share: each takes some 60 µs, while those that are open wait.
MOST_AT_ONCE = 512
# The moment: long enough to wake up and run, and short against a connection's life.
WAIT_S = 0.002

PEEK_BYTES = 1 << 12  # enough for the head of a request that is refused without one
SINK = bytearray(1 << 18)  # for what is dropped
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,8})[ \t]*\r\n", re.IGNORECASE)


class Acceptor:
    """Takes connections from the kernel's queue.

    Attributes:
        opening: accepted sockets whose protocol does not exist yet.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        pool: Pool,
        connect: Callable[[], asyncio.BaseProtocol],
        turn_away: Callable[[socket.socket, Any, int], bool],
        log: logging.Logger,
    ) -> None:
        """Create one in the running loop; it accepts from `resume` on.

        Args:
            listeners: the listening sockets.
            pool: has the connections, and knows of other workers.
            connect: makes the protocol of a new connection.
            turn_away: refuses a socket from an address, given how many wait if they are
                many, or returns False.
            log: where errors are logged.
        """
        self._loop = asyncio.get_running_loop()
        self._listeners, self._pool, self._log = listeners, pool, log
        self._connect, self._turn_away = connect, turn_away
        self._at_metrics = {it for it in listeners if pool.is_metrics(it)}
        self._active: set[socket.socket] = set()
        self._closed = False
        self.opening: set[asyncio.Task[Any]] = set()
        for listener in listeners:
            listener.setblocking(False)

    def resume(self) -> None:
        """Accept from each listener for which there is room."""
        for listener in self._listeners:
            if not (self._closed or listener in self._active or self._is_full(listener)):
                self._active.add(listener)
                self._loop.add_reader(listener.fileno(), self._accept_some, listener)

    def pause(self) -> None:
        """Accept no more; the kernel queues connections until `resume`."""
        for listener in [*self._active]:
            self._pause(listener)

    def _pause(self, listener: socket.socket) -> None:
        self._active.discard(listener)
        self._loop.remove_reader(listener.fileno())

    def _is_full(self, listener: socket.socket) -> bool:
        return self._pool.is_full(len(self.opening), listener in self._at_metrics)

    def close(self) -> None:
        """Accept what the kernel has queued, and stop listening."""
        self.pause()
        self._closed = True
        for listener in self._listeners:
            while self._accept(listener):
                pass
            listener.close()

    def _accept_some(self, listener: socket.socket) -> None:
        share = queued(listener) // self._pool.workers()
        if share > LONG:
            for before in range(min(share, MOST_AT_ONCE)):
                if not (
                    listener in self._active and self._accept(listener, share - before)
                ):
                    break
        elif self._pool.is_ahead():
            self.pause()
            self._loop.call_later(WAIT_S, self._accept_rest)
        else:
            self._take(listener)

    def _accept_rest(self) -> None:
        """Accept what no other worker has taken meanwhile, and wait for more."""
        self.resume()
        for listener in self._listeners:
            self._take(listener)

    def _take(self, listener: socket.socket) -> None:
        for _ in range(AT_ONCE):
            if not (listener in self._active and self._accept(listener)):
                break
            if self._pool.is_ahead():
                break

    def _accept(self, listener: socket.socket, waiting: int = 0) -> bool:
        try:
            client, peer = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False  # another worker has it, or it is gone
        except OSError as error:  # no file or memory left: try again with the next sweep
            self._log.warning("cannot accept a connection: %s", error)
            self.pause()
            return False
        client.setblocking(False)
        # A client of a Unix socket may have any name.
        peer = peer if isinstance(peer, tuple) else ("", 0)
        if self._turn_away(client, peer, waiting):
            return True
        opening = self._loop.connect_accepted_socket(self._connect, client)
        task = self._loop.create_task(opening)
        self.opening.add(task)
        task.add_done_callback(self.opening.discard)
        for other in [*self._active]:
            if self._is_full(other):
                self._pause(other)
        return True


def queued(listener: socket.socket) -> int:
    """Return how many connections wait to be accepted; 0 if the system does not say."""
    try:
        # struct tcp_info: eight bytes, and of the numbers after them the fifth, which is
        # tcpi_unacked and of a listening socket its queue (Linux, net/ipv4/tcp.c).
        info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 28)
        (count,) = struct.unpack_from("=I", info, 24)
    except (AttributeError, OSError, struct.error):
        return 0
    return int(count)


def reply_and_close(client: socket.socket, reply: bytes, ended: bool) -> bool:
    """Reply on a socket and close it, if it holds one whole POST request and no more.

    To open a connection, read, refuse and close takes as long as to answer, so refusing
    would gain nothing. Other requests need a connection: closed with bytes unread or still
    arriving, the client could lose the reply; and health checks are always answered.

    Args:
        client: a non-blocking socket.
        reply: the complete reply.
        ended: whether the client has ended its side: then part of a request is enough.
    """
    try:
        start = client.recv(PEEK_BYTES, socket.MSG_PEEK)
        size = unread(client)
    except OSError:
        return False
    if not (start.startswith(b"POST ") and (ended or is_whole(start, size))):
        return False
    with contextlib.closing(client), contextlib.suppress(OSError):
        # Linux does not even copy it: see MSG_TRUNC in tcp(7).
        while client.recv_into(SINK, len(SINK), socket.MSG_TRUNC) == len(SINK):
            pass
        client.send(reply)
    return True


def unread(client: socket.socket) -> int:
    """Return how many bytes have arrived on a socket."""
    (size,) = struct.unpack("=i", ioctl(client.fileno(), FIONREAD, bytes(4)))
    return int(size)


def is_whole(start: bytes, size: int) -> bool:
    """Whether bytes look like one POST request with its whole body.

    Args:
        start: the first of them.
        size: how many there are in all.
    """
    end = start.find(END) + len(END)
    if not start.startswith(b"POST ") or end < len(END):
        return False
    found = LENGTH.search(start, 0, end)
    return found is not None and end + int(found[1]) == size
