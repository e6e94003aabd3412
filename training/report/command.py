"""The command ``python -m training report``."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from training import data

FILES = ("md", "html", "charts.svg", "mistakes.png", "weights.png")


def add(command: Any) -> Any:
    """Add the command; ``command`` makes a parser of a name, what to run, and a summary."""
    parser = command(
        "report",
        _run,
        "write a version's report, as a page and as Markdown, beside it",
        "Needs the service's package beside training, and takes about two minutes.",
    )
    parser.add_argument(
        "--limit",
        type=int,
        help="only so many images of each set, to try it out; all if not given",
    )
    return parser


def write(folder: Path, mnist: data.Mnist) -> list[Path]:
    """Measure a version, and write its report into its folder.

    That is ``report.md`` with the pictures beside it, and ``report.html``, the same as one
    page that needs nothing else.

    Args:
        folder: ``<root>/<name>/<version>``, with ``model.onnx`` and ``manifest.json``.
        mnist: what to measure it on.
    """
    from training import render
    from training.report import context, figures, measure

    manifest = json.loads((folder / "manifest.json").read_text())
    measured = measure.measure(folder / "model.onnx", mnist, _progress)
    found = context.context(manifest, measured)
    files = [folder / f"report.{name}" for name in FILES]
    text, page, charts, mistakes, weights = files
    accuracies = [measured.untouched, *measured.distorted]
    figures.charts(charts, manifest["history"], found["bins"], accuracies)
    figures.mistakes(mistakes, measured, context.hardest(measured)[: context.SHOWN])
    figures.weights(weights, measured)
    text.write_text(render.markdown("report/report.md.j2", **found))
    page.write_text(render.page(text.read_text(), folder))
    return files


def _run(options: argparse.Namespace) -> None:
    from training import repository

    folder = repository.find(options.models, options.version)
    mnist = data.load(options.data_dir, progress=data.show_progress)
    part = data.Mnist(*(array[: options.limit] for array in mnist))
    for path in write(folder, part):
        print(f"wrote {path}: {path.stat().st_size:,} bytes")


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
