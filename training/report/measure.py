"""Measure a version: everything that its report says."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training import evaluate, reference
from training.data import Mnist, scale
from training.report import distortion, frames, hands, nodigits, units

Floats = npt.NDArray[np.floating]
Progress = Callable[[str], None]


class Accuracies(NamedTuple):
    """A condition's accuracy: fed straight, and as pictures, with the fraction refused."""

    condition: distortion.Condition
    straight: float
    pictures: float
    refused: float


class Difference(NamedTuple):
    """How two ways of computing the same network differ.

    Attributes:
        ways: their names.
        digits: of how many images the predicted digits differ.
        largest: the largest difference of a probability.
    """

    ways: tuple[str, str]
    digits: int
    largest: float


@dataclass(frozen=True)
class Measured:
    """A version over the test set.

    Attributes:
        images: the test images, uint8 ``[n, 784]``.
        labels: uint8 ``[n]``.
        probabilities: by ONNX Runtime, float32 ``[n, 10]``.
        layers: the dense layers.
        activities: of each hidden layer, over ``training_images`` images.
        training_images: how many those are.
        untouched: the accuracies without distortion.
        distorted: those under each condition.
        parity: Keras, NumPy and ONNX Runtime, each pair.
        no_digits: the confidence at each kind of picture that shows no digit.
        hands: the confidence at each style of digits, and which are right.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float32]
    layers: list[reference.Layer]
    activities: list[units.Activity]
    training_images: int
    untouched: Accuracies
    distorted: list[Accuracies]
    parity: list[Difference]
    no_digits: list[nodigits.Found]
    hands: list[hands.Style]

    @property
    def digits(self) -> npt.NDArray[np.int64]:
        """The predicted digits, ``[n]``."""
        digits: npt.NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return digits

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether the predicted digit is the label, ``[n]``."""
        return np.asarray(self.digits == self.labels)

    @property
    def shape(self) -> list[int]:
        """The number of inputs, and of the units of each layer."""
        return [len(self.layers[0].weights), *(len(each.biases) for each in self.layers)]

    @property
    def parameters(self) -> int:
        """How many weights and biases there are."""
        return sum(each.weights.size + each.biases.size for each in self.layers)

    @property
    def losses(self) -> Floats:
        """-ln of the label's probability, float64 ``[n]``."""
        of_label = self.probabilities[np.arange(len(self.labels)), self.labels]
        losses: Floats = -np.log(np.clip(of_label.astype(np.float64), evaluate.EPSILON, 1))
        return losses


def measure(path: Path, mnist: Mnist, progress: Progress = print) -> Measured:
    """Measure an ONNX file.

    Args:
        path: the file.
        mnist: the data; only the hidden units are looked at with the training images.
        progress: called with each line of progress.
    """
    content = path.read_bytes()
    layers = reference.read_layers(path)
    probabilities = evaluate.probabilities(content, mnist.x_test)
    progress("hidden units over the training images")
    activities = units.activity(layers, mnist.x_train)
    progress("Keras, NumPy and ONNX Runtime")
    parity = _parity(layers, probabilities, mnist.x_test)
    conditions = (distortion.UNTOUCHED, *distortion.CONDITIONS)
    untouched, *distorted = (
        _under(condition, content, mnist.x_test, mnist.y_test, progress)
        for condition in conditions
    )
    no_digits = nodigits.measure(content)
    for found in no_digits:
        progress(f"{found.kind}: {found.refused} of {found.pictures} refused")
    return Measured(
        mnist.x_test,
        mnist.y_test,
        probabilities,
        layers,
        activities,
        len(mnist.x_train),
        untouched,
        distorted,
        parity,
        no_digits,
        hands.measure(content),
    )


def _parity(
    layers: list[reference.Layer], by_onnx: Floats, images: npt.NDArray[np.uint8]
) -> list[Difference]:
    from training import network  # imports TensorFlow, which takes seconds

    keras_network = network.build()
    keras_network.set_weights([tensor for layer in layers for tensor in layer])
    pixels = scale(images)
    answers = {
        "Keras": keras_network.predict(pixels, batch_size=1000, verbose=0),
        "NumPy": reference.forward(layers, pixels),
        "ONNX Runtime": by_onnx,
    }
    names = list(answers)
    return [
        _difference((a, b), answers[a], answers[b])
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    ]


def _difference(ways: tuple[str, str], first: Floats, second: Floats) -> Difference:
    digits = int((first.argmax(axis=1) != second.argmax(axis=1)).sum())
    return Difference(ways, digits, float(np.abs(first - second).max()))


def _under(
    condition: distortion.Condition,
    content: bytes,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    progress: Progress,
) -> Accuracies:
    distorted = condition.apply(images)
    straight = _right(content, distorted, labels)
    side = distortion.SIDE
    framed = frames.through_service(list(distorted.reshape(-1, side, side)))
    pictures = _right(content, framed.frames, labels) & ~framed.refused
    found = Accuracies(
        condition,
        float(straight.mean()),
        float(pictures.mean()),
        float(framed.refused.mean()),
    )
    progress(
        f"{condition.name}: {found.straight:.2%} straight, {found.pictures:.2%} as pictures"
    )
    return found


def _right(
    content: bytes, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]
) -> npt.NDArray[np.bool_]:
    return np.asarray(evaluate.probabilities(content, images).argmax(axis=1) == labels)
