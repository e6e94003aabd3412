"""A record of the comparison as Markdown."""

from training.baselines import conclusion, summary
from training.baselines.summary import Cell, Record

VERSIONS = """\
## The network in the model repository

Accuracy and seconds are the manifests'; predicted here by ONNX Runtime on one thread.

"""

METHOD = """\
## How it was measured

- Pixels are 0 to 1. The training images are drawn at random from the 60,000, the same for
  every method; accuracy is the fraction of the {test_images:,} test images predicted
  rightly, with the standard deviation over the draws. The test images choose nothing.
- Each method may choose one hyperparameter from three values, on a fifth of the training
  images that is held out, and is then fitted on all of them. Where several values are
  equally good, the first, the library's default, is taken. {choices}
- The network by the lesson's recipe chooses nothing and leaves the held-out fifth out, as
  the lesson does.
- The table is `load_breast_cancer`, the largest with named columns for classification
  that scikit-learn brings with it: 569 rows, 30 columns standardised by the training
  part, two classes; {folds}-fold cross-validation, the same splits for
  every method. The network has 30 inputs and 2 outputs there. HOG needs pixels.
- Time is wall-clock time on {cores} cores, each library with the threads that it takes by
  itself (scikit-learn's SVMs take one); *choose* is all fits on the held-out split;
  *predict* is all test images at once, by the library that fitted. The network's fits
  take 32 steps between two returns to Python, which gives the weights of `python -m
  training fit` to the bit, in less than half its time. Size is what it takes to predict,
  pickled; for the network, its weights.
"""


def markdown(record: Record) -> str:
    """Return the whole report."""
    machine = record["machine"]
    head = (
        "# Deep learning or traditional machine learning?\n\n"
        f"{record['date']}, {machine['cpu']}, {machine['cores']} cores, Python "
        f"{machine['python']}; {record['seconds'] / 60:.1f} minutes in all. Made by "
        "`python -m training baselines`; the raw figures are in `baselines.json`.\n\n"
        "![test error by number of training images](baselines.svg)\n"
    )
    answer = "".join(f"- {sentence}\n" for sentence in conclusion.sentences(record))
    parts = [head, f"## What the numbers say\n\n{answer}", _accuracies(record)]
    parts += [
        _costs(record),
        _table(record),
        _versions(record),
        _how(record),
        _choices(record),
    ]
    return "\n".join(part for part in parts if part)


def _accuracies(record: Record) -> str:
    sizes = summary.sizes(record)
    if not sizes:
        return ""
    rows = []
    for name in summary.cells(record, "pixels", sizes[-1]):
        found = [summary.cell(record, "pixels", name, images) for images in sizes]
        rows.append([_title(record, name), *(_accuracy(each) for each in found)])
    head = ["accuracy on pixels, %", *(f"{images:,} images" for images in sizes)]
    return "## Accuracy\n\n" + _markdown_table(head, rows)


def _costs(record: Record) -> str:
    text = ""
    for images in summary.sizes(record)[::-1]:
        rows = [
            [
                _title(record, name),
                f"{each.fit_seconds:.3g}",
                f"{each.choose_seconds:.3g}" if each.choose_seconds else "",
                f"{each.predict_us:.3g}",
                f"{each.size_bytes / 1e6:.3g}",
            ]
            for name, each in summary.cells(record, "pixels", images).items()
        ]
        head = [
            f"{images:,} images",
            "fit, s",
            "choose, s",
            "predict, µs an image",
            "size, MB",
        ]
        text += "\n" + _markdown_table(head, rows)
    return f"## Time and size\n{text}" if text else ""


def _table(record: Record) -> str:
    rows = [
        [
            _title(record, name),
            _accuracy(each),
            f"{each.fit_seconds * 1000:.3g}",
            f"{each.predict_us:.3g}",
            f"{each.size_bytes / 1e3:.3g}",
        ]
        for name, each in summary.cells(record, "table").items()
    ]
    head = [
        "breast cancer, 569 rows",
        "accuracy, %",
        "fit, ms",
        "predict, µs a row",
        "size, kB",
    ]
    return "## On a table\n\n" + _markdown_table(head, rows) if rows else ""


def _versions(record: Record) -> str:
    rows = [
        [
            f"version {each['version']}, recipe `{each['recipe']}`",
            f"{100 * each['accuracy']:.2f}",
            f"{each['fit_seconds']:,.0f}" if each["fit_seconds"] else "",
            f"{each['predict_us']:.3g}",
            f"{each['size_bytes'] / 1e6:.3g}",
        ]
        for each in record["versions"]
    ]
    head = ["60,000 images", "accuracy, %", "fit, s", "predict, µs an image", "size, MB"]
    return VERSIONS + _markdown_table(head, rows) if rows else ""


def _how(record: Record) -> str:
    kept = []
    for size in record["sizes"]:
        if size["choices"] == 0:
            kept.append(f"at {size['images']:,} images the value before it is kept")
        elif size["choices"] < size["draws"]:
            kept.append(f"at {size['images']:,} images the first draw chooses for all")
    choices = (
        f"{'; '.join(kept)}; else every draw chooses." if kept else "Every draw chooses."
    )
    draws = ", ".join(f"{size['draws']} at {size['images']:,}" for size in record["sizes"])
    return METHOD.format(
        test_images=record["test_images"],
        choices=f"{choices[0].upper()}{choices[1:]} Draws: {draws}.",
        cores=record["machine"]["cores"],
        folds=record["table"]["folds"],
    )


def _choices(record: Record) -> str:
    sizes = summary.sizes(record)
    rows = []
    for name, method in record["methods"].items():
        found = [summary.cell(record, "pixels", name, images) for images in sizes]
        values = " / ".join(str(each.value) if each else "-" for each in found)
        offered = ", ".join(map(str, method["values"]))
        rows.append(
            [method["title"], method["fixed"], f"{method['parameter']}: {offered}", values]
        )
    head = ["method", "fixed", "to choose from", "chosen most often, by number of images"]
    return "## Hyperparameters\n\n" + _markdown_table(head, rows, words=4)


def _title(record: Record, name: str) -> str:
    title: str = record["methods"][name]["title"]
    return f"**{title}**" if name in conclusion.NETWORKS else title


def _accuracy(cell: Cell | None) -> str:
    if not cell:
        return "-"
    several = len(cell.accuracies) > 1
    return f"{100 * cell.accuracy:.2f}" + (f" ± {100 * cell.spread:.2f}" if several else "")


def _markdown_table(head: list[str], rows: list[list[str]], words: int = 1) -> str:
    rule = ["---"] * words + ["---:"] * (len(head) - words)
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, rule, *rows])
