import re
from statistics import stdev
from xml.etree import ElementTree

import pytest

from training.baselines import command, conclusion, summary, text


def run(method, images, draw, accuracy, data="pixels", chosen=True, fit_seconds=2.0):
    return {
        "data": data,
        "method": method,
        "images": images,
        "draw": draw,
        "value": 1,
        "validation": {"1": 0.5} if chosen else {},
        "accuracy": accuracy,
        "choose_seconds": 3.0,
        "fit_seconds": fit_seconds,
        "predict_us": 4.0,
        "size_bytes": 5_000_000,
    }


@pytest.fixture
def record():
    """Two methods and the network at two sizes, and on a table of four splits."""
    method = {"title": "", "parameter": "C", "values": [1, 2], "fixed": "none"}
    titles = {"hog-svm": "HOG", "k-nn": "neighbours", "network": "network"}
    pixels = {"hog-svm": (0.80, 0.99), "k-nn": (0.70, 0.95), "network": (0.79, 0.97)}
    table = {
        "hog-svm": [],
        "k-nn": [0.80, 0.81, 0.79, 0.80],
        "network": [0.95, 0.97, 0.96, 0.96],
    }
    runs = []
    for name, (few, many) in pixels.items():
        half = 0.0 if name == "network" else 0.02  # half of the distance of the two draws
        runs.append(run(name, 100, 0, few - half))
        runs.append(run(name, 100, 1, few + half, chosen=False))
        runs.append(run(name, 1000, 0, many))
        runs += [run(name, 455, i, a, "table") for i, a in enumerate(table[name])]
    return {
        "date": "2026-01-01",
        "machine": {"cpu": "a processor", "cores": 2, "python": "3.11.7"},
        "seconds": 90.0,
        "methods": {name: method | {"title": title} for name, title in titles.items()},
        "versions": [
            {
                "version": 1,
                "recipe": "lesson",
                "accuracy": 0.9742,
                "fit_seconds": 77.3,
                "predict_us": 3.21,
                "size_bytes": 439_115,
            }
        ],
        "test_images": 10_000,
        "sizes": [
            {"images": 100, "draws": 2, "choices": 1},
            {"images": 1000, "draws": 1, "choices": 0},
        ],
        "table": {"folds": 2},
        "runs": runs,
    }


def test_a_cell_is_the_mean_over_the_draws(record):
    cell = summary.cell(record, "pixels", "hog-svm", 100)
    assert cell.accuracy == pytest.approx(0.8)
    assert cell.spread == pytest.approx(stdev([0.78, 0.82]))
    assert cell.choose_seconds == 3  # of the draw on which something was chosen
    assert summary.cell(record, "table", "hog-svm") is None


def test_cells_come_best_first(record):
    assert list(summary.cells(record, "pixels", 1000)) == ["hog-svm", "network", "k-nn"]


def test_error_on_pixels_is_the_one_computed_by_hand(record):
    cells = summary.cells(record, "pixels", 100)
    # The differences of the draws are -0.01 and 0.03; test images: p (1 - p) / n each.
    by_hand = (stdev([-0.01, 0.03]) ** 2 / 2 + 0.8 * 0.2 / 1e4 + 0.79 * 0.21 / 1e4) ** 0.5
    found = summary.error_on_pixels(cells["hog-svm"], cells["network"], 10_000)
    assert found == pytest.approx(by_hand)


def test_error_on_a_table_is_the_corrected_one(record):
    cells = summary.cells(record, "table")
    differences = [0.15, 0.16, 0.17, 0.16]
    by_hand = ((1 / 4 + 1) * stdev(differences) ** 2) ** 0.5
    found = summary.error_on_table(cells["network"], cells["k-nn"], 2)
    assert found == pytest.approx(by_hand)


def test_conclusion_tells_differences_from_chance(record):
    few, many, gain, cost, table = conclusion.sentences(record)
    assert "HOG reads 80.00 %" in few
    assert few.endswith("is within chance.")
    assert "the best traditional method is ahead by 2.00 ± 0.20 points" in many
    assert "the network gains 18.0 points, HOG 19.0" in gain
    assert "fitted in 2 s, takes 4 µs an image and 5 MB" in cost
    assert "network (96.00 %) has the highest mean; within chance of it are none" in table
    assert "behind are neighbours (80.00 %)" in table


def test_conclusion_says_when_the_network_is_ahead(record):
    for each in record["runs"]:
        if each["method"] == "network" and each["images"] == 1000:
            each["accuracy"] = 0.999
    assert "the network is ahead by 0.90" in conclusion.sentences(record)[1]


def test_conclusion_says_nothing_without_numbers(record):
    assert conclusion.sentences(record | {"runs": []}) == []


def test_markdown_has_every_number(record):
    report = text.markdown(record)
    assert "| HOG | 80.00 ± 2.83 | 99.00 |" in report
    assert "| **network** | 79.00 ± 0.00 | 97.00 |" in report
    assert "| version 1, recipe `lesson` | 97.42 | 77 | 3.21 | 0.439 |" in report
    assert "2 at 100, 1 at 1,000" in report
    for rows in re.findall(r"(?:^\|.*\n)+", report, re.MULTILINE):
        assert len({line.count("|") for line in rows.splitlines()}) == 1


def test_files_are_written_and_the_plot_is_the_same_each_time(record, tmp_path):
    files = command.write(record, tmp_path)
    assert [file.name for file in files] == [
        "baselines.json",
        "baselines.md",
        "baselines.svg",
    ]
    plot = files[2].read_text()
    command.write(record, tmp_path)
    assert files[2].read_text() == plot
    words = " ".join(ElementTree.fromstring(plot).itertext())
    assert all(each["title"] in words for each in record["methods"].values())
