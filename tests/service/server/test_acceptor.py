"""Accepting: all connections, but not at once where another worker has fewer."""

import asyncio
import contextlib
import logging
import socket
import time
from types import SimpleNamespace

import pytest

from service.server.acceptor import AT_ONCE, LONG, WAIT_S, Acceptor, queued


def make_acceptor(listener, protocol, ahead, turn_away=lambda client, peer, waiting: False):
    """Make an acceptor whose worker is ahead of another, or not."""
    pool = SimpleNamespace(
        is_full=lambda opening, at_metrics: False,
        is_ahead=lambda: ahead,
        is_metrics=lambda listener: False,
        workers=lambda: 1,
    )
    return Acceptor([listener], pool, protocol, turn_away, logging.getLogger())


@pytest.fixture
def accepted_at():
    """Return when, in seconds, each of some connections was accepted."""

    def run(count, ahead):
        times = []

        class Protocol(asyncio.Protocol):
            def connection_made(self, transport):
                times.append(time.perf_counter() - start)
                transport.close()

        async def serve(listener):
            acceptor = make_acceptor(listener, Protocol, ahead)
            acceptor.resume()
            while len(times) < count:
                await asyncio.sleep(0)
            acceptor.close()

        with contextlib.ExitStack() as stack:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            for _ in range(count):
                client = socket.create_connection(listener.getsockname())
                stack.enter_context(client)
            start = time.perf_counter()
            asyncio.run(serve(listener))
        return times

    return run


def test_a_worker_that_has_more_waits_before_each_connection(accepted_at):
    times = accepted_at(5, ahead=True)
    assert len(times) == 5
    assert all(at >= (index + 1) * WAIT_S for index, at in enumerate(times))


def test_a_worker_whose_connection_another_took_waits_before_the_next_one():
    async def serve(listener):
        accepted = asyncio.Event()

        class Protocol(asyncio.Protocol):
            def connection_made(self, transport):
                transport.close()
                accepted.set()

        acceptor = make_acceptor(listener, Protocol, ahead=True)
        acceptor.resume()
        with socket.create_connection(listener.getsockname()):
            await asyncio.sleep(0)
            await asyncio.sleep(0)  # it has seen the connection and waits
            other, _ = listener.accept()
            other.close()
            await asyncio.sleep(3 * WAIT_S)
        assert not accepted.is_set()
        start = time.perf_counter()
        with socket.create_connection(listener.getsockname()):
            await accepted.wait()
        acceptor.close()
        return time.perf_counter() - start

    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert asyncio.run(serve(listener)) >= WAIT_S


def test_a_worker_that_has_no_more_waits_for_nothing(accepted_at):
    times = accepted_at(3 * AT_ONCE, ahead=False)
    assert len(times) == 3 * AT_ONCE


@pytest.mark.parametrize("kept", [LONG - 1, LONG + 1])
def test_clients_are_turned_away_only_from_a_long_queue(kept):
    turned_away, accepted = [], []

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport):
            accepted.append(transport)
            transport.close()

    def turn_away(client, peer, waiting):
        if waiting > LONG:
            turned_away.append(waiting)
            client.close()
            return True
        return False

    async def serve(listener):
        acceptor = make_acceptor(listener, Protocol, False, turn_away)
        acceptor.resume()
        while len(turned_away) + len(accepted) < kept:
            await asyncio.sleep(0)
        acceptor.close()

    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))
        for _ in range(kept):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        assert queued(listener) == kept
        asyncio.run(serve(listener))
    assert turned_away == list(range(kept, LONG, -1))
