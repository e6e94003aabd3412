"""``python -m service predict FILE ...``: digits of picture files, without a server."""

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from service.errors import ModelError, SettingsError
from service.http import PNG
from service.inference.batch import Call

if TYPE_CHECKING:
    from service.inference import Inference


@dataclass(slots=True)
class Row:
    """What became of a file.

    Attributes:
        file: its path, as it was given.
        digit: 0 to 9; None if it could not be read.
        confidence: probability of the digit, 0 to 1.
        unsure: whether the digit is a guess; None if the version has no threshold.
        found: ``several digits`` if there are, else empty.
        error: why there is no digit, else empty.
    """

    file: str
    digit: int | None = None
    confidence: float | None = None
    unsure: bool | None = None
    found: str = ""
    error: str = ""


def main(arguments: list[str], create: Callable[[], "Inference"]) -> None:
    """Print digit and confidence of each file; exit with 1 if one could not be read."""
    parser = argparse.ArgumentParser(
        prog="python -m service predict",
        description="Predict the digits in picture files, as POST /predict does.",
        epilog="The exit code is 1 if a file could not be read.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="PNG, JPEG, WebP or GIF")
    parser.add_argument("--version", type=int, help="of the model; default: the highest")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="table" if sys.stdout.isatty() else "csv",
        help="default: table on a terminal, otherwise csv",
    )
    options = parser.parse_args(arguments)
    try:
        inference = create()
    except (SettingsError, ModelError) as error:
        sys.exit(f"error: {error}")
    failed = False

    def rows() -> Iterator[Row]:
        nonlocal failed
        for row in predict(inference, options.files, options.version):
            failed = failed or bool(row.error)
            yield row

    FORMATS[options.format](rows())
    sys.exit(failed)


def predict(
    inference: "Inference", files: Iterable[str], version: int | None = None
) -> Iterator[Row]:
    """Yield a row per file, in their order, through the frame and model of ``/predict``.

    Args:
        inference: the models.
        files: paths.
        version: of the model; the default version if None.
    """
    endpoint = inference.endpoint("/predict")
    assert endpoint is not None
    query = "" if version is None else f"version={version}"
    # Any of the pictures' types: the first bytes tell which it is.
    target = inference.target(endpoint, query, {"content-type": PNG})
    for file in files:
        try:
            body = Path(file).read_bytes()
        except OSError as error:
            yield Row(file, error=error.strerror or str(error))
            continue
        [outcome] = inference.answer([Call(target, body)])
        assert outcome is not None  # nothing limits its time
        content = orjson.loads(outcome.reply.body)
        if outcome.reply.status != 200:
            yield Row(file, error=content["error"])
            continue
        found = content["predictions"][0]
        del found["probabilities"]
        yield Row(file, **found)


def _table(rows: Iterable[Row]) -> None:
    """Print aligned columns, and errors on standard error."""
    listed = list(rows)
    width = max(len(row.file) for row in listed)
    print(f"{'file':<{width}}  digit  confidence")
    for row in listed:
        if row.error:
            print(f"{row.file:<{width}}  {row.error}", file=sys.stderr)
            continue
        remark = row.found or ("unsure" if row.unsure else "")
        line = f"{row.file:<{width}}  {row.digit!s:>5}  {row.confidence:>10.2%}  {remark}"
        print(line.rstrip())


def _csv(rows: Iterable[Row]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(asdict(Row("")))
    for row in rows:
        writer.writerow(asdict(row).values())


def _json(rows: Iterable[Row]) -> None:
    found = [asdict(row) for row in rows]
    print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


FORMATS = {"table": _table, "csv": _csv, "json": _json}
