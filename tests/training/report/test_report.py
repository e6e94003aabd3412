"""The command ``report``, on a small part of the data and few pictures of no digit."""

import json
import re
import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from training import evaluate
from training.__main__ import main
from training.report import context, hands, nodigits
from training.report.nodigits import Found

IMAGES = 200


@pytest.fixture(scope="module")
def folder(root, served, mnist, tmp_path_factory):
    """The served version with its report."""
    models = tmp_path_factory.mktemp("models")
    folder = models / "mnist" / served
    folder.mkdir(parents=True)
    for name in ("model.onnx", "manifest.json"):
        shutil.copy(root / "models" / "mnist" / served / name, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodigits, "LETTERS", 4)
        for name in ("SCRIBBLES", "FIGURES", "SHAPES", "NOISE"):
            patch.setattr(nodigits, name, 8)
        patch.setattr(hands, "VARIANTS", 4)
        options = ["--models", str(models), "--version", served, "--limit", str(IMAGES)]
        assert main(["report", *options]) == 0
    return folder


@pytest.fixture(scope="module")
def text(folder):
    return (folder / "report.md").read_text()


@pytest.fixture(scope="module")
def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


@pytest.fixture(scope="module")
def digits(folder, mnist):
    """Labels and predictions of the images."""
    content = (folder / "model.onnx").read_bytes()
    images, labels = mnist.x_test[:IMAGES], mnist.y_test[:IMAGES]
    return labels, evaluate.evaluate(content, images, labels).digits


def rows(text, title):
    """The cells of all tables of a section."""
    section = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (.+) \|$", section, re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def test_report_has_the_manifests_values(text, manifest):
    assert manifest["sha256"] in text
    assert all(digest in text for digest in manifest["data"].values())
    for name, metric in manifest["metrics"].items():
        row = [f"`{name}`", f"{metric['value']:.5g}", metric["definition"]]
        assert row in rows(text, "Result")
    history = manifest["history"]["val_accuracy"]
    assert rows(text, "Learning curves")[-1][0] == str(len(history))
    assert f"{history[-1]:.4f}" in rows(text, "Learning curves")[-1]


def test_confusions_are_counted_one_image_at_a_time(text, digits):
    counts = Counter(zip(*map(np.ndarray.tolist, digits)))
    expected = [[str(a), *(str(counts[a, b]) for b in range(10))] for a in range(10)]
    assert [row for row in rows(text, "Confusions") if len(row) == 11][-10:] == expected
    right = sum(counts[a, a] for a in range(10))
    assert f"**{100 * right / IMAGES:.2f} %**: {IMAGES - right} mistakes" in text


def test_recall_and_precision_are_those_of_the_definition(text, digits):
    labels, found = digits
    for row in rows(text, "Digit by digit")[2:]:
        digit = int(row[0])
        both = np.sum((labels == digit) & (found == digit))
        recall, precision = both / np.sum(labels == digit), both / np.sum(found == digit)
        assert row[1:4] == [
            str(np.sum(labels == digit)),
            f"{100 * recall:.2f} %",
            f"{100 * precision:.2f} %",
        ]


def test_what_the_version_marks_is_the_last_row(text, folder, manifest, mnist):
    content = (folder / "model.onnx").read_bytes()
    found = evaluate.probabilities(content, mnist.x_test[:IMAGES]).astype(float)
    spread = np.exp(np.log(found).mean(axis=1))
    low = found.max(axis=1) < manifest["unsure_below"]
    marked = (low | (spread > manifest["no_digit_above"])).mean()
    own = rows(text, "When it is unsure")[-1]
    assert own[:2] == ["**its own**", f"{100 * marked:.2f} %"]


def test_every_kind_of_picture_has_a_row_and_every_group_a_sum(text):
    found = {row[0]: row[1:] for row in rows(text, "What is no digit")[2:]}
    assert len(found) == 28 + 5
    assert found["uniform noise"][0] == "8"
    scribbles = [int(found[kind][0]) for kind in ("tangle", "zigzag", "crossing", "coil")]
    assert int(found["**scribbles, all**"][0]) == sum(scribbles)


def test_every_style_has_a_row_and_all_of_them_a_sum(text):
    found = [row for row in rows(text, "Other hands")[2:]]
    assert [row[0] for row in found[:-1]] == list(hands.read())
    assert found[-1][0] == "**all**"
    assert found[-1][2] == str(4 * len(hands.read()))


def test_every_percentage_is_one(text):
    for number in re.findall(r"([\d.e+-]+) %", text):
        assert 0 <= float(number) <= 100
        assert "e" not in number


def test_links_and_pictures_lead_somewhere(folder, text):
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#(.+?)\)", text)) == anchors
    pictures = re.findall(r"!\[.+\]\((.+)\)", text)
    assert len(pictures) == 3
    assert all((folder / picture).exists() for picture in pictures)


def test_page_is_whole_in_itself(folder):
    page = (folder / "report.html").read_text()
    assert page.count('src="data:image/') == 3
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)


def test_weights_are_drawn_for_every_unit(folder):
    # 16 by 8 tiles, 32 pixels across and 36 down, each at twice the size.
    with Image.open(folder / "report.weights.png") as picture:
        assert picture.size == (16 * 64, 8 * 72)


def test_committed_reports_are_of_the_versions_beside_them(root):
    for file in sorted((root / "models" / "mnist").glob("*/manifest.json")):
        manifest = json.loads(file.read_text())
        report = (file.parent / "report.md").read_text()
        assert manifest["sha256"] in report
        accuracy = 100 * manifest["metrics"]["test_accuracy"]["value"]
        assert f"accuracy is **{accuracy:.2f} %**" in report
        for picture in re.findall(r"!\[.+\]\((.+)\)", report):
            assert (file.parent / picture).exists()


def test_most_confused_pairs_come_first_and_right_answers_are_none():
    counts = np.zeros((10, 10), int)
    counts[1, 1], counts[4, 9], counts[9, 4] = 7, 2, 1
    assert context.most_confused(counts) == [(4, 9, 2), (9, 4, 1)]


def test_a_group_of_several_kinds_is_followed_by_their_sum():
    one = np.array([0.9], np.float32)
    noise = [Found("noise", kind, 1, one) for kind in "ab"]
    found = [Found("letters", "letters", 0, one), *noise]
    kinds = [(each.kind, each.pictures) for each in context.with_groups(found)]
    assert kinds == [("letters", 1), ("a", 2), ("b", 2), ("**noise, all**", 4)]
