"""The test images whose label people doubt.

C. Northcutt, A. Athalye, J. Mueller: Pervasive Label Errors in Test Sets Destabilize
Machine Learning Benchmarks, NeurIPS 2021. They showed the 100 most suspicious of the test
images to five people each, with the label and another digit to choose from. Here are the
15 whose label fewer than three chose, as many as the paper gives. The votes are those of
``mturk/mnist_mturk.json`` in github.com/cleanlab/label-errors, commit 5457895.
"""

from typing import NamedTuple


class Doubt(NamedTuple):
    """What five people said.

    Attributes:
        label: the label in MNIST.
        votes: how many chose it.
        other: the other digit that they were offered.
        other_votes: how many chose that; the rest chose neither.
    """

    label: int
    votes: int
    other: int
    other_votes: int


# Of MNIST's t10k-labels-idx1-ubyte, whose places these are.
LABELS_SHA256 = "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"

DOUBTS = {
    947: Doubt(8, 0, 9, 5),
    1621: Doubt(0, 2, 6, 3),
    1901: Doubt(9, 2, 4, 3),
    2130: Doubt(4, 2, 9, 2),
    2462: Doubt(2, 0, 0, 4),
    2597: Doubt(5, 0, 3, 4),
    2654: Doubt(6, 0, 1, 2),
    3520: Doubt(6, 2, 4, 0),
    3558: Doubt(5, 1, 0, 4),
    5937: Doubt(5, 1, 3, 3),
    6651: Doubt(0, 0, 6, 5),
    6783: Doubt(1, 2, 6, 3),
    8527: Doubt(4, 2, 9, 2),
    9679: Doubt(6, 2, 3, 0),
    9729: Doubt(5, 2, 6, 3),
}
