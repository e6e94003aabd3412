"""The modules of the pages by themselves: what they compute, and what a link can hold."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.model import digits
from tests.support import browser as driver
from training import reference

CODE = (Path(__file__).parent / "modules.js").read_text()
CELLS = 784
STEPS = 4095  # of a place, each way

place = st.integers(0, STEPS)
points = st.lists(st.tuples(place, place).map(list), min_size=1, max_size=40)
stroke = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["brush", "eraser"]),
        "width": st.integers(1, 36),
        "points": points,
    }
)
cell = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["ink", "paper"]),
        "width": st.just(0),
        "points": st.lists(st.tuples(place, place).map(list), min_size=1, max_size=1),
    }
)
levels = st.one_of(
    st.lists(st.integers(0, 255), min_size=CELLS, max_size=CELLS),
    # Long runs of zeros, as real frames have.
    st.lists(st.sampled_from([0] * 30 + [7, 255]), min_size=CELLS, max_size=CELLS),
)
frame = st.fixed_dictionaries({"kind": st.just("frame"), "levels": levels})
acts = st.lists(st.one_of(stroke, cell, frame), max_size=8)

quiet = settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def page(new_shared_page):
    page = new_shared_page()
    driver.open_page(page)
    return page


def run(page, code, argument=None):
    """Run code with the modules at hand; nothing inline is let through by the policy."""
    return page.evaluate(CODE, [code, argument])


@quiet
@given(acts)
def test_a_link_brings_every_act_back_in_letters_that_an_address_takes(page, acts):
    text, found = run(page, "roundTrip", acts)
    assert found == acts
    assert re.fullmatch("[A-Za-z0-9_-]*", text)


@quiet
@given(
    st.one_of(st.text(max_size=60), st.from_regex(r"[A-Za-z0-9_-]{0,80}", fullmatch=True))
)
def test_any_other_link_is_read_or_refused(page, text):
    assert run(page, "read", text) is not None


@quiet
@given(st.lists(stroke, min_size=1, max_size=4))
def test_strokes_of_one_pen_go_to_the_lesson_as_they_are(page, acts):
    found = run(page, "strokes", acts)
    plain = {(act["kind"], act["width"]) for act in acts}
    if len(plain) == 1 and acts[0]["kind"] == "brush":
        assert found == acts
    else:
        assert found is None


@pytest.mark.parametrize(("depth", "unit"), [(0, 17), (1, 42), (2, 3)])
@pytest.mark.parametrize("version", [1, 3])
def test_pixel_weights_are_the_gradient(page, root, version, depth, unit):
    """Of a unit's sum by each pixel: the chain rule in NumPy, with the file's weights."""
    layers = reference.read_layers(root / f"models/mnist/{version}/model.onnx")
    pixels = digits.load().frames[13].astype(np.float64) / 255
    values, gradient, sums = pixels, np.eye(CELLS), []
    for weights, biases in layers[: depth + 1]:
        sums.append(values @ weights + biases)
        gradient = gradient @ weights
        if len(sums) <= depth:
            gradient = gradient * (sums[-1] > 0)
        values = reference.relu(sums[-1])
    found_sums, found = run(page, "weights", [version, pixels.tolist(), depth, unit])
    np.testing.assert_allclose(found_sums[depth], sums[depth], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found, gradient[:, unit], rtol=1e-3, atol=1e-4)


def explain(service, version, frame):
    body = json.dumps({"instances": [frame.reshape(28, 28).tolist()]})
    return service.post(body.encode(), path=f"/explain?version={version}").json


@pytest.mark.parametrize("version", [1, 3])
def test_why_is_all_of_the_difference_between_two_logits(page, service, version):
    """What each pixel speaks, and the bias, add up to what the logits are apart."""
    for frame, other in zip(digits.load().frames[:10], [8, 7, 3, 5, 9, 6, 0, 1, 2, 4]):
        reply = explain(service, version, frame)
        digit = reply["predictions"][0]["digit"]
        sums = reply["layers"][-1]["sums"]
        weights, bias = run(page, "difference", [version, reply["layers"], digit, other])
        worths = np.array(weights) * frame.reshape(-1) / 255
        expected = sums[digit] - sums[other]
        assert worths.sum() + bias == pytest.approx(
            expected, abs=2e-4 * np.abs(worths).sum()
        )


@pytest.mark.parametrize("version", [1, 3])
def test_the_browser_computes_what_is_served(page, service, version):
    frame = digits.load().frames[8]
    served = explain(service, version, frame)["predictions"][0]["probabilities"]
    found = run(page, "forward", [version, (frame.reshape(-1) / 255).tolist()])
    np.testing.assert_allclose(found, served, atol=1e-5)


@pytest.mark.parametrize("version", [1, 3])
def test_a_fooled_server_gives_another_digit(page, service, version):
    for number in (3, 14, 27):
        frame = digits.load().frames[number].reshape(-1)
        found = run(page, "fewest", [version, frame.tolist()])
        changed = np.flatnonzero(np.array(found["frame"]) != frame)
        assert sorted(found["changed"]) == changed.tolist()
        assert 1 <= len(changed) <= 15
        before = explain(service, version, frame)["predictions"][0]["digit"]
        body = json.dumps({"instances": [found["frame"]]}).encode()
        reply = service.post(body, path=f"/predict?version={version}").json
        assert (
            reply["predictions"][0]["digit"] == found["digit"] != before == found["before"]
        )


def prediction(unsure=False, found=None, **probabilities):
    """An answer with these probabilities, such as d4=0.5, and nothing for the others."""
    shares = [probabilities.get(f"d{digit}", 0.0) for digit in range(10)]
    digit = shares.index(max(shares))
    return {"digit": digit, "probabilities": shares, "unsure": unsure, "found": found}


@pytest.mark.parametrize(
    ("answer", "pieces", "verdict", "remark"),
    [
        (prediction(d3=1.0), False, "A 3, almost certainly (over 99.99 %).", ""),
        (prediction(d8=0.9982), False, "An 8 (99.82 %).", ""),
        (prediction(d4=0.87, d9=0.12), False, "A 4 (87.00 %), or a 9 (12 %).", ""),
        (
            prediction(True, d4=0.58, d9=0.42),
            False,
            "Not sure: a 4 (58 %) or a 9 (42 %)?",
            "",
        ),
        (
            prediction(True, d2=0.24, d3=0.2),
            False,
            "Not sure. Perhaps a 2 (24 %).",
            "not be a digit",
        ),
        (prediction(d0=0.99), True, "A 0 (99.00 %).", "two digits"),
        (
            prediction(True, "several digits", d0=1.0),
            False,
            "Not sure. Perhaps a 0.",
            "two digits",
        ),
        (prediction(d7=0.78, d1=0.21), False, "A 7 (78.00 %), or a 1", "with a flag"),
        (prediction(d1=0.99, d7=0.001), False, "A 1 (99.00 %).", ""),
    ],
)
def test_an_answer_in_words(page, answer, pieces, verdict, remark):
    found, remarked = run(page, "said", [answer, pieces])
    assert verdict in found
    assert (remark in remarked) if remark else remarked == ""


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1, "over 99.99 %"),
        (0.99996, "over 99.99 %"),
        (0.9999, "99.99 %"),
        (0.5751, "57.51 %"),
    ],
)
def test_no_probability_is_written_as_100(page, share, text):
    assert run(page, "percent", share) == text


coordinate = st.floats(-2, 3, allow_nan=False)
point = st.tuples(coordinate, coordinate).map(list)


@quiet
@given(point, point)
def test_a_line_is_cut_to_what_is_inside(page, start, end):
    """Against a thousand points along it."""
    shares = np.linspace(0, 1, 1001)[:, None]
    along = np.array(start) + shares * (np.array(end) - np.array(start))
    inside = ((along >= 0) & (along <= 1)).all(axis=1)
    found = run(page, "clipped", [start, end])
    if found is None:
        assert not inside.any()
        return
    step = np.abs(np.array(end) - start).max() / 1000 + 1e-9
    assert (np.array(found) >= -1e-9).all()
    assert (np.array(found) <= 1 + 1e-9).all()
    if inside.any():
        np.testing.assert_allclose(found, along[inside][[0, -1]], atol=step)
