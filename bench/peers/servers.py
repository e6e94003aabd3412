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
        name: its folder and its environment, and its name in the results.
        title: what it is, in the report.
        command: what follows the environment's ``bin/``; ``{folder}`` and ``{port}``.
        ready: path that answers 200 when the server is ready.
        json: where it takes JSON.
        binary: where it takes bytes.
        packages: those whose versions the report names.
    """

    name: str
    title: str
    command: str
    ready: str
    json: Route
    binary: Route
    packages: tuple[str, ...]

    def route(self, binary: bool) -> Route:
        """Return where it takes bytes, or JSON."""
        return self.binary if binary else self.json


V2 = "/v2/models/mnist/infer"

PEERS = (
    Peer(
        "service",
        "this service",
        "python -m service",
        "/readyz",
        Route("/predict", formats.SERVICE_JSON, "JSON"),
        Route("/predict", formats.SERVICE_RAW, "raw bytes, answered in raw floats"),
        ("flask", "gunicorn"),
    ),
    Peer(
        "flask",
        "Flask, gunicorn gthread",
        # Four threads, as in the service and within gunicorn's advice of 2 to 4 a core.
        "gunicorn --worker-class gthread --workers 1 --threads 4 --worker-tmp-dir /dev/shm "
        "--no-control-socket --chdir {folder} --bind 127.0.0.1:{port} server:app",
        "/health",
        Route("/predict", formats.INSTANCES, "JSON"),
        Route("/raw", formats.RAW, "raw bytes, answered in raw floats"),
        ("flask", "gunicorn"),
    ),
    Peer(
        "fastapi",
        "FastAPI, uvicorn",
        "uvicorn --loop uvloop --http httptools --no-access-log --workers 1 "
        "--app-dir {folder} --host 127.0.0.1 --port {port} server:app",
        "/health",
        Route("/predict", formats.INSTANCES, "JSON"),
        Route("/raw", formats.RAW, "raw bytes, answered in raw floats"),
        ("fastapi", "uvicorn", "uvloop", "httptools"),
    ),
    Peer(
        "mosec",
        "mosec",
        "python {folder}/server.py --address 127.0.0.1 --port {port} --log-level error",
        "/",
        Route("/predict", formats.INSTANCES, "JSON"),
        Route("/msgpack", formats.MSGPACK, "msgpack"),
        ("mosec", "msgpack"),
    ),
    Peer(
        "litserve",
        "LitServe",
        "python {folder}/server.py",
        "/health",
        Route("/predict", formats.INSTANCES, "JSON"),
        Route("/raw", formats.RAW, "raw bytes, answered in raw floats"),
        ("litserve", "fastapi", "uvicorn", "uvloop"),
    ),
    Peer(
        "bentoml",
        "BentoML",
        "bentoml serve --working-dir {folder} --host 127.0.0.1 --port {port} server:Digits",
        "/readyz",
        Route("/predict", formats.ARRAY, "JSON"),
        Route("/raw", formats.RAW, "a file as the body, answered in raw floats"),
        ("bentoml", "uvicorn"),
    ),
    Peer(
        "mlserver",
        "MLServer",
        "mlserver start {folder}",
        "/v2/health/ready",
        Route(V2, formats.V2_JSON, "V2 JSON"),
        Route(V2, formats.V2_BASE64, "V2 with base64: it has no binary tensors over HTTP"),
        ("mlserver", "fastapi", "uvicorn", "uvloop"),
    ),
    Peer(
        "triton",
        "Triton, Python backend",
        "python {folder}/server.py",
        "/v2/models/mnist/ready",
        Route(V2, formats.V2_JSON, "V2 JSON"),
        Route(V2, formats.V2_BINARY, "V2 binary tensors"),
        ("nvidia-pytriton",),
    ),
)
OWN = PEERS[0]
