"""The command ``python -m training baselines``."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training import data
from training.baselines.methods import METHODS

if TYPE_CHECKING:
    from training.baselines.measure import Size


def add(command: Any) -> None:
    """Add the command; ``command`` makes a parser of a name, what to run, and a summary."""
    parser = command(
        "baselines",
        _run,
        "compare the network with traditional machine learning",
        "About a quarter of an hour on 2 cores; the options make it shorter, for a trial.",
    )
    names = [method.name for method in METHODS]
    parser.add_argument(
        "--methods", nargs="+", choices=names, default=names, metavar="METHOD", help="which"
    )
    parser.add_argument(
        "--sizes", type=int, nargs="+", help="training images; all sizes if not given"
    )
    parser.add_argument("--draws", type=int, help="draws of a size at most")
    parser.add_argument("--test-images", type=int, default=10_000, help="test images")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("training/results"),
        help="folder of the results",
    )
    parser.add_argument("--models", type=Path, default=Path("models"), help="root folder")


def write(record: dict[str, Any], folder: Path) -> list[Path]:
    """Write a record as JSON, as Markdown and as a plot."""
    from training.baselines import plot, text

    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"baselines.{kind}" for kind in ("json", "md", "svg")]
    files[0].write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    files[1].write_text(text.markdown(record))
    plot.draw(record, files[2])
    return files


def _run(options: argparse.Namespace) -> None:
    mnist = data.load(options.data_dir, progress=data.show_progress)
    from training.baselines import measure, record

    methods = [method for method in METHODS if method.name in options.methods]
    sizes = _sizes(measure.SIZES, options.sizes, options.draws)
    images, labels = (
        mnist.x_test[: options.test_images],
        mnist.y_test[: options.test_images],
    )
    full = measure.Split(
        data.scale(mnist.x_train), mnist.y_train, data.scale(images), labels
    )
    start = time.monotonic()
    say = _say(start)
    runs = [
        *measure.table(methods, measure.breast_cancer(), say),
        *measure.pixels(methods, full, sizes, say),
    ]
    seconds = time.monotonic() - start
    folders = sorted(path.parent for path in options.models.glob("mnist/*/manifest.json"))
    versions = [record.describe(folder, images) for folder in folders]
    found = record.make(methods, sizes, runs, versions, len(labels), seconds)
    for path in write(found, options.output):
        print(f"wrote {path}")


def _sizes(
    usual: "Sequence[Size]", wanted: list[int] | None, draws: int | None
) -> "list[Size]":
    known = {size.images: size for size in usual}
    chosen = [known.get(n, usual[0]._replace(images=n)) for n in wanted or known]
    return [
        size._replace(draws=min(size.draws, draws), choices=min(size.choices, draws))
        if draws
        else size
        for size in chosen
    ]


def _say(start: float) -> Callable[[str], None]:
    def say(line: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {line}", file=sys.stderr, flush=True)

    return say
