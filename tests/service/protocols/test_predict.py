"""The dialect of /predict, with plain bytes and arrays."""

import base64
import contextlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service.errors import RequestError
from service.model import digits
from service.protocols import (
    Limits,
    blanks,
    instances,
    predict,
    scale,
)
from tests.service.protocols.predicting import JSON, RAW, decode, decode_all, dump, image
from tests.support.picture_files import png

images = arrays.arrays(np.uint8, st.tuples(st.integers(1, 5), st.just(784))).map(
    # Every drawn image gets ink and paper, or it would rightly be refused.
    lambda pixels: np.concatenate([[[0, 255]] * len(pixels), pixels[:, 2:]], axis=1)
)
PICTURE = png(digits.load().frames[7].reshape(28, 28))
SEVEN = base64.b64encode(PICTURE).decode()


@given(images)
def test_every_form_of_the_same_pixels_gives_the_same_images(pixels):
    expected = pixels.astype(np.float32) / np.float32(255)
    forms = [
        (dump(pixels.tolist()), JSON),
        (dump(pixels.reshape(-1, 28, 28).tolist()), JSON),
        (dump(pixels.astype(float).tolist()), JSON),
        (dump((pixels / 255).tolist()), JSON),
        (pixels.astype(np.uint8).tobytes(), RAW),
    ]
    for body, content_type in forms:
        found = scale(decode(body, content_type).pixels)
        assert found.dtype == np.float32
        assert np.array_equal(found, expected)


def test_a_request_whose_largest_pixel_is_1_is_on_the_scale_of_0_to_1():
    images = [[0, 1] * 392, [0, 0.5] * 392]
    assert scale(decode(dump(images)).pixels).max(axis=1).tolist() == [1, 0.5]


def test_all_others_are_on_the_scale_of_0_to_255():
    images = [[0, 255] * 392, [0, 20.5] * 392, [0] * 784]
    found = scale(decode(dump(images)).pixels).max(axis=1)
    assert found.tolist() == [1, np.float32(20.5) / np.float32(255), 0]


@pytest.mark.parametrize("largest", [1.0000001, 1.1, 2.5, 15.5])
def test_fractions_and_a_largest_pixel_just_above_1_are_ambiguous(largest):
    with pytest.raises(RequestError, match=f"image 0 is {largest}, expected at most 1"):
        decode(dump([[0, 0.5] * 391 + [0, largest]]))


@pytest.mark.parametrize("other", [1, 0.9, 1.1])
def test_two_scales_in_one_request_are_refused(other):
    for images in ([[0, 255] * 392, [0, other] * 392], [{"b64": SEVEN}, [0, 255] * 392]):
        images += [[0, other] * 392]
        place = 1 if isinstance(images[0], list) else 2
        with pytest.raises(RequestError, match=f"image {place} is {other}") as caught:
            decode(dump(images))
        assert caught.value.status == 422


def test_a_picture_says_nothing_of_the_scale_of_numbers():
    found = decode(dump([[0, 1] * 392, {"b64": SEVEN}])).pixels
    assert found.max(axis=1).tolist() == [1, 1]


def test_forms_may_be_mixed_in_one_request():
    flat = [0, 255] * 392
    nested = np.reshape(flat, (28, 28)).tolist()
    assert len(decode(dump([flat, nested, [x + 0.0 for x in flat]])).pixels) == 3


@pytest.mark.parametrize(
    ("pixels", "blank"),
    [
        (np.uint8([0, 1] * 392), True),
        (np.uint8([0, 15] * 392), True),
        (np.uint8([0, 16] * 392), False),
        (np.uint8([16, 0] * 392), False),
        (np.uint8([255, 240] * 392), True),
        (np.float32([0, 15] * 392) / np.float32(255), True),
        (np.float32([0, 16] * 392) / np.float32(255), False),
    ],
)
def test_ink_is_16_grey_levels_by_every_way(pixels, blank):
    assert (blanks(pixels[None]) is not None) == blank


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        pytest.param(b"", 400, "body is not JSON (Input data was truncated)", id="empty"),
        pytest.param(b"{", 400, "body is not JSON", id="truncated"),
        pytest.param(b"\xff\xfe", 400, "body is not JSON", id="binary"),
        pytest.param(dump([image()]) + b"x", 400, "trailing characters", id="trailing"),
        pytest.param(
            dump([image()]).decode().encode("utf-16"), 400, "not JSON", id="utf-16"
        ),
        pytest.param(dump([image(float("nan"))]), 400, "body is not JSON", id="nan"),
        pytest.param(dump([image(float("inf"))]), 400, "body is not JSON", id="infinity"),
        pytest.param(b"null", 400, "Expected object, got null", id="null"),
        pytest.param(b"[]", 400, "found a list of 0 numbers, expected {", id="array"),
        pytest.param(b"{}", 400, "missing required field instances", id="no-instances"),
        pytest.param(b'{"instances": 5}', 400, "Expected array, got int", id="number"),
        pytest.param(
            b'{"instances": [], "pixels": []}',
            400,
            "unknown field pixels",
            id="unknown-key",
        ),
        pytest.param(b"[" * 100_000, 400, "found a list, expected {", id="nested"),
        pytest.param(
            b'{"instances": ' + b"[" * 100_000, 422, "got array", id="nested-instances"
        ),
        pytest.param(dump([]), 422, "found 0 images, expected 1 to 1024", id="none"),
        pytest.param(
            dump([5]), 422, "found a number at $.instances[0], expected a list", id="int"
        ),
        pytest.param(dump([[]]), 422, "image 0 has 0 numbers, expected 784", id="hollow"),
        pytest.param(
            dump([image(count=783)]), 422, "image 0 has 783 numbers, expected 784", id="783"
        ),
        pytest.param(
            dump([image(), [*image(), 0]]), 422, "image 1 has 785 numbers", id="785"
        ),
        pytest.param(
            dump([[[0] * 28] * 27 + [[0] * 27]]), 422, "28 rows, of 27 and 28", id="ragged"
        ),
        pytest.param(
            dump([[[0] * 28] * 26 + [[0] * 27, [0] * 29]]),
            422,
            "28 rows, of 27 and 28 and 29",
            id="ragged-784",
        ),
        pytest.param(
            dump([[28] * 28]), 422, "image 0 has 28 numbers, expected 784", id="28-numbers"
        ),
        pytest.param(
            dump([image([1])]), 422, "784 rows, of 1 and single numbers", id="mixed"
        ),
        pytest.param(
            dump([image("7")]), 422, "got str - at $.instances[0][5]", id="string"
        ),
        pytest.param(
            dump([image(True)]), 422, "got bool - at $.instances[0][5]", id="true"
        ),
        pytest.param(
            dump([image(None)]), 422, "got null - at $.instances[0][5]", id="null-pixel"
        ),
        pytest.param(dump([image({})]), 422, "got object", id="object"),
        pytest.param(
            dump([image(256)]),
            422,
            "pixel 5 of image 0 is 256, expected a number",
            id="256",
        ),
        pytest.param(dump([image(-1)]), 422, "pixel 5 of image 0 is -1, expected", id="-1"),
        pytest.param(dump([image(255.5)]), 422, "pixel 5 of image 0 is 255.5", id="255.5"),
        pytest.param(
            dump([image(10**400)]), 422, "pixel 5 of image 0 is 1000", id="400-digits"
        ),
        pytest.param(dump([image(2**64)]), 422, "pixel 5 of image 0 is 18446", id="2^64"),
        pytest.param(
            dump([image()]).replace(b" 7,", b" 1e400,"), 422, "out of range", id="1e400"
        ),
        pytest.param(dump([image()] * 1025), 413, "found 1025 images", id="1025"),
    ],
)
def test_json_that_is_no_request_is_refused(body, status, message):
    with pytest.raises(RequestError) as caught:
        decode(body)
    assert caught.value.status == status
    assert message in caught.value.message
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        pytest.param(b"", 422, "found 0 images, expected 1 to 2", id="empty"),
        pytest.param(
            bytes(783), 400, "has 783 bytes, expected a multiple of 784", id="783"
        ),
        pytest.param(bytes(784 * 3), 413, "found 3 images, expected at most 2", id="3"),
    ],
)
def test_raw_bytes_that_are_no_request_are_refused(body, status, message):
    with pytest.raises(RequestError) as caught:
        decode(body, RAW, max_images=2)
    assert (caught.value.status, message in caught.value.message) == (status, True)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=30)
        | st.dictionaries(st.just("instances") | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=60,
)


@given(
    st.binary() | json_values.map(lambda v: json.dumps(v).encode()) | json_values.map(dump),
    st.sampled_from([JSON, RAW]),
)
def test_decode_raises_nothing_but_request_error(body, content_type):
    with contextlib.suppress(RequestError):
        decode(body, content_type)


@pytest.mark.parametrize(
    "write", [base64.encodebytes, lambda x: base64.b64encode(x) + b"\n"]
)
def test_base64_may_have_line_breaks(write):
    text = write(base64.b64decode(SEVEN)).decode()
    for broken in (text, text.replace("\n", "\r\n"), "data:image/png;base64," + text):
        found = decode(dump([{"b64": broken}])).pixels
        assert np.array_equal(found, decode(dump([{"b64": SEVEN}])).pixels)


def test_bodies_of_one_head_are_decoded_each_for_itself():
    whole, part, fractions = [[0, 255] * 392], [[0, 255]], [[0, 0.5] * 392]
    for bodies, content_type in (
        ([dump(whole), dump(part), dump(whole * 2), dump(fractions)], JSON),
        ([b"\0\xff" * 392, b"\0", b"\0\xff" * 784, b""], RAW),
    ):
        found = decode_all(bodies, {"content-type": content_type})
        alone = [decode_all([body], {"content-type": content_type}) for body in bodies]
        places = [place for place, one in enumerate(alone) if one.counts]
        assert found.counts == [alone[place].counts[0] for place in places]
        assert {p: str(e) for p, e in found.refused.items()} == {
            place: str(one.refused[0]) for place, one in enumerate(alone) if one.refused
        }
        expected = np.concatenate([scale(alone[place].pixels) for place in places])
        assert np.array_equal(scale(found.pixels), expected)


number = st.one_of(st.integers(0, 255), st.integers(-1, 300), st.floats(0, 1))
odd = st.sampled_from([True, None, "x", [], [1], {}, 1e400, 2**64, -0.0, {"b64": "x"}])


@settings(max_examples=300)
@given(
    st.lists(
        st.one_of(
            # From bytes, which are drawn at once: 784 numbers one by one take a while.
            st.binary(min_size=784, max_size=784).map(list),
            st.binary(min_size=783, max_size=785).map(lambda b: [byte & 1 for byte in b]),
        ),
        max_size=3,
    ),
    st.lists(st.tuples(st.integers(0, 800), st.one_of(number, odd)), max_size=2),
    st.sampled_from([b"%b", b" %b ", b"\xef\xbb\xbf%b", b"%b x", b"[%b]", b"\0%b"]),
)
def test_plain_json_is_read_as_all_other_json_is(images, changes, form):
    for position, value in changes:
        if images and position < len(images[0]):
            images[0][position] = value
    body = form % json.dumps({"instances": images}).encode()
    plain = instances.read_integer_images([body], Limits())
    if plain is not None:
        parsed = instances.decode_instances(predict._decoder, body, predict.EXPECTED, 1024)
        assert np.array_equal(
            scale(plain[0]), instances.read_instances(parsed.instances, Limits()).pixels
        )
        assert plain[1] == [len(images)]


def test_plain_json_is_read_the_plain_way(frames):
    bodies = [dump(part.tolist()) for part in np.split(frames, [1, 3])]
    pixels, counts = instances.read_integer_images(bodies, Limits())
    assert np.array_equal(pixels, frames)
    assert counts == [1, 2, 27]
