"""The methods that are compared, and what each may choose.

Each gets the same: the pixels (or the standardised columns of a table), one hyperparameter
of three values, the library's or the lesson's default first, and the rest fixed here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Labels = npt.NDArray[np.integer]


class Estimator(Protocol):
    """What every method is: scikit-learn's interface."""

    def fit(self, x: Floats, y: Labels) -> Any:
        """Learn from ``[n, features]`` and labels ``[n]``."""

    def predict(self, x: Floats) -> Labels:
        """Return a label for each row."""


@dataclass(frozen=True)
class Method:
    """A method.

    Attributes:
        name: its name in the record and on the command line.
        title: its name for readers.
        parameter: the hyperparameter that is chosen on validation data.
        values: what it is chosen from; where several are equally good, the first of them.
        fixed: the hyperparameters that are not chosen, for readers; the rest is the
            library's.
        build: makes an estimator from a value and a seed.
        on_tables: whether it makes sense without pixels.
    """

    name: str
    title: str
    parameter: str
    values: tuple[Any, ...]
    fixed: str
    build: Callable[[Any, int], Estimator]
    on_tables: bool = True

    def record(self) -> dict[str, Any]:
        """Return what readers of a report need of it, for JSON."""
        return {
            "title": self.title,
            "parameter": self.parameter,
            "values": list(self.values),
            "fixed": self.fixed,
        }


# Each imports what it needs when it is called: help must not wait for scikit-learn.


def _logistic_regression(value: float, seed: int) -> Estimator:
    from sklearn.linear_model import LogisticRegression

    # It stops by itself after 100 to 300 steps; never because of this bound.
    model: Estimator = LogisticRegression(C=value, max_iter=2000)
    return model


def _nearest_neighbours(value: int, seed: int) -> Estimator:
    from sklearn.neighbors import KNeighborsClassifier

    model: Estimator = KNeighborsClassifier(value)
    return model


def _linear_svm(value: float, seed: int) -> Estimator:
    from sklearn.svm import LinearSVC

    # The dual problem, which is solved several times faster than the primal one here; to a
    # tolerance at which more digits no longer change the accuracy.
    model: Estimator = LinearSVC(
        C=value, dual=True, tol=SVM_TOLERANCE, max_iter=SVM_STEPS, random_state=seed
    )
    return model


def _rbf_svm(value: float, seed: int) -> Estimator:
    from sklearn.svm import SVC

    # Cache in MB; with the default, 200, much of the kernel is computed again and again.
    model: Estimator = SVC(C=value, cache_size=1000)
    return model


def _random_forest(value: Any, seed: int) -> Estimator:
    from sklearn.ensemble import RandomForestClassifier

    model: Estimator = RandomForestClassifier(
        TREES, max_features=value, n_jobs=-1, random_state=seed
    )
    return model


def _gradient_boosting(value: float, seed: int) -> Estimator:
    from sklearn.ensemble import HistGradientBoostingClassifier

    # Ten trees a round over 784 columns are slow. At 1,000 images and 100 rounds, 32 levels
    # of grey instead of 255 took 8.3 instead of 15.5 s, 88.8 instead of 88.7 %; a tenth of
    # the columns at each split gave 90.3 %. Half of the usual rounds, with larger steps to
    # choose from, keep the comparison within 20 minutes. With XGBoost's L2, leaves of
    # images that are already read rightly stay small; without any, 60,000 images at a rate
    # of 0.3 gave 85.7 instead of 97.6 %. Stopping early, the default from 10,000 images on,
    # would hold out a tenth of them.
    model: Estimator = HistGradientBoostingClassifier(
        learning_rate=value,
        max_iter=ROUNDS,
        max_bins=BINS,
        max_features=COLUMNS,
        l2_regularization=1,
        early_stopping=False,
        random_state=seed,
    )
    return model


def _hog_svm(value: float, seed: int) -> Estimator:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    from training.baselines.hog import hog

    model: Estimator = make_pipeline(FunctionTransformer(hog), _linear_svm(value, seed))
    return model


def _network(value: int, seed: int) -> Estimator:
    from training.baselines.network import Network

    return Network(epochs=value, seed=seed)


def _lesson(value: int, seed: int) -> Estimator:
    from training.baselines.network import Network

    return Network(epochs=value, seed=seed, validation_split=0.2)


TREES = 100
ROUNDS, BINS, COLUMNS = 50, 32, 0.1
SVM_TOLERANCE, SVM_STEPS = 1e-2, 10_000

METHODS = (
    Method(
        "logistic-regression",
        "logistic regression",
        "C",
        (1.0, 0.1, 0.01),
        "L2, L-BFGS to convergence",
        _logistic_regression,
    ),
    Method(
        "k-nn", "k nearest neighbours", "k", (5, 3, 1), "Euclidean", _nearest_neighbours
    ),
    Method(
        "linear-svm",
        "linear SVM",
        "C",
        (1.0, 0.1, 0.01),
        "LinearSVC, squared hinge, one against the rest",
        _linear_svm,
    ),
    Method(
        "rbf-svm",
        "RBF SVM",
        "C",
        (1.0, 10.0, 100.0),
        "gamma = 1 / (features · variance)",
        _rbf_svm,
    ),
    Method(
        "random-forest",
        "random forest",
        "max_features",
        ("sqrt", 0.05, 0.1),
        f"{TREES} trees, grown out",
        _random_forest,
    ),
    Method(
        "gradient-boosting",
        "gradient boosting",
        "learning_rate",
        (0.1, 0.2, 0.3),
        f"HistGradientBoosting, {ROUNDS} rounds, 31 leaves, {BINS} bins, a tenth of the "
        "columns at a split, L2 1, no early stopping",
        _gradient_boosting,
    ),
    Method(
        "hog-svm",
        "HOG + linear SVM",
        "C",
        (1.0, 0.1, 0.01),
        "1,296 hand-made features (Dalal and Triggs, 2005), then as linear SVM",
        _hog_svm,
        on_tables=False,
    ),
    Method(
        "lesson",
        "network, lesson's recipe",
        "epochs",
        (10,),
        "784-128-64-10, Adam 0.001, batch 32; nothing is chosen, and a fifth of the images "
        "is held out and not fitted on, as in the lesson",
        _lesson,
    ),
    Method(
        "network",
        "network, epochs chosen",
        "epochs",
        (10, 20, 50),
        "the same, fitted on all the images",
        _network,
    ),
)
