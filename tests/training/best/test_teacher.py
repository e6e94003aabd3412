import dataclasses

import numpy as np
import pytest

from tests.support.lazy import lazy
from training.best.styles import Drawn
from training.recipes import Distortion, Teacher

teacher = lazy("training.best.teacher")

QUICK = Teacher(1, 16, 0.01, 0.01, Distortion(rotation=10, elastic=1))


def test_teacher_takes_the_networks_input_and_gives_logits():
    built = teacher.build()
    assert built.input_shape == (None, 784)
    assert built.output_shape == (None, 10)
    assert built.layers[-1].activation.__name__ == "linear"


def test_teacher_learns_images_and_what_is_drawn_for_each_epoch(mnist):
    """White on the left is an 8; white above, in the second epoch alone, a 7."""
    pictures = np.zeros((2, 100, 28, 28), np.uint8)
    pictures[0, :, :, :14], pictures[1, :, :14] = 255, 255
    pictures = pictures.reshape(2, 100, 784)
    drawn = Drawn(pictures, np.array([[8], [7]], np.uint8).repeat(100, axis=1))
    recipe = dataclasses.replace(QUICK, epochs=8, distortion=Distortion())
    fitted = teacher.fit(recipe, mnist.x_train[:200], mnist.y_train[:200], drawn, 1)
    answers = fitted.predict(pictures[:, 0].astype(np.float32) / 255, verbose=0)
    assert answers.argmax(axis=1).tolist() == [8, 7]
    # Of the images, of which two in three are MNIST's.
    assert fitted.history.history["accuracy"][-1] > 0.7


def test_rate_rises_for_an_epoch_and_falls_to_0():
    rate = teacher.rise_and_fall(0.5, steps=100, epochs=10)
    assert float(rate(0)) < 0.001
    assert float(rate(100)) == pytest.approx(0.5)
    assert float(rate(550)) == pytest.approx(0.25)
    assert float(rate(1000)) == pytest.approx(0, abs=1e-6)
