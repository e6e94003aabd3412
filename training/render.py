"""Render the reports: Jinja2 templates to Markdown, Markdown to one HTML page."""

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import jinja2
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

HERE = Path(__file__).parent
INK, SOFT, GRID = "#1f2328", "#59636e", "#d1d9e0"
BLUE, ORANGE = "#1f6feb", "#bc4c00"
STYLE = {
    "axes.edgecolor": GRID,
    "axes.grid": True,
    "axes.labelcolor": SOFT,
    "axes.prop_cycle": f"cycler(color={[BLUE, ORANGE]})",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,  # of figures that are read at about their own size
    "grid.color": GRID,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "mnist",  # the same figures give the same bytes
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
}


def percent(fraction: float, digits: int = 2) -> str:
    """Format a fraction as a percentage: ``97.42 %``."""
    return f"{100 * fraction:.{digits}f} %"


def plain(value: object) -> str:
    """Format a value of a manifest: floats to five digits, lists and objects in a line."""
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    if isinstance(value, dict):
        return ", ".join(
            f"{name} ({plain(part)})" if isinstance(part, dict) else f"{name} {plain(part)}"
            for name, part in value.items()
        )
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def markdown(template: str, **context: Any) -> str:
    """Render a Markdown template.

    Args:
        template: path from this package.
        context: the template's variables; it must not use any other.
    """
    environment = _environment()
    environment.filters.update(
        percent=percent,
        plain=plain,
        commas="{:,}".format,
        digits=lambda value: f"{float(f'{value:.3g}'):,g}",  # three significant ones
    )
    return environment.get_template(template).render(context)


def page(text: str, folder: Path) -> str:
    """Return a Markdown document as an HTML page without scripts or requests.

    Args:
        text: the document; its first line is its title.
        folder: of the document's pictures, which become part of the page.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    for token, inside in zip(tokens, tokens[1:]):
        if token.type == "heading_open":
            token.attrSet("id", re.sub(r"[^a-z0-9]+", "-", inside.content.lower()))
        if (
            token.type == "table_open"
        ):  # which scrolls where it is too wide, by keyboard too
            token.attrSet("tabindex", "0")
        for child in token.children or []:
            if child.type == "image":
                child.attrSet("src", _data_url(folder / str(child.attrGet("src"))))
    return (
        _environment(autoescape=True)
        .get_template("report/page.html.j2")
        .render(
            title=text.partition("\n")[0].removeprefix("# "),
            body=parser.renderer.render(tokens, parser.options, {}),
        )
    )


@contextmanager
def drawing(file: Path, width: float, height: float) -> Iterator[Figure]:
    """Yield a Matplotlib figure, sized in inches, and save it as SVG or PNG."""
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        unstable = {".svg": ["Date", "Creator"], ".png": ["Software"]}[file.suffix]
        figure.savefig(file, metadata=dict.fromkeys(unstable))


def log_ticks(axis: Any, form: str = "{x:,g}") -> None:
    """Label a logarithmic axis at 1, 2 and 5 times powers of ten, in plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(form)
    axis.set_minor_locator(NullLocator())


def _environment(autoescape: bool = False) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _data_url(file: Path) -> str:
    content = b64encode(file.read_bytes()).decode()
    return f"data:{guess_type(file.name)[0]};base64,{content}"
