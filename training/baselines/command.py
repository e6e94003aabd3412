"""The command ``python -m training baselines``."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training import data, machine
from training.baselines.methods import METHODS

if TYPE_CHECKING:
    from training.baselines.measure import Size

LIBRARIES = ("scikit-learn", "numpy", "scipy", "tensorflow", "keras", "onnxruntime")


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


def write(record: dict[str, Any], folder: Path) -> None:
    """Write a record as ``baselines.json``, and as Markdown with its plot."""
    from training import render
    from training.baselines import plot, summary

    def accuracy(cell: summary.Cell | None) -> str:
        if not cell:
            return "-"
        spread = f" ± {100 * cell.spread:.2f}" if len(cell.accuracies) > 1 else ""
        return f"{100 * cell.accuracy:.2f}{spread}"

    def title(name: str) -> str:
        title: str = record["methods"][name]["title"]
        return f"**{title}**" if name in summary.NETWORKS else title

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    (folder / "baselines.json").write_text(text)
    plot.draw(record, folder / "baselines.svg")
    report = render.markdown(
        "baselines/baselines.md.j2",
        record=record,
        sizes=summary.sizes(record),
        complete=len(record["methods"]) == len(METHODS) and len(record["sizes"]) > 1,
        cells=partial(summary.cells, record),
        error=summary.error,
        accuracy=accuracy,
        title=title,
    )
    (folder / "baselines.md").write_text(report)


def _run(options: argparse.Namespace) -> None:
    mnist = data.load(options.data_dir, progress=data.show_progress)
    from training.baselines import measure

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
    progress = _progress(start)
    runs = [
        *measure.table(methods, measure.breast_cancer(), progress),
        *measure.pixels(methods, full, sizes, progress),
    ]
    folders = sorted(path.parent for path in options.models.glob("mnist/*/manifest.json"))
    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine.describe(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "seconds": round(time.monotonic() - start, 1),
        "test_images": len(labels),
        "sizes": [size._asdict() for size in sizes],
        "table": {"folds": measure.TABLE_FOLDS},
        "methods": {method.name: method.record() for method in methods},
        "versions": [measure.version(folder, images) for folder in folders],
        "runs": [asdict(run) for run in runs],
    }
    write(record, options.output)
    print(f"wrote {options.output}: baselines.json, baselines.md and baselines.svg")


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


def _progress(start: float) -> Callable[[str], None]:
    def show(line: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {line}", file=sys.stderr, flush=True)

    return show
