import numpy as np
import pytest

from training.report import confusion


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 10, 300).astype(np.uint8)
    wrong = rng.random(300) < 0.3
    return labels, np.where(wrong, rng.integers(0, 10, 300), labels)


def test_matrix_counts_one_image_at_a_time(answers):
    labels, digits = answers
    slow = [[0] * 10 for _ in range(10)]
    for label, digit in zip(labels, digits):
        slow[label][digit] += 1
    assert confusion.matrix(labels, digits).tolist() == slow


def test_scores_count_one_image_at_a_time(answers):
    labels, digits = answers
    for digit, score in enumerate(confusion.scores(confusion.matrix(labels, digits))):
        both = sum(a == b == digit for a, b in zip(labels, digits))
        assert score.images == sum(label == digit for label in labels)
        assert score.recall == pytest.approx(both / score.images)
        assert score.precision == pytest.approx(both / sum(d == digit for d in digits))
        harmonic = 2 / (1 / score.precision + 1 / score.recall)
        assert score.f1 == pytest.approx(harmonic)


def test_a_digit_that_never_occurs_scores_nothing():
    counts = confusion.matrix(np.array([1, 1]), np.array([1, 2]))
    assert confusion.scores(counts)[5] == (0, 0, 0, 0)


def test_most_confused_pairs_come_first_and_right_answers_are_none():
    labels, digits = np.array([4, 4, 4, 9, 1, 1]), np.array([9, 9, 4, 4, 1, 1])
    pairs = confusion.most_confused(confusion.matrix(labels, digits))
    assert pairs == [(4, 9, 2), (9, 4, 1)]
