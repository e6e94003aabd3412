"""Options of the commands: the recipe's numbers in the help, and checked."""

import argparse
import math
import re
from collections.abc import Callable

from training.recipes import RECIPES


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults, but for options that have none."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default in (None, False):
            return action.help
        return super()._get_help_string(action)


def add_hyperparameters(parser: argparse.ArgumentParser) -> None:
    """Add an option per hyperparameter; without it the recipe's number is used."""
    for name, (kind, meaning) in HYPERPARAMETERS.items():
        numbers = ", ".join(
            f"{recipe.name}: {getattr(recipe, name):.4g}" for recipe in RECIPES.values()
        )
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=kind,
            default=argparse.SUPPRESS,
            metavar=name.rpartition("_")[2].upper(),
            help=f"{meaning} ({numbers})",
        )


def whole(least: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from ``least`` on."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise _error(text, f"a whole number from {least}")
        return int(text)

    return read


def fraction(text: str) -> float:
    """Read a number between 0 and 1, both excluded."""
    number = _number(text)
    if not 0 < number < 1:
        raise _error(text, "a fraction above 0 and below 1")
    return number


def positive(text: str) -> float:
    """Read a finite number above 0."""
    number = _number(text)
    if not 0 < number < math.inf:
        raise _error(text, "a number above 0")
    return number


def run_name(text: str) -> str:
    """Read the name of a run: of a folder beside other runs."""
    if not re.fullmatch(r"\w[\w .-]*", text) or text.endswith(".unfinished"):
        raise _error(repr(text), "letters, digits, blanks, _ . and -")
    return text


def version(text: str) -> int | str:
    """Read a version: a number from 1 on, or ``next``."""
    return text if text == "next" else whole(1)(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _error(text: str, expected: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"found {text}, expected {expected}")


# Reader and meaning of each.
HYPERPARAMETERS: dict[str, tuple[Callable[[str], float], str]] = {
    "epochs": (whole(1), "passes over the images"),
    "batch_size": (whole(1), "images per step"),
    "validation_split": (fraction, "fraction of the training images held out"),
    "learning_rate": (positive, "the optimizer's (peak) learning rate"),
    "patience": (
        whole(0),
        "stop after that many epochs without a lower validation loss, with the best "
        "weights; 0: never",
    ),
    "seed": (whole(0), "of weights, order and distortions"),
}
