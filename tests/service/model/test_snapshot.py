"""Reading the files of a version and of the keys: only regular files, of a bounded size."""

import os
import socket

import pytest

from service.model import repository, snapshot
from service.settings import Settings


def make_pipe(path):
    os.mkfifo(path)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def make_link(path):
    path.symlink_to("/dev/zero")


def make_loop(path):
    path.symlink_to(path.name)


KINDS = {
    "pipe": (make_pipe, "found no regular file, expected one"),
    "device": (make_link, "found no regular file, expected one"),
    "folder": (os.mkdir, "Is a directory"),
    "socket": (make_socket, "No such device or address"),
    "loop": (make_loop, "Too many levels of symbolic links"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_what_is_no_regular_file_refuses_its_version(
    models, add_version, alarm, kind, name, monkeypatch
):
    make, reason = KINDS[kind]
    folder = add_version(2)
    (folder / name).unlink()
    monkeypatch.chdir(folder)  # a socket's path is short
    make(folder / name if kind != "socket" else name)
    loaded = repository.load(Settings(model_root=models))
    assert list(loaded.models) == [1]
    assert f"{name} cannot be read" in loaded.refused[2]
    assert reason in loaded.refused[2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_keys_that_is_none_is_not_waited_for(tmp_path, alarm, kind, monkeypatch):
    make, reason = KINDS[kind]
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "keys" if kind != "socket" else "keys")
    found = snapshot.read(Settings(api_keys=tmp_path / "keys")).keys
    assert isinstance(found, OSError)
    assert found.strerror == reason


@pytest.mark.parametrize(
    ("name", "most"), [("model.onnx", 256 << 20), ("manifest.json", 1 << 20)]
)
def test_a_file_of_absurd_size_refuses_its_version(models, add_version, name, most):
    with (add_version(2) / name).open("r+b") as file:
        file.truncate(most + 1)  # a hole: takes no room
    refused = repository.load(Settings(model_root=models)).refused[2]
    assert f"{name} cannot be read" in refused
    assert f"found more than {most} bytes" in refused


def test_a_link_to_a_regular_file_is_one(tmp_path):
    """As Kubernetes mounts a Secret."""
    (tmp_path / "data").write_text("0123456789abcdef\n")
    (tmp_path / "keys").symlink_to("data")
    found = snapshot.read(Settings(api_keys=tmp_path / "keys")).keys
    assert found == b"0123456789abcdef\n"
