"""The lesson's neurons and layers: what they say is what NumPy and the models say."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.lesson import VERSIONS, numbers, part, set_controls, text
from training import reference

OPENS = ("neuron", "activations", "layers")


def through(layers, image):
    """The sums and outputs of the layers, in float64, without the softmax of the last."""
    outcomes = []
    for weights, biases in layers:
        sums = image @ weights.astype(np.float64) + biases
        image = reference.relu(sums)
        outcomes.append((sums, image))
    return outcomes


# 1. A neuron


def test_the_neuron_is_the_lessons_at_the_start_and_after_a_reset(learn):
    set_controls(learn, "toy", weight1=-1, activation="relu")
    learn.get_by_role("button", name="Back to the start").click()
    expect(part(learn, "toy", "output")).to_have_text("0.6548")
    assert text(learn, "toy", "sum") == "0.64"


@pytest.mark.parametrize(
    ("activation", "apply"),
    [("sigmoid", reference.sigmoid), ("relu", reference.relu), ("none", float)],
)
def test_the_neuron_computes_what_its_sliders_say(learn, activation, apply):
    random = np.random.default_rng(len(activation))
    inputs = random.integers(0, 21, 3) / 20
    weights, (bias,) = random.integers(-40, 41, 3) / 20, random.integers(-40, 41, 1) / 20
    sliders = {f"input{i}": value for i, value in enumerate(inputs)}
    sliders |= {f"weight{i}": value for i, value in enumerate(weights)}
    set_controls(learn, "toy", **sliders, bias=bias, activation=activation)
    z = inputs @ weights + bias
    assert numbers(text(learn, "toy", "sum")) == pytest.approx([z], abs=5.1e-5)
    assert numbers(text(learn, "toy", "output")) == pytest.approx([apply(z)], abs=5.1e-5)
    broken = learn.locator("svg.diagram .link.below")
    assert broken.count() == (np.append(weights, bias) < 0).sum()
    assert f"sum {text(learn, 'toy', 'sum')}" in (
        learn.locator("svg.diagram").get_attribute("aria-label")
    )


@pytest.mark.parametrize(("digit", "unit"), [(0, 1), (17, 64), (29, 128)])
def test_a_real_unit_adds_up_to_the_models_sum(learn, images, models, digit, unit):
    set_controls(learn, "unit", digit=digit, unit=unit)
    weights, biases = models[VERSIONS[-1]][0]
    products = images[digit] * weights[:, unit - 1]
    z = products.sum() + biases[unit - 1]
    expected = [products[products > 0].sum(), products[products < 0].sum()]
    expected += [biases[unit - 1], z, max(0, z)]
    names = ["up", "down", "bias", "sum", "output"]
    found = [numbers(text(learn, "unit", name))[0] for name in names]
    np.testing.assert_allclose(found, expected, atol=6e-4)


def test_the_most_active_unit_is_found(learn, images, models):
    set_controls(learn, "unit", digit=14, unit=1)
    part(learn, "unit", "strongest").click()
    weights, biases = models[VERSIONS[-1]][0]
    unit = (images[14] @ weights + biases).argmax() + 1
    expect(learn.locator("[data-widget='unit'] [name='unit']")).to_have_value(str(unit))


# 2. Activation functions


@pytest.mark.parametrize("x", [-3, 0, 0.75, 4])
def test_activations_have_their_values_and_slopes(learn, x):
    set_controls(learn, "curves", x=x)
    functions = [lambda z: np.heaviside(z, 0), reference.sigmoid, np.tanh]
    functions += [reference.relu, lambda z: z]
    rows = part(learn, "curves", "rows").locator("tr").all()
    for function, row in zip(functions, rows, strict=True):
        value, slope = row.locator("td.number").all_text_contents()
        assert numbers(value) == pytest.approx([float(function(x))], abs=6e-5)
        h = 1e-5
        left, right = (float(function(x) - function(x - h)), function(x + h) - function(x))
        if abs(left - right) > 1e-7:
            assert slope == "none"  # a corner or a jump
        else:
            assert numbers(slope) == pytest.approx([(left + right) / 2 / h], abs=6e-5)


def test_x_moves_by_dragging_in_a_chart_and_a_curve_can_be_hidden(learn):
    set_controls(learn, "curves", x=1, tanh=False)
    surface = part(learn, "curves", "values")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    learn.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    learn.mouse.down()
    learn.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
    learn.mouse.up()
    assert float(learn.locator("[name='x']").input_value()) < 0
    for curve in surface.locator(".curve.tanh").all():
        expect(curve).to_be_hidden()


def test_two_neurons_are_one_only_without_an_activation(learn):
    set_controls(learn, "bend", a=0.5, b=-1.5, between="none")
    assert numbers(text(learn, "bend", "words")) == [-1, 0.5 + 3]
    points = "e => [...e.points].map(p => [p.x, p.y])"
    line = part(learn, "bend", "chart").locator("polyline")
    bends = {}
    for between in ("none", "relu"):
        set_controls(learn, "bend", between=between)
        x, y = np.array(line.evaluate(points)).T
        slopes = np.diff(y) / np.diff(x)
        bends[between] = np.abs(np.diff(slopes)).max() > 0.2
    assert bends == {"none": False, "relu": True}
    assert numbers(text(learn, "bend", "words"))[1:] == [-0.5, 1.5]


# 3. Layers


@pytest.mark.parametrize("digit", [5, 22])
def test_the_walk_shows_what_the_model_computes(learn, images, models, labels, digit):
    set_controls(learn, "walk", digit=digit)
    outcomes = through(models[VERSIONS[-1]], images[digit])
    for depth in (1, 2):
        sums, outputs = outcomes[depth - 1]
        active = numbers(text(learn, "walk", f"active{depth}"))
        assert active == [(outputs > 0).sum(), len(outputs)]
        unit, *parts = numbers(text(learn, "walk", f"sum{depth}"))
        assert parts[3:] == pytest.approx(
            [sums[int(unit) - 1], outputs[int(unit) - 1]], abs=0.0051
        )
        assert sum(parts[:3]) == pytest.approx(parts[3], abs=0.02)
    rows = part(learn, "walk", "outputs").locator("tr").all()
    cells = [row.locator("td.number").all_text_contents() for row in rows]
    found = [[numbers(cell)[0] for cell in line] for line in cells]
    logits = outcomes[2][0]
    expected = np.transpose([logits, 100 * reference.softmax(logits)])
    np.testing.assert_allclose(found, expected, atol=0.0101)
    assert f"The answer: {labels[digit]}" in text(learn, "walk", "answer")


def test_pixels_are_read_by_the_arrow_keys(learn, images):
    set_controls(learn, "walk", digit=3, step=2)
    part(learn, "walk", "reader").press("ArrowRight")
    row, column, level, _, at, _, value = numbers(text(learn, "walk", "reading"))
    assert at == (row - 1) * 28 + column
    assert level / 255 == pytest.approx(images[3][int(at) - 1])
    assert value == pytest.approx(images[3][int(at) - 1], abs=6e-4)
    here = part(learn, "walk", "near").locator(".here")
    assert numbers(here.inner_text()) == pytest.approx([value], abs=6e-3)
    set_controls(learn, "walk", step=1)


def test_the_table_of_parameters_is_the_models(learn, models):
    for version in VERSIONS:
        sizes = [(w.size, b.size, w.size + b.size) for w, b in models[version]]
        rows = learn.locator("#layers > .wide tbody tr").all()
        for row, (weights, biases, both) in zip(rows, sizes, strict=True):
            cells = row.locator("td").all_text_contents()
            product, b, total = (numbers(cell)[-1] for cell in cells)
            assert (product, b, total) == (weights, biases, both)
        total = sum(both for *_, both in sizes)
        assert learn.get_by_text(f"{total:,}").count() >= 4  # in the prose, too
