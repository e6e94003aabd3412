import zlib

import numpy as np
import pytest
from PIL import Image

from service.errors import RequestError
from service.model import digits
from service.model.snapshot import VersionFiles
from service.model.version import Model
from service.pictures import decode as decoding
from service.pictures import strips
from service.pictures.decode import (
    _UPRIGHT,
    SCAN,
    Budget,
    decode,
    decode_digits,
    read,
)
from tests.support.picture_bombs import scan_bomb
from tests.support.picture_files import (
    GOOD,
    GOOD_JPEG,
    LEGAL,
    TEN,
    black_on_white,
    canvas,
    chunk,
    header,
    png,
    png_of,
    saved,
    uneven,
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
    """As it does from `frame`, with which all of the test set is tried."""
    images = np.random.default_rng(1).choice(mnist.x_test, 1000, replace=False)
    same = [
        np.abs(decode(png(image.reshape(28, 28)), LIMIT) - image.astype(int)).max() <= 1
        for image in images
    ]
    assert np.mean(same) >= 0.999


@pytest.mark.parametrize("side", [60, 84, 112, 196, 280])
def test_digit_reads_the_same_at_any_place_and_size(side, read_digits):
    """In ink of either colour, on paper or on nothing: each digit in three of four ways."""
    contents, labels = [], []
    for label, number in enumerate(TEN):
        for row in range(3):  # each digit at three of nine places, all of which are used
            column = (row + label) % 3
            white_ink, alpha = divmod((row + label) % 4, 2)
            ink = canvas(number, side=side, row=row, column=column)
            level = np.rint(255 * ink).astype(np.uint8)
            if alpha:
                pen = np.full_like(level, 255 if white_ink else 0)
                content = png(np.dstack([pen, pen, pen, level]))
            else:
                content = png(level if white_ink else 255 - level)
            # The pen's edge is one pixel soft at any size, and a box ends on a whole one:
            # at 60 pixels that is half a pixel of the frame.
            assert gap(decode(content, LIMIT), number) <= MEAN_GAP, (label, row)
            contents.append(content)
            labels.append(label)
    assert read_digits(contents) == labels


@pytest.mark.parametrize("kind", LEGAL)
def test_legal_picture_reads_as_its_digit(kind, read_digits):
    contents = [LEGAL[kind](black_on_white(number)) for number in TEN]
    gaps = [gap(decode(c, LIMIT), n) for c, n in zip(contents, TEN)]
    assert max(gaps) <= MEAN_GAP
    assert read_digits(contents) == list(range(10))


def test_two_digits_are_said_to_be_several():
    left, right = canvas(TEN[3], side=90, column=0), canvas(TEN[4], side=90, column=2)
    pair = png(np.rint(255 * np.maximum(left, right)))
    assert decode_digits(pair, LIMIT).several
    assert not decode_digits(GOOD, LIMIT).several


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


def with_speck(grey, level, at=(0, 0), size=1):
    grey = grey.copy()
    grey[at[0] : at[0] + size, at[1] : at[1] + size] = level
    return grey


@pytest.mark.parametrize("white_ink", [False, True])
@pytest.mark.parametrize("level", [254, 240, 128, 0])
@pytest.mark.parametrize("at", [(0, 0), (3, 277), (279, 140)])
def test_one_pixel_does_not_move_the_digit(level, at, white_ink):
    for number in TEN[::3]:
        grey = black_on_white(number, side=120)
        specked = with_speck(grey, level, at)
        if white_ink:
            grey, specked = 255 - grey, 255 - specked
        found = decode(png(specked), LIMIT).astype(int)
        assert np.abs(found - decode(png(grey), LIMIT)).max() <= 2


def test_faint_specks_of_small_pictures_do_not_move_the_digit_either():
    grey = black_on_white(TEN[3], side=40, size=84)
    found = decode(png(with_speck(grey, 254)), LIMIT).astype(int)
    assert np.abs(found - decode(png(grey), LIMIT)).max() <= 2


def test_a_dotted_digit_keeps_its_dots():
    grey = np.full((200, 200), 255, np.uint8)
    grey[40:160:8, 100] = 0
    assert decode(png(grey), LIMIT).any()


def test_bytes_behind_the_end_of_a_jpeg_are_no_part_of_it():
    """Phones put a short film there, whose bytes may look like markers."""
    behind = SCAN * 1000 + np.random.default_rng(1).bytes(2_000_000) + GOOD_JPEG
    assert np.array_equal(decode(GOOD_JPEG + behind, LIMIT), decode(GOOD_JPEG, LIMIT))


def test_scans_are_those_of_the_picture_and_not_of_its_thumbnail():
    exif = Image.Exif()
    exif[0x010E] = (SCAN * 500).decode("latin-1")
    content = saved(Image.fromarray(black_on_white(TEN[3])), "JPEG", exif=exif)
    assert decode(content, LIMIT).any()


def test_jpegs_of_rare_codings_are_refused():
    """Arithmetic decoding takes many times as long; Pillow writes none."""
    for marker in b"\xc3\xc9\xca\xcb":
        content = GOOD_JPEG.replace(b"\xff\xc0", bytes([0xFF, marker]))
        with pytest.raises(
            RequestError, match="neither baseline nor progressive"
        ) as caught:
            decode(content, LIMIT)
        assert caught.value.status == 415


def test_a_request_has_a_budget_for_all_its_pictures():
    budget = Budget(1 << 22)
    statuses = []
    for _ in range(20):
        with pytest.raises(RequestError) as caught:
            decode(scan_bomb(1, components=1), budget, "image 99")
        statuses.append(caught.value.status)
    first = statuses.index(413)
    assert 0 < first < 20
    assert statuses == [422] * first + [413] * (20 - first)
    assert caught.value.message.startswith("image 99 takes more work than is left")


def test_a_thousand_small_pictures_are_within_it():
    budget = Budget(1 << 22)
    content = png(digits.load().frames[3].reshape(28, 28))
    for _ in range(1024):
        decode(content, budget)


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "CMYK"])
def test_one_picture_of_the_largest_size_is_within_it(mode):
    grey = np.kron(uneven(black_on_white(TEN[3])), np.ones((11, 11), np.uint8))
    picture = Image.fromarray(grey).convert(mode)
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert decode(saved(picture, kind, compress_level=1), Budget(grey.size)).any()


def test_pictures_that_are_decoded_at_once_are_bounded_by_memory(monkeypatch):
    monkeypatch.setattr(decoding, "MOST_MEMORY", 1 << 16)
    grey = Image.fromarray(black_on_white(TEN[3]))
    for content in (saved(grey, "JPEG", progressive=True), saved(grey, "WEBP")):
        with pytest.raises(
            RequestError, match="decoded at once, expected at most"
        ) as caught:
            decode(content, LIMIT)
        assert caught.value.status == 413
    assert decode(GOOD_JPEG, LIMIT).any()


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("side", [40, 563, 1130])
def test_strips_of_a_png_are_the_whole(mode, side, monkeypatch):
    """To the bit, for every filter: the sizes end within a strip, and within a block."""
    grey = np.random.default_rng(3).integers(0, 256, (side, side + 9, 3), dtype=np.uint8)
    content = saved(Image.fromarray(grey).convert("RGB").convert(mode))
    whole = read(content, Budget(LIMIT))
    monkeypatch.setattr(strips, "LARGE", 0)
    monkeypatch.setattr(strips, "STRIP", 5000)
    parts = read(content, Budget(LIMIT))
    assert parts.mode == whole.mode
    assert np.array_equal(np.asarray(parts), np.asarray(whole))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_strips_that_are_missing_are_noticed(share, monkeypatch):
    monkeypatch.setattr(strips, "LARGE", 0)
    rows = zlib.compress(bytes(281) * round(share * 280))
    with pytest.raises(RequestError, match="damaged or cut short"):
        decode(png_of(header(280, 280), chunk(b"IDAT", rows)), LIMIT)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"x" * 99])
def test_broken_exif_is_no_matter(exif):
    content = saved(Image.fromarray(black_on_white(TEN[4])), "JPEG", exif=exif)
    assert gap(decode(content, LIMIT), TEN[4]) <= MEAN_GAP
