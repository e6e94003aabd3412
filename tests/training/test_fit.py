import dataclasses

import keras
import numpy as np
import pytest

from training import fit

QUICK = fit.Recipe(epochs=1)


def weights(fitted):
    return np.concatenate([tensor.ravel() for tensor in fitted.network.get_weights()])


def test_recipe_is_the_lessons():
    assert dataclasses.asdict(fit.Recipe()) == {
        "name": "lesson",
        "hidden": (128, 64),
        "epochs": 10,
        "batch_size": 32,
        "validation_split": 0.2,
        "learning_rate": 0.001,
        "seed": 1,
    }


def test_fit_uses_adam_and_sparse_categorical_crossentropy(noise):
    fitted = fit.fit(QUICK, noise, np.arange(64, dtype=np.uint8) % 10)
    assert type(fitted.network.optimizer) is keras.optimizers.Adam
    assert fitted.network.loss == "sparse_categorical_crossentropy"
    assert sorted(fitted.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]


def test_fit_takes_the_steps_of_batch_size_and_validation_split(noise):
    recipe = fit.Recipe(epochs=2, batch_size=10, validation_split=0.25)
    fitted = fit.fit(recipe, noise, np.zeros(64, np.uint8))
    # 48 of 64 images are left to fit on: 5 steps of up to 10, in each of 2 epochs.
    assert int(fitted.network.optimizer.iterations) == 10
    assert len(fitted.history["loss"]) == 2


def test_fit_learns(noise):
    labels = (np.arange(64) % 10).astype(np.uint8)
    recipe = fit.Recipe(epochs=60, validation_split=0.1)
    history = fit.fit(recipe, noise, labels).history
    assert history["accuracy"][-1] > 0.9


def test_same_seed_gives_the_same_weights_and_another_seed_others(noise):
    labels = (np.arange(64) % 10).astype(np.uint8)
    first, again = (weights(fit.fit(QUICK, noise, labels)) for _ in range(2))
    other = weights(fit.fit(dataclasses.replace(QUICK, seed=2), noise, labels))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("verbose", "lines"), [(fit.SILENT, 0), (fit.LINES, 1)], ids=["silent", "lines"]
)
def test_fit_prints_no_more_than_asked(noise, capsys, verbose, lines):
    fit.fit(QUICK, noise, np.zeros(64, np.uint8), verbose)
    assert len(capsys.readouterr().out.splitlines()) == lines
