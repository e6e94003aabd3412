"""Refusing a client that has only just connected: with its socket, and no more.

To make a connection of it, read, refuse and close takes as long as to answer, so that
refusing would gain nothing.
"""

import contextlib
import re
import socket

from service.http1 import END

MOST_BYTES = 1 << 16  # of a request that is refused here
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,8})[ \t]*\r\n", re.IGNORECASE)


def turn_away(client: socket.socket, reply: bytes) -> bool:
    """Send a reply and close, if the client has sent one whole POST request and no more.

    Others are for whoever reads requests: closed with bytes unread or on their way, the
    client could lose the reply; and who asks after health is always answered.

    Args:
        client: a socket that does not block.
        reply: what to say, head included.
    """
    try:
        content = client.recv(MOST_BYTES, socket.MSG_PEEK)
    except OSError:
        return False
    if not is_whole(content):
        return False
    with contextlib.closing(client), contextlib.suppress(OSError):
        client.recv(MOST_BYTES)
        client.send(reply)
    return True


def is_whole(content: bytes) -> bool:
    """Tell whether the bytes are one POST request with its body, as far as can be seen."""
    end = content.find(END) + len(END)
    if not content.startswith(b"POST ") or end < len(END):
        return False
    found = LENGTH.search(content, 0, end)
    return found is not None and end + int(found[1]) == len(content)
