"""Whether int8 earns shipping, by a rule and the numbers of a record, in sentences."""

from collections.abc import Sequence
from math import sqrt
from typing import Any

from training.int8.measure import FLOAT32

# The service predicts requests that are there at the same time together, up to 80 images.
LARGEST_SERVED = 64
# Of the rounds: far from the half that chance gives, with room for other processes' turns.
FASTER = 0.75
# Of a probability. In float32, sums in another order differ by about 1e-6.
TOLERANCE = 1e-5

RULE = f"""\
An int8 file ships only if it is

- **no less accurate**: it loses no more of the test images than it gains, or by no more
  than one standard error, the square root of how many it loses or gains;
- **faster** than float32 in at least {100 * FASTER:.0f} % of the rounds at each batch
  that the service runs, up to {LARGEST_SERVED} images;
- **independent of the batch**: the service predicts images of several requests together,
  and no probability may differ by more than {TOLERANCE:.5f} for what is beside its image;
- measured to be all that **without instructions for int8**: a user's processor may have
  none, and there its multiplication is slowest, and sums of two products that overflow 16
  bits can be cut off, which gives other answers than a processor with them.
"""

Measured = dict[str, Any]


def sentences(version: Measured, instructions: Sequence[str]) -> list[str]:
    """Return the conclusion on a version: the verdict, then a line for each variant.

    Args:
        version: what ``record.describe`` says of it.
        instructions: for int8, of the processor that it was measured on.
    """
    variants = {title: each for title, each in version["files"].items() if title != FLOAT32}
    float32 = version["files"][FLOAT32]
    faults = {title: _faults(each, instructions) for title, each in variants.items()}
    passed = [title for title in variants if not faults[title]]
    verdict = "int8 does not earn shipping"
    if passed:
        verdict = f"int8 earns shipping: {'; '.join(passed)}"
    return [
        f"**Version {version['version']}**: {verdict}.",
        *(
            _sentence(title, each, float32, faults[title])
            for title, each in variants.items()
        ),
    ]


def _sentence(title: str, variant: Measured, float32: Measured, faults: list[str]) -> str:
    verdict = f"no. It is {'; '.join(faults)}." if faults else "yes."
    return (
        f"{title}: {verdict} It reads {100 * variant['accuracy']:.2f} % of the test "
        f"images, float32 {100 * float32['accuracy']:.2f} %; a run takes "
        f"{_ratios(_served(variant))} of float32's time, the file "
        f"{100 * variant['size_bytes'] / float32['size_bytes']:.0f} % of its bytes."
    )


def _faults(variant: Measured, instructions: Sequence[str]) -> list[str]:
    """Say what the rule has against a variant; nothing if it may ship."""
    helped = f"measured only with {', '.join(instructions)}" if instructions else ""
    found = (_less_accurate(variant), _slower(variant), _dependent(variant), helped)
    return [fault for fault in found if fault]


def _less_accurate(variant: Measured) -> str:
    lost, gained = variant["lost"], variant["gained"]
    # As in McNemar's test: if the two are equally good, each image that only one of them
    # reads rightly is the one's or the other's with a chance of a half.
    error = sqrt(lost + gained)
    if lost - gained <= error:
        return ""
    return (
        f"less accurate, losing {lost} images and gaining {gained} with a standard error "
        f"of {error:.1f}"
    )


def _slower(variant: Measured) -> str:
    slow = {
        batch: each for batch, each in _served(variant).items() if each["faster"] < FASTER
    }
    rounds = ", ".join(
        f"{100 * each['faster']:.0f} % of the rounds at batch {batch}"
        for batch, each in slow.items()
    )
    return f"faster in only {rounds} ({_ratios(slow)} of float32's time)" if slow else ""


def _dependent(variant: Measured) -> str:
    difference = variant["batch_difference"]
    if difference <= TOLERANCE:
        return ""
    return f"dependent on the batch, by up to {difference:.2g} of a probability"


def _served(variant: Measured) -> dict[str, dict[str, float]]:
    """Return the times at the batches that the service runs."""
    return {
        batch: each
        for batch, each in variant["times"].items()
        if int(batch) <= LARGEST_SERVED
    }


def _ratios(times: dict[str, dict[str, float]]) -> str:
    return ", ".join(
        f"{each['ratio']:.2f} at batch {batch}" for batch, each in times.items()
    )
