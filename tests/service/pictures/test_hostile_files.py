"""Files that are no pictures, or not only: each is refused, and told why."""

import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from service.errors import RequestError
from service.pictures.decode import (
    JPEG,
    PNG,
    decode,
)
from service.pictures.files import walk
from tests.support.picture_files import (
    CANVAS,
    GOOD,
    GOOD_JPEG,
    HOSTILE,
    TEN,
    animated,
    black_on_white,
    chunk,
    interlaced,
    palette,
    rotated,
    saved,
    with_checksums,
)

LIMIT = 1 << 24  # pixels


@pytest.mark.parametrize(
    ("start", "advice"),
    [
        (b"\0\0\0\x18ftypheic", "is a HEIC, as iPhones make it, expected PNG, JPEG, WebP"),
        (b"BM", "is a BMP, expected PNG, JPEG, WebP or GIF: save it as PNG"),
        (b"data:image/png;base64,", "is a data URL, expected PNG"),
        (b"hello", "begins with 68 65 6c 6c, expected PNG"),
    ],
)
def test_what_is_not_read_is_named_with_what_to_do(start, advice):
    with pytest.raises(RequestError) as caught:
        decode(start + bytes(20), LIMIT, "image 5")
    assert caught.value.status == 415
    assert caught.value.message.startswith(f"image 5 {advice}")


def test_what_pixels_do_not_need_is_never_parsed():
    """5,000 entries of EXIF that refer to the same 60 kB: 300 MB in Pillow's memory."""
    entries = b"".join(struct.pack(">HHII", n, 7, 60_000, 10) for n in range(5000))
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 5000) + entries
    content = saved(Image.fromarray(black_on_white(TEN[3])), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    assert walk(content[:2] + segment + content[2:], "x").content == content
    chunks = GOOD[:33] + chunk(b"eXIf", exif[6:]) + GOOD[33:]
    assert walk(chunks, "x").content == GOOD


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
                    saved(grey, "GIF"),
                    saved(grey, "WEBP"),
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


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", PNG, JPEG, b"GIF89a", b"RIFF\x99\0\0\0WEBP"]),
)
def test_random_bytes_are_refused(content, start):
    with pytest.raises(RequestError):
        decode(start + content, LIMIT)
