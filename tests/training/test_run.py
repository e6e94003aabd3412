"""From data of one's own to a model that the service loads, with one command."""

import base64
import json
import signal

import numpy as np
import onnx
import pytest

from service.model.snapshot import VersionFiles
from service.model.version import Model
from tests.support.lazy import lazy
from training import evaluate
from training.__main__ import main
from training.dataset import FILES, scale

keras = lazy("keras")
callbacks = lazy("training.callbacks")

RECIPE = ("--epochs", "2", "--batch-size", "64", "--learning-rate", "0.003")


@pytest.fixture(scope="module")
def small(mnist, write_idx, tmp_path_factory):
    """A part of MNIST, as IDX files: 2,000 images to fit on, 500 for the test."""
    folder = tmp_path_factory.mktemp("data")
    arrays = [
        array[:count] for array, count in zip(mnist, (2000, 2000, 500, 500), strict=True)
    ]
    write_idx(folder, [a.reshape(-1, 28, 28) if a.ndim == 2 else a for a in arrays])
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def trained(small, runs):
    """The same recipe twice, one after the other in this process."""
    command = ["run", "--data-dir", str(small), "--runs", str(runs), *RECIPE]
    assert main(command) == 0
    assert main(command) == 0
    return runs / "lesson", runs / "lesson-2"


def manifest_of(run):
    return json.loads((run / "models" / "mnist" / "1" / "manifest.json").read_text())


def onnx_of(run):
    return (run / "models" / "mnist" / "1" / "model.onnx").read_bytes()


def test_run_folder_is_complete_and_nothing_is_beside_it(trained, runs):
    found = {str(path.relative_to(trained[0])) for path in trained[0].glob("*")}
    assert found == {"run.json", "network.keras", "log.csv", "tensorboard", "models"}
    assert sorted(path.name for path in runs.iterdir()) == ["lesson", "lesson-2"]


def test_same_recipe_gives_the_same_onnx_bytes(trained):
    assert onnx_of(trained[0]) == onnx_of(trained[1])


def test_manifest_says_what_on_what_with_what(trained, small):
    manifest = manifest_of(trained[0])
    recipe = manifest["recipe"]
    assert (recipe["name"], recipe["epochs"], recipe["batch_size"]) == ("lesson", 2, 64)
    assert recipe["hidden"] == [128, 64]
    assert manifest["dataset"] == "IDX files"
    assert sorted(manifest["data"]) == sorted(file.name for file in FILES)
    assert manifest["machine"]["cpu"]
    assert set(manifest["commit"] or ()) <= {"id", "dirty"}
    assert {"tensorflow", "keras", "onnxruntime"} <= set(manifest["libraries"])
    assert "the 500 test images" in manifest["metrics"]["test_loss"]["definition"]
    assert 0.7 < manifest["metrics"]["test_accuracy"]["value"] < 1
    assert len(manifest["history"]["val_loss"]) == 2


def test_data_of_ones_own_has_no_licence_of_ours(trained):
    assert "license" not in manifest_of(trained[0])
    props = {
        entry.key for entry in onnx.load_from_string(onnx_of(trained[0])).metadata_props
    }
    assert props == {"labels", "input", "recipe", "dataset", "version"}


def test_manifests_examples_are_test_images_that_are_answered_rightly(trained, mnist):
    for example in manifest_of(trained[0])["examples"]:
        image = np.frombuffer(base64.b64decode(example["image"]), np.uint8)
        (index,) = np.flatnonzero((mnist.x_test[:500] == image).all(axis=1))
        assert mnist.y_test[index] == example["label"]
        (answer,) = evaluate.probabilities(onnx_of(trained[0]), image[None])
        assert answer.argmax() == example["label"]


def test_service_loads_the_run_and_answers_as_training_does(trained, noise):
    model = Model.load(VersionFiles.read(trained[0] / "models" / "mnist" / "1"))
    expected = evaluate.probabilities(onnx_of(trained[0]), noise)
    assert np.array_equal(model.predict(scale(noise)), expected)


def test_name_that_is_taken_is_refused(trained, small, runs, capsys):
    command = ["run", "--data-dir", str(small), "--runs", str(runs), "--name", "lesson"]
    assert main(command) == 1
    assert "lesson exists, expected a new name: --name" in capsys.readouterr().err


def test_export_takes_the_next_version_and_replaces_none(trained, runs, tmp_path, capsys):
    command = ["export", "--run", "lesson", "--runs", str(runs), "--models", str(tmp_path)]
    assert main(command) == 0
    assert main(command) == 0
    folder = tmp_path / "mnist"
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2"]
    assert Model.load(VersionFiles.read(folder / "2")).version == 2
    assert "kill -HUP" in capsys.readouterr().out
    assert main([*command, "--version", "2"]) == 1
    assert "2 exists; choose another version or pass --force" in capsys.readouterr().err
    assert main([*command, "--version", "2", "--force"]) == 0


def test_export_refuses_other_labels_beside_a_model_of_digits(
    trained, runs, tmp_path, capsys
):
    command = ["export", "--run", "lesson", "--runs", str(runs), "--models", str(tmp_path)]
    assert main(command) == 0
    path = tmp_path / "mnist" / "1" / "manifest.json"
    path.write_text(path.read_text().replace('"0"', '"shirt"', 1))
    assert main(command) == 1
    assert "has the labels 0, 1, 2" in capsys.readouterr().err


@pytest.fixture
def interrupt(monkeypatch):
    """Make a fit raise SIGINT as an epoch begins, once."""

    class AtEpoch(keras.callbacks.Callback):
        def __init__(self, epoch):
            super().__init__()
            self.epoch = epoch

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == self.epoch:
                monkeypatch.undo()
                signal.raise_signal(signal.SIGINT)

    def at(epoch):
        make = callbacks.make
        monkeypatch.setattr(
            callbacks, "make", lambda *options: [*make(*options), AtEpoch(epoch)]
        )

    # A shell starts what runs in the background with SIGINT ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield at
    signal.signal(signal.SIGINT, before)


@pytest.mark.filterwarnings(
    # Keras's CSVLogger closes its file at the end of a fit, which never comes.
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_interrupted_run_is_resumed_where_it_was(
    small, trained, tmp_path, interrupt, capsys
):
    command = ["run", "--data-dir", str(small), "--runs", str(tmp_path), *RECIPE]
    interrupt(1)
    assert main(command) == 130
    error = capsys.readouterr().err
    assert "lesson.unfinished keeps the network after epoch 1" in error
    assert "add --resume --name lesson to the same command" in error
    assert [path.name for path in tmp_path.iterdir()] == ["lesson.unfinished"]
    other = [*command, "--resume", "--seed", "3"]
    assert main(other) == 1
    assert "was begun with seed 1, expected the same options" in capsys.readouterr().err
    assert main([*command, "--resume", "--name", "lesson"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["lesson"]
    manifest = manifest_of(tmp_path / "lesson")
    assert manifest["resumed"] == [1]
    expected = manifest_of(trained[0])["history"]
    assert manifest["history"]["loss"][0] == expected["loss"][0]
    assert len(manifest["history"]["loss"]) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_run_interrupted_in_its_first_epoch_leaves_nothing(
    small, tmp_path, interrupt, capsys
):
    interrupt(0)
    assert main(["run", "--data-dir", str(small), "--runs", str(tmp_path), *RECIPE]) == 130
    assert "nothing is kept yet" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_run_whose_loss_is_not_finite_leaves_nothing(small, tmp_path, capsys):
    command = ["run", "--data-dir", str(small), "--runs", str(tmp_path)]
    assert main([*command, "--learning-rate", "1e30"]) == 1
    assert "error: the loss is " in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_nothing_to_resume_is_one_clear_message(small, tmp_path, capsys):
    command = ["run", "--data-dir", str(small), "--runs", str(tmp_path), "--resume"]
    assert main(command) == 1
    assert "lesson.unfinished has no run to resume" in capsys.readouterr().err
