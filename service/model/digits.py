"""The project's own handwritten digits: strokes in ``digits.json``, and drawn from them.

``python -m service.model.digits`` draws them, and prints what is in ``frames.json`` and in
``load/digits.json``. Drawing takes 40 ms, as long as all else that a worker does to start.
"""

import base64
import json
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from service.pictures.frame import PIXELS, draw, frame

HERE = Path(__file__).parent


class Digits(NamedTuple):
    """Frames uint8 ``[n, 784]`` and their labels int64 ``[n]``."""

    frames: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


@cache
def load() -> Digits:
    """Return the digits as they were drawn; a test draws them again."""
    drawn = json.loads((HERE / "frames.json").read_bytes())
    frames = b"".join(base64.b64decode(digit["frame"]) for digit in drawn)
    return Digits(
        np.frombuffer(frames, np.uint8).reshape(-1, PIXELS),
        np.array([digit["label"] for digit in drawn]),
    )


def main() -> None:
    """Draw the digits; print label and frame (784 bytes in base64) of each on a line."""
    digits = json.loads((HERE / "digits.json").read_bytes())["digits"]
    frames = [frame(draw(digit["strokes"])).tobytes() for digit in digits]
    lines = [
        json.dumps({"label": digit["label"], "frame": base64.b64encode(pixels).decode()})
        for digit, pixels in zip(digits, frames)
    ]
    sys.stdout.write("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
