from types import SimpleNamespace

import grpc
import numpy as np
import pytest

from service.rpc.messages import METHODS, SERVICE, InferRequest
from tests.support.server import ROOT, free_port

PYTHON = ROOT / ".venv" / "grpc" / "bin" / "python"


class Client:
    """A channel, with a method for each of the service's."""

    def __init__(self, port):
        self.address = f"127.0.0.1:{port}"
        # A channel of its own: channels of the same options share connections.
        options = [("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.insecure_channel(self.address, options)

    def method(self, name):
        asked, answered = METHODS[name]
        return self.channel.unary_unary(
            f"/{SERVICE.full_name}/{name}", asked.SerializeToString, answered.FromString
        )

    def ask(self, method, metadata=(), **fields):
        request = METHODS[method][0](**fields)
        return self.method(method)(request, timeout=100, metadata=metadata)

    def infer(self, request, **options):
        return self.method("ModelInfer")(request, **{"timeout": 100, **options})

    def health(self):
        """Ask grpc.health.v1: 1 is SERVING, 2 NOT_SERVING, in field 1 of the message."""
        check = self.channel.unary_unary("/grpc.health.v1.Health/Check")
        (_, status) = check(b"", timeout=100)
        return status


@pytest.fixture(scope="session")
def start_rpc(start_once):
    """Start a service with both doors, and return it with a client of the second."""

    def begin(**settings):
        port = free_port()
        server = start_once(python=PYTHON, MNIST_GRPC_BIND=f"127.0.0.1:{port}", **settings)
        return SimpleNamespace(server=server, client=Client(port), port=port)

    return begin


@pytest.fixture(scope="session")
def rpc(start_rpc):
    """A service with both doors, that answers."""
    found = start_rpc()
    found.server.wait_ready()
    return found


# Where each type of values is, and how a pixel of 255 is written in it.
TYPED = {
    "UINT8": "uint_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
}


def request(pixels, datatype="UINT8", raw=True, **fields):
    """Return the request for images, uint8 [n, 784]."""
    kind = np.dtype(datatype.replace("FP", "float").lower())
    values = pixels.astype(kind)
    if kind.kind == "f":
        values = (pixels / np.float32(255)).astype(kind)
    tensor = {"name": "image", "datatype": datatype, "shape": list(pixels.shape)}
    if raw:
        fields = {"raw_input_contents": [values.tobytes()], **fields}
    else:
        tensor["contents"] = {TYPED[datatype]: values.ravel().tolist()}
    return InferRequest(**{"model_name": "mnist", "inputs": [tensor], **fields})


@pytest.fixture(scope="session")
def make():
    return request
