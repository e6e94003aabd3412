"""A record of the baselines, summed up and written."""

import json
from statistics import stdev
from xml.etree import ElementTree

import pytest

from training.__main__ import main
from training.baselines import command, summary


@pytest.fixture(scope="module")
def record(root):
    """The record that is committed."""
    return json.loads((root / "training" / "results" / "baselines.json").read_text())


def runs(record, method, images):
    return [
        run
        for run in record["runs"]
        if (run["data"], run["method"], run["images"]) == ("pixels", method, images)
    ]


def test_a_cell_is_the_mean_over_the_draws(record):
    cell = summary.cell(record, "pixels", "hog-svm", 1000)
    found = runs(record, "hog-svm", 1000)
    accuracies = [run["accuracy"] for run in found]
    assert cell.accuracy == pytest.approx(sum(accuracies) / 5)
    assert cell.spread == pytest.approx(stdev(accuracies))
    assert cell.choose_seconds == found[0]["choose_seconds"]  # the others chose nothing
    assert summary.cell(record, "table", "hog-svm") is None


def test_cells_come_best_first(record):
    accuracies = [cell.accuracy for cell in summary.cells(record, "pixels", 100).values()]
    assert accuracies == sorted(accuracies, reverse=True)


def test_error_of_a_difference_is_the_one_computed_by_hand():
    def cell(*accuracies):
        return summary.Cell(accuracies, 0, 0, 0, 0, None)

    # The differences of the draws are -0.01 and 0.03; test images: p (1 - p) / n each.
    by_hand = (stdev([-0.01, 0.03]) ** 2 / 2 + 0.8 * 0.2 / 1e4 + 0.79 * 0.21 / 1e4) ** 0.5
    found = summary.error(cell(0.78, 0.82), cell(0.79, 0.79), 10_000)
    assert found == pytest.approx(by_hand)


def test_the_committed_files_are_those_of_the_record(record, root, tmp_path):
    command.write(record, tmp_path)
    for name in ("baselines.json", "baselines.md"):
        expected = (root / "training" / "results" / name).read_text()
        assert (tmp_path / name).read_text() == expected


def test_the_plot_names_every_method(record, root):
    plot = ElementTree.parse(root / "training" / "results" / "baselines.svg")
    words = " ".join(plot.getroot().itertext())
    assert all(method["title"] in words for method in record["methods"].values())


def test_command_measures_and_writes(mnist, tmp_path, capsys):
    quick = ["--methods", "k-nn", "hog-svm", "--sizes", "100", "--draws", "1"]
    output = ["--test-images", "500", "--output", str(tmp_path)]
    assert main(["baselines", *quick, *output]) == 0
    assert "100 images, k-nn" in capsys.readouterr().err
    record = json.loads((tmp_path / "baselines.json").read_text())
    # Two methods on pixels; one of them on each of the five splits of the table.
    assert len(record["runs"]) == 2 + 5
    (hog,) = runs(record, "hog-svm", 100)
    assert hog["accuracy"] > 0.6
    text = (tmp_path / "baselines.md").read_text()
    assert f"| HOG + linear SVM | {100 * hog['accuracy']:.2f} |" in text
    assert "What the numbers say" not in text  # which are of all methods
