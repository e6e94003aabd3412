"""Requests as they go over the wire, in every dialect that the service speaks."""

import base64
import json
from collections.abc import Callable
from typing import NamedTuple

from service.model import digits

JSON, RAW = "application/json", "application/octet-stream"
PREDICT, EXPLAIN = "/predict", "/explain"
V1, V2 = "/v1/models/mnist:predict", "/v2/models/mnist/infer"
PATHS = (PREDICT, EXPLAIN, V1, V2)
LENGTH = "Inference-Header-Content-Length"
SEVEN = digits.load().frames[7]  # uint8 [784]


class Row(NamedTuple):
    """A request and the code of its reply, or None where the connection just ends."""

    status: int | None
    make: Callable[[], bytes]


def request(
    path: str,
    body: bytes = b"",
    content_type: str = JSON,
    *headers: str,
    method: str = "POST",
    length: int | None = None,
) -> bytes:
    """Write a request; the length is the body's, unless it is to be a lie."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: x",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


TENSOR = '{"inputs": [{"name": "image", "datatype": "%s", "shape": [1, 784], "data": %%s}]}'
# Where the JSON of an image goes.
FORMS = {
    "predict": (PREDICT, '{"instances": [%s]}'),
    "explain": (EXPLAIN, '{"instances": [%s]}'),
    "v1-rows": (V1, '{"instances": [%s]}'),
    "v1-keys": (V1, '{"instances": [{"image": %s}]}'),
    "v1-columns": (V1, '{"inputs": [%s]}'),
    "v2-uint8": (V2, TENSOR % "UINT8"),
    "v2-fp32": (V2, TENSOR % "FP32"),
}


def ask(form: str, image: str) -> bytes:
    """Write a request for an image that is given as JSON."""
    path, text = FORMS[form]
    return request(path, (text % image).encode())


def numbers(form: str) -> list[str]:
    """Return the seven as a dialect has it: 0 to 255, or 0 to 1."""
    return [f"{x / 255:.3f}" if form == "v2-fp32" else f"{x}" for x in SEVEN]


def tensor(content: bytes, datatype: str, shape: list[int], *headers: str) -> bytes:
    """Write a request for a binary tensor."""
    parameters = {"binary_data_size": len(content)}
    entry = {
        "name": "image",
        "datatype": datatype,
        "shape": shape,
        "parameters": parameters,
    }
    text = json.dumps({"inputs": [entry]}).encode()
    return request(V2, text + content, RAW, f"{LENGTH}: {len(text)}", *headers)


def form_data(*files: bytes, name: str = "image", file_name: str = "x.png") -> bytes:
    """Write the body of a form with the boundary B."""
    disposition = f'form-data; name="{name}"; filename="{file_name}"'
    head = f"--B\r\nContent-Disposition: {disposition}\r\n\r\n".encode("latin-1")
    return b"".join(head + content + b"\r\n" for content in files) + b"--B--\r\n"


def in_base64(content: bytes) -> bytes:
    """Write a picture as an instance of JSON."""
    return json.dumps({"instances": [{"b64": base64.b64encode(content).decode()}]}).encode()


FORM_DATA = "multipart/form-data; boundary=B"
# Every way to send a picture.
PICTURES: dict[str, Callable[[bytes], bytes]] = {
    "body": lambda content: request(PREDICT, content, "image/png"),
    "form": lambda content: request(PREDICT, form_data(content), FORM_DATA),
    "b64": lambda content: request(PREDICT, in_base64(content)),
    "explain": lambda content: request(EXPLAIN, content, "image/jpeg"),
    "v1-b64": lambda content: request(V1, in_base64(content)),
}
