"""What uvloop itself costs: whole requests in, by their length, and a fixed reply."""

import asyncio
import re
import sys

import uvloop

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" + bytes(40)
LENGTH = re.compile(rb"Content-Length: (\d+)")


class Floor(asyncio.Protocol):
    """Counts bytes and answers when a request is there."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        self.transport = transport
        self.missing = 0

    def data_received(self, data: bytes) -> None:
        """Count, and answer once for each request."""
        if not self.missing:
            length = LENGTH.search(data)
            self.missing = data.index(b"\r\n\r\n") + 4 + (int(length[1]) if length else 0)
        self.missing -= len(data)
        if not self.missing:
            self.transport.write(REPLY)


async def main() -> None:
    """Serve on 127.0.0.1 at the port that the command names."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Floor, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
