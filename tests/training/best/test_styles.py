import json
from collections import Counter

import numpy as np
import pytest

from service.model.snapshot import VersionFiles
from service.model.version import Model
from training.best import styles
from training.report import hands

DRAWN = 400


@pytest.fixture(scope="module")
def drawn():
    return styles.Drawn(*(each[1] for each in styles.draw(2, DRAWN, seed=1)))


def test_images_are_in_the_networks_form_and_every_one_is_another(drawn):
    images, labels = drawn
    assert (images.shape, images.dtype) == ((DRAWN, 784), np.uint8)
    assert (labels.shape, labels.dtype) == ((DRAWN,), np.uint8)
    assert len(np.unique(images, axis=0)) == DRAWN


def test_same_seed_draws_the_same_and_another_seed_others(drawn):
    again, other = styles.draw(2, DRAWN, seed=1), styles.draw(1, DRAWN, seed=2)
    assert np.array_equal(drawn.images, again.images[1])
    assert np.array_equal(drawn.labels, again.labels[1])
    assert not np.array_equal(again.images[0], again.images[1])
    assert not np.array_equal(again.images[0], other.images[0])


def test_digits_are_framed_as_mnists_are(drawn):
    rows, columns = np.indices((28, 28))
    for image in drawn[0].reshape(-1, 28, 28).astype(float):
        assert image.max() == 255
        inked = np.argwhere(image)
        assert 18 <= np.ptp(inked, axis=0).max() + 1 <= 20  # a heavy end moves it out
        centre = np.array([(image * rows).sum(), (image * columns).sum()]) / image.sum()
        assert np.all(np.abs(centre - 14) <= 0.501)


def test_every_digit_is_drawn_and_those_that_mnist_lacks_the_most(drawn):
    counts = Counter(drawn[1].tolist())
    assert set(counts) == set(range(10))
    assert {digit for digit, _ in counts.most_common(4)} == {1, 4, 7, 9}


def test_labels_are_those_of_what_is_drawn(root):
    """The model in the box reads the styles that MNIST has."""
    model = Model.load(VersionFiles.read(root / "models" / "mnist" / "2"))
    random = np.random.default_rng(3)
    for name in ("7 with a bar", "9, straight", "4, closed", "3, flat", "6", "2, Z-like"):
        images = np.stack([styles.write(name, random) for _ in range(20)])
        answers = model.predict((images.reshape(20, -1) / 255).astype(np.float32))
        assert (answers.argmax(axis=1) == styles.STYLES[name][0]).mean() > 0.8


def test_the_reports_hands_are_none_of_these(root):
    """They are Bézier curves of their own, and neither reads the other's strokes."""
    mine = (root / "training" / "report" / "hands.json").read_text()
    for strokes in json.loads(mine).values():
        assert all(len(stroke) % 6 == 2 for stroke in strokes[1])
    drawn = next(hands.styles())[2]
    assert all(picture.shape == (112, 112) for picture in drawn)
