"""``python -m service frame FILE``: what the service makes of a picture, step by step."""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.errors import RequestError
from service.pictures.decode import Budget, decode
from service.pictures.digit import Role

SIDE = 280  # pixels at least, longer side of a picture that is written
# A colour for each role of a part: of paper, digit, frame, line, cut, speck and other.
COLOURS = {
    Role.PAPER: (255, 255, 255),
    Role.DIGIT: (0, 0, 0),
    Role.FRAME: (230, 159, 0),
    Role.LINE: (0, 114, 178),
    Role.CUT: (213, 94, 0),
    Role.SPECK: (204, 121, 167),
    Role.OTHER: (0, 158, 115),
}


def main(arguments: list[str], max_pixels: int) -> None:
    """Write the frame of a picture as PNG beside it, and each step on the way if asked."""
    parser = argparse.ArgumentParser(
        prog="python -m service frame",
        description="Write the 28 × 28 frame that the model sees of a picture, as PNG.",
        epilog="In the step 'roles', black is the digit; orange a frame, blue a line, red "
        "what the border cuts, pink a speck, and green what else is dropped.",
    )
    parser.add_argument("file", type=Path, help="a PNG, JPEG, WebP or GIF")
    parser.add_argument("--steps", action="store_true", help="write every step, too")
    parser.add_argument("--output", type=Path, help="folder; by default that of the file")
    options = parser.parse_args(arguments)
    folder = options.output or options.file.parent
    steps: dict[str, npt.NDArray[Any]] = {}
    budget = Budget(max_pixels)
    try:
        content = options.file.read_bytes()
        frame = decode(content, budget, options.file.name, steps.__setitem__)
    except OSError as error:
        sys.exit(f"error: {options.file}: {error.strerror}")
    except RequestError as error:  # the steps up to there may show why
        frame = None
        print(f"error: {error}", file=sys.stderr)
    if frame is not None:
        steps["frame"] = frame.reshape(28, 28)
    for number, (name, array) in enumerate(steps.items(), 1):
        if options.steps or name == "frame":
            path = folder / f"{options.file.stem}-{number}-{name}.png"
            _picture(name, array).save(path)
            print(path)
    sys.exit(frame is None)


def _picture(name: str, array: npt.NDArray[Any]) -> Image.Image:
    """Draw a step, as large as can be seen."""
    if name == "roles":
        picture = Image.fromarray(np.array(list(COLOURS.values()), np.uint8)[array])
    else:
        picture = Image.fromarray(np.clip(np.rint(array), 0, 255).astype(np.uint8))
    factor = max(1, -(-SIDE // max(picture.size)))
    size = picture.width * factor, picture.height * factor
    return picture.resize(size, Image.Resampling.NEAREST)
