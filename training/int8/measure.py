"""Measure a float32 file and its int8 variants: size, answers and time."""

import statistics
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from training import data, evaluate
from training.int8 import quantize
from training.report import calibration

import onnxruntime as ort  # isort: skip  # after evaluate, which turns its telemetry off

FLOAT32 = "float32"
BATCHES = (1, 8, 64, 1000)
# A timing runs about so many images: a millisecond or two, long beside the clock's steps
# and short beside the turns that the system gives to other processes.
IMAGES_A_TIMING = 200

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]


def measure(content: bytes, mnist: data.Mnist, rounds: int) -> dict[str, dict[str, Any]]:
    """Quantize a file in every way, and measure it and what came out.

    Args:
        content: the float32 ONNX file's bytes.
        mnist: training images to calibrate on, test images to measure with.
        rounds: timings of each file at each batch.

    Returns:
        For each file, float32 first, what ``answers`` and ``times`` say of it, and its
        ``size_bytes``.
    """
    images = mnist.x_train[: quantize.CALIBRATION_IMAGES]
    files = {FLOAT32: content} | {
        variant.title: quantize.quantize(content, variant, images)
        for variant in quantize.VARIANTS
    }
    own = evaluate.probabilities(content, mnist.x_test)
    timed = times(files, mnist.x_test, rounds)
    return {
        title: {
            "size_bytes": len(file),
            **answers(file, own, mnist.x_test, mnist.y_test),
            "times": timed[title],
        }
        for title, file in files.items()
    }


def answers(
    content: bytes, float32: Probabilities, images: Images, labels: Labels
) -> dict[str, Any]:
    """Compare a file's answers with the labels and with float32's answers.

    Args:
        content: the ONNX file's bytes.
        float32: what the float32 file answers, float32 ``[n, 10]``.
        images: uint8 ``[n, 784]``.
        labels: uint8 ``[n]``.

    Returns:
        accuracy: fraction of the images whose most probable digit is their label.
        lost: images that only float32 reads rightly.
        gained: images that only this file reads rightly.
        changed: images whose digit is another than float32's.
        largest_difference: of a probability, from float32's.
        calibration_error: expected calibration error, in bins of equal width.
        batch_difference: largest difference of a probability between two batch sizes.
    """
    by_batch = [evaluate.probabilities(content, images, batch) for batch in BATCHES]
    found = by_batch[-1]  # as `python -m training evaluate` runs it
    digits, own_digits = found.argmax(axis=1), float32.argmax(axis=1)
    right, own_right = digits == labels, own_digits == labels
    return {
        "accuracy": float(right.mean()),
        "lost": int((own_right & ~right).sum()),
        "gained": int((right & ~own_right).sum()),
        "changed": int((digits != own_digits).sum()),
        "largest_difference": float(np.abs(found - float32).max()),
        "calibration_error": calibration.expected_error(found, labels),
        "batch_difference": float(np.ptp(by_batch, axis=0).max()),
    }


def times(
    files: Mapping[str, bytes], images: Images, rounds: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Time a run of each file at each batch, in rounds in which each has its turn.

    What else the machine does then falls on all of them. Each round starts with another
    file, so that none always follows the same one.

    Args:
        files: ONNX files' bytes by title, one of them ``FLOAT32``.
        images: uint8 ``[n, 784]``; repeated where a batch needs more.
        rounds: how many.

    Returns:
        By title and batch: median, least and greatest time of a run in µs; ratio, the
        median over the rounds of its time over float32's in the same round; and faster,
        the fraction of the rounds in which it took less time than float32.
    """
    sessions = {title: _session(content) for title, content in files.items()}
    pixels = {
        batch: data.scale(np.resize(images, (batch, images.shape[1]))) for batch in BATCHES
    }
    titles = list(files)
    found: dict[tuple[str, int], list[float]] = {
        (title, batch): [] for title in titles for batch in BATCHES
    }
    for i in range(rounds + 1):
        first = i % len(titles)
        for batch in BATCHES:
            for title in titles[first:] + titles[:first]:
                found[title, batch].append(_time(sessions[title], pixels[batch]))
    # Without the first round, in which memory is taken.
    return {
        title: {
            str(batch): _summary(found[title, batch][1:], found[FLOAT32, batch][1:])
            for batch in BATCHES
        }
        for title in titles
    }


def _session(content: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # as the service runs it
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _time(session: ort.InferenceSession, pixels: npt.NDArray[np.float32]) -> float:
    """Return the mean time of a run, in µs."""
    runs = max(1, IMAGES_A_TIMING // len(pixels))
    name = session.get_inputs()[0].name
    session.run(
        None, {name: pixels}
    )  # its weights are in the cache, as they are in service
    start = time.perf_counter()
    for _ in range(runs):
        session.run(None, {name: pixels})
    return (time.perf_counter() - start) / runs * 1e6


def _summary(own: list[float], float32: list[float]) -> dict[str, float]:
    ratios = [a / b for a, b in zip(own, float32)]
    return {
        "median_us": statistics.median(own),
        "least_us": min(own),
        "greatest_us": max(own),
        "ratio": statistics.median(ratios),
        "faster": sum(ratio < 1 for ratio in ratios) / len(ratios),
    }
