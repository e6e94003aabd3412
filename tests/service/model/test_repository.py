"""Loading versions: what is refused, with which reason, and what goes on."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from service.errors import ModelError, RequestError
from service.model import digits, repository
from service.model.snapshot import VersionFiles
from service.model.version import Model
from service.settings import Settings


def edit(change):
    """Return a change of the ONNX bytes from a change of the parsed model."""

    def edited(content):
        model = onnx.load_from_string(content)
        change(model)
        return model.SerializeToString()

    return edited


def flip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def rename_input(model):
    for node in model.graph.node:
        node.input[:] = ["pixels" if name == "image" else name for name in node.input]
    model.graph.input[0].name = "pixels"


def fix_batch(model):
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def add_output(model):
    (relu, *_) = [node.output[0] for node in model.graph.node if node.op_type == "Relu"]
    model.graph.output.append(helper.make_tensor_value_info(relu, TensorProto.FLOAT, None))


def change_bias(values):
    def change(model):
        (bias,) = [t for t in model.graph.initializer if list(t.dims) == [10]]
        bias.CopyFrom(numpy_helper.from_array(values.astype(np.float32), bias.name))

    return change


def drop_softmax(model):
    softmax = model.graph.node[-1]
    softmax.op_type = "Identity"
    del softmax.attribute[:]


def test_shipped_version_predicts_the_projects_digits(shipped):
    model = Model.load(VersionFiles.read(shipped))
    found = digits.load()
    probabilities = model.predict(found.frames.astype(np.float32) / np.float32(255))
    assert np.array_equal(probabilities.argmax(axis=1), found.labels)
    assert probabilities.dtype == np.float32


@pytest.mark.parametrize(
    ("change", "options", "reason"),
    [
        pytest.param(flip, {"honest": False}, "has the SHA-256 .*, expected", id="flipped"),
        pytest.param(
            lambda c: c[:-100], {"honest": False}, "has the SHA-256", id="truncated"
        ),
        pytest.param(lambda c: c[:-100], {}, "ONNX Runtime cannot load", id="no-protobuf"),
        pytest.param(lambda c: b"", {}, "ONNX Runtime cannot load", id="empty"),
        pytest.param(
            edit(rename_input), {}, r"input is \[\('pixels'.*expected", id="input"
        ),
        pytest.param(edit(fix_batch), {}, r"input is .*\[1, 784\].*expected", id="batch"),
        pytest.param(edit(add_output), {}, r"output is \[.*, .*\], expected", id="outputs"),
        pytest.param(
            edit(drop_softmax),
            {},
            "do not add up to 1, expected probabilities",
            id="logits",
        ),
        pytest.param(
            edit(change_bias(np.full(10, np.nan))), {}, "do not add up to 1", id="nan"
        ),
        pytest.param(
            edit(change_bias(1e3 * np.eye(10)[4])), {}, "self-check read 10%", id="wrong"
        ),
        pytest.param(
            lambda c: c, {"version": 3}, "expected 'mnist' version 2", id="version"
        ),
        pytest.param(
            lambda c: c, {"name": "cats"}, "manifest.json is of 'cats'", id="name"
        ),
        pytest.param(lambda c: c, {"sha256": None}, "expected None", id="no-hash"),
        pytest.param(lambda c: c, {"unsure_below": 1.5}, "expected 0 to 1", id="threshold"),
        pytest.param(
            lambda c: c, {"unsure_below": "x"}, "cannot be read", id="no-threshold"
        ),
    ],
)
def test_bad_version_is_refused_and_the_good_one_served(
    models, add_version, caplog, change, options, reason
):
    add_version(2, change, **options)
    loaded = repository.load(Settings(model_root=models))
    assert list(loaded.models) == [1]
    assert loaded.default.version == 1
    with pytest.raises(ModelError, match=reason):
        raise ModelError(loaded.refused[2])
    assert f"mnist version 2 is refused: {loaded.refused[2]}" in caplog.text


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        pytest.param(None, "there is no manifest.json", id="missing"),
        pytest.param("{", "manifest.json cannot be read", id="no-json"),
        pytest.param("[]", "expected an object with name, version and sha256", id="list"),
        pytest.param('{"name": "mnist"}', "cannot be read", id="incomplete"),
        pytest.param("[" * 100_000, "cannot be read", id="nested"),
    ],
)
def test_unreadable_manifest_is_refused(models, add_version, manifest, reason):
    path = add_version(2) / "manifest.json"
    path.unlink() if manifest is None else path.write_text(manifest)
    assert reason in repository.load(Settings(model_root=models)).refused[2]


def test_missing_model_file_is_refused(models, add_version):
    (add_version(2) / "model.onnx").unlink()
    refused = repository.load(Settings(model_root=models)).refused
    assert refused == {2: "model.onnx cannot be read: No such file or directory"}


def test_highest_good_version_is_the_default_in_the_order_of_numbers(models, add_version):
    add_version(9)
    add_version(10)
    loaded = repository.load(Settings(model_root=models))
    assert list(loaded.models) == [1, 9, 10]
    assert loaded.get(None).version == 10
    assert loaded.get(9).version == 9


def test_a_setting_names_the_default(models, add_version):
    add_version(2)
    loaded = repository.load(Settings(model_root=models, model_version=1))
    assert loaded.default.version == 1


def test_a_default_that_cannot_be_served_is_refused(models):
    with pytest.raises(ModelError, match="has value 7, expected a version .* served: 1"):
        repository.load(Settings(model_root=models, model_version=7))


def test_folders_that_are_no_version_are_ignored(models):
    for name in ("01", "0", "-1", "latest", "٣", ".export-x"):
        (models / "mnist" / name).mkdir()
    (models / "mnist" / "2").write_text("a file")
    loaded = repository.load(Settings(model_root=models))
    assert (list(loaded.models), dict(loaded.refused)) == ([1], {})


def test_no_version_at_all_says_what_is_expected(tmp_path):
    with pytest.raises(ModelError, match="expected at least one folder such as .*mnist/1"):
        repository.load(Settings(model_root=tmp_path))


def test_unknown_version_is_a_404(models):
    loaded = repository.load(Settings(model_root=models))
    with pytest.raises(RequestError, match="no version 3, expected one of: 1") as caught:
        loaded.get(3)
    assert caught.value.status == 404


def test_manifest_of_the_shipped_version_has_no_empty_field(shipped):
    manifest = json.loads((shipped / "manifest.json").read_text())
    assert all(value not in (None, "", [], {}) for value in manifest.values())
