"""Confidence, other methods and a broken network: the lesson says what the records say."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.lesson import (
    MODELS,
    VERSIONS,
    every_version,
    manifest,
    numbers,
    part,
    set_controls,
    text,
)
from tests.support import browser as driver
from training import reference

OPENS = ("confidence", "traditional", "break")
SIZES = (100, 1_000, 10_000, 60_000)


@pytest.fixture(scope="module")
def runs(root):
    """Every single fit of the record of the baselines."""
    return json.loads((root / "training/results/baselines.json").read_bytes())["runs"]


# 6. Confidence


@every_version
def test_softmax_shows_the_models_probabilities(learn, images, models, version):
    set_controls(learn, "softmax", version=version, digit=25, temperature=1)
    # Its weights may still be on their way.
    expect(part(learn, "softmax", "words")).to_contain_text(f"Version {version} on")
    expected = reference.forward(models[version], images[[25]])[0]
    np.testing.assert_allclose(shares(learn), expected, atol=2e-3)  # sliders have steps
    words = text(learn, "softmax", "words")
    below = manifest(version).get("unsure_below")
    assert ("no threshold" in words) == (below is None)
    if below:
        assert f"{100 * below:.2f} %" in words


def shares(page):
    texts = part(page, "softmax", "rows").locator(".percent").all_text_contents()
    return np.array([driver.number(each) / 100 for each in texts])


def logits(page):
    sliders = part(page, "softmax", "rows").locator("input").all()
    return np.array([float(each.input_value()) for each in sliders])


def test_a_constant_changes_nothing_and_a_temperature_divides(learn):
    form = learn.locator("[data-widget='softmax']")
    set_controls(learn, "softmax", digit=24, temperature=4)
    before, sums = shares(learn), logits(learn)
    np.testing.assert_allclose(before, reference.softmax(sums / 4), atol=1e-4)
    form.locator("[data-add='5']").click()
    np.testing.assert_allclose(logits(learn), sums + 5, atol=1e-6)
    np.testing.assert_allclose(shares(learn), before, atol=1e-4)
    set_controls(learn, "softmax", logit3=20)
    assert shares(learn).argmax() == 3
    form.locator("[data-add='0']").click()
    np.testing.assert_allclose(logits(learn), sums, atol=1e-6)


def test_a_logit_of_one_more_makes_each_ratio_e_times_as_large():
    z = np.array([1.0, 0.2, -3.0])
    p, q = reference.softmax(z), reference.softmax(z + [1, 0, 0])
    np.testing.assert_allclose((q[0] / q[1:]) / (p[0] / p[1:]), np.e)


def test_calibration_errors_are_those_of_the_reports(learn):
    for version in VERSIONS:
        report = (MODELS / str(version) / "report.md").read_text()
        expected = re.search(r"15 bins of equal width it is \*\*([\d.]+ %)\*\*", report)[1]
        words = part(learn, "calibration", "words").locator(f"[data-version='{version}']")
        expect(words).to_contain_text(f"expected calibration error {expected}")


def test_what_is_no_digit_gets_a_digit_all_the_same(learn, root):
    hard = json.loads((root / "service/web/gallery.json").read_bytes())["drawings"]
    answers = json.loads((root / "tests/service/web/gallery_answers.json").read_bytes())
    strange = [drawing["name"] for drawing in hard if drawing["label"] is None]
    assert strange
    for name in strange:
        card = learn.locator(f"#confidence .cards li[data-name='{name}']")
        for version, digit in answers[name]["reads"].items():
            words = card.locator(f"[data-version='{version}']").text_content()
            assert f"version {version}: {digit}, " in words
        assert ("unsure" in card.text_content()) == answers[name]["unsure"]


# 7. Deep learning or not?


def mean(runs, method, images, data="pixels"):
    wanted = (data, method, images)
    found = [r for r in runs if (r["data"], r["method"], r["images"]) == wanted]
    return np.mean([run["accuracy"] for run in found])


def test_figures_and_ranks_are_those_of_the_record(learn, runs):
    row = part(learn, "methods", "table").locator("tr").filter(has_text="HOG + linear SVM")
    cells = row.locator("td").all_text_contents()
    expected = [100 * mean(runs, "hog-svm", size) for size in SIZES]
    np.testing.assert_allclose([numbers(c)[0] for c in cells], expected, atol=0.06)
    methods = {run["method"] for run in runs if run["data"] == "pixels"}
    for size in SIZES:
        set_controls(learn, "methods", images=size)
        ranked = sorted(methods, key=lambda method, n=size: -mean(runs, method, n))
        assert ranked[0] == "hog-svm"
        words = text(learn, "methods", "words")
        assert "HOG + linear SVM comes first" in words
        assert f"(place {ranked.index('network') + 1} of {len(ranked)})" in words


def test_what_the_prose_concludes_is_so(learn, runs):
    assert len({run["method"] for run in runs if run["data"] == "pixels"}) == 9
    leads = [mean(runs, "hog-svm", n) - mean(runs, "network", n) for n in SIZES]
    assert leads[0] > 0.1  # "by far"
    assert leads == sorted(leads, reverse=True)
    best = manifest(VERSIONS[-1])
    assert "teachers" in best["recipe"]
    most = max(mean(runs, run["method"], 60_000) for run in runs if run["images"] == 60_000)
    assert best["metrics"]["test_accuracy"]["value"] > most
    table = {
        name: [r["accuracy"] for r in runs if (r["data"], r["method"]) == ("table", name)]
        for name in ("logistic-regression", "network")
    }
    words = learn.locator("[data-part='tumours']").text_content()
    assert "no significant difference" in words
    for accuracies in table.values():
        assert f"{100 * np.mean(accuracies):.1f} ±" in words
    gap = abs(np.diff([np.mean(each) for each in table.values()])[0])
    assert gap < min(np.std(each) for each in table.values())


def test_labels_of_the_chart_do_not_overlap_or_leave_it(learn):
    chart = part(learn, "methods", "chart")
    boxes = [each.bounding_box() for each in chart.locator(".name").all()]
    tops = sorted(box["y"] for box in boxes)
    assert min(np.diff(tops)) > 0.75 * boxes[0]["height"]
    outer = chart.locator("svg").bounding_box()
    assert max(b["x"] + b["width"] for b in boxes) <= outer["x"] + outer["width"]


# 8. Break it


def shifted(images, right, down):
    square = np.pad(images.reshape(-1, 28, 28), [(0, 0), (8, 8), (8, 8)])
    return square[:, 8 - down : 36 - down, 8 - right : 36 - right].reshape(-1, 784)


def pruned(layers, share):
    found = []
    for layer in layers:
        sizes = np.abs(layer.weights)
        least = np.sort(sizes.ravel())[round(share * sizes.size) - 1]
        found.append(layer._replace(weights=np.where(sizes <= least, 0, layer.weights)))
    return found


def without_biases(layers):
    return [layer._replace(biases=np.zeros_like(layer.biases)) for layer in layers]


def linear(layers, images):
    for layer in layers:
        images = images @ layer.weights + layer.biases
    return images


EXPERIMENTS = {
    "whole": reference.forward,
    "shift": lambda net, x: reference.forward(net, shifted(x, 4, 4)),
    "biases": lambda net, x: reference.forward(without_biases(net), x),
    "relu": linear,
    "silence": lambda net, x: reference.forward(net[1:], np.zeros((len(x), 128))),
    "half": lambda net, x: reference.forward(pruned(net, 0.5), x),
    "most": lambda net, x: reference.forward(pruned(net, 0.9), x),
    "inverted": lambda net, x: reference.forward(net, 1 - x),
}


def read(page):
    """How many of the 30 digits the broken network reads, as written."""
    page.evaluate(driver.TWO_FRAMES)
    return int(numbers(text(page, "break", "count"))[1])


@every_version
def test_experiments_do_what_they_say(learn, images, labels, models, version):
    set_controls(learn, "break", version=version)
    expect(part(learn, "break", "count")).to_contain_text(f"Version {version} reads")
    counts = {}
    for name, answers in EXPERIMENTS.items():
        learn.locator(f"[data-experiment='{name}']").click()
        counts[name] = read(learn)
        best = answers(models[version], images).argmax(axis=1)
        assert counts[name] == (best == labels).sum(), name
        failing = np.flatnonzero(best != labels)
        if len(failing):  # the large picture is one that is misread
            expect(part(learn, "break", "reading")).to_contain_text("but it is")
    assert counts["half"] >= 27  # the question's "all, or nearly all"
    assert counts["whole"] == 30
    assert counts["silence"] == 3


def test_an_experiment_ends_with_a_change_of_ones_own(learn):
    learn.locator("[data-experiment='half']").click()
    pressed = learn.locator("#break [aria-pressed='true']")
    expect(pressed).to_have_text("Prune half")
    set_controls(learn, "break", digit=12)
    expect(pressed).to_have_count(1)
    set_controls(learn, "break", dx=2)
    expect(pressed).to_have_count(0)


@every_version
def test_noise_is_new_each_time_and_hurts_when_it_is_loud(learn, version):
    set_controls(learn, "break", version=version)
    expect(part(learn, "break", "count")).to_contain_text(f"Version {version} reads")
    learn.locator("[data-experiment='noise']").click()
    counts = []
    for _ in range(5):
        counts.append(read(learn))
        part(learn, "break", "again").click()
    assert np.median(counts) > 25  # "errors partly cancel"
    set_controls(learn, "break", noise=1)
    assert read(learn) < np.median(counts)  # "twice as much is harder"
    learn.locator("[data-experiment='whole']").click()
    set_controls(learn, "break", speckle=0.2, digit=7)
    data = part(learn, "break", "frame").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, 28, 28).data]"
    )
    # A black corner shows the half of the noise that makes it lighter.
    corner = np.array(data)[::4].reshape(28, 28)[:4] / 255
    assert corner.mean() == pytest.approx(0.2 / np.sqrt(2 * np.pi), rel=0.35)


def test_with_nothing_left_no_digit_is_ahead(learn):
    learn.locator("[data-experiment='whole']").click()
    set_controls(learn, "break", silent1=True, noBiases=True)
    assert read(learn) == 0
    expect(part(learn, "break", "reading")).to_contain_text("No digit is ahead")
