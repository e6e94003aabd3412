"""The reports of a run: JSON for programs, Markdown for a review, HTML for people."""

import json
import math
from pathlib import Path
from typing import Any

from load.record import Record
from load.report.render import html, markdown

__all__ = ["html", "markdown", "write"]


def write(record: Record, folder: Path) -> list[Path]:
    """Write the three reports of a run, named after its scenario; return where they are.

    Raises:
        OSError: the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plain = json.dumps(_without_nan(record.as_dict()), ensure_ascii=False, allow_nan=False)
    texts = {"json": plain + "\n", "md": markdown(record), "html": html(record)}
    files = [folder / f"{record.scenario}.{kind}" for kind in texts]
    for file, text in zip(files, texts.values()):
        file.write_text(text, encoding="utf-8")
    return files


def _without_nan(value: Any) -> Any:
    """Return it with None for each NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
