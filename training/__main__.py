"""The commands: ``python -m training data | fit | export | evaluate | report | ...``."""

import argparse
import dataclasses
import json
import logging
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from training import data
from training.baselines import command as baselines_command
from training.report import command as report_command

LIBRARIES = ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "numpy")

METRICS = {
    "test_accuracy": "fraction of the 10,000 test images whose most probable digit is "
    "their label, by ONNX Runtime",
    "test_loss": "sparse categorical cross-entropy over the 10,000 test images: the mean "
    "of -ln p(label)",
    "validation_accuracy": "accuracy after the last epoch on the held-out end of the "
    "training images",
    "largest_difference": "largest difference of a probability between Keras and ONNX "
    "Runtime over the 10,000 test images at batch 1, 2, 7 and 1,000",
}


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
    from training import fit

    names = [field.name for field in dataclasses.fields(fit.Recipe)]
    values = {name: getattr(options, name) for name in names if hasattr(options, name)}
    recipe = fit.Recipe(**{**values, "hidden": tuple(options.hidden)})
    verbose = fit.BAR if sys.stdout.isatty() else fit.LINES
    fitted = fit.fit(recipe, mnist.x_train, mnist.y_train, verbose)
    options.run_dir.mkdir(parents=True, exist_ok=True)
    fitted.network.save(options.run_dir / "network.keras")
    run = {
        "recipe": {
            **dataclasses.asdict(recipe),
            "activation": "relu",
            "output_activation": "softmax",
            "optimizer": "adam",
            "loss": "sparse_categorical_crossentropy",
        },
        "history": fitted.history,
        "seconds": round(fitted.seconds, 1),
        "data": {file.name: file.sha256 for file in data.FILES},
    }
    (options.run_dir / "run.json").write_text(json.dumps(run, indent=2) + "\n")
    print(f"fitted in {fitted.seconds:.0f} s, kept in {options.run_dir}")


def _export(options: argparse.Namespace) -> None:
    mnist = _load(options)
    import keras

    from training import evaluate, export

    run = json.loads((options.run_dir / "run.json").read_text())
    network = keras.models.load_model(options.run_dir / "network.keras")
    content = export.to_onnx(network)
    difference = export.check_parity(network, content, mnist.x_test)
    result = evaluate.evaluate(content, mnist.x_test, mnist.y_test)
    metrics = {
        "test_accuracy": result.accuracy,
        "test_loss": result.loss,
        "validation_accuracy": run["history"]["val_accuracy"][-1],
        "largest_difference": difference,
    }
    folder = options.models / "mnist" / str(options.version)
    manifest = {
        "recipe": run["recipe"],
        "data": run["data"],
        "metrics": {
            name: {"value": value, "definition": METRICS[name]}
            for name, value in metrics.items()
        },
        "history": run["history"],
        "seconds": run["seconds"],
        "libraries": {
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "date": datetime.now(UTC).date().isoformat(),
    }
    export.write_version(folder, content, manifest, force=options.force)
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

    fit = command("fit", _fit, "fit the network by the lesson's recipe")
    fit.add_argument("--hidden", type=int, nargs="+", default=[128, 64], help="ReLU units")
    fit.add_argument("--epochs", type=int, default=10, help="passes over the images")
    fit.add_argument("--batch-size", type=int, default=32, help="images a step")
    fit.add_argument(
        "--validation-split", type=float, default=0.2, help="fraction held out"
    )
    fit.add_argument("--learning-rate", type=float, default=0.001, help="Adam's rate")
    fit.add_argument("--seed", type=int, default=1, help="of weights and shuffling")

    export = command(
        "export",
        _export,
        "export a fitted network to ONNX",
        "Refuses a file whose answers differ from Keras's on the test images.",
    )
    for added in (fit, export):
        added.add_argument(
            "--run-dir",
            type=Path,
            default=Path("runs/lesson"),
            help="folder of the fitted network and its record",
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
    for added in (export, evaluate, reference, report):
        added.add_argument(
            "--models", type=Path, default=Path("models"), help="root folder"
        )
        added.add_argument("--version", type=int, default=1, help="version of the model")
    return parser


if __name__ == "__main__":
    sys.exit(main())
