"""Images as integers in JSON: read as a parser of JSON reads them, or not at all."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.protocols import integers

# As json.dumps writes them, as JSON.stringify does, and other ways.
STYLES = [(", ", ": "), (",", ":"), (",", ": "), (" , ", ":"), (",  ", ":"), (",\n", ":")]
PLAIN = STYLES[:3]


def dump(images, style=PLAIN[0]):
    return json.dumps({"instances": images}, separators=style).encode()


@pytest.fixture(params=[0, integers.FEW])
def small(monkeypatch, request):
    """Images of three pixels: a change is likelier to matter. Few bodies, by both ways."""
    monkeypatch.setattr(integers, "PIXELS", 3)
    monkeypatch.setattr(integers, "FEW", request.param)


def check(bodies):
    """Compare with Python's own parser; return whether the bodies were read."""
    found = integers.read_integers(bodies, 4)
    if found is None:
        return False
    parsed = [json.loads(body) for body in bodies]
    assert all(list(body) == ["instances"] for body in parsed)
    images = [image for body in parsed for image in body["instances"]]
    assert found[0].tolist() == images
    assert all(type(pixel) is int for image in images for pixel in image)
    assert found[1] == [len(body["instances"]) for body in parsed]
    return True


def test_what_clients_write_is_read_alone_and_together(frames):
    bodies = [dump(part.tolist()) for part in np.split(frames, [1, 3, 4])]
    for some in ([bodies[0]], bodies, [*bodies, bytearray(bodies[1])]):
        pixels, counts = integers.read_integers(some, 26)
        assert pixels.dtype == np.uint8
        parsed = [json.loads(body)["instances"] for body in some]
        assert counts == [len(images) for images in parsed]
        assert pixels.tolist() == [image for images in parsed for image in images]


@pytest.mark.parametrize("style", STYLES)
def test_only_the_usual_separators_are_plain(frames, style):
    bodies = [dump(frames[:n].tolist(), style) for n in (2, 3)]
    assert [integers.read_integers([body], 9) is not None for body in bodies] == [
        style in PLAIN
    ] * 2


def test_every_integer_of_up_to_four_digits(small):
    for number in range(10_000):
        for text in {f"{number}", f"0{number}", f"{number:04}"}:
            body = b'{"instances": [[7, %b, 1]]}' % text.encode()
            assert (integers.read_integers([body], 1) is not None) == (
                text == str(number) and number < 256
            )


def test_more_images_than_the_limit_are_not_read(frames):
    bodies = [dump(frames[:2].tolist()), dump(frames[:3].tolist())]
    assert integers.read_integers(bodies, 3) is not None
    assert integers.read_integers(bodies, 2) is None


MARKS = [bytes([byte]) for byte in b'0129, []{}":-.e\n'] + [
    b", ",
    b"],[",
    b"], [",
    b"]]}",
    b"true",
    b"",
]
ways = st.sampled_from([0, integers.FEW])
edits = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 3), st.sampled_from(MARKS)), max_size=3
)
pixel = st.sampled_from([0, 1, 7, 10, 99, 100, 199, 200, 255, 256, 300, 1000])
image = st.lists(pixel, min_size=3, max_size=3)


@settings(max_examples=1500)
@given(
    st.lists(
        st.tuples(st.lists(image, min_size=1, max_size=3), st.sampled_from(PLAIN), edits),
        min_size=1,
        max_size=3,
    ),
    ways,
)
def test_what_is_read_is_what_a_parser_reads(bodies, few):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(integers, "PIXELS", 3)
        patch.setattr(integers, "FEW", few)
        changed = []
        for images, style, changes in bodies:
            body = dump(images, style)
            for place, length, mark in changes:
                place %= len(body) + 1
                body = body[:place] + mark + body[place + length :]
            changed.append(body)
        check(changed)


@settings(max_examples=1000)
@given(
    st.lists(
        st.sampled_from([b"1", b"0", b",", b" ", b"[", b"]", b"], [", b"],["]), max_size=14
    ),
    ways,
)
def test_what_is_read_of_any_text_between_the_brackets(parts, few):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(integers, "PIXELS", 2)
        patch.setattr(integers, "FEW", few)
        check([b'{"instances":[[%b]]}' % b"".join(parts)])


def test_every_change_of_one_byte(small):
    for style in PLAIN[:2]:
        body = dump([[0, 12, 255], [7, 0, 100]], style)
        assert check([body])
        for place in range(len(body) + 1):
            for mark in MARKS:
                for length in (0, 1, 2):
                    check([body[:place] + mark + body[place + length :]])
                    check([body, body[:place] + mark + body[place + length :], body])
