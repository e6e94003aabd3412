import base64
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from training import calibration
from training.report import chart, tile


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_few_round_and_around_the_range(low, span):
    ticks = chart.nice_ticks(low, low + span)
    assert 2 <= len(ticks) <= 6
    # A hair of a step, and what float64 itself rounds off at this size.
    slack = 1e-6 * (ticks[1] - ticks[0]) + 4 * np.spacing(abs(low) + span)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + span - slack


def test_ticks_of_one_value():
    assert chart.nice_ticks(0.0, 0.0)[0] == 0
    assert len(chart.nice_ticks(1.0, 1.0)) >= 2


def points(svg):
    root = ElementTree.fromstring(svg)
    return [
        [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
        for line in root.iter("polyline")
    ]


def test_curves_go_from_left_to_right_and_up_with_the_values():
    first, second = points(chart.curves("loss", [("a", [3, 2, 1]), ("b", [1, 2, 3])]))
    for line in (first, second):
        assert [x for x, _ in line] == sorted(x for x, _ in line)
    assert [y for _, y in first] == sorted(y for _, y in first)  # down: y grows
    assert [y for _, y in second] == sorted((y for _, y in second), reverse=True)
    assert all(0 <= x <= chart.WIDTH and 0 <= y <= chart.HEIGHT for x, y in first)


def test_curves_of_one_epoch_can_be_drawn():
    assert points(chart.curves("loss", [("training", [0.5])]))


def test_reliability_has_a_bar_for_each_bin_with_images():
    bins = calibration.equal_width(np.array([0.3, 0.92, 0.95]), np.ones(3, bool), 10)
    root = ElementTree.fromstring(chart.reliability(bins))
    assert len(list(root.iter("rect"))) == 2


def test_dots_say_both_numbers_of_each_row():
    svg = chart.dots([("noise", 0.9, 0.95), ("scale", 0.8, 0.99)], ("straight", "pictures"))
    root = ElementTree.fromstring(svg)
    assert len(list(root.iter("circle"))) == 2 * 2 + 2  # and the key


def opened(address):
    kind, _, content = address.partition(",")
    assert kind == "data:image/png;base64"
    return Image.open(BytesIO(base64.b64decode(content)))


def test_a_digits_tile_is_the_image(noise):
    assert np.array_equal(np.asarray(opened(tile.digit(noise[0]))).reshape(-1), noise[0])


@pytest.mark.parametrize(
    ("weight", "colour"), [(1, "red"), (-1, "blue"), (0, "white")], ids=str
)
def test_a_weights_colour_is_its_sign(weight, colour):
    values = np.zeros(784)
    values[0], values[1] = weight, 1  # the second keeps the scale
    r, g, b = opened(tile.weights(values)).convert("RGB").getpixel((0, 0))
    found = "red" if r > b + 50 else "blue" if b > r + 50 else "white"
    assert found == colour


def test_weights_of_nothing_are_white():
    picture = opened(tile.weights(np.zeros(784))).convert("RGB")
    assert picture.getpixel((5, 5)) == (247, 247, 247)
