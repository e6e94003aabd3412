"""The picture that chats show beside a link to the pages: ``python -m bench card``.

One of the project's own digits, what the network makes of it, and the answer. A line is an
activation times a weight: blue if it speaks for the unit, orange if against.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont

from bench.harness.cores import ROOT
from service.model import digits, layers, onnx_file
from service.model.version import INPUT, OUTPUT

OUTPUT_FILE = ROOT / "service" / "web" / "static" / "card.png"
SIZE = 1200, 630  # what the sites that show cards ask for
SCALE = 2  # drawn larger, so that edges are smooth
LARGEST = 100_000  # bytes: crawlers do not wait
COLOURS = 32  # as many as fit into that
GROUND, PALE, WHITE = (16, 21, 38), (150, 160, 190), (240, 244, 255)
FOR, AGAINST = (96, 156, 255), (255, 140, 60)
FRAME = 60, 190, 300  # left, top and side of the digit's pixels
COLUMNS = (560, 84, 4, 13), (770, 84, 2, 13), (945, 90, 1, 0)  # x, top, units abreast, gap
STRONGEST = 70, 70, 24  # lines drawn into each layer; more make the file too large
Point = tuple[float, float]


class Line(NamedTuple):
    """A connection: its ends in pixels of the card, and its strength, -1 to 1."""

    start: Point
    end: Point
    strength: float


def places(depth: int, units: int) -> list[Point]:
    """Return where a layer's units are."""
    x, top, abreast, gap = COLUMNS[depth]
    rows = units // abreast
    step = (SIZE[1] - 2 * top) / (rows - 1)
    return [
        (x + gap * (unit % abreast), top + step * (unit // abreast))
        for unit in range(units)
    ]


def pixel_places() -> list[Point]:
    """Return the middle of each of the 784 pixels."""
    left, top, side = FRAME
    cell = side / 28
    return [
        (left + cell * (i % 28 + 0.5), top + cell * (i // 28 + 0.5)) for i in range(784)
    ]


def connections(depth: int, kernel: Any, inputs: Any, outputs: Any) -> list[Line]:
    """Return the strongest connections into a layer, weakest first."""
    flow = inputs[:, None] * kernel * (outputs > 0)  # into units that are on
    strongest = np.argsort(abs(flow), axis=None)[-STRONGEST[depth] :]
    starts = places(depth - 1, len(inputs)) if depth else pixel_places()
    ends = places(depth, len(outputs))
    most = abs(flow).max()
    pairs = zip(*np.unravel_index(strongest, flow.shape))
    return [Line(starts[i], ends[j], float(flow[i, j] / most)) for i, j in pairs]


class Card:
    """The picture; lines add their light to it."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (SIZE[0] * SCALE, SIZE[1] * SCALE), GROUND)
        self.pen = ImageDraw.Draw(self.image)

    def line(self, line: Line) -> None:
        """Draw a connection, level at both ends."""
        (x0, y0), (x1, y1), strength = line
        t = np.linspace(0, 1, 40)
        bend = t * t * (3 - 2 * t)
        points = [*zip((x0 + (x1 - x0) * t) * SCALE, (y0 + (y1 - y0) * bend) * SCALE)]
        colour = FOR if strength > 0 else AGAINST
        light = 0.08 + 0.7 * abs(strength)
        shade = tuple(round(part * light) for part in colour)
        box = (int(x0 * SCALE), 0, int(x1 * SCALE) + 1, self.image.height)
        layer = Image.new("RGB", (box[2] - box[0], box[3]))
        shifted = [(x - box[0], y) for x, y in points]
        width = round(SCALE * (0.8 + 2 * abs(strength)))
        ImageDraw.Draw(layer).line(shifted, shade, width, joint="curve")
        self.image.paste(ImageChops.add(self.image.crop(box), layer), box)

    def dot(self, place: Point, radius: float, colour: tuple[int, int, int]) -> None:
        """Draw a unit."""
        x, y = place
        self.pen.circle((x * SCALE, y * SCALE), radius * SCALE, colour)

    def write(
        self, place: Point, text: str, size: int, colour: Any = WHITE, anchor: str = "ls"
    ) -> None:
        """Write a text."""
        font = ImageFont.load_default(size * SCALE)
        self.pen.text((place[0] * SCALE, place[1] * SCALE), text, colour, font, anchor)

    def pixels(self, frame: Any) -> None:
        """Draw what the network sees."""
        left, top, side = FRAME
        cell = side / 28 * SCALE
        box = [part * SCALE for part in (left, top, left + side, top + side)]
        self.pen.rectangle(box, (5, 7, 14))
        for i, level in enumerate(frame):
            x, y = left * SCALE + cell * (i % 28), top * SCALE + cell * (i // 28)
            shade = tuple(round(5 + part * level) for part in (0.93, 0.95, 0.98))
            self.pen.rectangle((x + 1, y + 1, x + cell - 2, y + cell - 2), shade)


def draw(frame: Any, network: Sequence[layers.Layer]) -> Card:
    """Draw the card of a digit.

    Args:
        frame: uint8 ``[784]``.
        network: its three layers.
    """
    card, values = Card(), frame.astype(np.float32) / 255
    outcomes = layers.forward(network, values[None])
    card.pixels(frame)
    probabilities = outcomes[-1].activations[0]
    answer = int(probabilities.argmax())
    for depth, (layer, outcome) in enumerate(zip(network, outcomes)):
        shown = outcome.activations[0]
        for line in connections(depth, layer.kernel, values, shown):
            card.line(line)
        values = shown
    for depth, outcome in enumerate(outcomes[:2]):
        levels = outcome.activations[0] / outcome.activations.max()
        for place, level in zip(places(depth, len(levels)), levels):
            grey = [round(dim + (light - dim) * level) for dim, light in zip(GROUND, WHITE)]
            card.dot(place, 1.5 + 4 * level, tuple(max(48, part) for part in grey))
    for digit, place in enumerate(places(2, 10)):
        chosen = digit == answer
        card.dot(place, 22 if chosen else 15, FOR if chosen else (35, 44, 72))
        card.write(place, str(digit), 26 if chosen else 17, WHITE, "mm")
    card.write((1085, 330), str(answer), 230, WHITE, "ms")
    card.write((1085, 390), percent(probabilities[answer]), 30, PALE, "ms")
    card.write((60, 90), "Draw a digit.", 46)
    card.write((60, 140), "See how a network reads it.", 30, PALE)
    card.write((60, 550), "784 pixels, 128 + 64 + 10 units:", 20, PALE)
    card.write((60, 580), "every line is a weight at work.", 20, PALE)
    return card


def percent(probability: float) -> str:
    """Return a probability as a percentage, which softmax never lets be 100."""
    return "over 99.99 %" if probability > 0.9999 else f"{100 * probability:.2f} %"


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the card, write it, and print its size.

    Raises:
        SystemExit: the file is too large, or the network is not dense.
    """
    parser = argparse.ArgumentParser(prog="python -m bench card")
    parser.add_argument("--output", type=Path, default=OUTPUT_FILE)
    parser.add_argument("--digit", type=int, default=3, help="which of the project's own")
    parser.add_argument("--version", type=int, default=3, help="of the model")
    asked = parser.parse_args(argv)
    model = ROOT / "models" / "mnist" / str(asked.version) / "model.onnx"
    network = layers.read(onnx_file.parse(model.read_bytes()), INPUT[0], OUTPUT[0])
    if network is None:
        raise SystemExit(f"found other layers in {model}, expected dense ones")
    card = draw(digits.load().frames[asked.digit], network).image
    card = card.resize(SIZE, Image.Resampling.LANCZOS).quantize(COLOURS)
    card.save(asked.output, optimize=True)
    written = asked.output.stat().st_size
    print(f"{asked.output}: {written:,} bytes")
    if written > LARGEST:
        raise SystemExit(f"found {written:,} bytes, expected at most {LARGEST:,}")


if __name__ == "__main__":
    main()
