"""The wire formats: pixels to a request's bytes, a reply's bytes to probabilities."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgpack
import numpy as np
import numpy.typing as npt

from load import bodies

Pixels = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]


class Format(NamedTuple):
    """A way to ask.

    Attributes:
        content_type: of the request.
        encode: pixels ``[n, 784]`` of 0 to 255 to a body.
        decode: a reply's headers (lower-case names) and body to probabilities ``[n, 10]``.
        headers: what the request says besides its type, from the number of images.
    """

    content_type: str
    encode: Callable[[Pixels], bytes]
    decode: Callable[[Mapping[str, str], bytes], Probabilities]
    headers: Callable[[int], dict[str, str]] = lambda images: {}


def _frames(encode: Callable[[bytes], bytes]) -> Callable[[Pixels], bytes]:
    """Return an encoder of the load test's own payloads as one of pixels."""
    return lambda pixels: encode(pixels.tobytes())


def _service_reply(headers: Mapping[str, str], body: bytes) -> Probabilities:
    predictions = json.loads(body)["predictions"]
    found = np.array([each["probabilities"] for each in predictions], np.float32)
    digits = [each["digit"] for each in predictions]
    if found.argmax(axis=1).tolist() != digits:
        raise ValueError(f"digits {digits} are not those of the probabilities")
    return found


def _rows(headers: Mapping[str, str], body: bytes) -> Probabilities:
    return np.array(json.loads(body)["predictions"], np.float32)


def _array(headers: Mapping[str, str], body: bytes) -> Probabilities:
    return np.array(json.loads(body), np.float32)


def _floats(headers: Mapping[str, str], body: bytes) -> Probabilities:
    return np.frombuffer(body, np.float32).reshape(-1, 10)


def _msgpack_request(pixels: Pixels) -> bytes:
    packed: bytes = msgpack.packb({"image": pixels.tobytes()})
    return packed


def _msgpack_reply(headers: Mapping[str, str], body: bytes) -> Probabilities:
    return _floats(headers, msgpack.unpackb(body)["probabilities"])


def _v2_base64(pixels: Pixels) -> bytes:
    data = [base64.b64encode(image).decode() for image in pixels]
    content = {"content_type": "base64"}
    fields = {"shape": [len(data), 1], "datatype": "BYTES", "parameters": content}
    return bodies.dump(bodies.tensor(len(data), **fields, data=data))


def _v2_reply(headers: Mapping[str, str], body: bytes) -> Probabilities:
    (output,) = json.loads(body)["outputs"]
    return np.array(output["data"], np.float32).reshape(output["shape"])


def _v2_binary_reply(headers: Mapping[str, str], body: bytes) -> Probabilities:
    return _floats(headers, body[int(headers["inference-header-content-length"]) :])


JSON, BYTES = "application/json", "application/octet-stream"
_instances = _frames(bodies.instances)
_v2_json, _v2_binary = _frames(bodies.v2), _frames(bodies.v2_binary)

SERVICE_JSON = Format(JSON, _instances, _service_reply)
SERVICE_RAW = Format(BYTES, np.ndarray.tobytes, _floats, lambda images: {"Accept": BYTES})
INSTANCES = Format(JSON, _instances, _rows)
ARRAY = Format(JSON, _instances, _array)
RAW = Format(BYTES, np.ndarray.tobytes, _floats)
MSGPACK = Format("application/msgpack", _msgpack_request, _msgpack_reply)
V2_JSON = Format(JSON, _v2_json, _v2_reply)
V2_BASE64 = Format(JSON, _v2_base64, _v2_reply)
V2_BINARY = Format(BYTES, _v2_binary, _v2_binary_reply, bodies.v2_length)
