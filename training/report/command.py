"""The command ``python -m training report``."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from training import data


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
    """Measure a version, and write ``report.html`` and ``report.md`` into its folder.

    Args:
        folder: ``<root>/<name>/<version>``, with ``model.onnx`` and ``manifest.json``.
        mnist: what to measure it on.
    """
    from training.report import document, html, measure
    from training.report.sections import whole

    manifest = json.loads((folder / "manifest.json").read_text())
    measured = measure.measure(folder / "model.onnx", mnist, _say)
    report = whole.document(manifest, measured)
    page, text = folder / "report.html", folder / "report.md"
    page.write_text(html.page(report))
    text.write_text(document.markdown(report))
    return [page, text]


def _run(options: argparse.Namespace) -> None:
    mnist = data.load(options.data_dir, progress=data.show_progress)
    part = data.Mnist(*(array[: options.limit] for array in mnist))
    for path in write(options.models / "mnist" / str(options.version), part):
        print(f"wrote {path}: {path.stat().st_size:,} bytes")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
