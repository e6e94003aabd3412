"""Requests that are small to send and costly to answer, or to refuse."""

import base64
import contextlib
import gzip
import io
import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from PIL import Image

from bench.chaos import asks, watch
from bench.chaos.asks import post
from bench.chaos.case import Chaos, Finding, case
from bench.chaos.crowd import start
from bench.harness.service import Service
from bench.harness.wire import Client
from load.payloads import JSON, OCTETS, V1, V2

PROBE_S = 1.0
REFUSALS, GROWTH_MIB = 1000, 16


def scans() -> bytes:
    """A JPEG of 2048 × 2048 with four components whose 16 scans have no data."""
    whole = io.BytesIO()
    Image.new("CMYK", (2048, 2048)).save(whole, "JPEG", progressive=True, quality=1)
    content = whole.getvalue()
    first = content.index(b"\xff\xda")
    length = int.from_bytes(content[first + 2 : first + 4], "big")
    scan = content[first : first + 2 + length]
    return content[:first] + scan * 16 + b"\xff\xd9"


def keys() -> bytes:
    names = [f'"k{n}":0' for n in range(48_000)]
    return b'{"instances":[],"\\u0061":0,%b,"k47999":1}' % ",".join(names).encode()


def pictures() -> bytes:
    """Four of these JPEGs, in base64."""
    encoded = base64.b64encode(scans()).decode()
    return json.dumps({"instances": [{"b64": encoded}] * 4}).encode()


def objects() -> bytes:
    """JSON of 381,296 pictures in 8 kB of gzip."""
    return gzip.compress(b'{"instances":[%b{"b64":""}]}' % (b'{"b64":""},' * 381_295))


def form() -> bytes:
    """A compressed form whose only part has a Content-Disposition of 4 MB."""
    part = b'--x\r\nContent-Disposition: form-data; name="image"; %b\r\n\r\nx\r\n--x--\r\n'
    return gzip.compress(part % (b"a=b; " * 800_000))


FORM = "multipart/form-data; boundary=x"
CROWDS = {
    "JSON of 48,000 keys, the last one twice, with an escape": (
        16,
        lambda: post(keys(), JSON, V1),
    ),
    "four JPEGs of 16 scans without data": (
        400,
        lambda: post(pictures(), JSON),
    ),
    "8 kB of gzip that inflate to JSON of 381,296 pictures": (
        80,
        lambda: post(objects(), JSON, content_encoding="gzip"),
    ),
    "compressed forms with a head of 4 MB": (
        48,
        lambda: post(form(), FORM, content_encoding="gzip"),
    ),
}


class Probe(threading.Thread):
    """Asks for readiness and metrics all the time; keeps the slowest answer."""

    def __init__(self, server: Service) -> None:
        super().__init__()
        self._server, self._done = server, threading.Event()
        self.slowest, self.wrong = 0.0, 0

    def run(self) -> None:
        while not self._done.is_set():
            for path in ("/readyz", "/metrics"):
                began = time.monotonic()
                self.wrong += self._server.request("GET", path).status != 200
                self.slowest = max(self.slowest, time.monotonic() - began)
            time.sleep(0.01)

    def end(self) -> None:
        self._done.set()
        self.join()


def crowd(chaos: Chaos, count: int, request: bytes) -> Iterator[Finding]:
    server, pids = start(chaos)
    probe = Probe(server)
    probe.start()
    clients = [Client(server.port, timeout=60) for _ in range(count)]
    for client in clients:
        client.socket.sendall(request)
    found: Counter[int] = Counter()
    for client in clients:
        with client, contextlib.suppress(ConnectionError):
            found[client.ask(b"").status] += 1
    found[0] = count - found.total()
    probe.end()
    allowed = {200, 400, 413, 422, 503}
    yield Finding(f"statuses {dict(sorted((+found).items()))}", set(+found) <= allowed)
    kept = server.worker_pids() == pids
    yield Finding("same workers" if kept else f"{pids}, then {server.worker_pids()}", kept)
    slow = probe.slowest
    yield Finding(f"slowest probe {slow:.2f} s", slow < PROBE_S and not probe.wrong)


for name, (count, make) in CROWDS.items():

    @case(
        f"{count} clients at once: {name}",
        "200, 4xx or 503 with Retry-After; the same workers; /readyz and /metrics < 1 s",
    )
    def _(
        chaos: Chaos, count: int = count, make: Callable[[], bytes] = make
    ) -> Iterator[Finding]:
        yield from crowd(chaos, count, make())


@case(
    f"{REFUSALS} refusals of each kind on one connection",
    f"memory < +{GROWTH_MIB} MiB for each kind",
)
def refusals(chaos: Chaos) -> Iterator[Finding]:
    server, pids = start(chaos)
    entry = {"name": "image", "datatype": "UINT8", "shape": [1, 784]}
    tensor = json.dumps({"inputs": [entry]})
    data = ",".join(["256"] * 784 * 20)
    bodies = {
        "V2 values": (
            V2,
            tensor.replace("}]", f',"data":[{data}]}}]').encode(),
        ),
        "JSON pixels": ("/predict", b'{"instances":[[%b]]}' % data.encode()),
        "not JSON": ("/predict", b"{" * 60_000),
    }
    for kind, (path, body) in bodies.items():
        ask = post(body, JSON, path)
        with Client(server.port, timeout=60) as client:
            for number in range(REFUSALS + REFUSALS // 10):
                if number == REFUSALS // 10:  # warm by now
                    before = watch.resident(*pids)
                reply = client.ask(ask)
        grown = watch.resident(*pids) - before
        seen = f"{kind}: {reply.status}, {grown:+.1f} MiB"
        yield Finding(seen, reply.status in (400, 413, 422) and grown < GROWTH_MIB)


@case(
    "40 SIGHUP one after the other, then SIGTERM",
    "the service ends before it has reloaded twice more; exit code 0",
)
def hang_ups(chaos: Chaos) -> Iterator[Finding]:
    server = chaos.start().wait_ready()
    for _ in range(40):
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.005)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    code = server.wait()
    seconds = time.monotonic() - began
    yield Finding(f"exit code {code} after {seconds:.1f} s", code == 0)
    times = server.log.count("Hang up")
    yield Finding(f"{times} reloads begun", times < 5)


@case(
    "8 clients with 1,024 images each, and 8 with one",
    "9 in 10 of the light requests are answered",
)
def light(chaos: Chaos) -> Iterator[Finding]:
    server, _ = start(chaos)
    digit = asks.single()[0]
    body = (bytes(range(256)) * 3 + bytes(16)) * 1024
    heavy = post(body, OCTETS)
    done = threading.Event()

    def load() -> None:
        while not done.is_set():
            asks.exchange(server.port, heavy)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    found: Counter[str] = Counter()
    for _ in range(500):
        reply = asks.exchange(server.port, digit.closing)
        found["shed" if reply is None or reply.sheds else "answered"] += 1
    done.set()
    for thread in threads:
        thread.join()
    yield Finding(f"{dict(found)}", found["answered"] > 9 * found["shed"])
