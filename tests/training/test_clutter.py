import numpy as np
import pytest

from training import clutter

AMBIGUOUS = set("BDGIOQSYZabgijloqstyz")  # a hand writes them like a digit, or nearly


@pytest.fixture(scope="module")
def drawn():
    return clutter.draw(500, 1)


def test_pictures_are_in_the_networks_form(drawn):
    assert drawn.shape == (500, 784)
    assert drawn.dtype == np.uint8
    assert np.all(drawn.max(axis=1) >= 254)


def test_same_seed_gives_the_same_pictures_and_another_seed_others(drawn):
    assert np.array_equal(drawn, clutter.draw(500, 1))
    assert not np.array_equal(drawn, clutter.draw(500, 2))


def test_no_two_pictures_are_the_same(drawn):
    assert len(np.unique(drawn, axis=0)) == 500


def test_strokes_fill_the_box_that_mnist_digits_fill(drawn):
    for picture in drawn[:400].reshape(-1, 28, 28):  # the rest is noise
        rows, columns = np.nonzero(picture)
        assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 23


def test_centre_of_mass_is_where_mnist_has_it(drawn):
    rows, columns = np.indices((28, 28))
    for picture in drawn[:400].reshape(-1, 28, 28).astype(float):
        centre = np.array([(picture * rows).sum(), (picture * columns).sum()])
        assert np.all(np.abs(centre / picture.sum() - 14) <= 0.501)


def test_strokes_are_as_dark_as_handwriting(drawn):
    ink = drawn[:400].mean(axis=1) / 255
    assert np.quantile(ink, 0.05) > 0.03  # a 1 has about 0.04, a 0 about 0.17
    assert np.quantile(ink, 0.95) < 0.45


def test_letters_are_none_that_look_like_digits():
    known = clutter.letters()
    assert len(known) >= 25
    assert not set(known) & AMBIGUOUS
    for strokes in known.values():
        points = np.concatenate(strokes)
        assert points.min() >= 0
        assert points.max() <= 8
