import dataclasses

import numpy as np
import pytest

from training.best import teacher
from training.best.styles import Drawn
from training.recipes import Distortion, Teacher

QUICK = Teacher(1, 16, 0.01, 0.01, Distortion(rotation=10, elastic=1))


NONE = Drawn(np.empty((1, 0, 784), np.uint8), np.empty((1, 0), np.uint8))


def test_teacher_takes_the_networks_input_and_gives_logits():
    built = teacher.build()
    assert built.input_shape == (None, 784)
    assert built.output_shape == (None, 10)
    assert built.layers[-1].activation.__name__ == "linear"


def test_teacher_learns(mnist):
    recipe = dataclasses.replace(QUICK, epochs=4)
    fitted = teacher.fit(recipe, mnist.x_train[:2000], mnist.y_train[:2000], NONE, 1)
    images = mnist.x_train[3000:4000].astype(np.float32) / 255
    digits = fitted.predict(images, verbose=0).argmax(axis=1)
    assert (digits == mnist.y_train[3000:4000]).mean() > 0.9


def test_teacher_learns_what_is_drawn_for_each_epoch(mnist):
    """White on the left is an 8; white above, in the second epoch alone, a 7."""
    pictures = np.zeros((2, 200, 28, 28), np.uint8)
    pictures[0, :, :, :14], pictures[1, :, :14] = 255, 255
    pictures = pictures.reshape(2, 200, 784)
    drawn = Drawn(pictures, np.array([[8], [7]], np.uint8).repeat(200, axis=1))
    recipe = dataclasses.replace(QUICK, epochs=8, distortion=Distortion())
    fitted = teacher.fit(recipe, mnist.x_train[:1000], mnist.y_train[:1000], drawn, 1)
    answers = fitted.predict(pictures[:, 0].astype(np.float32) / 255, verbose=0)
    assert answers.argmax(axis=1).tolist() == [8, 7]


def test_rate_rises_for_an_epoch_and_falls_to_0():
    rate = teacher.rise_and_fall(0.5, steps=100, epochs=10)
    assert float(rate(0)) < 0.001
    assert float(rate(100)) == pytest.approx(0.5)
    assert float(rate(550)) == pytest.approx(0.25)
    assert float(rate(1000)) == pytest.approx(0, abs=1e-6)
