"""A version's ONNX file: nothing but its own bytes counts, and no number is slow."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from service.errors import ModelError
from service.model import repository
from service.model.snapshot import VersionFiles
from service.model.version import Model
from service.settings import Settings


def put_outside(tensor):
    """Move a tensor's values into the file w.bin of the working directory."""
    with open("w.bin", "wb") as file:
        file.write(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="w.bin")


def as_constant(model):
    tensor = model.graph.initializer.pop(0)
    model.graph.node.insert(
        0, helper.make_node("Constant", [], [tensor.name], value=tensor)
    )
    return model.graph.node[0].attribute[0].t


def as_branch(model):
    tensor = as_constant(model)
    branch = helper.make_graph([model.graph.node[0]], "branch", [], [])
    node = helper.make_node("If", ["condition"], [tensor.name], then_branch=branch)
    model.graph.node[0].CopyFrom(node)
    return model.graph.node[0].attribute[0].g.node[0].attribute[0].t


def as_sparse(model):
    sparse = model.graph.sparse_initializer.add()
    sparse.values.CopyFrom(model.graph.initializer[0])
    return sparse.values


def as_function(model):
    as_constant(model)
    node = model.graph.node.pop(0)
    model.functions.add(name="f", domain="d").node.append(node)
    return model.functions[0].node[0].attribute[0].t


WAYS = {
    "initializer": lambda model: model.graph.initializer[0],
    "constant": as_constant,
    "branch": as_branch,
    "sparse": as_sparse,
    "function": as_function,
}


@pytest.mark.parametrize("way", WAYS)
def test_values_in_another_file_are_refused(
    models, add_version, tmp_path, monkeypatch, way
):
    monkeypatch.chdir(tmp_path)

    def change(content):
        model = onnx.load_from_string(content)
        put_outside(WAYS[way](model))
        return model.SerializeToString()

    add_version(2, change)
    loaded = repository.load(Settings(model_root=models))
    assert list(loaded.models) == [1]
    assert "in another file, expected all values in model.onnx" in loaded.refused[2]


def test_a_file_of_another_format_is_refused(models, add_version):
    add_version(2, lambda _: b"\x20\0\0\0ORTM" + bytes(100))
    refused = repository.load(Settings(model_root=models)).refused[2]
    assert refused.startswith("model.onnx cannot be read as ONNX")


def test_whatever_breaks_a_version_leaves_the_others(models, add_version, monkeypatch):
    folder = add_version(2)
    whole = Model._check_signature

    def fail(self):
        if self.version == 2:
            raise RuntimeError("out of luck")
        whole(self)

    monkeypatch.setattr(Model, "_check_signature", fail)
    loaded = repository.load(Settings(model_root=models))
    assert list(loaded.models) == [1]
    assert loaded.refused[2] == "the version cannot be loaded: RuntimeError('out of luck')"
    with pytest.raises(ModelError):
        Model.load(VersionFiles.read(folder))


def test_tiny_numbers_are_zero_in_every_thread_of_a_worker(shipped):
    """In a process of its own: the first session decides."""
    script = f"""
import threading
from pathlib import Path
import numpy as np
from service.model.snapshot import VersionFiles
from service.model.version import Model
Model.load(VersionFiles.read(Path({str(shipped)!r})))
def show(): print((np.full(1, 1e-40, np.float32) * np.float32(1))[0] == 0)
show()
thread = threading.Thread(target=show)
thread.start()
thread.join()
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


def test_tiny_pixels_are_read_as_none(shipped):
    model = Model.load(VersionFiles.read(shipped))
    pixels = np.zeros((2, 784), np.float32)
    pixels[0] = 1e-40
    assert np.array_equal(*model.predict(pixels))
