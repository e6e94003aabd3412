"""Servers whose behaviour is known, to measure the load test with.

    python tests/load/stub.py sleeps SEED     answers after a time of its own each
    python tests/load/stub.py stalls PERIOD   answers at once, save in each period's last
                                              second, when it does nothing

Says its port, and at the end how long it held each request, in ms.
"""

import asyncio
import json
import random
import re
import sys
import time

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
STALL_S = 1.0


def answer(frame_count: int, digit: int) -> bytes:
    """Return a right answer to a JSON request."""
    prediction = {"digit": digit, "probabilities": [float(n == digit) for n in range(10)]}
    body = json.dumps({"predictions": [prediction] * frame_count}).encode()
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Stub:
    """Reads requests on any number of connections, and answers each when it is time."""

    def __init__(self, labels: dict[bytes, int]) -> None:
        self._labels = labels
        self.held: list[float] = []

    async def delay(self) -> None:
        """Wait until the answer is to go out."""

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = LENGTH.search(head)
                if not length:  # the load test asks whether somebody is there
                    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                    continue
                body = await reader.readexactly(int(length[1]))
                started = time.perf_counter()
                await self.delay()
                # What it was and not what it should have been: the truth.
                self.held.append(1000 * (time.perf_counter() - started))
                writer.write(answer(1, self._labels[body]))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


class Sleeps(Stub):
    """Sleeps for 40 ms and something at random, whose tail is long."""

    def __init__(self, labels: dict[bytes, int], seed: int) -> None:
        super().__init__(labels)
        self._chance = random.Random(seed)

    async def delay(self) -> None:
        await asyncio.sleep(0.04 + self._chance.expovariate(1 / 0.03))


class Stalls(Stub):
    """Does nothing in the last second of each period, counted from the first request."""

    def __init__(self, labels: dict[bytes, int], period: float) -> None:
        super().__init__(labels)
        self._period = period
        self._start: float | None = None

    async def delay(self) -> None:
        now = time.perf_counter()
        self._start = self._start or now
        left = self._period - (now - self._start) % self._period
        if left < STALL_S:
            await asyncio.sleep(left)


async def main() -> None:
    kind, number = sys.argv[1], float(sys.argv[2])
    labels = {
        bytes.fromhex(body): label
        for body, label in json.loads(sys.stdin.readline()).items()
    }
    stub = Sleeps(labels, int(number)) if kind == "sleeps" else Stalls(labels, number)
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(json.dumps(stub.held), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
