"""The commands ``report`` and ``baselines``, end to end on a small part of the data."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest


def run(root, *arguments):
    completed = subprocess.run(
        [sys.executable, "-m", "training", *map(str, arguments)],
        cwd=root,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert completed.returncode == 0, completed.stderr
    return completed


@pytest.fixture(scope="module")
def manifest(root, served):
    return json.loads((root / "models" / "mnist" / served / "manifest.json").read_text())


@pytest.fixture(scope="module")
def report(root, mnist, served, tmp_path_factory):
    """The report of the version that is served, on 300 images."""
    models = tmp_path_factory.mktemp("models")
    folder = models / "mnist" / served
    folder.mkdir(parents=True)
    for name in ("model.onnx", "manifest.json"):
        shutil.copy(root / "models" / "mnist" / served / name, folder)
    options = ("--models", models, "--version", served, "--limit", 300)
    completed = run(root, "report", *options)
    return (
        completed,
        (folder / "report.html").read_text(),
        (folder / "report.md").read_text(),
    )


def test_report_says_how_far_it_is_and_what_it_wrote(report):
    completed, page, _ = report
    assert "noise: " in completed.stderr
    assert f"report.html: {len(page.encode()):,} bytes" in completed.stdout


def test_report_has_the_manifests_numbers_in_both_forms(report, manifest):
    _, page, text = report
    for form in (page, text):
        assert manifest["sha256"] in form
        for digest in manifest["data"].values():
            assert digest in form
        for metric in manifest["metrics"].values():
            assert f"{metric['value']:.5g}" in form
            assert metric["definition"] in form
    assert len(re.findall(r"^\| 300 \| ", text, re.MULTILINE)) == 1  # the last epoch
    assert f"unsure below {manifest['unsure_below']:g}" in text
    assert f"| **{manifest['unsure_below']:g}** |" in text


def test_report_says_what_an_answer_is_compared_with_where_teachers_give_them(report):
    _, _, text = report
    assert "taught by the answers of 2 teachers" in text
    assert "| `schooling` | epochs 24, batch_size 250, " in text


def test_report_counts_the_300_images(report):
    _, _, text = report
    matrix = re.findall(r"^\| (\d) \|((?: \d+ \|){10})$", text, re.MULTILINE)
    counts = [[int(n) for n in re.findall(r"\d+", row)] for _, row in matrix]
    assert sum(map(sum, counts)) == 300
    wrong = 300 - sum(counts[i][i] for i in range(10))
    assert f"{wrong} mistakes" in text


def test_report_tells_how_unsure_the_version_is_of_what_is_no_digit(report):
    _, _, text = report
    section = text.partition("## What is no digit\n")[2].partition("\n## ")[0]
    rows = re.findall(
        r"^\| (\D+) \| (\d+) \| (\d+) \|.*\| ([\d.]+) % \|$", section, re.MULTILINE
    )
    assert len(rows) == 12 + 3  # the kinds, and each group of several together
    # The service sees no ink in noise that goes on to the border.
    assert ("uniform noise", "300", "300", "100.0") in rows
    assert all(int(refused) / int(n) <= float(aside) / 100 for _, n, refused, aside in rows)


def test_page_is_whole_in_itself_and_small(report):
    _, page, _ = report
    assert len(page) < 600_000
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert "<script" not in page
    assert page.count('alt="weights of unit') == 128


def test_page_and_markdown_have_the_same_tables(report):
    _, page, text = report
    plain = re.sub(r"<[^>]+>", "\n", page)
    for row in re.findall(r"^\| (.+) \|$", text, re.MULTILINE):
        for cell in row.split(" | "):
            if not re.fullmatch(r"-+:?", cell.strip()):
                assert re.sub(r"[`*]", "", cell.strip()).replace("&", "&amp;") in plain


def test_committed_reports_are_of_the_versions_beside_them(root):
    for manifest_file in sorted((root / "models" / "mnist").glob("*/manifest.json")):
        manifest = json.loads(manifest_file.read_text())
        accuracy = 100 * manifest["metrics"]["test_accuracy"]["value"]
        for name in ("report.html", "report.md"):
            report = (manifest_file.parent / name).read_text()
            assert manifest["sha256"] in report
            assert f"{accuracy:.2f} %" in report


def test_baselines_measures_writes_and_concludes(root, mnist, tmp_path):
    quick = ("--methods", "k-nn", "hog-svm", "lesson", "--sizes", 100, "--draws", 1)
    completed = run(root, "baselines", *quick, "--test-images", 500, "--output", tmp_path)
    assert "100 images, k-nn" in completed.stderr
    record = json.loads((tmp_path / "baselines.json").read_text())
    # Three methods on pixels; two of them on each of the five splits of the table.
    assert len(record["runs"]) == 3 + 2 * 5
    found = {
        run["method"]: run["accuracy"] for run in record["runs"] if run["data"] == "pixels"
    }
    assert found["k-nn"] > 0.5
    assert found["hog-svm"] > 0.6
    text = (tmp_path / "baselines.md").read_text()
    assert f"| HOG + linear SVM | {100 * found['hog-svm']:.2f} |" in text
    assert (tmp_path / "baselines.svg").read_text().startswith("<?xml")
