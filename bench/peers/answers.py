"""What the servers without a framework share: a body to a reply's type and body."""

from collections.abc import Callable
from typing import NamedTuple

import orjson

from bench.peers.model import Model

model = Model()


class Answer(NamedTuple):
    """A good reply."""

    media_type: str
    body: bytes


def health(body: bytes) -> Answer:
    """Say that the model is loaded: it is when this module is."""
    return Answer("text/plain", b"ok")


def predict(body: bytes) -> Answer:
    """Answer JSON with JSON; orjson writes the array itself."""
    found = {"predictions": model.predict(orjson.loads(body)["instances"])}
    return Answer(
        "application/json", orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY)
    )


def raw(body: bytes) -> Answer:
    """Answer raw pixels with raw float32."""
    return Answer("application/octet-stream", model.predict_bytes(body).tobytes())


ROUTES: dict[str, Callable[[bytes], Answer]] = {
    "/health": health,
    "/predict": predict,
    "/raw": raw,
}
