"""The project's own handwritten digits, drawn from strokes.

``python -m service.model.digits`` prints them as JSON for the load test.
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


class Digits(NamedTuple):
    """Frames uint8 ``[n, 784]`` and their labels int64 ``[n]``."""

    frames: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


@cache
def load() -> Digits:
    """Draw every digit and fit it into the MNIST frame."""
    path = Path(__file__).with_name("digits.json")
    digits = json.loads(path.read_bytes())["digits"]
    frames = [frame(draw(digit["strokes"])) for digit in digits]
    return Digits(
        np.stack(frames).reshape(-1, PIXELS),
        np.array([digit["label"] for digit in digits]),
    )


def main() -> None:
    """Print label and frame (784 bytes in base64) of each digit, one per line."""
    digits = load()
    lines = [
        json.dumps(
            {"label": int(label), "frame": base64.b64encode(pixels.tobytes()).decode()}
        )
        for label, pixels in zip(digits.labels, digits.frames)
    ]
    sys.stdout.write("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
