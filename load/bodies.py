"""Images as the bodies of requests.

An image is a frame: 784 bytes, white ink on black, row by row. ``frames`` are some of them,
one after the other.
"""

import base64
import json
import struct
import zlib
from typing import Any

SIDE, PIXELS = 28, 784
LENGTH = "Inference-Header-Content-Length"


def split(frames: bytes) -> list[bytes]:
    """Return each frame."""
    return [frames[start : start + PIXELS] for start in range(0, len(frames), PIXELS)]


def dump(document: Any) -> bytes:
    """Return JSON without spaces, as browsers write it."""
    return json.dumps(document, separators=(",", ":")).encode()


def instances(frames: bytes) -> bytes:
    """Return images as the service's own JSON and TensorFlow Serving's rows."""
    return dump({"instances": [list(frame) for frame in split(frames)]})


def encoded(pictures: list[bytes]) -> bytes:
    """Return PNG or JPEG files as the service's own JSON."""
    return dump({"instances": [{"b64": base64.b64encode(p).decode()} for p in pictures]})


def tensor(images: int, **fields: Any) -> dict[str, Any]:
    """Return the document of the Open Inference Protocol V2, with fields of its input."""
    shape = {"name": "image", "shape": [images, PIXELS], "datatype": "UINT8"}
    return {"inputs": [{**shape, **fields}]}


def v2(frames: bytes) -> bytes:
    """Return images as a V2 tensor in JSON, its numbers one after the other."""
    return dump(tensor(len(frames) // PIXELS, data=list(frames)))


def v2_head(images: int) -> bytes:
    """Return the JSON before a binary V2 tensor, which asks for a binary reply."""
    document = tensor(images, parameters={"binary_data_size": images * PIXELS})
    wanted = {"name": "probabilities", "parameters": {"binary_data": True}}
    return dump({**document, "outputs": [wanted]})


def v2_binary(frames: bytes) -> bytes:
    """Return images as a binary V2 tensor."""
    return v2_head(len(frames) // PIXELS) + frames


def v2_length(images: int) -> dict[str, str]:
    """Return the header that says where the tensor of :func:`v2_binary` begins."""
    return {LENGTH: str(len(v2_head(images)))}


def png(frame: bytes, scale: int) -> bytes:
    """Return one frame as a grey PNG; each of its pixels becomes a square of that side."""
    side = SIDE * scale
    rows = [frame[start : start + SIDE] for start in range(0, PIXELS, SIDE)]
    lines = [b"\0" + bytes(p for p in row for _ in range(scale)) for row in rows]
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)  # 8 bits, grey
    data = zlib.compress(b"".join(line for line in lines for _ in range(scale)))
    parts = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )
