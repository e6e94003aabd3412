"""A record of int8 beside float32 as Markdown."""

from typing import Any

from training.int8 import conclusion
from training.report.document import Table, markdown_table

Record = dict[str, Any]

METHOD = """\
## How it was measured

- Quantized by `onnxruntime.quantization`, after its own preparation, which makes one Gemm
  of MatMul and Add. **Dynamic**: int8 weights; activations are quantized anew at each run,
  between the least and the greatest of the whole batch. **Static**: int8 weights and
  activations in QDQ form, between the least and the greatest on the first
  {calibration_images:,} training images; test images set nothing. Its Softmax stays
  float32, or the probabilities would not add up to 1. **Per channel**: each unit's weights
  have a scale of their own; **per tensor**: all weights of a layer share one.
- Accuracy is the fraction of the {test_images:,} test images whose most probable digit is
  their label, in batches of 1,000. *Lost* are the images that only float32 reads rightly,
  *gained* those that only int8 does, *changed* those whose digit is another. The
  calibration error is the expected one, in 15 bins of equal width. *By batch* is the
  largest difference of a probability between batches of {batches} images.
- Time is that of a run in ONNX Runtime on one thread, without network and decoding. In
  each of {rounds:,} rounds every file is timed in turn at every batch. Given are the median
  (least to greatest), and × the median of its ratio to float32's time in the same round.
- The processor's instructions for int8, on which its speed depends: {instructions}.
- Libraries: {libraries}.
"""


def markdown(record: Record) -> str:
    """Return the whole report."""
    machine = record["machine"]
    head = (
        "# Does int8 earn shipping?\n\n"
        f"{record['date']}, {machine['cpu']}, {machine['cores']} cores, Python "
        f"{machine['python']}. Made by `python -m training int8`; the raw figures are in "
        "`int8.json`.\n"
    )
    answer = "\n".join(_conclusion(version, record) for version in record["versions"])
    parts = [head, f"## What the numbers say\n\n{conclusion.RULE}\n{answer}"]
    parts += [_version(version) for version in record["versions"]]
    parts.append(_how(record))
    return "\n".join(parts)


def _conclusion(version: Record, record: Record) -> str:
    verdict, *reasons = conclusion.sentences(version, record["int8_instructions"])
    return f"{verdict}\n\n" + "".join(f"- {reason}\n" for reason in reasons)


def _version(version: Record) -> str:
    answers = [
        [
            title,
            f"{each['size_bytes']:,}",
            f"{100 * each['accuracy']:.2f}",
            str(each["lost"]),
            str(each["gained"]),
            str(each["changed"]),
            f"{each['largest_difference']:.2g}",
            f"{100 * each['calibration_error']:.2f}",
            f"{each['batch_difference']:.2g}",
        ]
        for title, each in version["files"].items()
    ]
    head = ["file", "bytes", "accuracy, %", "lost", "gained", "changed"]
    head += ["largest difference", "calibration error, %", "by batch"]
    times = [
        [title, *(_time(timed) for timed in each["times"].values())]
        for title, each in version["files"].items()
    ]
    batches = [f"batch {int(batch):,}" for batch in _batches(version)]
    return (
        f"## Version {version['version']}, recipe `{version['recipe']}`\n\n"
        f"{markdown_table(Table(head, answers))}\n"
        f"{markdown_table(Table(['µs a run', *batches], times))}"
    )


def _time(timed: dict[str, float]) -> str:
    return (
        f"{timed['median_us']:,.1f} ({timed['least_us']:,.1f} to "
        f"{timed['greatest_us']:,.1f}), × {timed['ratio']:.2f}"
    )


def _batches(version: Record) -> list[str]:
    return list(next(iter(version["files"].values()))["times"])


def _how(record: Record) -> str:
    *batches, largest = [f"{int(batch):,}" for batch in _batches(record["versions"][0])]
    return METHOD.format(
        calibration_images=record["calibration_images"],
        test_images=record["test_images"],
        batches=f"{', '.join(batches)} and {largest}",
        rounds=record["rounds"],
        instructions=", ".join(record["int8_instructions"]) or "none known",
        libraries=", ".join(f"{name} {of}" for name, of in record["libraries"].items()),
    )
