"""Accepting connections: a fair share, no more than there is room for, and none is lost.

All workers wait for the same queue, and whoever is awake could take all of it: sixteen
connections that come at once would then keep one core busy and leave the other idle for as
long as they last. So a worker that has more than another gives that one a moment. But where
many wait there is enough for all, and each takes its share at once: whom there is no time
for is to be told so, and not to wait unheard.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.worker import Worker

# Connections that are accepted in a turn of the loop. Not all that are there: the workers
# share the queue, and the first to wake up would take the others' share. Not one: a turn
# with fifty requests takes 3 ms, and the last of many new clients would wait for long.
AT_ONCE = 4
# A share of a queue that is long: so many new clients are not there at once in earnest.
LONG = 32
# The most of it: each takes some 60 µs, and those that are open wait meanwhile.
MOST_AT_ONCE = 512
# The moment: long enough to be woken up and to run, and short beside a connection's life.
WAIT_S = 0.002


class Acceptor:
    """Takes connections from the kernel's queue while it is told to.

    Attributes:
        opening: accepted sockets whose protocol is not there yet.
    """

    def __init__(
        self, listeners: Sequence[socket.socket], worker: "Worker", log: logging.Logger
    ) -> None:
        """Make one for sockets that listen, in the loop that runs.

        Args:
            listeners: the sockets.
            worker: has the connections, and knows of other workers.
            log: where what goes wrong is told.
        """
        self._loop = asyncio.get_running_loop()
        self._listeners, self._worker, self._log = listeners, worker, log
        self._active = self._closed = False
        self.opening: set[asyncio.Task[Any]] = set()
        for listener in listeners:
            listener.setblocking(False)

    def resume(self) -> None:
        """Accept, if there is room."""
        if not (self._active or self._closed or self._worker.is_full(len(self.opening))):
            self._active = True
            for listener in self._listeners:
                self._loop.add_reader(listener.fileno(), self._accept_some, listener)

    def pause(self) -> None:
        """Accept no more; the kernel keeps what comes until `resume` is called."""
        self._active = False
        for listener in self._listeners:
            self._loop.remove_reader(listener.fileno())

    def close(self) -> None:
        """Take in what the kernel has accepted, and listen no more."""
        self.pause()
        self._closed = True
        for listener in self._listeners:
            while self._accept(listener):
                pass
            listener.close()

    def _accept_some(self, listener: socket.socket) -> None:
        share = queued(listener) // self._worker.workers()
        if share > LONG:
            for before in range(min(share, MOST_AT_ONCE)):
                if not (self._active and self._accept(listener, share - before)):
                    break
        elif self._worker.is_ahead():
            self.pause()
            self._loop.call_later(WAIT_S, self._accept_what_is_left)
        else:
            self._take(listener)

    def _accept_what_is_left(self) -> None:
        """Take what no other worker has taken meanwhile, and look out for more."""
        self.resume()
        for listener in self._listeners:
            self._take(listener)

    def _take(self, listener: socket.socket) -> None:
        for _ in range(AT_ONCE):
            if not (self._active and self._accept(listener)) or self._worker.is_ahead():
                break

    def _accept(self, listener: socket.socket, waiting: int = 0) -> bool:
        try:
            client, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False  # another worker has it, or it is gone
        except OSError as error:  # no file or memory left: try again with the next sweep
            self._log.warning("cannot accept a connection: %s", error)
            self.pause()
            return False
        client.setblocking(False)
        if waiting and self._worker.turn_away(client, waiting):
            return True
        opening = self._loop.connect_accepted_socket(self._worker.connect, client)
        task = self._loop.create_task(opening)
        self.opening.add(task)
        task.add_done_callback(self.opening.discard)
        if self._active and self._worker.is_full(len(self.opening)):
            self.pause()
        return True


def queued(listener: socket.socket) -> int:
    """Return how many connections wait to be accepted; 0 where the system does not tell."""
    try:
        # struct tcp_info: eight bytes, and of the numbers after them the fifth, which is
        # tcpi_unacked and of a listening socket its queue (Linux, net/ipv4/tcp.c).
        info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 28)
        (count,) = struct.unpack_from("=I", info, 24)
    except (AttributeError, OSError, struct.error):
        return 0
    return int(count)
