"""``python -m bench pictures``: how many of people's pictures the service reads."""

import argparse
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.pictures import photo, screen
from bench.pictures.conditions import CONDITIONS, Condition
from bench.pictures.hand import Hand, hands
from service.errors import RequestError
from service.model.snapshot import VersionFiles
from service.model.version import Model
from service.pictures.decode import decode

FILLED_BY = screen, photo  # when they are imported
ROOT = Path(__file__).resolve().parents[2]
LARGE = 8  # pictures of 12 megapixels, at most: each takes a second to make
HEAD = """# Pictures from life

Each row is a kind of picture that people send, made of MNIST's test images and of drawn
digits (`bench/pictures/`): {count} of each kind ({large} of 12 megapixels), numbers {start}
and up, read by `service/pictures` and version {version} of the model. In per cent: right;
refused; wrong without being marked as unsure. One standard error at 97 % is {error:.1f}
points. Milliseconds of processor time, from the file's bytes to the frame: the median.
"""


class Found(NamedTuple):
    """What became of the pictures of a condition, as fractions, and the time in ms."""

    right: float
    refused: float
    wrong: float
    milliseconds: float


def measure(
    condition: Condition, shown: list[Hand], model: Model, keep: Path | None = None
) -> Found:
    """Make a picture of each hand, and read it as the service does."""
    counts, times = {"right": 0, "unsure": 0, "wrong": 0, "refused": 0}, []
    for number, hand in enumerate(shown):
        seed = zlib.crc32(f"{condition.name} {number} {len(shown)}".encode())
        content = condition.make(hand, np.random.default_rng(seed))
        start = time.process_time()
        what, digit = "refused", ""
        try:
            pixels = decode(content, 1 << 26)
        except RequestError as error:
            pixels, digit = None, error.message
        times.append(time.process_time() - start)
        if pixels is not None:
            row = model.predict((pixels[None] / 255).astype(np.float32))[0]
            right = int(row.argmax()) == hand.label
            what = "right" if right else "wrong" if model.is_sure(row) else "unsure"
            digit = f"{row.argmax()} {row.max():.2f}"
        counts[what] += 1
        if keep and what != "right":
            name = f"{condition.name.replace(' ', '-')}-{number}-{what}"
            (keep / name).write_bytes(content)
            print(f"  {name}: {hand.label} read as {digit}")
    total = len(shown)
    return Found(
        counts["right"] / total,
        counts["refused"] / total,
        counts["wrong"] / total,
        1000 * float(np.median(times)),
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every condition, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m bench pictures", description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="pictures of each kind")
    parser.add_argument("--start", type=int, default=0, help="number of the first hand")
    parser.add_argument("--only", default="", help="kinds whose names have this in them")
    parser.add_argument("--version", type=int, default=3, help="version of the model")
    parser.add_argument("--keep", type=Path, help="folder for what is not read right")
    parser.add_argument("--output", type=Path, help="file for the table")
    options = parser.parse_args(argv)
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    folder = ROOT / "models" / "mnist" / str(options.version)
    model = Model.load(VersionFiles.read(folder))
    lines = [
        HEAD.format(
            count=options.count,
            large=min(LARGE, options.count),
            start=options.start,
            version=options.version,
            error=100 * (0.97 * 0.03 / options.count) ** 0.5,
        ),
        "| pictures | right | refused | surely wrong | ms |\n|---|---:|---:|---:|---:|",
    ]
    every = []
    for condition in CONDITIONS:
        if options.only not in condition.name:
            continue
        count = (
            min(LARGE, options.count) if "megapixels" in condition.name else options.count
        )
        found = measure(condition, hands(count, options.start), model, options.keep)
        every.append(found)
        lines.append(
            f"| {condition.name} | {100 * found.right:.0f} | {100 * found.refused:.0f} | "
            f"{100 * found.wrong:.0f} | {found.milliseconds:.1f} |"
        )
        short = found.right < condition.least or max(found.refused, found.wrong) > 0.02
        print(lines[-1] + (" !" if short else ""), flush=True)
    mean = 100 * np.array(every).mean(axis=0)
    lines.append(
        f"| **mean of {len(every)}** | **{mean[0]:.1f}** | **{mean[1]:.1f}** | "
        f"**{mean[2]:.1f}** | |"
    )
    print(lines[-1])
    if options.output:
        options.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
