"""The moving picture of the page: ``python -m bench film``.

A hand draws a 3 on the real page, with the mouse in headless Chromium, turns it into an 8,
and points at units of the network. Each picture is taken when the page has answered.
"""

import argparse
import io
from collections.abc import Iterable, Sequence
from math import cos, pi, sin
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from tests.support import browser as driver

RATE = 12  # pictures a second
WIDTH = 960  # pixels
QUALITY = 80
LARGEST = 1_500_000  # bytes, so that a README loads fast
ARROW = ((0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12))
Point = tuple[float, float]
UPPER, LOWER = (0.5, 0.32, 0.16, 0.16), (0.5, 0.67, 0.2, 0.19)  # the loops of an 8


def arc(
    loop: tuple[float, float, float, float], start: float, end: float, steps: int
) -> list[Point]:
    """Return points along an ellipse between two angles, clockwise from the right."""
    x, y, width, height = loop
    angles = [(start + (end - start) * i / steps) * pi / 180 for i in range(steps + 1)]
    return [(x + width * cos(angle), y + height * sin(angle)) for angle in angles]


THREE = arc(UPPER, -150, 90, 9) + arc(LOWER, -90, 150, 10)
CLOSING = arc(UPPER, -150, -270, 6) + arc(LOWER, -90, -210, 7)


class Film:
    """Pictures of a page, with the pointer that a headless browser does not paint."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.pointer: Point = (0, 0)
        self.frames: list[Image.Image] = []
        x, y, width, height = page.locator("#stage").bounding_box().values()
        above = 4  # pixels; the heading's letters end 5 above the stage
        self.box = {
            "x": x - 12,
            "y": y - above,
            "width": width + 24,
            "height": height + above + 12,
        }

    def move(self, x: float, y: float) -> None:
        """Move the pointer."""
        self.pointer = x, y
        self.page.mouse.move(x, y)

    def take(self, count: int = 1) -> None:
        """Take a picture, shown for that many frames."""
        self.page.evaluate(driver.TWO_FRAMES)
        shown = Image.open(io.BytesIO(self.page.screenshot(clip=self.box))).convert("RGB")
        x, y = self.pointer[0] - self.box["x"], self.pointer[1] - self.box["y"]
        arrow = [(x + right, y + down) for right, down in ARROW]
        ImageDraw.Draw(shown).polygon(arrow, fill="white", outline="black")
        size = WIDTH, round(shown.height * WIDTH / shown.width)
        self.frames += [shown.resize(size, Image.Resampling.LANCZOS)] * count

    def glide(self, x: float, y: float, steps: int) -> None:
        """Move to a place, and take a picture at each step."""
        from_x, from_y = self.pointer
        for i in range(1, steps + 1):
            self.move(from_x + (x - from_x) * i / steps, from_y + (y - from_y) * i / steps)
            self.take()

    def draw(self, stroke: Iterable[Point]) -> None:
        """Draw a stroke, and take a picture of each answer."""
        (x, y), *rest = driver.on_pad(self.page, stroke)
        self.glide(x, y, 4)
        self.page.mouse.down()
        for point in rest:
            self.move(*point)
            driver.settle(self.page)
            self.take()
        self.page.mouse.up()

    def save(self, path: Path) -> None:
        """Write the film."""
        first, *rest = self.frames
        first.save(
            path,
            save_all=True,
            append_images=rest,
            duration=round(1000 / RATE),
            loop=0,
            quality=QUALITY,
            method=4,
        )


STRONGEST = """async depth => {
    const { fetchLayers, forward } = await import("/static/network.js");
    const { orderOf, place } = await import("/static/places.js");
    const [canvas, frame] = ["#network", "#frame"].map(it => document.querySelector(it));
    const { data } = frame.getContext("2d").getImageData(0, 0, 28, 28);
    const layers = await fetchLayers(document.querySelector("#version").value);
    const pixels = Array.from({ length: 784 }, (_, i) => data[4 * i] / 255);
    const { activations } = forward(layers, pixels)[depth];
    const { units } = place(canvas.clientWidth, canvas.clientHeight, orderOf(layers));
    const [x, y] = units[depth][activations.indexOf(Math.max(...activations))];
    const { left, top } = canvas.getBoundingClientRect();
    return [left + x, top + y];
}"""


def strongest(page: Any, layer: int) -> Point:
    """Return where the unit of a layer, from 0, stands that is the furthest on."""
    x, y = page.evaluate(STRONGEST, layer)
    return x, y


def main(argv: Sequence[str] | None = None) -> None:
    """Film, and print the size.

    Raises:
        SystemExit: it is larger than a README should load.
    """
    parser = argparse.ArgumentParser(prog="python -m bench film")
    parser.add_argument("--output", type=Path, default=Path("docs/page.webp"))
    path = parser.parse_args(argv).output
    with driver.working(viewport={"width": 1280, "height": 720}) as page:
        driver.open_page(page)
        page.wait_for_load_state("networkidle")  # the weights and the example
        film = Film(page)
        film.move(*driver.on_pad(page, [(0.8, 0.9)])[0])
        film.take(3)
        film.draw(THREE)
        film.take(7)
        film.draw(CLOSING)
        film.take(6)
        first, second = (strongest(page, layer) for layer in (0, 1))
        film.glide(*first, 6)
        film.take(9)
        film.glide(*second, 4)
        film.take(9)
        film.save(path)
    size = path.stat().st_size
    print(f"{path}: {len(film.frames)} pictures, {size:,} bytes")
    if size > LARGEST:
        raise SystemExit(f"expected at most {LARGEST:,} bytes")


if __name__ == "__main__":
    main()
