"""Errors that a command reports in one line."""


class TrainingError(Exception):
    """A command cannot do what was asked; the message says what was found and expected."""


class DataError(TrainingError):
    """The data was not found, or is not what was expected."""


class FitError(TrainingError):
    """A network cannot be fitted, or its loss is no longer a number."""


class ExportError(TrainingError):
    """A version is not there, cannot be written, or answers unlike its Keras network."""


class RunError(TrainingError):
    """A run folder cannot be used as asked."""


class Interrupted(TrainingError):
    """The user interrupted a run; the message says what is kept and how to resume."""
