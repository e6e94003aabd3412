import contextlib
import functools
import gzip
import hashlib
import struct
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from training import data


def idx(array):
    return (
        struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        + array.tobytes()
    )


@pytest.fixture(scope="module")
def small():
    """Four small arrays, the shapes of MNIST but for their length."""
    rng = np.random.default_rng(3)
    images = [rng.integers(0, 256, (n, 28, 28), dtype=np.uint8) for n in (6, 4)]
    labels = [rng.integers(0, 10, n, dtype=np.uint8) for n in (6, 4)]
    return [images[0], labels[0], images[1], labels[1]]


@pytest.fixture(scope="module")
def files(small):
    """What to look for: the small arrays under the names of MNIST."""
    return [
        data.File(file.name, array.shape, hashlib.sha256(idx(array)).hexdigest())
        for file, array in zip(data.FILES, small)
    ]


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """No place but those of the test: an empty cache, no MNIST_DIR, no mirrors."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MNIST_DIR", raising=False)
    monkeypatch.setattr(data, "MIRRORS", ())


def write(folder, small, compress=gzip.compress, suffix=".gz"):
    folder.mkdir(exist_ok=True)
    for file, array in zip(data.FILES, small):
        (folder / f"{file.name}{suffix}").write_bytes(compress(idx(array)))
    return folder


@pytest.fixture
def mirror(tmp_path, small, monkeypatch):
    """A real HTTP server that has the four files."""
    folder = write(tmp_path / "mirror", small)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(data, "MIRRORS", (f"{url}nowhere/", url))
        yield folder
        server.shutdown()


@given(arrays.arrays(np.uint8, arrays.array_shapes(max_dims=4)))
def test_read_idx_reads_what_the_format_describes(array):
    assert np.array_equal(data.read_idx(idx(array)), array)


@given(st.binary(max_size=64))
def test_read_idx_raises_nothing_but_data_error(content):
    with contextlib.suppress(data.DataError):
        data.read_idx(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "starts with nothing", id="empty"),
        pytest.param(b"\0\0\x0d\x01" + bytes(8), "starts with 00000d01", id="floats"),
        pytest.param(b"\0\0\x08\x03\0\0", "ends after 6 bytes, within", id="header"),
        pytest.param(
            idx(np.zeros(5, np.uint8))[:-1], "has 12 bytes, expected 13", id="truncated"
        ),
        pytest.param(
            b"\0\0\x08\x02" + b"\xff" * 8, "expected 18446744065119617037", id="huge"
        ),
    ],
)
def test_read_idx_says_what_is_wrong(content, message):
    with pytest.raises(data.DataError, match=message):
        data.read_idx(content)


@pytest.mark.parametrize(
    ("compress", "suffix"),
    [
        pytest.param(gzip.compress, ".gz", id="gzipped"),
        pytest.param(
            functools.partial(gzip.compress, compresslevel=1), ".gz", id="regzipped"
        ),
        pytest.param(bytes, "", id="plain"),
    ],
)
def test_load_takes_any_compression(tmp_path, small, files, compress, suffix, monkeypatch):
    folder = write(tmp_path / "data", small, compress, suffix)
    monkeypatch.setenv("MNIST_DIR", str(folder))
    loaded = data.load(files=files)
    assert np.array_equal(loaded.x_train, small[0].reshape(6, 784))
    assert np.array_equal(loaded.y_test, small[3])


def test_load_passes_over_a_damaged_file(tmp_path, small, files, monkeypatch, caplog):
    write(data.cache().parent, [])  # makes the folder
    write(data.cache(), small)
    bad = write(tmp_path / "bad", [array ^ 1 for array in small])
    monkeypatch.setenv("MNIST_DIR", str(bad))
    assert np.array_equal(data.load(files=files).y_train, small[1])
    assert "has the SHA-256" in caplog.text


def test_load_names_every_place_it_tried(tmp_path, files, monkeypatch):
    monkeypatch.setenv("MNIST_DIR", str(tmp_path / "from-environment"))
    monkeypatch.setattr(data, "MIRRORS", ("http://127.0.0.1:9/",))
    with pytest.raises(data.DataError) as caught:
        data.load(files=files)
    name = data.FILES[0].name
    for place in ("from-environment", "cache/mnist-idx"):
        assert f"{place}/{name}.gz: no such file" in str(caught.value)
    assert f"http://127.0.0.1:9/{name}.gz: " in str(caught.value)
    assert "--data-dir" in str(caught.value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(
            lambda b: gzip.compress(idx(np.zeros((5, 28, 28), np.uint8))),
            "shape",
            id="count",
        ),
        pytest.param(lambda b: b[:-20], "not a whole gzip file", id="truncated"),
        pytest.param(
            lambda b: b[:40] + bytes([b[40] ^ 255]) + b[41:], "gzip|SHA-256", id="flipped"
        ),
    ],
)
def test_load_refuses_a_damaged_file(tmp_path, small, files, damage, message, monkeypatch):
    folder = write(tmp_path / "data", small)
    path = folder / f"{data.FILES[0].name}.gz"
    path.write_bytes(damage(path.read_bytes()))
    monkeypatch.setenv("MNIST_DIR", str(folder))
    with pytest.raises(data.DataError, match=message):
        data.load(files=files)


def test_download_falls_back_to_the_next_mirror_and_is_kept(mirror, files, monkeypatch):
    first = data.load(files=files)
    monkeypatch.setattr(data, "MIRRORS", ())
    assert np.array_equal(data.load(files=files).x_train, first.x_train)


def test_download_reports_its_progress(mirror, files):
    reports = []
    data.load(files=files, progress=lambda *now: reports.append(now))
    name, done, total = reports[-1]
    assert name == data.FILES[-1].name
    assert done == total == (mirror / f"{name}.gz").stat().st_size


def test_download_that_is_not_mnist_is_not_kept(mirror, files):
    (mirror / f"{data.FILES[2].name}.gz").write_bytes(gzip.compress(b"<html>"))
    with pytest.raises(data.DataError, match="starts with 3c68746d"):
        data.load(files=files)
    kept = sorted(path.name for path in data.cache().iterdir())
    assert kept == sorted(f"{file.name}.gz" for file in data.FILES[:2])


def test_load_goes_on_where_the_cache_cannot_be_written(
    mirror, files, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert data.load(files=files).y_train.shape == (6,)


def test_mnist_has_its_known_statistics(mnist):
    # Mean and deviation as published with every tutorial: 0.1307, 0.3081.
    pixels = data.scale(mnist.x_train)
    assert [round(float(value), 4) for value in (pixels.mean(), pixels.std())] == [
        0.1307,
        0.3081,
    ]
    assert np.bincount(mnist.y_test).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
