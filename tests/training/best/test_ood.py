import numpy as np
import pytest

from training.best import ood

DRAWN = 500
AMBIGUOUS = set("BDGIOQSYZabgijloqstyzЗОЧЭб")  # a hand writes them like a digit, or nearly
STROKES = sorted(ood.KINDS.keys() - {"filled", "pairs", "noise"})


@pytest.fixture(scope="module")
def digits(mnist):
    return mnist.x_train[:100]


@pytest.fixture(scope="module")
def drawn(digits):
    return ood.draw(DRAWN, 1, digits)


@pytest.fixture
def random():
    return np.random.default_rng(1)


@pytest.fixture
def written(random, digits):
    """Ten pictures of each kind that is drawn with a pen."""
    return [ood.KINDS[kind][1](random, digits) for kind in STROKES for _ in range(10)]


def test_pictures_are_in_the_networks_form(drawn):
    assert drawn.shape == (DRAWN, 784)
    assert drawn.dtype == np.uint8


def test_same_seed_gives_the_same_pictures_and_another_seed_others(drawn, digits):
    assert np.array_equal(drawn, ood.draw(DRAWN, 1, digits))
    assert not np.array_equal(drawn, ood.draw(DRAWN, 2, digits))


def test_no_two_pictures_are_the_same(drawn):
    some = drawn[drawn.any(axis=1)]  # noise can be black all over
    assert len(np.unique(some, axis=0)) == len(some) > 0.98 * DRAWN


def test_strokes_fill_the_box_that_mnist_digits_fill(written):
    for picture in written:
        assert picture.max() == 255
        assert np.ptp(np.argwhere(picture), axis=0).max() + 1 == 20


def test_centre_of_mass_is_where_mnist_has_it(written):
    rows, columns = np.indices((28, 28))
    for picture in map(np.float64, written):
        centre = np.array([(picture * rows).sum(), (picture * columns).sum()])
        assert np.all(np.abs(centre / picture.sum() - 14) <= 0.501)


def test_strokes_are_as_dark_as_handwriting(written):
    ink = np.array(written).mean(axis=(1, 2)) / 255
    assert np.quantile(ink, 0.05) > 0.02  # a 1 has about 0.04, a 0 about 0.17
    assert np.quantile(ink, 0.9) < 0.45


def test_pairs_are_wider_than_high_and_show_both_digits(random, digits):
    for _ in range(20):
        picture = ood.KINDS["pairs"][1](random, digits)
        high, wide = np.ptp(np.argwhere(picture), axis=0) + 1
        assert high <= wide == 20


def test_filled_shapes_are_filled(random, digits):
    shares = []
    for _ in range(40):
        picture = ood.KINDS["filled"][1](random, digits)
        rows, columns = np.nonzero(picture)
        box = picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        shares.append((box > 0).mean())
    assert np.median(shares) > 0.6  # a digit has about 0.4


def test_letters_are_none_that_look_like_digits():
    known = ood.letters()
    assert len(known) >= 25
    assert not set(known) & AMBIGUOUS
    for strokes in known.values():
        points = np.concatenate(strokes)
        assert points.min() >= 0
        assert points.max() <= 8


def test_every_letter_and_scribble_has_strokes_of_points(random):
    strokes = [ood.letter(name, random) for name in ood.letters()]
    strokes += [scribble(random) for scribble in ood.SCRIBBLES.values()]
    for lines in strokes:
        assert lines
        assert all(line.shape[1:] == (2,) and np.isfinite(line).all() for line in lines)


def test_a_letters_strokes_begin_and_end_near_where_they_should(random):
    for name, strokes in ood.letters().items():
        for exact, written in zip(strokes, ood.letter(name, random), strict=True):
            apart = written[[0, -1]] - exact[[0, -1]]
            assert 0 < np.abs(apart).max() < 1.25  # five standard deviations of the hand


def test_noise_has_a_white_pixel_or_is_black(random):
    brightest = [ood.noise(random).max() for _ in range(200)]
    assert set(np.round(brightest, 9)) <= {0, 1}
    assert np.mean(brightest) > 0.9


def test_noise_is_of_the_frames_size_and_no_darker_than_black(random):
    for _ in range(20):
        grey = ood.noise(random)
        assert grey.shape == (28, 28)
        assert grey.min() >= 0
