"""The modules of the pages by themselves: what they compute, and what a link can hold."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.model import digits
from tests.support import browser as driver
from training import reference

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
    return page.evaluate(
        """async ([code, argument]) => {
            const drawing = await import("/static/drawing.js");
            const network = await import("/static/network.js");
            const { decodeFloat16 } = await import("/static/float16.js");
            const steps = {
                roundTrip(acts) {
                    const before = Object.assign(new drawing.Drawing(), { acts });
                    const text = drawing.encode(before);
                    return [text, drawing.decode(text)];
                },
                strokes(acts) {
                    const found = drawing.toStrokes(acts);
                    return found && drawing.fromStrokes(found.strokes, found.pen);
                },
                read(text) {
                    try {
                        return drawing.decode(text).length;
                    } catch (error) {
                        return error instanceof Error ? -1 : null;
                    }
                },
                halves(levels) {
                    const { buffer } = Uint16Array.from(levels);
                    return Array.from(decodeFloat16(buffer), String);
                },
                async half(version) {
                    const whole = await network.fetchLayers(version);
                    const half = await network.fetchLayers(version, "float16");
                    const apart = (a, b) =>
                        a.reduce((most, it, i) => Math.max(most, Math.abs(it - b[i])), 0);
                    return half.map(({ kernel, biases }, i) => [
                        apart(kernel, whole[i].kernel),
                        apart(biases, whole[i].biases),
                    ]);
                },
                async weights([version, pixels, depth, unit]) {
                    const layers = await network.fetchLayers(version);
                    const outcomes = network.forward(layers, pixels);
                    return [
                        outcomes.map(({ sums }) => Array.from(sums)),
                        Array.from(network.pixelWeights(layers, outcomes, depth, unit)),
                    ];
                },
            };
            return steps[code](argument);
        }""",
        [code, argument],
    )


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
@pytest.mark.parametrize("version", [1, 2])
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


def test_every_number_of_half_precision_is_decoded_exactly(page):
    every = np.arange(1 << 16, dtype="<u2")
    found = np.array(run(page, "halves", every.tolist()), np.float64)
    np.testing.assert_array_equal(found, every.view("<f2"))  # and NaN where NaN


@pytest.mark.parametrize("version", [1, 2])
def test_layers_in_half_precision_are_the_same_but_for_rounding(page, version):
    # Weights are below 2, where neighbours are 2 ** -10 apart.
    assert np.max(run(page, "half", version)) <= 2**-11
