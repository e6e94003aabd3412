"""The section about pictures that show no digit."""

from collections.abc import Iterable
from itertools import groupby

from training import clutter
from training.report import nodigits
from training.report.document import Paragraph, Section, Table, fill, percent
from training.report.measure import Measured

DRAWN = """
There is no class for what is no digit; all that a version can do is to be unsure of it.
Here are pictures of four groups, the same for every version, read as the service reads a
PNG. **Letters**: `{letters}`, {each_letter} drawings of each; the ones that a hand writes
like a digit, as O and S, are left out, and every point is moved down and across by a
normal error of 1/24 of the letter's height. **Scribbles**: a line to and fro between
random places (tangle), up and down (zigzag), four to eight short strokes across each other
(crossing), round and round (coil); {each_scribble} of each. **Noise**: {noise} pictures of
28 × 28 of normal grey noise, specks or clouds, and {noise} whose pixels are any of the 256
greys, evenly {sides} pixels a side. **Shapes**: spirals of two to three turns, stars of
three to five lines through the middle, grids of two or three lines down and across, boxes,
one half of them with a diagonal, and hearts; {each_shape} of each, tilted by up to 15
degrees and made up to a fifth narrower or lower. Strokes are drawn by the service's own
round pen, evenly {pens} of the picture's width wide; the strokes' longer side, without the
pen, is {length} of it."""

TRAINED = """
The recipe `best` trains on other drawings of the same letters, scribbles and noise (but
uniform noise), by a pen of its own, and never on a shape: those say how far what it
learned reaches. The recipe `lesson` trains on digits only."""

COLUMNS = """
**Refused**: the service answers with an error in place of a digit. The mean confidence is
that of the others. **Unsure or refused** is the fraction of all pictures of the row. Where
it is 90 %, one standard error, √(p (1 - p) / n), is 1.2 points of 600 pictures and 2.7 of
120. {own}"""

OWN = """
A picture is unsure below a confidence of {threshold:g}, the version's `unsure_below`. Of
the {known:,} letters, scribbles and noise together **{aside}** are unsure or refused. The
cost: of the {images:,} test images, fed straight, **{cost}** are unsure."""

NONE = """
This version has no threshold (`unsure_below` in the manifest) and calls nothing unsure: –
stands in place of that fraction, and the mean confidence is all there is."""


def nothing(measured: Measured, own: float | None) -> Section:
    """Show the confidence where there is no digit; ``own`` is the version's threshold."""
    head = ["kind", "pictures", "refused", "mean confidence", "unsure or refused"]
    return Section(
        "What is no digit",
        [
            Paragraph(_drawn()),
            Paragraph(fill(TRAINED)),
            Paragraph(fill(COLUMNS, own=_own(measured, own))),
            Table(head, [_row(found, own) for found in _rows(measured.no_digits)]),
        ],
    )


def _drawn() -> str:
    return fill(
        DRAWN,
        letters="".join(sorted(clutter.letters())),
        each_letter=nodigits.LETTERS,
        each_scribble=nodigits.SCRIBBLES,
        noise=nodigits.NOISE,
        sides=_choice(map(str, nodigits.SIDES)),
        each_shape=nodigits.SHAPES,
        pens=_choice(percent(pen, 0) for pen in nodigits.PENS),
        length=percent(nodigits.LENGTH, 0),
    )


def _choice(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}"


def _own(measured: Measured, own: float | None) -> str:
    if own is None:
        return fill(NONE)
    groups = [found for found in measured.no_digits if found.group != "shapes"]
    known = nodigits.together(groups, "all but the shapes")
    return fill(
        OWN,
        threshold=own,
        known=known.pictures,
        aside=percent(known.set_aside(own), 1),
        images=len(measured.labels),
        cost=percent((measured.probabilities.max(axis=1) < own).mean()),
    )


def _rows(found: list[nodigits.Found]) -> list[nodigits.Found]:
    """Add to each group of several kinds what they are together."""
    rows = []
    for group, members in groupby(found, key=lambda each: each.group):
        kinds = list(members)
        rows += kinds
        if len(kinds) > 1:
            rows.append(nodigits.together(kinds, f"**{group}, all**"))
    return rows


def _row(found: nodigits.Found, own: float | None) -> list[str]:
    return [
        found.kind,
        f"{found.pictures:,}",
        f"{found.refused:,}",
        percent(found.mean, 1) if found.refused < found.pictures else "–",
        "–" if own is None else percent(found.set_aside(own), 1),
    ]
