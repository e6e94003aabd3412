"""Sections 1 to 4 of the lesson: their widgets say what NumPy and the models say."""

import itertools
import json
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support import browser as driver
from training import reference

STEPS = ["Drawing", "Frame", "784 numbers", "Layer 1", "Layer 2", "Output"]


def number(text):
    """The first number of a text; the page writes a true minus sign."""
    return float(
        re.search(r"-?\d+(\.\d+)?", text.replace("\u2212", "-").replace(",", ""))[0]
    )


def numbers(locator):
    return [number(text) for text in locator.all_inner_texts()]


def slide(section, label, value):
    """Move a slider to a value, and let it say so, as a hand does."""
    slider = section.get_by_label(label, exact=True)
    slider.fill(str(value))


def open_lesson(page):
    """Open the lesson and wait for the last widget of each of its first four sections."""
    driver.open_page(page, "/learn")
    for last in [
        "#neuron-real",
        "#activations-linear",
        "#layers-shapes",
        "#training-curves",
    ]:
        page.locator(f"{last} .panel").first.wait_for()
    page.locator("#training-descent .panel").wait_for()


def manifest(root, version):
    path = root / "models" / "mnist" / str(version) / "manifest.json"
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def weights(root):
    """The served version's layers, read from its file by the package onnx."""
    return reference.read_layers(root / "models" / "mnist" / "2" / "model.onnx")


@pytest.fixture(scope="module")
def opened(new_shared_page):
    """The lesson with every widget, which a test first brings to where it needs it."""
    page = new_shared_page()
    open_lesson(page)
    return page


@pytest.fixture(scope="module")
def untouched(new_shared_page):
    """The lesson as it opens, for tests that only read."""
    page = new_shared_page()
    open_lesson(page)
    return page


@pytest.fixture
def learn(opened):
    opened.mouse.move(0, 0)  # off what the test before has pointed at
    return opened


@pytest.fixture
def neuron(learn):
    return learn.locator("#neuron-toy")


@pytest.fixture
def unit(learn):
    return learn.locator("#neuron-real")


@pytest.fixture
def curves(learn):
    return learn.locator("#activations-curves")


@pytest.fixture
def layers(learn):
    return learn.locator("#layers-steps")


@pytest.fixture
def descent(learn):
    return learn.locator("#training-descent")


def explained(page, digit, nth=1):
    """Choose a drawing in section 3; the 784 inputs that it becomes."""
    picker = page.locator("#layers-steps")
    with page.expect_response("**/explain*") as found:
        picker.get_by_role("button", name=f"Digit {digit}, drawing {nth}").click()
    frame = found.value.json()["predictions"][0]["frame"]
    page.evaluate(driver.TWO_FRAMES)
    return np.array(frame).ravel()


def through(weights, frame):
    """The sums and activations of every layer, in float64."""
    values, outcomes = frame / 255, []
    for layer in weights:
        sums = values @ layer.weights.astype(np.float64) + layer.biases
        values = reference.relu(sums)
        outcomes.append((sums, values))
    return outcomes


def test_fetches_each_versions_weights_once(page):
    asked = []
    page.on("request", lambda it: asked.append(it.url) if "/weights" in it.url else None)
    open_lesson(page)
    page.wait_for_load_state("networkidle")
    assert sorted(url.partition("?")[2] for url in asked) == ["version=1", "version=2"]


# 1. A neuron


def set_neuron(neuron, inputs, weights, bias, activation="Sigmoid"):
    for i in range(3):
        slide(neuron, f"Input {i + 1}", inputs[i])
        slide(neuron, f"Weight {i + 1}", weights[i])
    slide(neuron, "Bias", bias)
    neuron.get_by_role("radio", name=activation).check()


LESSONS = [0.5, 0.3, 0.2], [0.4, 0.6, 0.8], 0.1


def test_neuron_is_the_lessons_at_the_start(untouched):
    neuron = untouched.locator("#neuron-toy")
    assert number(neuron.locator(".sum").inner_text()) == 0.64
    expected = reference.neuron(*LESSONS)
    assert number(neuron.locator(".output").inner_text()) == round(expected, 4) == 0.6548


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("activation", "apply"),
    [("Sigmoid", reference.sigmoid), ("ReLU", reference.relu), ("None", np.asarray)],
)
def test_neuron_computes_what_its_sliders_say(neuron, seed, activation, apply):
    random = np.random.default_rng(seed)
    inputs = random.integers(0, 21, 3) / 20
    weights, (bias,) = random.integers(-40, 41, 3) / 20, random.integers(-40, 41, 1) / 20
    set_neuron(neuron, inputs, weights, bias, activation)
    z = inputs @ weights + bias
    assert number(neuron.locator(".sum").inner_text()) == pytest.approx(z, abs=5.1e-5)
    assert number(neuron.locator(".output").inner_text()) == pytest.approx(
        apply(z), abs=5.1e-5
    )


def test_neuron_slider_moves_by_a_key(neuron):
    set_neuron(neuron, *LESSONS)
    neuron.get_by_label("Input 1", exact=True).press("ArrowRight")
    assert number(neuron.locator(".sum").inner_text()) == pytest.approx(0.64 + 0.05 * 0.4)


def test_neuron_goes_back_to_the_start(neuron):
    slide(neuron, "Weight 2", -1)
    neuron.get_by_role("radio", name="ReLU").check()
    neuron.get_by_role("button", name="Back to the start").click()
    assert number(neuron.locator(".output").inner_text()) == 0.6548


def test_neuron_draws_a_larger_weight_thicker(neuron):
    set_neuron(neuron, *LESSONS)
    line = neuron.locator("svg.diagram line").first
    before = float(line.get_attribute("stroke-width"))
    slide(neuron, "Weight 1", 1.5)
    assert float(line.get_attribute("stroke-width")) > before


def test_neuron_breaks_the_line_of_a_weight_below_0(neuron):
    set_neuron(neuron, [0.5, 0.3, 0.2], [-1.5, 0.6, 0.8], 0.1)
    dashes = "e => getComputedStyle(e).strokeDasharray"
    lines = neuron.locator("svg.diagram line")
    assert lines.nth(0).evaluate(dashes) != "none"
    assert lines.nth(1).evaluate(dashes) == "none"


def test_neuron_says_its_picture_in_words(neuron):
    set_neuron(neuron, [0.5, 0.3, 0.2], [0.4, 0.6, 0.8], -0.5)
    said = neuron.locator("svg.diagram").get_attribute("aria-label")
    assert "inputs 0.5, 0.3, 0.2" in said
    assert "bias \u22120.5" in said


def test_neuron_speaks_when_a_change_has_come_to_rest(neuron):
    # 0.36 is 0.35 to a slider of steps of 0.05
    set_neuron(neuron, [0.5, 0.3, 0.2], [0.4, 0.6, 0.8], 0.36)
    expect(neuron.get_by_role("status")).to_contain_text("0.89")


@pytest.mark.parametrize(("digit", "which"), [(0, 1), (7, 64), (9, 128)])
def test_real_unit_adds_up_to_the_models_sum(learn, unit, weights, digit, which):
    with learn.expect_response("**/explain*") as found:
        unit.get_by_role("button", name=f"Digit {digit}, drawing 1").click()
    frame = np.array(found.value.json()["predictions"][0]["frame"]).ravel()
    slide(unit, "Unit", which)
    sums, outputs = through(weights, frame)[0]
    shown = unit.locator(".line.total .number")
    expect(shown.first).to_have_text(f"{sums[which - 1]:.3f}".replace("-", "\u2212"))
    assert numbers(shown)[1] == pytest.approx(outputs[which - 1], abs=6e-4)


def test_real_unit_adds_up_from_its_parts(unit):
    above, below, bias, total, _ = numbers(unit.locator(".line .number"))
    assert above + below + bias == pytest.approx(total, abs=2e-3)


def test_real_unit_lists_its_largest_products(learn, unit, weights):
    with learn.expect_response("**/explain*") as found:
        unit.get_by_role("button", name="Digit 4, drawing 1").click()
    frame = np.array(found.value.json()["predictions"][0]["frame"]).ravel()
    learn.evaluate(driver.TWO_FRAMES)
    unit.get_by_role("button", name="The unit with the largest output").click()
    unit_ = int(through(weights, frame)[0][1].argmax())
    products = frame / 255 * weights[0].weights[:, unit_]
    largest = np.abs(products).argsort()[::-1][:5]
    rows = unit.locator("tbody tr")
    assert rows.locator("th").all_inner_texts() == [
        f"{at // 28 + 1}, {at % 28 + 1}" for at in largest
    ]
    assert numbers(rows.locator("td:last-child")) == pytest.approx(
        products[largest], abs=6e-4
    )


# 2. Activation functions

FUNCTIONS = [
    lambda x: np.heaviside(x, 0),
    reference.sigmoid,
    np.tanh,
    reference.relu,
    lambda x: x,
]


@pytest.mark.parametrize("x", [-3, -0.5, 0.75, 4])
def test_activations_have_their_values(curves, x):
    slide(curves, "x", x)
    shown = numbers(curves.locator("tbody td:nth-of-type(2)"))
    assert shown == pytest.approx([float(each(x)) for each in FUNCTIONS], abs=6e-5)


@pytest.mark.parametrize("x", [-3, -0.5, 0.75, 4])
def test_activations_have_their_slopes(curves, x):
    slide(curves, "x", x)
    shown = numbers(curves.locator("tbody td:nth-of-type(3)"))
    h = 1e-5
    slopes = [float(each(x + h) - each(x - h)) / (2 * h) for each in FUNCTIONS]
    assert shown == pytest.approx(slopes, abs=6e-5)


def test_step_and_relu_have_no_slope_at_0(curves):
    slide(curves, "x", 0)
    shown = curves.locator("tbody td:nth-of-type(3)").all_inner_texts()
    assert [text == "none" for text in shown] == [True, False, False, True, False]


def test_activation_can_be_hidden(curves):
    drawn = curves.locator(".draggable .curve.tanh")
    expect(drawn).to_have_count(2)
    box = curves.get_by_role("checkbox", name="Tanh")
    box.check()
    for each in drawn.all():
        expect(each).to_be_visible()
    box.uncheck()
    for each in drawn.all():
        expect(each).to_be_hidden()


def test_x_moves_by_dragging_in_a_chart(learn, curves):
    slide(curves, "x", 1)
    surface = curves.locator(".draggable").first
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    learn.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    learn.mouse.down()
    learn.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
    learn.mouse.up()
    assert float(curves.get_by_label("x", exact=True).input_value()) < 0


@pytest.mark.parametrize("count", [1, 2, 5])
def test_slopes_are_multiplied_layer_by_layer(learn, count):
    depth = learn.locator("#activations-depth")
    slide(depth, "Layers", count)
    first = depth.locator("tbody tr").first
    assert number(first.locator("td").nth(0).inner_text()) == 0.25
    product = number(first.locator("td").nth(1).inner_text())
    if 0.25**count < 0.001:
        product *= 1e-4  # written as 9.8 × 10⁻⁴
    assert product == pytest.approx(0.25**count, rel=0.01)


FIRST, SECOND = np.array([[1, -2], [0.5, 1]]), np.array([2, -1])  # as the page writes them


@pytest.mark.parametrize("x", [(1, -1), (-2, 2), (0.3, 1.7)])
@pytest.mark.parametrize("between", ["Nothing", "ReLU"])
def test_two_layers_are_one_only_without_an_activation(learn, x, between):
    linear = learn.locator("#activations-linear")
    slide(linear, "Input 1", x[0])
    slide(linear, "Input 2", x[1])
    linear.get_by_role("radio", name=between).check()
    hidden = FIRST @ np.array(x) + [0.5, -1]
    layered = SECOND @ (reference.relu(hidden) if between == "ReLU" else hidden) + 0.25
    single = SECOND @ FIRST @ np.array(x) + SECOND @ [0.5, -1] + 0.25
    assert number(linear.locator(".layered").inner_text()) == pytest.approx(layered)
    assert number(linear.locator(".single").inner_text()) == pytest.approx(single)
    same = np.isclose(layered, single)
    expect(linear.locator(".verdict")).to_contain_text(
        "The same" if same else "Not the same"
    )


def test_network_without_relu_is_a_single_layer(untouched, weights):
    text = untouched.locator("#activations-linear").inner_text()
    assert f"{sum(w.size + b.size for w, b in weights):,} weights" in text
    assert f"the {784 * 10 + 10:,} of one layer" in text


# 3. Layers, step by step


def test_every_drawing_of_the_project_can_be_chosen(layers, root):
    own = json.loads((root / "service" / "model" / "digits.json").read_bytes())["digits"]
    names = layers.get_by_role("group", name="Drawings").get_by_role("button")
    labels = [
        int(re.search(r"Digit (\d)", n.get_attribute("aria-label"))[1]) for n in names.all()
    ]
    assert labels == [digit["label"] for digit in own]


def go(layers, step):
    layers.get_by_role("button", name=f"{step}. {STEPS[step - 1]}").click()


def test_step_can_be_chosen(layers):
    for step, name in enumerate(STEPS, 1):
        mark = layers.get_by_role("button", name=f"{step}. {name}")
        mark.click()
        expect(mark).to_have_attribute("aria-current", "step")
        expect(layers.locator("[aria-current]")).to_have_count(1)


def test_next_and_previous_go_through_the_steps(layers):
    go(layers, 1)
    for step in [1, 2, 3, 4, 5]:
        layers.get_by_role("button", name="Next").press("Enter")
        expect(layers.locator("[aria-current]")).to_have_text(f"{step + 1}. {STEPS[step]}")
    expect(layers.get_by_role("button", name="Next")).to_be_focused()
    expect(layers.get_by_role("button", name="Next")).to_be_disabled()
    layers.get_by_role("button", name="Previous").click()
    expect(layers.locator("[aria-current]")).to_have_text("5. Layer 2")


@pytest.mark.parametrize("digit", [1, 8])
def test_frame_says_where_its_ink_is(learn, layers, digit):
    go(layers, 2)
    ink = explained(learn, digit).reshape(28, 28)
    rows, columns = np.nonzero(ink.any(axis=1))[0], np.nonzero(ink.any(axis=0))[0]
    middle = (np.arange(28) + 0.5) @ ink.sum(axis=0) / ink.sum()
    text = layers.locator(".stage")
    expect(text).to_contain_text(
        f"{np.ptp(columns) + 1} pixels wide and {np.ptp(rows) + 1} high"
    )
    expect(text).to_contain_text(f"{middle:.1f} pixels from the left")


def test_frame_is_as_the_text_says(learn):
    """The longer side is 20 pixels, and the centre of mass within one of the middle."""
    for digit, nth in itertools.product(range(10), [1, 2, 3]):
        ink = explained(learn, digit, nth).reshape(28, 28)
        assert max(np.ptp(np.nonzero(ink.any(axis=axis))) + 1 for axis in (0, 1)) == 20
        for axis in (0, 1):
            centre = (np.arange(28) + 0.5) @ ink.sum(axis=axis) / ink.sum()
            assert abs(centre - 14) <= 1


def test_pixel_is_read_by_the_mouse(learn, layers):
    go(layers, 3)
    frame = explained(learn, 4)
    brightest = int(frame.argmax())
    surface = layers.locator(".reader")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    row, column = divmod(brightest, 28)
    learn.mouse.move(
        box["x"] + box["width"] * (column + 0.5) / 28,
        box["y"] + box["height"] * (row + 0.5) / 28,
    )
    expect(layers.locator(".reading")).to_have_text(
        f"Row {row + 1}, column {column + 1}: grey level 255 of 255, "
        f"so input {brightest + 1} of 784 is 1.000."
    )


def test_pixel_is_read_by_the_keyboard(learn, layers):
    go(layers, 3)
    frame = explained(learn, 4)
    before = layers.locator(".reading").inner_text()
    row, column = (int(each) - 1 for each in re.findall(r"\d+", before)[:2])
    layers.locator(".reader").press("ArrowDown")
    layers.locator(".reader").press("ArrowRight")
    at = (row + 1) % 28 * 28 + (column + 1) % 28
    expect(layers.locator(".reading")).to_contain_text(f"grey level {frame[at]} of 255")
    expect(layers.locator(".near .here")).to_have_text(f"{frame[at] / 255:.2f}")


@pytest.mark.parametrize("digit", [2, 6])
@pytest.mark.parametrize("layer", [1, 2])
def test_every_unit_says_its_sum_and_output(learn, layers, weights, digit, layer):
    go(layers, layer + 3)
    frame = explained(learn, digit)
    sums, outputs = through(weights, frame)[layer - 1]
    units = layers.locator("button.unit")
    expect(units).to_have_count(len(sums))
    said = [each.get_attribute("aria-label").replace("\u2212", "-") for each in units.all()]
    found = [re.search(r"sum (-?[\d.]+), output ([\d.]+)", text).groups() for text in said]
    assert [float(a) for a, _ in found] == pytest.approx(sums, abs=6e-3)
    assert [float(b) for _, b in found] == pytest.approx(outputs, abs=6e-3)
    expect(layers.locator("button.off")).to_have_count(int((outputs == 0).sum()))


@pytest.mark.parametrize("layer", [1, 2])
def test_units_sum_is_written_out(learn, layers, weights, layer):
    go(layers, layer + 3)
    frame = explained(learn, 3)
    outcomes = through(weights, frame)
    inputs = frame / 255 if layer == 1 else outcomes[0][1]
    layers.locator("button.unit").nth(20).click()
    products = inputs * weights[layer - 1].weights[:, 20]
    parts = [
        products[products > 0].sum(),
        products[products < 0].sum(),
        weights[layer - 1].biases[20],
        outcomes[layer - 1][0][20],
        outcomes[layer - 1][1][20],
    ]
    assert numbers(layers.locator(".line .number")) == pytest.approx(parts, abs=1e-3)


def test_units_are_one_tab_stop_with_arrows(layers):
    go(layers, 4)
    chosen = layers.locator('button.unit[tabindex="0"]')
    expect(chosen).to_have_count(1)
    at = int(re.search(r"\d+", chosen.get_attribute("aria-label"))[0])
    chosen.press("ArrowDown" if at <= 112 else "ArrowUp")
    there = at + 16 if at <= 112 else at - 16
    expect(layers.locator('button.unit[aria-pressed="true"]')).to_have_attribute(
        "aria-label", re.compile(f"^Unit {there}:")
    )
    expect(layers.locator('button.unit[tabindex="0"]')).to_be_focused()


@pytest.mark.parametrize("digit", [0, 5])
def test_output_has_the_models_logits_and_probabilities(learn, layers, weights, digit):
    go(layers, 6)
    frame = explained(learn, digit)
    logits = through(weights, frame)[2][0]
    rows = layers.locator(".outputs tbody tr")
    assert numbers(rows.locator("td:nth-of-type(1)")) == pytest.approx(logits, abs=1e-3)
    shares = 100 * reference.forward(weights, frame / 255)
    shown = numbers(rows.locator("td:nth-of-type(3)"))
    assert shown == pytest.approx(shares, abs=0.011)
    expect(layers.locator(".answer")).to_have_text(f"The answer: {shares.argmax()}")


def test_parameters_are_counted(untouched, weights):
    table = untouched.locator("#layers-shapes")
    counts = [w.size + b.size for w, b in weights]
    assert numbers(table.locator("tbody td:nth-of-type(4)")) == counts
    assert number(table.locator(".total").inner_text()) == sum(counts)


def test_newest_drawing_stays_when_an_older_answer_comes_late(page):
    open_lesson(page)
    layers = page.locator("#layers-steps")
    go(layers, 6)
    held = []
    page.route("**/explain*", lambda route: held.append(route))
    layers.get_by_role("button", name="Digit 2, drawing 1").click()
    layers.get_by_role("button", name="Digit 6, drawing 1").click()
    while len(held) < 2:
        page.evaluate(driver.TWO_FRAMES)
    held[1].continue_()
    expect(layers.locator(".answer")).to_have_text("The answer: 6")
    with page.expect_response("**/explain*"):
        held[0].continue_()
    page.evaluate(driver.TWO_FRAMES)
    expect(layers.locator(".answer")).to_have_text("The answer: 6")


def test_sends_the_picture_that_the_front_page_sends(learn, page):
    driver.open_page(page)
    sent = []
    for opened, button in [
        (page, page.locator("#gallery button").nth(4)),
        (learn, learn.locator("#layers-steps .digit").nth(4)),
    ]:
        with opened.expect_request(lambda it: it.method == "POST") as found:
            button.click()
        sent.append(found.value.post_data_json["instances"][0]["b64"])
    assert sent[0] == sent[1]


@pytest.mark.expects("Failed to load resource")
def test_section_says_what_the_server_said_when_it_cannot_answer(page):
    open_lesson(page)
    layers = page.locator("#layers-steps")
    body = json.dumps({"error": "found no ink, expected a digit"})
    page.route("**/explain*", lambda route: route.fulfill(status=422, body=body))
    layers.get_by_role("button", name="Digit 2, drawing 1").click()
    expect(layers.get_by_role("alert")).to_have_text("found no ink, expected a digit")


@pytest.mark.expects("Failed to load resource")
def test_section_asks_again_when_the_server_has_no_time(page):
    open_lesson(page)
    busy = {"status": 503, "headers": {"Retry-After": "1"}, "body": "{}"}
    page.route("**/explain*", lambda route: route.fulfill(**busy), times=1)
    with page.expect_response(lambda it: "/explain" in it.url and it.ok):
        page.locator("#layers-steps").get_by_role(
            "button", name="Digit 2, drawing 1"
        ).click()
    expect(page.locator("#layers-steps").get_by_role("alert")).to_have_count(0)


@pytest.mark.expects("Failed to load resource")
def test_one_section_without_its_data_leaves_the_others(page):
    body = json.dumps({"error": "found no lesson.json"})
    page.route("**/lesson.json", lambda route: route.fulfill(status=404, body=body))
    driver.open_page(page, "/learn")
    expect(page.locator("#training > .notice")).to_contain_text("found no lesson.json")
    expect(page.locator("#training-descent svg").first).to_be_visible()


# 4. Loss and optimizer


@pytest.mark.parametrize("p", [0.001, 0.1, 0.5, 0.93, 1])
def test_loss_is_minus_the_logarithm(learn, p):
    loss = learn.locator("#training-loss")
    slide(loss, "p", p)
    shown = number(loss.locator(".loss").inner_text())
    assert shown == pytest.approx(-np.log(p), abs=6e-5)


@pytest.mark.parametrize(
    ("p", "words"),
    [(0.05, "worse than a guess"), (0.1, "exactly"), (0.6, "more than this")],
)
def test_loss_is_compared_with_a_guess(learn, p, words):
    loss = learn.locator("#training-loss")
    slide(loss, "p", p)
    assert f"{np.log(10):.4f}" in loss.inner_text()
    assert words in loss.inner_text()


def problem(root):
    """Section 4's small problem, anew: inputs [30, 2], and 1 where the digit is odd."""
    own = json.loads((root / "service" / "model" / "digits.json").read_bytes())["digits"]
    inputs = []
    for digit in own:
        strokes = [np.array(stroke) for stroke in digit["strokes"]]
        points = np.concatenate(strokes)
        x, y = (points.min(axis=0) + points.max(axis=0)) / 2
        pieces = np.concatenate([np.diff(s, axis=0) for s in strokes])
        middles = np.concatenate([(s[1:] + s[:-1]) / 2 for s in strokes])
        lengths = np.hypot(*pieces.T)
        shares = [lengths[middles[:, 1] < y].sum(), lengths[middles[:, 0] > x].sum()]
        inputs.append(np.array(shares) / lengths.sum())
    inputs = np.array(inputs)
    scaled = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    return scaled, np.array([digit["label"] % 2 for digit in own])


def descend(root, rate, steps):
    """The loss, and how many are right, after so many steps of gradient descent."""
    inputs, odd = problem(root)
    inputs = np.hstack([inputs, np.ones((len(odd), 1))])
    parameters = np.zeros(3)
    for _ in range(steps):
        p = reference.sigmoid(inputs @ parameters)
        parameters = parameters - rate * inputs.T @ (p - odd) / len(odd)
    sums = np.where(odd == 1, 1, -1) * (inputs @ parameters)
    return np.logaddexp(0, -sums).mean(), int((sums > 0).sum()), parameters


def start(descent, preset):
    """Start anew with the learning rate of a button, all other runs forgotten."""
    descent.get_by_role("button", name=re.compile(preset)).click()
    descent.get_by_role("button", name="Start again").click()


def test_descent_starts_at_the_loss_of_a_coin(untouched):
    descent = untouched.locator("#training-descent")
    assert number(descent.locator(".loss").inner_text()) == round(np.log(2), 4)


@pytest.mark.parametrize(
    ("preset", "rate"), [("too small", 0.01), ("right", 1), ("too large", 100)]
)
def test_descent_is_gradient_descent(descent, root, preset, rate):
    start(descent, preset)
    descent.get_by_role("button", name="1 step", exact=True).click()
    descent.get_by_role("button", name="10 steps").click()
    loss, right, parameters = descend(root, rate, 11)
    assert number(descent.locator(".loss").inner_text()) == pytest.approx(loss, abs=6e-5)
    expect(descent.locator(".verdict")).to_contain_text(
        f"Step 11: loss {loss:.4f}, {right} of 30"
    )
    shown = numbers(descent.locator("tbody td:nth-of-type(1)"))
    assert shown == pytest.approx(parameters, abs=6e-5)


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        ("too small", "The loss fell in every step"),
        ("right", "near the bottom"),
        ("too large", "leap over the valley"),
    ],
)
def test_learning_rate_does_what_its_button_says(descent, preset, words):
    start(descent, preset)
    descent.get_by_role("button", name="100 steps").click()
    expect(descent.locator(".verdict")).to_contain_text(words)


def test_another_learning_rate_starts_anew_and_keeps_the_old_run(descent):
    start(descent, "right")
    descent.get_by_role("button", name="10 steps").click()
    slide(descent, "Learning rate", 1)
    expect(descent.locator(".verdict")).to_contain_text("Step 0")
    expect(descent.locator(".earlier")).to_have_count(1)
    descent.get_by_role("button", name="Start again").click()
    expect(descent.locator(".earlier")).to_have_count(0)


def test_descent_shades_where_the_neuron_says_odd(descent, root):
    start(descent, "right")
    descent.get_by_role("button", name="100 steps").click()
    inside = """e => [...e.querySelectorAll(".odd, .even")].map(mark => {
        const box = mark.getBBox(), at = e.createSVGPoint();
        [at.x, at.y] = [box.x + box.width / 2, box.y + box.height / 2];
        return e.querySelector(".odd-side").isPointInFill(at) ? 1 : 0;
    })"""
    shaded = np.array(descent.locator("svg.chart").first.evaluate(inside))
    _, right, parameters = descend(root, 1, 100)
    inputs, odd = problem(root)
    assert (
        shaded.tolist()
        == (inputs @ parameters[:2] + parameters[2] > 0).astype(int).tolist()
    )
    assert (shaded == odd).sum() == right


@pytest.mark.parametrize("version", [1, 2])
def test_curves_are_those_that_training_recorded(learn, root, version):
    section = learn.locator("#training-curves")
    section.get_by_role("radio", name=re.compile(f"^{version} ")).check()
    history = manifest(root, version)["history"]
    best = int(np.argmin(history["val_loss"]))
    expect(section).to_contain_text(
        f"{history['val_loss'][best]:.4f} after epoch {best + 1} of {len(history['loss'])}"
    )
    ends = [history["loss"], history["val_loss"]]
    keys = section.locator("figure").first.locator(".key")
    assert numbers(keys) == pytest.approx([each[-1] for each in ends], abs=6e-5)


@pytest.mark.parametrize(("version", "overfits"), [(1, True), (2, False)])
def test_curves_say_whether_a_version_overfits(learn, root, version, overfits):
    history = manifest(root, version)["history"]
    best = int(np.argmin(history["val_loss"]))
    assert (history["val_loss"][-1] > 1.05 * history["val_loss"][best]) == overfits
    section = learn.locator("#training-curves")
    section.get_by_role("radio", name=re.compile(f"^{version} ")).check()
    expect(section.get_by_text("It overfits from there on")).to_have_count(int(overfits))


def test_losses_of_another_kind_are_said_not_to_compare(learn, root):
    """The prose, and the chart of version 2 alone."""
    assert "softened" in manifest(root, 2)["recipe"]["loss"]
    assert "softened" not in manifest(root, 1)["recipe"]["loss"]
    expect(learn.locator("#training")).to_contain_text(
        "compare neither loss with version 1's"
    )
    section = learn.locator("#training-curves")
    caption = section.locator("figcaption").first
    section.get_by_role("radio", name=re.compile("^1 ")).check()
    expect(caption).not_to_contain_text("softened")
    section.get_by_role("radio", name=re.compile("^2 ")).check()
    expect(caption).to_contain_text("softened")


# What the prose says of the model is so.


def test_prose_has_the_models_numbers(untouched, root, weights):
    total = sum(w.size + b.size for w, b in weights)
    assert f"Nobody sets {total:,} numbers" in untouched.locator("#training").inner_text()
    neuron = untouched.locator("#neuron").inner_text()
    assert f"each of the {weights[0].weights.shape[1]} units" in neuron
    own = json.loads((root / "service" / "model" / "digits.json").read_bytes())["digits"]
    assert (
        f"this project's {len(own)} drawings" in untouched.locator("#training").inner_text()
    )


def test_prose_names_the_optimizers(untouched, root):
    text = untouched.locator("#training").inner_text()
    assert manifest(root, 1)["recipe"]["optimizer"] == "adam"
    assert "Adam, the optimizer of version 1" in text
    assert manifest(root, 2)["recipe"]["optimizer"] == "muon"
    assert "Version 2 uses another optimizer, Muon" in text


def test_steps_can_be_used_by_touch(new_page):
    page = new_page(viewport={"width": 320, "height": 640}, has_touch=True)
    open_lesson(page)
    layers = page.locator("#layers-steps")
    layers.get_by_role("button", name="3. 784 numbers").tap()
    before = layers.locator(".reading").inner_text()
    layers.locator(".reader").tap(position={"x": 3, "y": 3})
    expect(layers.locator(".reading")).not_to_have_text(before)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_step(new_page, scheme):
    page = new_page(color_scheme=scheme)
    open_lesson(page)
    for step in range(1, len(STEPS) + 1):
        go(page.locator("#layers-steps"), step)
        found = Axe().run(
            page, context="#layers", options={"runOnly": driver.RULES_OF[scheme]}
        )
        assert found.violations_count == 0, found.generate_report()
