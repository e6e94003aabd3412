"""What the numbers of a record say about the lesson's question, in sentences."""

from training.baselines import summary
from training.baselines.summary import Cell, Record

# The two that are "deep learning" here; all others are traditional.
NETWORKS = ("network", "lesson")


def sentences(record: Record) -> list[str]:
    """Return the conclusion: only what follows from the numbers, each with its number."""
    found = [_at(record, images) for images in summary.sizes(record)]
    found += [_gain(record), _cost(record), _table(record)]
    return [sentence for sentence in found if sentence]


def _at(record: Record, images: int) -> str:
    """Compare the best traditional method with the network at one size."""
    cells = summary.cells(record, "pixels", images)
    network, best = _network(cells), _best_traditional(cells)
    if not network or not best:
        return ""
    title = record["methods"][best]["title"]
    ahead, own = cells[best], cells[network]
    error = summary.error_on_pixels(ahead, own, record["test_images"])
    verdict = _verdict(ahead.accuracy - own.accuracy, error)
    return (
        f"**{images:,} images**: {title} reads {_percent(ahead)} of the test images, "
        f"the network {_percent(own)}, {_lesson(cells)}{verdict}"
    )


def _verdict(difference: float, error: float) -> str:
    points = f"{100 * abs(difference):.2f} ± {100 * error:.2f} points (one standard error)"
    if abs(difference) <= summary.CHANCE * error:
        return f"the difference of {points} is within chance."
    who = "the best traditional method" if difference > 0 else "the network"
    return f"{who} is ahead by {points}."


def _lesson(cells: dict[str, Cell]) -> str:
    return (
        f"by the lesson's recipe {_percent(cells['lesson'])}; " if "lesson" in cells else ""
    )


def _gain(record: Record) -> str:
    """Say what more data brings to the network and to the best traditional method."""
    sizes = summary.sizes(record)
    if len(sizes) < 2:
        return ""
    few, many = (summary.cells(record, "pixels", n) for n in (sizes[0], sizes[-1]))
    network, best = _network(many), _best_traditional(many)
    if not network or not best or not {network, best} <= set(few):
        return ""
    gains = {
        name: 100 * (many[name].accuracy - few[name].accuracy) for name in (network, best)
    }
    return (
        f"**More data**: from {sizes[0]:,} to {sizes[-1]:,} images the network gains "
        f"{gains[network]:.1f} points, {record['methods'][best]['title']} "
        f"{gains[best]:.1f}."
    )


def _cost(record: Record) -> str:
    """Set the network's costs at the largest size beside the best traditional method's."""
    images = summary.sizes(record)[-1] if summary.sizes(record) else None
    cells = summary.cells(record, "pixels", images) if images else {}
    network, best = _network(cells), _best_traditional(cells)
    if not network or not best:
        return ""
    own, other = cells[network], cells[best]
    return (
        f"**Cost** at {images:,} images: {record['methods'][best]['title']} is fitted in "
        f"{other.fit_seconds:.3g} s, takes {other.predict_us:.3g} µs an image and "
        f"{other.size_bytes / 1e6:.3g} MB; the network {own.fit_seconds:.3g} s, "
        f"{own.predict_us:.3g} µs and {own.size_bytes / 1e6:.3g} MB."
    )


def _table(record: Record) -> str:
    """Say which methods on the table are within chance of the best."""
    cells = summary.cells(record, "table")
    if not cells:
        return ""
    titled = {
        name: f"{record['methods'][name]['title']} ({_percent(each)})"
        for name, each in cells.items()
    }
    best, *others = cells
    folds = record["table"]["folds"]
    level = [
        name
        for name in others
        if cells[best].accuracy - cells[name].accuracy
        <= summary.CHANCE * summary.error_on_table(cells[best], cells[name], folds)
    ]
    behind = [name for name in others if name not in level]
    text = (
        f"**On the table** {titled[best]} has the highest mean; within chance of it are "
        f"{_list([titled[name] for name in level])}"
    )
    if behind:
        text += f"; behind are {_list([titled[name] for name in behind])}"
    return f"{text}."


def _network(cells: dict[str, Cell]) -> str | None:
    return next((name for name in NETWORKS if name in cells), None)


def _best_traditional(cells: dict[str, Cell]) -> str | None:
    return next((name for name in cells if name not in NETWORKS), None)


def _percent(cell: Cell) -> str:
    return f"{100 * cell.accuracy:.2f} %"


def _list(words: list[str]) -> str:
    return ", ".join(words) if words else "none"
