"""The commands: ``python -m training data | fit | export | evaluate | report | ...``."""

import argparse
import dataclasses
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training import data, lesson
from training.baselines import command as baselines_command
from training.report import command as report_command

HYPERPARAMETERS = (
    "hidden",
    "epochs",
    "batch_size",
    "validation_split",
    "learning_rate",
    "seed",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 1 after a message on standard error."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    # Before TensorFlow is imported: only its errors, and no look for a GPU, whose order
    # of additions would change the weights.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    try:
        options.run(options)
    except _expected_errors() as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _expected_errors() -> tuple[type[Exception], ...]:
    # ExportError lives beside TensorFlow; it cannot have been raised before its import.
    exporter = sys.modules.get("training.export")
    export_errors = (exporter.ExportError,) if exporter else ()
    return (data.DataError, OSError, *export_errors)


def _data(options: argparse.Namespace) -> None:
    mnist = _load(options)
    for file, array in zip(data.FILES, mnist):
        print(f"{file.name}: {len(array):,} checked, SHA-256 {file.sha256}")


def _fit(options: argparse.Namespace) -> None:
    mnist = _load(options)
    from training import distill, fit

    recipe_of = {"lesson": fit, "best": distill}[options.recipe]
    given = {name: getattr(options, name) for name in HYPERPARAMETERS}
    given = {name: value for name, value in given.items() if value is not None}
    recipe = dataclasses.replace(recipe_of.Recipe(), **given)
    verbose = fit.BAR if sys.stdout.isatty() else fit.LINES
    fitted = recipe_of.fit(recipe, mnist.x_train, mnist.y_train, verbose)
    folder = _run_dir(options)
    folder.mkdir(parents=True, exist_ok=True)
    fitted.network.save(folder / "network.keras")
    run = {
        "recipe": {**dataclasses.asdict(recipe), **recipe_of.METHOD},
        "calibration": fitted.calibration,
        "history": fitted.history,
        "seconds": round(fitted.seconds, 1),
        "data": {file.name: file.sha256 for file in data.FILES},
    }
    (folder / "run.json").write_text(json.dumps(run, indent=2) + "\n")
    print(f"fitted in {fitted.seconds:.0f} s, kept in {folder}")


def _export(options: argparse.Namespace) -> None:
    mnist = _load(options)
    import keras

    from training import evaluate, export, manifest

    run = json.loads((_run_dir(options) / "run.json").read_text())
    network = keras.models.load_model(_run_dir(options) / "network.keras")
    content = export.to_onnx(network)
    difference = export.check_parity(network, content, mnist.x_test)
    result = evaluate.evaluate(content, mnist.x_test, mnist.y_test)
    answers = evaluate.probabilities(content, mnist.x_test)
    metrics = {
        "test_accuracy": result.accuracy,
        "test_loss": result.loss,
        "validation_accuracy": run["history"]["val_accuracy"][-1],
        "largest_difference": difference,
        **manifest.confidence(run["calibration"], answers, mnist.y_test),
    }
    folder = options.models / "mnist" / str(options.version)
    export.write_version(folder, content, manifest.build(run, metrics), force=options.force)
    print(f"wrote {folder}: {len(content):,} bytes of ONNX, opset {export.OPSET}")
    print(f"same digits as Keras, largest difference {difference:.1e}")
    print(f"test accuracy {result.accuracy:.2%}")


def _evaluate(options: argparse.Namespace) -> None:
    mnist = _load(options)
    from training import evaluate

    content = _onnx_file(options).read_bytes()
    result = evaluate.evaluate(content, mnist.x_test, mnist.y_test)
    if options.json:
        print(json.dumps({**dataclasses.asdict(result), "digits": result.digits.tolist()}))
        return
    print(f"accuracy {result.accuracy:.4f}")
    print(f"loss     {result.loss:.4f}")
    print("digit  images  accuracy")
    for label, (images, accuracy) in result.by_class.items():
        print(f"{label:5d}  {images:6d}  {accuracy:.4f}")


def _reference(options: argparse.Namespace) -> None:
    from training import evaluate, reference

    inputs, weights, bias = [0.5, 0.3, 0.2], [0.4, 0.6, 0.8], 0.1
    total = sum(x * w for x, w in zip(inputs, weights)) + bias
    print(f"inputs {inputs}, weights {weights}, bias {bias}")
    print(f"weighted sum + bias = {total:.2f}")
    print(f"sigmoid({total:.2f}) = {reference.neuron(inputs, weights, bias):.4f}")
    mnist = _load(options)
    path = _onnx_file(options)
    layers = reference.read_layers(path)
    expected = reference.forward(layers, data.scale(mnist.x_test))
    found = evaluate.probabilities(path.read_bytes(), mnist.x_test)
    differing = int((found.argmax(1) != expected.argmax(1)).sum())
    print(
        f"{path}: NumPy and ONNX Runtime differ in {differing} digits of {len(found):,}, "
        f"and by at most {abs(found - expected).max():.1e} in a probability"
    )


def _load(options: argparse.Namespace) -> data.Mnist:
    return data.load(options.data_dir, progress=data.show_progress)


def _onnx_file(options: argparse.Namespace) -> Path:
    folder: Path = options.models / "mnist" / str(options.version)
    return folder / "model.onnx"


def _run_dir(options: argparse.Namespace) -> Path:
    folder: Path = options.run_dir or Path("runs") / options.recipe
    return folder


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training", description="Train the lesson's network on MNIST."
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Any, summary: str, more: str = "") -> Any:
        added = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}. {more}",
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        added.set_defaults(run=run)
        added.add_argument(
            "--data-dir",
            type=Path,
            help="folder to look for the four IDX files in first; then $MNIST_DIR, the "
            "cache folder and the public mirrors",
        )
        return added

    command("data", _data, "find, fetch and check MNIST")

    fit = command(
        "fit", _fit, "fit the network by a recipe", "Each option replaces the recipe's own."
    )
    fit.add_argument("--hidden", type=int, nargs="+", help="ReLU units")
    fit.add_argument("--epochs", type=int, help="passes over the images")
    fit.add_argument("--batch-size", type=int, help="images a step")
    fit.add_argument("--validation-split", type=float, help="fraction held out")
    fit.add_argument("--learning-rate", type=float, help="the optimizer's (peak) rate")
    fit.add_argument("--seed", type=int, help="of weights, order and distortions")

    export = command(
        "export",
        _export,
        "export a fitted network to ONNX",
        "Refuses a file whose answers differ from Keras's on the test images.",
    )
    for added in (fit, export):
        added.add_argument(
            "--recipe",
            choices=("lesson", "best"),
            default="lesson",
            help="the lesson's, or what makes the most of the network",
        )
        added.add_argument(
            "--run-dir",
            type=Path,
            help="folder of the fitted network and its record; runs/RECIPE if not given",
        )
    export.add_argument("--force", action="store_true", help="replace a version")

    evaluate = command(
        "evaluate", _evaluate, "evaluate an ONNX version on the test set, by digit"
    )
    evaluate.add_argument(
        "--json", action="store_true", help="print JSON, with every predicted digit"
    )
    reference = command(
        "reference",
        _reference,
        "run the lesson's pieces in NumPy and compare them with ONNX Runtime",
    )
    report = report_command.add(command)
    baselines_command.add(command)
    lesson.add(command)
    for added in (export, evaluate, reference, report):
        added.add_argument(
            "--models", type=Path, default=Path("models"), help="root folder"
        )
        added.add_argument("--version", type=int, default=1, help="version of the model")
    return parser


if __name__ == "__main__":
    sys.exit(main())
