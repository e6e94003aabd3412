"""The command ``python -m training int8``."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from training import data


def add(command: Any) -> None:
    """Add the command; ``command`` makes a parser of a name, what to run, and a summary."""
    parser = command(
        "int8",
        _run,
        "measure whether int8 earns shipping: its size, accuracy and time",
        "About half a minute a version; run it with nothing else running.",
    )
    parser.add_argument(
        "--version", type=int, help="version to measure; every version if not given"
    )
    parser.add_argument(
        "--limit",
        type=int,
        help="only so many images of each set, to try it out; all if not given",
    )
    parser.add_argument("--rounds", type=int, default=500, help="timings of each file")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("training/results"),
        help="folder of the results",
    )
    parser.add_argument("--models", type=Path, default=Path("models"), help="root folder")


def write(record: dict[str, Any], folder: Path) -> list[Path]:
    """Write a record as JSON and as Markdown."""
    from training.int8 import text

    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"int8.{kind}" for kind in ("json", "md")]
    files[0].write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    files[1].write_text(text.markdown(record))
    return files


def _run(options: argparse.Namespace) -> None:
    folders = _folders(options.models / "mnist", options.version)
    mnist = data.load(options.data_dir, progress=data.show_progress)
    part = data.Mnist(*(array[: options.limit] for array in mnist))
    from training.int8 import conclusion, record

    versions = []
    for folder in folders:
        print(f"measuring {folder}", file=sys.stderr, flush=True)
        versions.append(record.describe(folder, part, options.rounds))
        print("\n".join(conclusion.sentences(versions[-1], record.instructions())))
    for path in write(record.make(versions, part, options.rounds), options.output):
        print(f"wrote {path}")


def _folders(models: Path, version: int | None) -> list[Path]:
    if version is not None:
        return [models / str(version)]
    numbers = [
        int(path.parent.name)
        for path in models.glob("*/manifest.json")
        if path.parent.name.isdecimal()  # not what an export is about to put there
    ]
    if not numbers:
        raise FileNotFoundError(f"no version in {models}")
    return [models / str(number) for number in sorted(numbers)]
