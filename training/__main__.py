"""The commands: ``python -m training data | run | export | evaluate | report | ...``."""

import argparse
import dataclasses
import json
import logging
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training import data, lesson, options
from training.baselines import command as baselines_command
from training.dataset import Dataset
from training.errors import ExportError, Interrupted, TrainingError
from training.recipes import RECIPES
from training.report import command as report_command

RUNS, MODELS = Path("runs"), Path("models")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 1 (130 if interrupted) after a message."""
    arguments = sys.argv[1:] if arguments is None else arguments
    chosen = _parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    # Before TensorFlow is imported: only its errors, and no look for a GPU, whose order
    # of additions would change the weights.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    try:
        chosen.run(chosen)
    except Interrupted as error:
        print(f"\n{error}", file=sys.stderr)
        return 130  # as shells have it: 128 and the signal
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except (TrainingError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _data(chosen: argparse.Namespace) -> None:
    found = _read(chosen)
    print(f"{found.name}: {len(found.arrays.x_train):,} images to fit on, "
          f"{len(found.arrays.x_test):,} for the test")  # fmt: skip
    for name, digest in found.files.items():
        print(f"{name}: SHA-256 {digest}")


def _run(chosen: argparse.Namespace) -> None:
    dataset = _read(chosen)
    from training import fit, run

    given = {name: vars(chosen)[name] for name in options.HYPERPARAMETERS if name in chosen}
    recipe = dataclasses.replace(RECIPES[chosen.recipe], **given)
    name = chosen.name or (
        chosen.recipe if chosen.resume else run.free_name(chosen.runs, chosen.recipe)
    )
    folder = chosen.runs / name
    # The report's sections are about handwritten digits, and name images of MNIST.
    reported = dataset.name == "MNIST" and not chosen.no_report
    if dataset.name != "MNIST":
        print("there will be no report: its sections are about MNIST")
    try:
        made = run.run(
            recipe,
            dataset,
            folder,
            resume=chosen.resume,
            verbose=fit.BAR if sys.stdout.isatty() else fit.LINES,
            report=report_command.write if reported else None,
        )
    except Interrupted as error:
        if not run.unfinished(folder).exists():
            raise
        again = f"add --resume --name {shlex.quote(name)} to the same command"
        raise Interrupted(f"{error}; to resume, {again}") from None
    print(f"fitted in {made['seconds']:.0f} s, all in {folder}")
    print(f"test accuracy {made['metrics']['test_accuracy']['value']:.2%}")
    _say_how_to_ask(dataset)
    models = shlex.quote(str(folder / "models"))
    print(f"serve it:  MNIST_MODEL_ROOT={models} make serve")
    runs = "" if chosen.runs == RUNS else f" --runs {shlex.quote(str(chosen.runs))}"
    print(f"make it a version of models/mnist:  {_python()} -m training export "
          f"--run {shlex.quote(name)}{runs} --version next")  # fmt: skip


def _export(chosen: argparse.Namespace) -> None:
    from training import repository

    source = chosen.runs / chosen.run_name / "models" / "mnist" / "1"
    manifest = json.loads((source / "manifest.json").read_text(encoding="utf-8"))
    target = chosen.models / "mnist"
    there = repository.versions(target)
    for number in there:
        beside = json.loads((target / str(number) / "manifest.json").read_text())
        if beside.get("labels", manifest["labels"]) != manifest["labels"]:
            raise ExportError(
                f"{source} has the labels {', '.join(manifest['labels'])}, expected those "
                f"of {target / str(number)}; choose another folder with --models"
            )
    number = max(there, default=0) + 1 if chosen.version == "next" else chosen.version
    content = (source / "model.onnx").read_bytes()
    repository.write_version(target / str(number), content, manifest, force=chosen.force)
    print(f"wrote {target / str(number)}, from {source}")
    print(
        "a running service takes it on SIGHUP: kill -HUP PID, the number in its first line"
    )
    if manifest["dataset"] == "MNIST":
        models = shlex.quote(str(chosen.models))
        print(f"its report:  {_python()} -m training report "
              f"--models {models} --version {number}")  # fmt: skip


def _python() -> str:
    return shlex.quote(os.path.relpath(sys.executable))


def _say_how_to_ask(dataset: Dataset) -> None:
    named = [f"{i} {name}" for i, name in enumerate(dataset.labels) if name != str(i)]
    if named:
        print(f"in the service's answers, digit is the label's number: {', '.join(named)}")
    if dataset.name not in ("MNIST", "pictures"):
        print("send it pixels, as JSON or raw bytes: a PNG or JPEG would be cropped and "
              "centred as digits are")  # fmt: skip


def _evaluate(chosen: argparse.Namespace) -> None:
    arrays = _read(chosen).arrays
    from training import evaluate

    content = _onnx_file(chosen).read_bytes()
    result = evaluate.evaluate(content, arrays.x_test, arrays.y_test)
    if chosen.json:
        print(json.dumps({**dataclasses.asdict(result), "digits": result.digits.tolist()}))
        return
    print(f"accuracy {result.accuracy:.4f}")
    print(f"loss     {result.loss:.4f}")
    print("digit  images  accuracy")
    for label, (images, accuracy) in result.by_class.items():
        print(f"{label:5d}  {images:6d}  {accuracy:.4f}")


def _reference(chosen: argparse.Namespace) -> None:
    from training import evaluate, reference

    inputs, weights, bias = [0.5, 0.3, 0.2], [0.4, 0.6, 0.8], 0.1
    total = sum(x * w for x, w in zip(inputs, weights)) + bias
    print(f"inputs {inputs}, weights {weights}, bias {bias}")
    print(f"weighted sum + bias = {total:.2f}")
    print(f"sigmoid({total:.2f}) = {reference.neuron(inputs, weights, bias):.4f}")
    images = _read(chosen).arrays.x_test
    path = _onnx_file(chosen)
    expected = reference.forward(reference.read_layers(path), data.scale(images))
    found = evaluate.probabilities(path.read_bytes(), images)
    differing = int((found.argmax(1) != expected.argmax(1)).sum())
    print(
        f"{path}: NumPy and ONNX Runtime differ in {differing} digits of {len(found):,}, "
        f"and by at most {abs(found - expected).max():.1e} in a probability"
    )


def _read(chosen: argparse.Namespace) -> Dataset:
    return data.read(chosen.data_dir, progress=data.show_progress)


def _onnx_file(chosen: argparse.Namespace) -> Path:
    from training import repository

    return repository.find(chosen.models, chosen.version) / "model.onnx"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training", description="Train the lesson's network."
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Any, summary: str, more: str = "") -> Any:
        added = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}. {more}",
            formatter_class=options.Help,
        )
        added.set_defaults(run=run)
        added.add_argument(
            "--data-dir",
            type=Path,
            help="the only folder to look in: MNIST's four IDX files or others in their "
            "form, or folders 0 to 9 of pictures; without it, MNIST from $MNIST_DIR, the "
            "cache folder or the public mirrors",
        )
        return added

    command("data", _data, "find, fetch and check the data")
    run = command(
        "run",
        _run,
        "fit the network by a recipe, export, evaluate, and write the report",
        "Each hyperparameter replaces the recipe's own.",
    )
    run.add_argument("--recipe", choices=tuple(RECIPES), default="lesson")
    run.add_argument(
        "--name",
        type=options.run_name,
        help="of the run's folder; by default the recipe's, or a free one such as lesson-2",
    )
    run.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    run.add_argument("--no-report", action="store_true", help="leave the report out")
    options.add_hyperparameters(run)
    export = command(
        "export", _export, "make a run's network a version of the model in models/mnist"
    )
    export.add_argument(
        "--run", dest="run_name", type=options.run_name, required=True, metavar="NAME"
    )
    export.add_argument("--force", action="store_true", help="replace a version")
    export.add_argument(
        "--version", type=options.version, default="next", help="a number, or next"
    )
    for added in (run, export):
        added.add_argument("--runs", type=Path, default=RUNS, help="folder of all runs")
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
    for added in (evaluate, reference, report):
        added.add_argument(
            "--version",
            type=options.whole(1),
            help="of the model; by default the highest, which the service serves too",
        )
    for added in (export, evaluate, reference, report):
        added.add_argument("--models", type=Path, default=MODELS, help="root folder")
    return parser


if __name__ == "__main__":
    sys.exit(main())
