import json

import onnx
import pytest

from training import repository
from training.errors import ExportError


@pytest.fixture(scope="module")
def content(version_1):
    return (version_1 / "model.onnx").read_bytes()


@pytest.fixture(scope="module")
def manifest(version_1):
    return json.loads((version_1 / "manifest.json").read_text())


def test_version_has_its_own_number_hash_and_metadata(tmp_path, content, manifest):
    folder = tmp_path / "mnist" / "3"
    repository.write_version(folder, content, manifest)
    written = json.loads((folder / "manifest.json").read_text())
    model = onnx.load(folder / "model.onnx")
    assert (written["version"], model.model_version) == (3, 3)
    assert written["sha256"] != manifest["sha256"]
    same = {"version": 0, "sha256": 0}
    assert written | same == manifest | same
    assert model.graph == onnx.load_from_string(content).graph
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "model.onnx"]
    assert [path.name for path in folder.parent.iterdir()] == ["3"]


def test_shipped_version_is_written_again_with_the_same_bytes(
    tmp_path, version_1, content, manifest
):
    repository.write_version(tmp_path / "mnist" / "1", content, manifest)
    for name in ("model.onnx", "manifest.json"):
        written = (tmp_path / "mnist" / "1" / name).read_bytes()
        assert written == (version_1 / name).read_bytes()


def test_version_that_is_there_is_kept_unless_forced(tmp_path, content, manifest):
    folder = tmp_path / "mnist" / "1"
    repository.write_version(folder, content, manifest)
    (folder / "report.md").write_text("")
    with pytest.raises(ExportError, match="exists; choose another version"):
        repository.write_version(folder, content, manifest)
    assert (folder / "report.md").exists()
    repository.write_version(folder, content, manifest, force=True)
    assert not (folder / "report.md").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["1"]


def test_folder_that_cannot_be_written_is_one_clear_error(tmp_path, content, manifest):
    (tmp_path / "mnist").write_text("in the way")
    with pytest.raises(ExportError, match=r"cannot write .*mnist.1: "):
        repository.write_version(tmp_path / "mnist" / "1", content, manifest)


def test_versions_are_the_numbers_in_their_order(tmp_path):
    for name in ("10", "2", "draft", ".export-x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    (tmp_path / "3").mkdir()
    assert repository.versions(tmp_path) == [2, 10]
