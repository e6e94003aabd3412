from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from service.errors import RequestError
from service.model import digits
from service.model.snapshot import VersionFiles
from service.model.version import Model
from service.pictures.decode import _UPRIGHT, JPEG, PNG, decode
from tests.picture_files import (
    CANVAS,
    GOOD,
    GOOD_JPEG,
    HOSTILE,
    LEGAL,
    TEN,
    animated,
    black_on_white,
    canvas,
    interlaced,
    palette,
    png,
    rotated,
    saved,
    with_checksums,
)

LIMIT = 1 << 24  # pixels
MEAN_GAP = 12  # grey levels


@pytest.fixture(scope="module")
def model(version_1):
    return Model.load(VersionFiles.read(version_1))


@pytest.fixture(scope="module")
def read_digits(model):
    """Decode pictures and predict their digits."""

    def read(contents):
        frames = np.stack([decode(content, LIMIT) for content in contents])
        return model.predict(frames.astype(np.float32) / 255).argmax(axis=1).tolist()

    return read


def gap(frame, number):
    """The mean difference from a digit's own frame, in grey levels.

    At the best of 3 × 3 places: the centre of mass goes to a whole pixel of the frame, so
    that a hair's breadth in the picture may move all of it by one.
    """
    expected = np.pad(digits.load().frames[number].reshape(28, 28).astype(int), 1)
    moved = [np.roll(expected, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return min(np.abs(frame.reshape(28, 28) - m[1:-1, 1:-1]).mean() for m in moved)


def test_mnist_comes_back(mnist):
    """99.9 % of the test images come back within one grey level."""
    same = [
        np.abs(decode(png(image.reshape(28, 28)), LIMIT) - image.astype(int)).max() <= 1
        for image in mnist.x_test
    ]
    assert np.mean(same) >= 0.999


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("white_ink", [False, True])
@pytest.mark.parametrize("side", [60, 84, 112, 196, 280])
def test_digit_reads_the_same_at_any_place_and_size(side, white_ink, alpha, read_digits):
    contents, labels = [], []
    for label, number in enumerate(TEN):
        for place in range(9):
            ink = canvas(number, side=side, row=place // 3, column=place % 3)
            level = np.rint(255 * ink).astype(np.uint8)
            if alpha:
                pen = np.full_like(level, 255 if white_ink else 0)
                content = png(np.dstack([pen, pen, pen, level]))
            else:
                content = png(level if white_ink else 255 - level)
            # The pen's edge is one pixel soft at any size, and a box ends on a whole one:
            # at 60 pixels that is half a pixel of the frame.
            assert gap(decode(content, LIMIT), number) <= MEAN_GAP, (label, place)
            contents.append(content)
            labels.append(label)
    assert read_digits(contents) == labels


@pytest.mark.parametrize("kind", LEGAL)
def test_legal_picture_reads_as_its_digit(kind, read_digits):
    contents = [LEGAL[kind](black_on_white(number)) for number in TEN]
    gaps = [gap(decode(c, LIMIT), n) for c, n in zip(contents, TEN)]
    assert max(gaps) <= MEAN_GAP
    assert read_digits(contents) == list(range(10))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(orientation):
    grey = black_on_white(TEN[7])
    turned = Image.fromarray(grey)
    if orientation > 1:
        back = {6: 8, 8: 6}.get(orientation, orientation)
        turned = turned.transpose(_UPRIGHT[back])
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(turned, exif=exif)
    assert np.array_equal(decode(content, LIMIT), decode(png(grey), LIMIT))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"x" * 99])
def test_broken_exif_is_no_matter(exif):
    content = saved(Image.fromarray(black_on_white(TEN[4])), "JPEG", exif=exif)
    assert gap(decode(content, LIMIT), TEN[4]) <= MEAN_GAP


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_picture_is_refused(kind):
    status, make = HOSTILE[kind]
    with pytest.raises(RequestError) as refusal:
        decode(make(), LIMIT, "image 5")
    assert refusal.value.status == status
    message = refusal.value.message
    assert message.startswith("image 5 ")
    assert ", expected " in message
    assert " 0x" not in message
    assert "Bytes" not in message


def test_too_large_picture_is_refused_with_its_size():
    with pytest.raises(RequestError, match=r"280 × 280 pixels, expected at most 78399 in"):
        decode(GOOD, CANVAS * CANVAS - 1)
    assert decode(GOOD, CANVAS * CANVAS).any()


@pytest.mark.parametrize("content", [GOOD, GOOD_JPEG], ids=["png", "jpeg"])
def test_picture_cut_short_is_refused(content):
    for end in range(10, len(content) - 1, 10):
        with pytest.raises(RequestError) as refusal:
            decode(content[:end], LIMIT)
        assert refusal.value.status == 400, end


@st.composite
def mutated(draw):
    """A good file with some bytes written over and perhaps its end cut off."""
    grey = Image.fromarray(black_on_white(TEN[3], side=40, size=48))
    content = bytearray(
        draw(
            st.sampled_from(
                [
                    saved(grey),
                    saved(grey.convert("RGBA")),
                    palette(np.asarray(grey), transparency=3),
                    interlaced(np.asarray(grey)),
                    animated(np.asarray(grey)),
                    rotated(np.asarray(grey)),
                    saved(grey, "JPEG", progressive=True),
                    saved(grey.convert("CMYK"), "JPEG"),
                ]
            )
        )
    )
    place = st.integers(0, len(content) - 1)
    for at, value in draw(st.lists(st.tuples(place, st.integers(0, 255)), max_size=6)):
        content[at] = value
    return bytes(content[: draw(st.one_of(st.none(), place))])


@given(mutated(), st.booleans())
def test_changed_bytes_raise_nothing_but_a_refusal(content, repaired):
    if repaired and content.startswith(PNG):
        content = with_checksums(content)
    with suppress(RequestError):
        frame = decode(content, LIMIT)
        assert (frame.shape, frame.dtype) == ((784,), np.uint8)


@given(st.binary(max_size=200), st.sampled_from([b"", PNG, JPEG]))
def test_random_bytes_are_refused(content, start):
    with pytest.raises(RequestError):
        decode(start + content, LIMIT)
