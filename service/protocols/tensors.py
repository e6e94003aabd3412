"""Input tensors of the Open Inference Protocol: JSON or binary data to pixels."""

import contextlib
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from service.errors import RequestError
from service.pictures.frame import PIXELS
from service.protocols import Limits, Pixels, check_count

INPUT = "image"

# Little-endian. Floats are 0 to 1, as the model's own input; integers are 0 to 255.
DATATYPES = {
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
}

Number = int | float
Tensor = TypeVar("Tensor", bound="Announcement")
Parameters = dict[str, str | int | float | bool | None]


class Announcement(msgspec.Struct):
    """An input tensor without its data."""

    name: str
    datatype: str


class Input(Announcement):
    """An input tensor, with its data here or in the bytes after the JSON."""

    shape: list[int]
    data: list[Number | list[Number]] | None = None
    parameters: Parameters | None = None


def only_input(inputs: list[Tensor]) -> Tensor:
    """Return the only input, or raise RequestError (400)."""
    names = [tensor.name for tensor in inputs]
    if names != [INPUT]:
        raise RequestError(400, f"inputs are {names!r:.100}, expected one named {INPUT}")
    if inputs[0].datatype not in DATATYPES:
        raise RequestError(
            400,
            f"datatype of input {INPUT} is {inputs[0].datatype!r:.100}, expected one of: "
            + ", ".join(DATATYPES)
            + "; PNG and JPEG go to /predict, or to /v1 in base64",
        )
    return inputs[0]


def read_values(tensor: Input, binary: bytes) -> npt.NDArray[Any]:
    """Return the tensor's values, flat, from its JSON or from the bytes after it.

    Raises:
        RequestError: 400 both, neither or another number of bytes than announced, 422 not
            numbers of the datatype.
    """
    parameters = tensor.parameters or {}
    size = parameters.get("binary_data_size")
    if parameters.get("shared_memory_region") is not None:
        raise RequestError(400, "found shared memory, expected data or binary_data_size")
    if (tensor.data is None) == (size is None):
        found = "neither" if size is None else "both"
        raise RequestError(
            400, f"input {INPUT} has {found} of data and binary_data_size, expected one"
        )
    if size is not None and size != len(binary) or isinstance(size, bool):
        raise RequestError(
            400,
            f"binary_data_size of input {INPUT} is {size!r:.100}, expected {len(binary)}, "
            "the bytes after the JSON",
        )
    if tensor.data is None:
        return from_binary(binary, tensor.datatype)
    if binary:
        raise RequestError(
            400, f"found {len(binary)} bytes after the JSON, expected none: data is in it"
        )
    if tensor.datatype == "FP16":
        raise RequestError(400, "found FP16 as JSON, expected it as binary data")
    return _from_json(tensor.data, tensor.datatype, tensor.shape)


def from_binary(content: bytes, datatype: str) -> npt.NDArray[Any]:
    """Return the values of a binary tensor, flat, or raise RequestError (400)."""
    dtype = np.dtype(DATATYPES[datatype])
    if len(content) % (PIXELS * dtype.itemsize):
        raise RequestError(
            400,
            f"input {INPUT} has {len(content)} bytes, expected a multiple of "
            f"{PIXELS * dtype.itemsize} ({PIXELS} {datatype} an image)",
        )
    return np.frombuffer(content, dtype)


def _from_json(data: list[Any], datatype: str, shape: list[int]) -> npt.NDArray[Any]:
    """Return the values of flat or naturally nested data."""
    if "INT" in datatype:
        # Most are flat and from 0 to 255: bytes() reads these without a Python step for
        # each (64 images take 0.9 ms instead of 5.8), and raises for all others.
        with contextlib.suppress(TypeError, ValueError):
            return np.frombuffer(bytes(data), np.uint8)
    if data and isinstance(data[0], list):
        lengths = {len(row) if isinstance(row, list) else None for row in data}
        if [len(data)] != shape[:1] or lengths != {PIXELS}:
            raise RequestError(
                422,
                f"data of input {INPUT} has {len(data)} rows that are not all of {PIXELS}, "
                f"or not as many as its shape {shape!r:.60} says",
            )
        data = [number for row in data for number in row]
    elif any(isinstance(number, list) for number in data):
        raise RequestError(422, "data has lists beside numbers, expected one of the two")
    if "INT" in datatype and not all(isinstance(number, int) for number in data):
        raise RequestError(
            422,
            f"data has fractions, expected whole numbers ({datatype})",
            reason="pixel_value",
        )
    try:
        return np.array(data, dtype=np.float64)
    except OverflowError:  # an integer beyond float64, out of any range
        return np.array([x if abs(x) < 1e300 else np.inf for x in data], dtype=np.float64)


def to_images(
    values: npt.NDArray[Any], datatype: str, shape: list[int] | None, limits: Limits
) -> Pixels:
    """Return the pixels, ``[n, 784]``.

    Args:
        values: the input's values, flat.
        datatype: the input's datatype, which decides the scale.
        shape: as sent by the client; None for binary data alone.
        limits: how much to accept.

    Raises:
        RequestError: 413 too many images, 422 another shape or a value out of range.
    """
    count = values.size // PIXELS
    expected = [count, PIXELS]
    if shape is not None and (shape != expected or values.size != count * PIXELS):
        raise RequestError(
            422,
            f"shape of input {INPUT} is {shape!r:.60} with {values.size} values, expected "
            f"[n, {PIXELS}] with n × {PIXELS} values",
        )
    check_count(count, limits.images)
    pixels = values.reshape(-1, PIXELS)
    most = 255 if "INT" in datatype else 1
    # Two passes if all values are right; a search only for wrong ones, NaN included.
    if values.dtype != np.uint8 and not (values.min() >= 0 and values.max() <= most):
        outside = ~((pixels >= 0) & (pixels <= most))
        index, position = (int(i) for i in np.argwhere(outside)[0])
        raise RequestError(
            422,
            f"pixel {position} of image {index} is {_digits(pixels[index, position])}, "
            f"expected 0 to {most} ({datatype})",
            reason="pixel_value",
        )
    dtype = np.uint8 if most == 255 else np.float32
    return pixels.astype(dtype, copy=False)  # type: ignore[return-value]


def _digits(value: np.generic) -> str:
    """Write a number with as many digits as tell it from all others of its type."""
    return str(value).removesuffix(".0")
