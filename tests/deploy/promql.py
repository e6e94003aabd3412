"""What an expression of PromQL names: metrics, labels, and the sides of its comparisons."""

import re

WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
NAME = r"[a-zA-Z_:][\w:]*"
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
# An opening and a closing bracket, and what stands between two sides.
TOKEN = re.compile(
    r'"[^"]*"|(?P<open>[({\[])|(?P<close>[)}\]])'
    r"|(?P<between>(?:\b(?:and|or|unless)\b|[<>]=?|[!=]=)"
    r"(?:\s*\b(?:on|ignoring|group_left|group_right)\s*\([^)]*\))*)"
)


def _bare(expr):
    return re.sub(r'"[^"]*"', '""', expr)


def grouping(expr):
    """Return the labels by which an expression groups or matches."""
    found = GROUPING.findall(_bare(expr))
    return {name.strip() for names in found for name in names.split(",") if name.strip()}


def selectors(expr):
    """Return the metrics of an expression, each with the labels that it is chosen by."""
    bare = re.sub(r"\[[^\]]*\]|\boffset \w+", "", GROUPING.sub(" ", _bare(expr)))
    found = re.finditer(rf"(?<![\w:.])({NAME})\b(?!\s*\()\s*(?:\{{([^}}]*)\}})?", bare)
    return [
        (name, set(re.findall(rf"({NAME})\s*[=!]", matchers or "")))
        for name, matchers in (one.groups() for one in found)
        if name not in WORDS
    ]


def sides(expr):
    """Return what an expression compares or joins, without mere numbers."""
    parts, depth, start = [], 0, 0
    for token in TOKEN.finditer(expr):
        depth += bool(token["open"]) - bool(token["close"])
        if token["between"] and not depth:
            parts.append(expr[start : token.start()])
            start = token.end()
    parts.append(expr[start:])
    return [part.strip() for part in parts if selectors(part)]
