"""Data of one's own: IDX files in MNIST's form, and a folder of pictures per label."""

import gzip
import hashlib

import numpy as np
import pytest
from PIL import Image

from service.pictures.decode import decode
from training import data, own
from training.dataset import FILES
from training.errors import DataError


@pytest.fixture
def arrays():
    rng = np.random.default_rng(3)
    images = [rng.integers(0, 256, (n, 28, 28), dtype=np.uint8) for n in (6, 4)]
    labels = [rng.integers(0, 10, n, dtype=np.uint8) for n in (6, 4)]
    return [images[0], labels[0], images[1], labels[1]]


def test_idx_files_of_any_length_are_taken_with_a_note(write_idx, tmp_path, arrays, caplog):
    write_idx(tmp_path, arrays)
    found = data.read(tmp_path)
    assert (found.name, found.labels) == ("IDX files", tuple("0123456789"))
    assert np.array_equal(found.arrays.x_train, arrays[0].reshape(6, 784))
    assert np.array_equal(found.arrays.y_test, arrays[3])
    assert "not those of MNIST or Fashion-MNIST" in caplog.text
    content = (tmp_path / FILES[3].name).read_bytes()
    assert found.files[FILES[3].name] == hashlib.sha256(content).hexdigest()


def test_fashion_mnist_is_known_by_its_digests(
    write_idx, tmp_path, arrays, monkeypatch, caplog
):
    write_idx(tmp_path, arrays)
    digests = tuple(
        hashlib.sha256((tmp_path / file.name).read_bytes()).hexdigest() for file in FILES
    )
    clothes = own.KNOWN["Fashion-MNIST"][0]
    monkeypatch.setitem(own.KNOWN, "Fashion-MNIST", (clothes, digests))
    found = data.read(tmp_path)
    assert found.name == "Fashion-MNIST"
    assert found.labels[0] == "T-shirt/top"
    assert not caplog.text


def test_folder_that_is_named_is_the_only_one(write_idx, tmp_path, arrays, monkeypatch):
    write_idx(tmp_path, arrays)
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    with pytest.raises(DataError, match="other has no data, expected the files train-"):
        data.read(tmp_path / "other")


def test_file_that_is_missing_is_named(write_idx, tmp_path, arrays):
    write_idx(tmp_path, arrays)
    (tmp_path / FILES[1].name).unlink()
    with pytest.raises(DataError, match="train-labels-idx1-ubyte: No such file"):
        data.read(tmp_path)


def test_one_other_file_beside_mnists_is_refused(write_idx, tmp_path, arrays, mnist):
    write_idx(tmp_path, arrays)
    labels = FILES[3].name
    content = gzip.compress(b"\0\0\x08\x01\0\0\x27\x10" + mnist.y_test.tobytes())
    (tmp_path / labels).unlink()
    (tmp_path / f"{labels}.gz").write_bytes(content)
    with pytest.raises(DataError, match="expected .* beside other files of MNIST"):
        data.read(tmp_path)


@pytest.mark.parametrize(
    ("index", "array", "message"),
    [
        (0, np.zeros((6, 32, 32), np.uint8), r"train images have the shape \(6, 32, 32\)"),
        (3, np.zeros(5, np.uint8), r"their labels \(5,\), expected \(n, 28, 28\)"),
        (3, np.full(4, 10, np.uint8), "test labels go up to 10, expected 0 to 9"),
    ],
)
def test_shapes_and_labels_that_do_not_fit_are_refused(
    write_idx, tmp_path, arrays, index, array, message
):
    arrays[index] = array
    write_idx(tmp_path, arrays)
    with pytest.raises(DataError, match=message):
        data.read(tmp_path)


def draw(path, label):
    """Write a drawing of one bar, the higher the label the more it leans."""
    picture = np.zeros((60, 40), np.uint8)
    rows = np.arange(8, 52)
    for width in range(6):
        picture[rows, 8 + width + (rows - 8) * label // 20] = 255
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(255 - picture).save(path)


@pytest.fixture
def pictures(tmp_path):
    """Nine pictures of each label, black on white."""
    for label in range(10):
        for number in range(9):
            draw(tmp_path / str(label) / f"{number}.png", label)
    return tmp_path


def test_pictures_pass_through_the_services_frame(pictures):
    found = data.read(pictures)
    assert found.arrays.x_train.shape == (70, 784)
    assert found.arrays.x_test.shape == (20, 784)  # the second and the ninth of nine
    content = (pictures / "4" / "1.png").read_bytes()
    frame = decode(content, 60 * 40)
    index = np.flatnonzero(found.arrays.y_test == 4)[0]
    assert np.array_equal(found.arrays.x_test[index], frame)
    assert frame.max() == 255
    assert frame.reshape(28, 28)[:4].max() == 0  # MNIST's frame: 20 of 28 rows


def test_pictures_of_every_label_are_among_the_last(pictures):
    labels = data.read(pictures).arrays.y_train
    assert len(set(labels[-30:])) == 10


def test_another_picture_is_another_digest(pictures):
    before = data.read(pictures).files
    draw(pictures / "0" / "0.png", 9)
    after = data.read(pictures).files
    assert list(before) == list(after) == ["90 pictures in 0 to 9"]
    assert before != after


def test_label_without_pictures_is_refused(pictures):
    for path in (pictures / "7").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="7 has 0 PNG or JPEG pictures that can be used"):
        data.read(pictures)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"\x89PNG\r\n\x1a\n", "damaged"), (None, "has no ink")],
    ids=["empty", "damaged", "blank"],
)
def test_picture_that_the_service_refuses_is_left_out_with_a_note(
    pictures, caplog, content, reason
):
    path = pictures / "5" / "3.png"
    if content is None:
        Image.new("L", (30, 30), 255).save(path)
    else:
        path.write_bytes(content)
    assert list(data.read(pictures).files) == ["89 pictures in 0 to 9"]
    assert f"note: 1 of 90 pictures are left out: {path}" in caplog.text
    assert reason in caplog.text
