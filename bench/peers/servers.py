"""The servers that are compared: how each is started and asked."""

from typing import NamedTuple

from bench.peers import formats
from bench.peers.formats import Format


class Route(NamedTuple):
    """Where and in which format a server is asked."""

    path: str
    format: Format
    title: str


class Peer(NamedTuple):
    """A server.

    Attributes:
        name: in the results, and that of its folder and its environment.
        title: what it is, in the report.
        command: what follows the environment's ``bin/``; ``{folder}`` and ``{port}``.
        ready: path that answers 200 when the server is ready.
        json: where it takes JSON.
        binary: where it takes bytes.
        setting: how it is set up, in the report.
        packages: those whose versions the report names.
        shares: the server whose folder and environment it uses, if it has none of its own.
    """

    name: str
    title: str
    command: str
    ready: str
    json: Route
    binary: Route
    setting: str
    packages: tuple[str, ...]
    shares: str = ""

    @property
    def home(self) -> str:
        """Where its folder and its environment are."""
        return self.shares or self.name

    def route(self, binary: bool) -> Route:
        """Return where it takes bytes, or JSON."""
        return self.binary if binary else self.json


V2 = "/v2/models/mnist/infer"

# Of the servers whose routes are the comparison's own.
JSON = Route("/predict", formats.INSTANCES, "JSON")
BY_ORJSON = Route("/predict", formats.INSTANCES, "JSON by orjson")
RAW = Route("/raw", formats.RAW, "raw bytes, answered in raw floats")

PEERS = (
    Peer(
        "service",
        "this service",
        "python -m service",
        "/readyz",
        Route("/predict", formats.SERVICE_JSON, "JSON"),
        Route("/predict", formats.SERVICE_RAW, "raw bytes, answered in raw floats"),
        "as shipped: one worker of its own, on uvloop",
        ("flask", "gunicorn"),
    ),
    Peer(
        "flask",
        "Flask, gunicorn gthread",
        # Four threads, as in the service and within gunicorn's advice of 2 to 4 a core.
        "gunicorn --worker-class gthread --workers 1 --threads 4 --worker-tmp-dir /dev/shm "
        "--no-control-socket --chdir {folder} --bind 127.0.0.1:{port} server:app",
        "/health",
        JSON,
        RAW,
        "one process, 4 threads",
        ("flask", "gunicorn"),
    ),
    Peer(
        "fastapi",
        "FastAPI, uvicorn",
        "uvicorn --loop uvloop --http httptools --no-access-log --workers 1 "
        "--app-dir {folder} --host 127.0.0.1 --port {port} server:app",
        "/health",
        JSON,
        RAW,
        "one process, uvloop, httptools",
        ("fastapi", "uvicorn", "uvloop", "httptools"),
    ),
    Peer(
        "mosec",
        "mosec",
        "python {folder}/server.py --address 127.0.0.1 --port {port} --log-level error",
        "/",
        JSON,
        Route("/msgpack", formats.MSGPACK, "msgpack"),
        "one worker per route; batches of at most 16, waiting 1 ms",
        ("mosec", "msgpack"),
    ),
    Peer(
        "litserve",
        "LitServe",
        "python {folder}/server.py",
        "/health",
        JSON,
        RAW,
        "one worker per route, fast_queue",
        ("litserve", "fastapi", "uvicorn", "uvloop"),
    ),
    Peer(
        "bentoml",
        "BentoML",
        "bentoml serve --working-dir {folder} --host 127.0.0.1 --port {port} server:Digits",
        "/readyz",
        Route("/predict", formats.ARRAY, "JSON"),
        Route("/raw", formats.RAW, "a file as the body, answered in raw floats"),
        "one process; batches of at most 1,024 for JSON",
        ("bentoml", "uvicorn"),
    ),
    Peer(
        "mlserver",
        "MLServer",
        "mlserver start {folder}",
        "/v2/health/ready",
        Route(V2, formats.V2_JSON, "V2 JSON"),
        Route(V2, formats.V2_BASE64, "V2 with base64: it has no binary tensors over HTTP"),
        "one process, no parallel workers",
        ("mlserver", "fastapi", "uvicorn", "uvloop"),
    ),
    Peer(
        "triton",
        "Triton, Python backend",
        "python {folder}/server.py",
        "/v2/models/mnist/ready",
        Route(V2, formats.V2_JSON, "V2 JSON"),
        Route(V2, formats.V2_BINARY, "V2 binary tensors"),
        "dynamic batches of at most 1,024, no delay",
        ("nvidia-pytriton",),
    ),
    Peer(
        "granian",
        "Granian, RSGI",
        # What its own benchmarks start it with; uvloop, since it is installed.
        "granian --interface rsgi --no-ws --log-level warning --backlog 2048 --workers 1 "
        "--loop uvloop --working-dir {folder} --host 127.0.0.1 --port {port} server:app",
        "/health",
        BY_ORJSON,
        RAW,
        "one worker, uvloop",
        ("granian", "uvloop", "orjson"),
    ),
    Peer(
        "granian-wsgi",
        "Granian, WSGI",
        # Its threads are as many as it takes by itself, as its documentation advises.
        "granian --interface wsgi --no-ws --log-level warning --backlog 2048 --workers 1 "
        "--host 127.0.0.1 --port {port} bench.peers.wsgi:app",
        "/health",
        BY_ORJSON,
        RAW,
        "one worker, its own number of threads",
        ("granian", "orjson"),
        shares="granian",
    ),
    Peer(
        "fastpysgi",
        "FastPySGI, WSGI",
        "python {folder}/server.py",
        "/health",
        BY_ORJSON,
        RAW,
        "one process",
        ("fastpysgi", "orjson"),
    ),
    Peer(
        "robyn",
        "Robyn",
        # --fast would take five processes; everything else that it sets is here.
        "python {folder}/server.py --fast --processes 1 --workers 1 --disable-openapi",
        "/health",
        BY_ORJSON,
        RAW,
        "one process, one worker, async handlers",
        ("robyn", "uvloop", "orjson"),
    ),
)
OWN = PEERS[0]
