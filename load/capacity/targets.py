"""What is asked, as the generators take it, and what that costs the server's core."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from load import bodies
from load.direct import urlopen
from load.overload import OWN, write
from load.payloads import DRAWN
from load.peers import formats
from load.peers.formats import Pixels
from load.peers.items import ITEMS, Item, headers, pixels, route
from load.peers.measure import GENERATOR_CORE
from load.peers.openloop import request
from load.peers.servers import Route

Record = dict[str, Any]


class Target(NamedTuple):
    """A kind of request: the names of `load.payloads`, and those of `load.peers`."""

    payload: str
    batch: int
    item: Item
    way: Route

    def mean_bytes(self) -> float:
        """Return the mean bytes of a request with its head."""
        sizes = [
            len(request(self.way.path, headers(self.item, self.way), body))
            for body in map(self.way.format.encode, pixels(self.item))
        ]
        return sum(sizes) / len(sizes)


def _png(scale: int, images: Pixels) -> bytes:
    return bodies.png(images.tobytes(), scale)


def picture(scale: int) -> Target:
    """Return pictures whose side has so many times 28 pixels."""
    form = formats.SERVICE_JSON._replace(
        content_type="image/png", encode=partial(_png, scale)
    )
    side = bodies.SIDE * scale
    item = Item(f"png{side}", 1, True, f"a picture of {side} × {side}")
    return Target("png", 1, item, Route("/predict", form, "PNG"))


TARGETS = (
    *(
        Target("raw" if item.binary else "json", item.images, item, route(OWN, item))
        for item in ITEMS
    ),
    picture(DRAWN),
)


def alone(
    target: Target,
    port: int,
    seconds: float,
    launcher: Sequence[str] = ("taskset", "--cpu-list", GENERATOR_CORE),
) -> Record:
    """Run `load.capacity.alone` in a process of its own, and return what it prints."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "requests"
        write(target.item, target.way, folder)
        command = [*launcher, sys.executable, "-m", "load.capacity.alone"]
        command += ["--port", str(port), "--requests", str(folder)]
        done = subprocess.run([*command, "--seconds", str(seconds)], capture_output=True)
    if done.returncode:
        raise RuntimeError(f"the client failed: {done.stderr.decode()[-500:]}")
    found: Record = json.loads(done.stdout)
    return found


def come_first(processes: Iterable[int]) -> None:
    """Let processes come before all else on their cores; needs root."""
    for process in processes:
        os.sched_setscheduler(process, os.SCHED_FIFO, os.sched_param(1))


def core_seconds(processes: Iterable[int]) -> float:
    """Return how long some processes have run on a core, all their threads together."""
    nanoseconds = 0
    for process in processes:
        for path in Path(f"/proc/{process}/task").glob("*/schedstat"):
            nanoseconds += int(path.read_text().split()[0])
    return nanoseconds / 1e9


def turns(port: int) -> int:
    """Return how many turns with requests the workers of a service have had."""
    name = "mnist_turn_duration_seconds_count"
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        text = reply.read().decode()
    return int(float(re.findall(rf"^{name} (\S+)$", text, re.M)[0]))
