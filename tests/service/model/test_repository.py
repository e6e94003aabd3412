"""Loading versions: what is refused, with which reason, and what goes on."""

import base64
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

EXAMPLES = "a list of objects with label (0 to 9) and image (784 bytes in base64)"


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


def drop_input(model):
    del model.graph.input[:]


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
        pytest.param(lambda c: c[:-100], {}, "cannot be read as ONNX", id="no-protobuf"),
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
            edit(drop_input), {}, "ONNX Runtime cannot load model.onnx", id="no-graph"
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
        pytest.param('{"name": "mnist"}', "has version null, expected", id="incomplete"),
        pytest.param(b"\xff", "cannot be read", id="no-text"),
        pytest.param("[" * 100_000, "cannot be read", id="nested"),
    ],
)
def test_unreadable_manifest_is_refused(models, add_version, manifest, reason):
    path = add_version(2) / "manifest.json"
    if manifest is None:
        path.unlink()
    else:
        path.write_bytes(manifest if isinstance(manifest, bytes) else manifest.encode())
    assert reason in repository.load(Settings(model_root=models)).refused[2]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name", "cats", "name \"cats\", expected 'mnist'"),
        ("name", ["mnist"], "name [\"mnist\"], expected 'mnist'"),
        ("version", 3, "version 3, expected the number 2"),
        ("version", 2.0, "version 2.0, expected the number 2"),
        ("version", "2", 'version "2", expected the number 2'),
        ("version", [2], "version [2], expected the number 2"),
        ("version", None, "version null, expected the number 2"),
        ("sha256", None, "sha256 null, expected 64 hexadecimal digits"),
        ("sha256", {}, "sha256 {}, expected 64 hexadecimal digits"),
        ("sha256", "0" * 63, f'sha256 "{"0" * 63}", expected 64 hexadecimal digits'),
        ("unsure_below", 1.5, "unsure_below 1.5, expected a number from 0 to 1"),
        ("unsure_below", -1, "unsure_below -1, expected a number from 0 to 1"),
        ("unsure_below", "0.5", 'unsure_below "0.5", expected a number from 0 to 1'),
        ("unsure_below", True, "unsure_below true, expected a number from 0 to 1"),
        ("unsure_below", float("nan"), "unsure_below NaN, expected a number from 0 to 1"),
        (
            "unsure_below",
            10**400,
            f"unsure_below 1{'0' * 99}, expected a number from 0 to 1",
        ),
        ("unsure_below", [], "unsure_below [], expected a number from 0 to 1"),
        ("examples", [], f"examples [], expected {EXAMPLES}"),
        ("examples", 3, f"examples 3, expected {EXAMPLES}"),
        ("examples", "x", f'examples "x", expected {EXAMPLES}'),
        ("examples", [{}], f"examples [{{}}], expected {EXAMPLES}"),
        *(
            (
                "examples",
                [example],
                f"examples {json.dumps([example])}, expected {EXAMPLES}",
            )
            for example in (
                {"label": 1, "image": "AAAA"},
                {"label": 1, "image": "no base64"},
                {"label": 1, "image": 7},
            )
        ),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_field_of_the_manifest_that_does_not_fit_is_refused(
    models, add_version, field, value, reason
):
    add_version(2, **{field: value})
    loaded = repository.load(Settings(model_root=models))
    assert loaded.default.version == 1
    assert loaded.refused == {2: f"manifest.json has {reason}"}


def rotate_outputs(model):
    """Answer each digit with the next one, as a model of other labels would."""
    for tensor in model.graph.initializer:
        if tensor.dims[-1] == 10:
            rotated = np.roll(numpy_helper.to_array(tensor), 1, axis=-1)
            tensor.CopyFrom(numpy_helper.from_array(rotated, tensor.name))


def examples(shift):
    frames, labels = digits.load()
    return [
        {
            "label": (int(label) + shift) % 10,
            "image": base64.b64encode(frame.tobytes()).decode(),
        }
        for frame, label in zip(frames, labels)
    ]


def test_model_of_other_labels_is_checked_with_its_own_examples(models, add_version):
    add_version(2, edit(rotate_outputs))
    add_version(3, edit(rotate_outputs), examples=examples(1))
    add_version(4, edit(rotate_outputs), examples=examples(2))
    loaded = repository.load(Settings(model_root=models))
    assert sorted(loaded.models) == [1, 3]
    assert "the self-check read 0% of" in loaded.refused[2]
    assert "the self-check read 0% of" in loaded.refused[4]


@pytest.mark.parametrize("label", [10, -1, True, 1.0, None])
def test_example_of_no_label_is_refused(models, add_version, label):
    add_version(2, examples=[{**examples(0)[0], "label": label}])
    (reason,) = repository.load(Settings(model_root=models)).refused.values()
    assert reason.endswith(f"expected {EXAMPLES}")


def test_true_is_no_version(models):
    path = models / "mnist" / "1" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": True}))
    reason = "manifest.json has version true, expected the number 1"
    with pytest.raises(ModelError, match=reason):
        repository.load(Settings(model_root=models))


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


def test_a_number_with_zeros_in_front_is_a_version(models, add_version):
    add_version(2).rename(models / "mnist" / "0002")
    loaded = repository.load(Settings(model_root=models))
    assert (list(loaded.models), loaded.left_out) == ([1, 2], ())


@pytest.mark.parametrize("number", [20260101120000, (1 << 63) - 1])
def test_a_version_has_up_to_63_bits(models, add_version, number):
    add_version(number)
    assert repository.load(Settings(model_root=models)).default.version == number


@pytest.mark.parametrize(
    "name", ["01", "0", "-1", "v1", "latest", "٣", str(1 << 63), "9" * 200]
)
def test_a_folder_that_is_no_version_is_left_out_with_a_word(models, caplog, name):
    (models / "mnist" / name).mkdir()
    loaded = repository.load(Settings(model_root=models))
    assert (list(loaded.models), dict(loaded.refused)) == ([1], {})
    assert loaded.left_out == (name,)
    (record,) = caplog.records
    message = record.getMessage()
    assert message.startswith(f"mnist version {repr(name)[:100]} is left out, expected a")


def test_a_file_in_place_of_a_version_is_left_out_with_a_word(models):
    (models / "mnist" / "2").write_text("a file")
    assert repository.load(Settings(model_root=models)).left_out == ("2",)


@pytest.mark.parametrize("name", [".export-x", "lesson.json"])
def test_what_is_meant_as_no_version_needs_no_word(models, caplog, name):
    path = models / "mnist" / name
    path.mkdir() if name[0] == "." else path.write_text("{}")
    assert repository.load(Settings(model_root=models)).left_out == ()
    assert not caplog.records


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
