import csv
import dataclasses
import math

import numpy as np
import pytest

from tests.support.lazy import lazy
from training.errors import FitError
from training.recipes import Lesson

keras = lazy("keras")
callbacks = lazy("training.callbacks")
fit = lazy("training.fit")

QUICK = Lesson(epochs=2, batch_size=10, validation_split=0.25)


@pytest.fixture(scope="module")
def labels():
    return (np.arange(64) % 10).astype(np.uint8)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def fitted(noise, labels, work):
    """The quick recipe, fitted in a folder."""
    return fit.fit(QUICK, noise, labels, work=work)


def test_recipe_is_the_lessons():
    assert dataclasses.asdict(Lesson()) == {
        "name": "lesson",
        "epochs": 10,
        "batch_size": 32,
        "validation_split": 0.2,
        "learning_rate": 0.001,
        "patience": 0,
        "seed": 1,
    }


def test_fit_uses_adam_and_sparse_categorical_crossentropy(fitted):
    assert type(fitted.network.optimizer) is keras.optimizers.Adam
    assert fitted.network.loss == "sparse_categorical_crossentropy"


def test_fit_takes_the_steps_of_batch_size_and_validation_split(fitted):
    # 48 of 64 images are left to fit on: 5 steps of up to 10, in each of 2 epochs.
    assert int(fitted.network.optimizer.iterations) == 10


def test_log_has_a_line_per_epoch_and_is_the_history(fitted, work):
    with (work / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(fitted.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    for name, values in fitted.history.items():
        assert [float(row[name]) for row in rows] == values
    assert [row["epoch"] for row in rows] == ["0", "1"]


def test_tensorboard_gets_events_of_training_and_validation(fitted, work):
    assert len(list(work.glob("tensorboard/train/events*"))) == 1
    assert len(list(work.glob("tensorboard/validation/events*"))) == 1


def test_another_seed_gives_other_weights(fitted, noise, labels):
    other = fit.fit(dataclasses.replace(QUICK, seed=2, epochs=1), noise, labels)
    first = fitted.network.get_weights()[0]
    assert not np.allclose(first, other.network.get_weights()[0], atol=0.01)


def test_fit_continues_from_the_checkpoint_with_its_optimizer(
    fitted, noise, labels, work, capsys
):
    longer = dataclasses.replace(QUICK, epochs=3)
    resumed = fit.fit(longer, noise, labels, fit.LINES, work=work)
    assert "Epoch 3/3" in capsys.readouterr().out.splitlines()[0]
    assert int(resumed.network.optimizer.iterations) == 15
    assert resumed.history["loss"][:2] == fitted.history["loss"]
    assert len(resumed.history["loss"]) == resumed.epoch == 3
    assert callbacks.epochs_kept(work) == 3


def test_patience_stops_and_restores_the_best_weights(noise, labels):
    # Of noise there is nothing to learn: the validation loss grows almost at once.
    recipe = dataclasses.replace(QUICK, epochs=30, learning_rate=0.01, patience=2)
    fitted = fit.fit(recipe, noise, labels)
    losses = fitted.history["val_loss"]
    assert len(losses) < 30
    assert losses.index(min(losses)) == len(losses) - 3 == fitted.epoch - 1
    pixels, held = noise[48:] / np.float32(255), labels[48:]
    found, _ = fitted.network.evaluate(pixels, held, verbose=0)
    assert found == pytest.approx(min(losses), rel=1e-4)


@pytest.mark.filterwarnings(
    # Keras's CSVLogger closes its file at the end of a fit, which never comes.
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_a_loss_that_is_not_finite_is_one_clear_error_and_no_checkpoint(
    noise, labels, tmp_path
):
    recipe = dataclasses.replace(QUICK, learning_rate=1e30)
    with pytest.raises(FitError, match=r"the loss is (nan|inf) in epoch \d+, step \d+"):
        fit.fit(recipe, noise, labels, work=tmp_path)
    assert not any(map(math.isnan, _losses(tmp_path)))
    assert callbacks.epochs_kept(tmp_path) == len(_losses(tmp_path))


def _losses(work):
    with (work / "log.csv").open(newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]
