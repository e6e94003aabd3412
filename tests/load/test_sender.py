"""The process that sends, in this one: what becomes of the requests of a schedule."""

import asyncio
import contextlib

import pytest

from load import payloads, sender
from load.arrivals import arrivals
from load.messages import Asked, Plan
from load.record import total
from load.scenarios import Load
from tests.load.stub import answer

REQUESTS = payloads.requests("raw", 1)
LABELS = {each.body: each.labels[0] for each in payloads.requests("json", 1)}


def play(serve, *loads, connections=4, name="json", kind="constant"):
    """Play loads on a server: all that is tallied, by load."""

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        made = sender.Sender(Asked(host, payloads.requests(name, 1), 0, {}, connections))
        expiry = asyncio.ensure_future(made.expire())
        await made.play(Plan(0, list(loads), kind, 1, 0, 1, 1.0))
        expiry.cancel()
        report = made.report()
        await end(made)
        server.close()
        assert report.done == len(loads)
        return [
            total(tally for load, _, _, tally in report.tallies if load == number)
            for number in range(len(loads))
        ]

    return asyncio.run(main())


async def end(made):
    """Close what is open, and let the loop see it."""
    for each in [*made._idle, *made._busy]:
        each.close()
    await asyncio.sleep(0.05)


async def exchange(reader, writer):
    """Answer one request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    writer.write(answer(1, LABELS[body]))


async def answers_all(reader, writer):
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            await exchange(reader, writer)
    writer.close()


def test_every_request_of_an_open_loop_is_sent_once():
    slow, fast = play(answers_all, Load("a", 0.5, 100.0), Load("b", 0.5, 200.0))
    assert (slow.due, fast.due) == (50, 100)
    assert (slow.right, fast.right) == (50, 100)
    assert len(fast.latency) == len(fast.service) == 100


def test_a_poisson_schedule_is_that_of_its_seed():
    (found,) = play(answers_all, Load("a", 0.5, 300.0), kind="poisson")
    assert found.due == len(list(arrivals("poisson", 300, 0.5, 1)))


def test_a_closed_loop_has_its_users_and_no_more():
    together = {"now": 0, "most": 0}

    async def counts(reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                together["now"] += 1
                together["most"] = max(together.values())
                await asyncio.sleep(0.01)
                together["now"] -= 1
                writer.write(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    (found,) = play(counts, Load("a", 0.4, None, 3), connections=8, name="raw")
    assert together["most"] == 3
    assert found.due == found.failed == found.failures["status 503"] > 3
    assert found.latency == found.service
    assert not found.late


def test_a_server_that_closes_idle_connections_loses_no_request():
    """It closes upon the second request of each, before it answers, as a reload may."""

    async def once(reader, writer):
        await exchange(reader, writer)
        await reader.read(1)
        writer.close()

    (found,) = play(once, Load("a", 0.5, 100.0))
    assert (found.due, found.right) == (50, 50), found.failures


def test_a_server_that_closes_every_connection_fails_each_request_once():
    async def never(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    (found,) = play(never, Load("a", 0.3, 100.0))
    assert found.due == found.failed == 30


def test_requests_without_an_answer_are_given_up(monkeypatch):
    monkeypatch.setattr(sender, "ANSWER_S", 0.2)
    monkeypatch.setattr(sender, "DRAIN_S", 3.0)

    async def silent(reader, writer):
        await reader.read()
        writer.close()

    (found,) = play(silent, Load("a", 0.1, 100.0), connections=20)
    assert found.failures == {"no answer: TimeoutError": 10}
    assert not found.latency


def test_what_no_connection_is_free_for_is_counted_as_never_sent(monkeypatch):
    monkeypatch.setattr(sender, "DRAIN_S", 0.2)
    monkeypatch.setattr(sender, "ANSWER_S", 60.0)

    async def silent(reader, writer):
        await reader.read()
        writer.close()

    (found,) = play(silent, Load("a", 0.1, 100.0), connections=2)
    assert found.due == 10
    assert found.failures == {sender.CUT: 8}


@pytest.mark.parametrize("loop", [100.0, None])
def test_a_host_that_refuses_connections_is_a_failure_with_its_reason(loop):
    async def main():
        made = sender.Sender(Asked("http://127.0.0.1:9", REQUESTS, 0, {}, 2))
        load = Load("a", 0.2, loop, None if loop else 2)
        await made.play(Plan(0, [load], "constant", 1, 0, 1, 1.0))
        await end(made)
        return total(tally for *_, tally in made.report().tallies)

    found = asyncio.run(main())
    assert found.due == found.failed > 0
    assert set(found.failures) == {"no answer: ConnectionRefusedError"}
