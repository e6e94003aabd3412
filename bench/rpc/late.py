"""An open loop of calls, some of whose clients wait for no more than a moment.

Run in the environment of the server that has gRPC; prints how many calls had which status:
port, images, calls per second, seconds, milliseconds, and what every other client does
after these: ``wait`` on, ``cancel``, or let the ``deadline`` pass, of which the service
knows from the start.
"""

import asyncio
import collections
import json
import random
import sys
import time
from typing import Any

import grpc
import grpc.aio
import uvloop

from bench.rpc.client import CONNECTIONS, message

SEED = 1
LONG_S = 10.0  # for a reply, where nobody is in a hurry


async def main(
    port: str, images: str, rate: str, seconds: str, leave_ms: str, how: str
) -> None:
    """Start calls at random (Poisson), every other one in a hurry, and count."""
    body, chance = message(int(images), typed=False), random.Random(SEED)
    options = [("grpc.use_local_subchannel_pool", 1)]
    address = f"127.0.0.1:{port}"
    channels = [grpc.aio.insecure_channel(address, options) for _ in range(CONNECTIONS)]
    methods = [
        channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        for channel in channels
    ]
    counts = collections.Counter[str]()
    leave_s = int(leave_ms) / 1000

    async def ask(number: int) -> None:
        hurry = number % 2 == 1 and how
        timeout = leave_s if hurry == "deadline" else LONG_S
        call: Any = methods[number % CONNECTIONS](body, timeout=timeout)
        if hurry == "cancel":
            asyncio.get_running_loop().call_later(leave_s, call.cancel)
        counts[(await call.code()).name] += 1

    tasks = set[asyncio.Task[None]]()
    number, due, end = 0, time.perf_counter(), time.perf_counter() + float(seconds)
    while due < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(ask(number))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        number, due = number + 1, due + chance.expovariate(float(rate))
    await asyncio.gather(*tasks)
    print(json.dumps(counts))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
