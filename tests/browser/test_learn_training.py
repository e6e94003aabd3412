"""Training and features: the lesson says what NumPy, the models and the records say."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.lesson import (
    VERSIONS,
    every_version,
    manifest,
    numbers,
    part,
    set_controls,
    text,
)
from training import reference
from training.baselines import hog

OPENS = ("training", "features")


# 4. Training


@pytest.mark.parametrize(
    ("p", "words"),
    [(0.05, "Worse than"), (0.1, "Exactly"), (0.6, "Better than")],
)
def test_the_loss_is_minus_the_logarithm(learn, p, words):
    set_controls(learn, "loss", p=p)
    assert numbers(text(learn, "loss", "loss"))[-1] == pytest.approx(-np.log(p), abs=6e-5)
    assert words in text(learn, "loss", "words")


def problem(own):
    """The question "even or odd?" anew: inputs [30, 2], and 1 where the digit is odd."""
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


def descend(own, rate, steps):
    """The loss, and how many are right, after so many steps of gradient descent."""
    inputs, odd = problem(own)
    inputs = np.hstack([inputs, np.ones((len(odd), 1))])
    parameters = np.zeros(3)
    for _ in range(steps):
        p = reference.sigmoid(inputs @ parameters)
        parameters = parameters - rate * inputs.T @ (p - odd) / len(odd)
    sums = np.where(odd == 1, 1, -1) * (inputs @ parameters)
    return np.logaddexp(0, -sums).mean(), int((sums > 0).sum()), parameters


def descent(page, question, power, steps):
    form = page.locator("[data-widget='descent']")
    set_controls(page, "descent", question=question)
    form.locator(f"[data-rate='{power}']").click()
    form.get_by_role("button", name="Start again").click()
    for count in steps:
        form.locator(f"[data-steps='{count}']").click()
    return numbers(text(page, "descent", "words"))


@pytest.mark.parametrize("power", [-2, 0, 2])
def test_descent_is_gradient_descent(learn, own, power):
    step, loss, right, of = descent(learn, "odd", power, [1, 10])[:4]
    expected = descend(own, 10.0**power, 11)
    assert (step, right, of) == (11, expected[1], 30)
    assert loss == pytest.approx(expected[0], abs=6e-5)
    cells = part(learn, "descent", "rows").locator("td:nth-of-type(1)").all_text_contents()
    found = [numbers(cell)[0] for cell in cells]
    assert found == pytest.approx(expected[2], abs=6e-5)


def test_a_6_and_a_9_are_told_apart_and_a_large_rate_leaps(learn):
    _, loss, right, of = descent(learn, "nine", 0, [100])[:4]
    assert of == 60
    assert right > 50
    words = part(learn, "descent", "words")
    expect(words).to_contain_text("The loss fell in every step")
    descent(learn, "nine", -2, [100])
    assert numbers(words.text_content())[1] > 2 * loss  # too small a rate: still on its way
    descent(learn, "nine", 2, [100])
    expect(words).to_contain_text("the steps are too long")
    assert part(learn, "descent", "losses").locator(".earlier").count() == 0


def test_even_or_odd_fits_the_drawings_for_no_good_reason(learn):
    _, _, right, of = descent(learn, "odd", 0, [100])[:4]
    assert (of, right > 20) == (30, True)


@every_version
def test_a_versions_curves_are_told_by_how_it_learned(learn, version):
    set_controls(learn, "history", version=version)
    found, words = manifest(version), text(learn, "history", "words")
    taught = "teachers" in found["recipe"]
    assert ("convolutional" in words) == taught
    assert part(learn, "history", "loss-figure").is_visible() != taught
    assert f"{100 * found['metrics']['test_accuracy']['value']:.2f} %" in words
    if taught:
        assert "softened" in found["recipe"]["loss"]
        return
    validation = found["history"]["val_loss"]
    best = int(np.argmin(validation))
    assert f"after epoch {best + 1} of {len(validation)}" in words
    assert ("it overfits" in words) == (validation[-1] > 1.05 * validation[best])


def test_the_prose_names_what_trained_version_1(learn):
    assert manifest(1)["recipe"]["optimizer"] == "adam"
    assert "which\ntrained version 1" in learn.locator("#training").text_content()


# 5. Learned features


@every_version
def test_a_unit_is_told_by_its_weights(learn, images, models, version):
    set_controls(learn, "filters", version=version)
    learn.locator("[data-widget='filters'] [name='unit']").nth(41).check()
    set_controls(learn, "filters", digit=18)
    weights, biases = models[version][0]
    sums = images @ weights + biases
    z, active = sums[18, 41], (sums[:, 41] > 0).sum()
    unit, _, found, *counts = numbers(text(learn, "filters", "words"))
    assert (unit, counts) == (42, [active, 30])
    assert found == pytest.approx(z, abs=0.0051)
    marked = (
        part(learn, "filters", "units")
        .locator(".pick")
        .evaluate_all("labels => labels.map(label => label.classList.contains('on'))")
    )
    assert marked == list(sums[18] > 0)
    order = np.sort(sums[:, 41])
    for name, expected in (("most", order[::-1][:4]), ("least", order[:4])):
        ranked = numbers(re.sub(r"an? \d:", "", text(learn, "filters", name)))
        np.testing.assert_allclose(ranked, expected, atol=0.051)


def test_positive_weights_are_blue_and_negative_ones_orange(learn, models):
    set_controls(learn, "filters", version=VERSIONS[-1])
    learn.locator("[data-widget='filters'] [name='unit']").nth(41).check()
    data = part(learn, "filters", "weights").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, 28, 28).data]"
    )
    red, _, blue, _ = np.array(data).reshape(784, 4).T
    weights = models[VERSIONS[-1]][0].weights[:, 41]
    clear = np.abs(weights) > 0.1
    assert clear.any()
    np.testing.assert_array_equal((blue > red)[clear], (weights > 0)[clear])


def test_nearly_every_unit_is_active_for_several_digits(images, models, labels):
    for version in VERSIONS:
        on = images @ models[version][0].weights + models[version][0].biases > 0
        single = sum(len(set(labels[on[:, unit]])) == 1 for unit in range(128))
        assert single < 13


def test_corners_are_version_1s_random_start_and_dark_after_weight_decay(mnist, models):
    fitted = mnist.x_train.reshape(-1, 784)[:48_000]  # the last fifth is held out
    blank = ~fitted.any(axis=0)
    corners = [0, 27, 756, 783]
    assert blank[corners].all()
    start = np.sqrt(6 / (784 + 128))  # Keras draws evenly within it
    weights = models[1][0].weights[blank]
    assert np.abs(weights).max() <= start
    assert weights.std() == pytest.approx(start / np.sqrt(3), rel=0.05)
    assert manifest(3)["recipe"]["weight_decay"] > 0
    means = [np.abs(models[version][0].weights[corners]).mean() for version in (1, 3)]
    assert means[1] < means[0] / 2


def test_features_made_by_hand_are_measured(learn, images):
    set_controls(learn, "byhand", digit=14)
    image = images[14]
    ink = numbers(text(learn, "byhand", "ink-value"))
    assert ink == [round(100 * image[:392].sum() / image.sum())]
    votes = hog._histograms(image[None])[0].sum(axis=(0, 1))
    # From the gradient's direction, clockwise, to the edge's, as one draws it.
    assert numbers(text(learn, "byhand", "slant"))[0] == (270 - 20 * votes.argmax()) % 180
