"""Callbacks of a fit: what is logged, kept, and when it stops."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import keras

from training.errors import FitError

LOG = "log.csv"
CHECKPOINT = "checkpoint"


class StopAtNaN(keras.callbacks.Callback):  # type: ignore[misc]
    """Raise FitError at the first loss that is not finite.

    Keras's own TerminateOnNaN ends the epoch as if it were complete, and so overwrites
    the last good checkpoint.
    """

    def __init__(self, learning_rate: float) -> None:
        super().__init__()
        self._rate = learning_rate
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remember the epoch, counted from 0."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Check the mean loss of the epoch so far."""
        loss = (logs or {}).get("loss", 0)
        if not math.isfinite(loss):
            raise FitError(
                f"the loss is {loss} in epoch {self._epoch + 1}, step {batch + 1}, "
                f"expected a finite number; try a learning rate below {self._rate:g}"
            )


def make(
    work: Path | None, learning_rate: float, patience: int
) -> list[keras.callbacks.Callback]:
    """Make the callbacks of a fit.

    Args:
        work: folder for the log, TensorBoard's events and the checkpoint, from which a
            later fit of the same network continues; nothing is written if None.
        learning_rate: the recipe's, for the message of a loss that is not finite.
        patience: epochs without a lower validation loss after which to stop; 0 for never.
    """
    found: list[keras.callbacks.Callback] = [StopAtNaN(learning_rate)]
    if work:
        found += [
            keras.callbacks.CSVLogger(work / LOG, append=True),
            keras.callbacks.TensorBoard(work / "tensorboard", write_graph=False),
            # Two, because an interruption while one is written leaves the other.
            keras.callbacks.BackupAndRestore(
                work / CHECKPOINT, double_checkpoint=True, delete_checkpoint=False
            ),
        ]
    if patience:
        # Last: it replaces the weights, which are not to be those of the checkpoint.
        found.append(
            keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
        )
    return found


def epochs_kept(work: Path) -> int:
    """Return how many epochs the checkpoint has behind it; 0 if there is none."""
    try:
        text = (work / CHECKPOINT / "training_metadata.json").read_text()
        return int(json.loads(text)["epoch"])
    except (OSError, ValueError, KeyError):
        return 0


def epoch_of_weights(history: keras.callbacks.History, made: list[Any]) -> int:
    """Return whose epoch's weights a fit ended with, counted from 1.

    The last epoch's, or the best that early stopping has restored.

    Args:
        history: what the fit returned.
        made: its callbacks.
    """
    for callback in made:
        if isinstance(callback, keras.callbacks.EarlyStopping) and callback.best_weights:
            return int(callback.best_epoch) + 1
    return int(history.params["epochs"])


def curves(history: keras.callbacks.History, work: Path | None) -> dict[str, list[float]]:
    """Return the learning curves, a value per epoch, also of epochs before a resume."""
    if not work:
        return {
            name: [float(value) for value in values]
            for name, values in history.history.items()
        }
    with (work / LOG).open(newline="") as file:
        # An epoch that was interrupted after its line and before its checkpoint was
        # repeated: its last line counts.
        rows = {int(row.pop("epoch")): row for row in csv.DictReader(file)}
    names = next(iter(rows.values()))
    return {name: [float(rows[epoch][name]) for epoch in sorted(rows)] for name in names}
