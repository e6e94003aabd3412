"""The reader of replies: whole, in pieces, and what is none."""

import asyncio

import pytest

from load import payloads
from load.client import Connection, Reply, ReplyError, Target, read_head

GOOD = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 5\r\nServer-Timing: a;dur=1\r\n\r\nhello"


def exchange(pieces, *, close=False, requests=1):
    """Send requests to a server that answers with such pieces: what is found of each."""

    async def serve(reader, writer):
        for _ in range(requests):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"POST /base/predict HTTP/1.1\r\nHost: 127.0.0.1:")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.001)
        if not close:
            await reader.read()
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        target = Target.of(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/base/")
        request = payloads.Request("json", "POST", "/predict", {}, b"", ())
        found, ended = [], asyncio.Queue()
        connection = Connection(target, lambda _, reply: ended.put_nowait(reply))
        for _ in range(requests):
            connection.send(target.render(request, {}))
            found.append(await asyncio.wait_for(ended.get(), 10))
        dead = connection.dead
        connection.close()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)
        return dead, found

    return asyncio.run(main())


@pytest.mark.parametrize("cuts", [[], [1], [10, 20], [len(GOOD) - 5], [len(GOOD) - 1]])
def test_a_reply_is_the_same_however_it_is_cut(cuts):
    pieces = [GOOD[a:b] for a, b in zip([0, *cuts], [*cuts, len(GOOD)])]
    dead, replies = exchange(pieces, requests=3)
    for reply in replies:
        assert isinstance(reply, Reply), reply
        assert (reply.status, reply.body) == (200, b"hello")
        assert reply.head.get("Server-Timing") == "a;dur=1"
        assert reply.head.get("timing") is None
    assert not dead


def test_a_connection_that_the_server_closes_is_not_used_again():
    reply = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    dead, (found,) = exchange([reply])
    assert found.body == b"hello"
    assert dead


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"HTTP/2 200 OK\r\n\r\n", "not an HTTP/1.1 reply"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "not an HTTP/1.1 reply"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "a reply without a valid Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "a reply without a valid Con.*"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "a reply in chunks, .*"),
        (b"x" * 70_000, "a head of more than 64 KiB"),
    ],
)
def test_what_is_no_reply_is_an_error(reply, reason):
    with pytest.raises(ReplyError, match=reason):
        read_head(reply)


def test_a_reply_that_goes_on_is_a_failure_and_ends_the_connection():
    dead, found = exchange([GOOD + b"!"])
    assert found == ["a reply that is longer than its Content-Length"]
    assert dead


def test_a_first_request_that_is_closed_upon_is_not_sent_again():
    _, found = exchange([], close=True)
    assert found == ["no answer: the connection was closed"]
