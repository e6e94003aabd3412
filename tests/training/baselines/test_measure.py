import pickle

import numpy as np
import pytest

from training.baselines import measure
from training.baselines.methods import METHODS, Method


class Constant:
    """Predicts one label; which one is its hyperparameter. Remembers what it saw."""

    seen = []

    def __init__(self, label):
        self.label = label

    def fit(self, x, y):
        Constant.seen.append((self.label, x[:, 0].tolist()))

    def predict(self, x):
        return np.full(len(x), self.label)


def constant(*values):
    return Method("constant", "constant", "label", values, "", lambda v, seed: Constant(v))


@pytest.fixture
def split():
    """Ten training rows, of which the last two are 2, and four test rows."""
    y = np.array([1] * 8 + [2] * 2)
    rows = np.arange(10.0)[:, None]
    return measure.Split(rows, y, np.zeros((4, 1)), np.array([2, 2, 2, 1]))


def test_a_value_is_chosen_on_the_held_out_end_and_all_rows_are_fitted(split):
    Constant.seen = []
    run = measure.measure(constant(1, 2), split, 0, True, 1)
    assert run.validation == {"1": 0, "2": 1}
    assert (run.value, run.accuracy) == (2, 0.75)
    first8 = [float(i) for i in range(8)]
    assert Constant.seen == [(1, first8), (2, first8), (2, [float(i) for i in range(10)])]


def test_the_first_of_equally_good_values_is_taken(split):
    run = measure.measure(constant(3, 0), split, 0, True, None)
    assert run.value == 3


def test_without_a_choice_the_given_value_stays(split):
    run = measure.measure(constant(1, 2), split, 0, False, 1)
    assert (run.value, run.validation, run.accuracy) == (1, {}, 0.25)


def test_size_is_that_of_the_pickle(split):
    run = measure.measure(constant(1), split, 0, True, 1)
    assert run.size_bytes == len(pickle.dumps(Constant(1)))


def test_every_method_gets_the_same_draws_and_keeps_the_last_choice(split):
    sizes = [measure.Size(5, 3, 1), measure.Size(10, 1, 0)]
    Constant.seen = []
    methods = [constant(1, 2), constant(2, 1)]
    runs = list(measure.pixels(methods, split, sizes, lambda line: None))
    assert [(run.images, run.draw) for run in runs] == 2 * [(5, 0), (5, 1), (5, 2), (10, 0)]
    for of_one in (runs[:4], runs[4:]):
        assert [bool(run.validation) for run in of_one] == [True, False, False, False]
        assert len({run.value for run in of_one}) == 1
    drawn = [rows for _, rows in Constant.seen if len(rows) == 5]
    assert drawn[:3] == drawn[3:]
    assert len({tuple(rows) for rows in drawn}) == 3


def test_table_splits_are_standardised_by_their_training_part_and_cover_all_rows():
    splits = measure.breast_cancer()
    assert len(splits) == measure.TABLE_FOLDS
    assert sum(len(split.y_test) for split in splits) == 569
    for split in splits:
        assert split.x.mean(axis=0) == pytest.approx(0, abs=1e-5)
        assert split.x.std(axis=0) == pytest.approx(1, abs=1e-4)
        assert len(split.y) + len(split.y_test) == 569


def test_every_method_has_a_name_of_its_own_and_values():
    assert len({method.name for method in METHODS}) == len(METHODS) == 9
    assert all(method.values for method in METHODS)


# The lesson's and the other network are the same class.
@pytest.mark.parametrize("method", METHODS[:-1], ids=lambda method: method.name)
def test_every_method_learns_two_kinds_of_images(method, noise):
    # Dark upper or lower half: any of them can tell.
    x = (noise / 255).astype(np.float32)
    y = np.arange(64) % 2
    x[y == 0, :392] *= 0.1
    x[y == 1, 392:] *= 0.1
    split = measure.Split(x[:48], y[:48], x[48:], y[48:])
    run = measure.measure(method, split, 1, False, method.values[0])
    assert run.accuracy == 1
    assert run.size_bytes > 0
