"""The reader of MNIST's test images."""

import gzip
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from load import idx


def write(shape, values):
    """Return an IDX file, as its format is published."""
    return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + values


@st.composite
def arrays(draw):
    shape = tuple(draw(st.lists(st.integers(0, 5), min_size=1, max_size=4)))
    size = math.prod(shape)
    return shape, draw(st.binary(min_size=size, max_size=size))


@given(array=arrays(), zipped=st.booleans())
def test_what_was_written_is_read(array, zipped):
    content = write(*array)
    assert idx.read(idx.unpack(gzip.compress(content) if zipped else content)) == array


@given(array=arrays(), data=st.data())
def test_a_file_that_is_too_short_is_refused(array, data):
    content = write(*array)
    kept = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(idx.DataError, match=r"starts with|has \d+ bytes, expected \d+"):
        idx.read(content[:kept])


@given(array=arrays(), more=st.binary(min_size=1))
def test_a_file_that_is_too_long_is_refused(array, more):
    with pytest.raises(idx.DataError, match=r"has \d+ bytes, expected \d+ for"):
        idx.read(write(*array) + more)


@given(st.binary(min_size=4).filter(lambda content: content[:3] != b"\0\0\x08"))
def test_what_is_no_idx_file_is_refused(content):
    with pytest.raises(idx.DataError, match="expected 000008.. of an IDX file"):
        idx.read(content)


@pytest.mark.parametrize("damage", [lambda z: z[:-9], lambda z: z[:12] + b"x" + z[13:]])
def test_a_damaged_gzip_file_is_refused(damage):
    content = gzip.compress(write((100,), bytes(range(100))))
    with pytest.raises(idx.DataError, match="is not a whole gzip file"):
        idx.unpack(damage(content))


def test_the_test_images_are_those_that_training_reads(mnist):
    found = idx.load()
    assert [label for label, _ in found] == mnist.y_test.tolist()
    assert b"".join(frame for _, frame in found) == mnist.x_test.tobytes()


def test_the_cache_is_looked_in_where_the_named_folder_is_no_good(
    mnist, tmp_path, monkeypatch
):
    named, cache = tmp_path / "named", tmp_path / "mnist-idx"
    named.mkdir()
    cache.mkdir()
    images = write((10_000, 28, 28), mnist.x_test.tobytes())
    labels = write((10_000,), mnist.y_test.tobytes())
    (named / f"{idx.IMAGES[0]}.gz").write_bytes(gzip.compress(images, 1)[:-9])
    (cache / idx.IMAGES[0]).write_bytes(images)
    (cache / f"{idx.LABELS[0]}.gz").write_bytes(gzip.compress(labels))
    monkeypatch.setenv("MNIST_DIR", str(named))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    label, frame = idx.load()[0]
    assert label == mnist.y_test[0]
    assert (np.frombuffer(frame, np.uint8) == mnist.x_test[0]).all()


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """Return the two folders that are looked in; neither is there."""
    monkeypatch.setenv("MNIST_DIR", str(tmp_path / "named"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "named", tmp_path / "mnist-idx"


def test_every_place_is_named_if_there_is_nothing(nowhere):
    with pytest.raises(idx.DataError) as error:
        idx.load()
    for folder in nowhere:
        for end in (".gz", ""):
            expected = f"{folder}/t10k-images-idx3-ubyte{end}: No such file or directory"
            assert expected in str(error.value)


def test_other_images_under_the_same_name_are_refused(nowhere):
    named, _ = nowhere
    named.mkdir()
    (named / idx.IMAGES[0]).write_bytes(write((10_000, 28, 28), bytes(7_840_000)))
    with pytest.raises(idx.DataError, match=f"SHA-256 is .*, expected {idx.IMAGES[1]}"):
        idx.load()
