"""The reports of a run, read by other means than those that wrote them."""

import json
import math
import re
from fractions import Fraction
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from load import report
from load.record import Record
from tests.load import records
from tests.load.records import FOUND, judged, phase, record, spread, tally

HOSTILE = "status 500: <script>alert(1)</script> | `x` **bold**\n# head"


@pytest.fixture(scope="module")
def late():
    made = phase("only", 1000, tally([9.0] * 1000, late_ms=[5.0] * 1000))
    return judged(record(made), "p99<8ms", "max<20ms")


@pytest.fixture(scope="module")
def hostile():
    bad = tally([1.0] * 10, failures={HOSTILE: 3})
    return record(phase(HOSTILE, 10, bad, bad), host=HOSTILE, settings={HOSTILE: HOSTILE})


@pytest.fixture(params=["steps", "closed", "search", "late", "hostile"])
def any_record(request):
    return request.getfixturevalue(request.param)


class Page(HTMLParser):
    """Reads a page: its elements with their attributes, its text, and its tables."""

    VOID = ("meta", "link", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.cells, self.rows = [], [], [], []
        self.texts = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        if self.open and self.open[-1] != "style":
            self.texts.append(data)


def rows(markdown):
    """All rows of all tables, as text that Markdown shows."""
    found = []
    for line in markdown.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            found.append([re.sub(r"\\(.)", r"\1", cell.strip()) for cell in cells])
    return found


def row(markdown, name):
    (found,) = [cells[1:] for cells in rows(markdown) if cells[0] == name]
    return found


def html(made, known={}):  # noqa: B006
    """The page of a record, drawn once; it is kept, so that its id stays its own."""
    if id(made) not in known:
        known[id(made)] = (made, report.html(made))
    return known[id(made)][1]


def drawings(made):
    """The charts of the page."""
    found = re.findall(r"<svg viewBox.*?</svg>", html(made), re.DOTALL)
    return [ElementTree.fromstring(svg) for svg in found]


def test_the_percentiles_are_nearest_ranks(steps):
    due = np.round(np.array(spread(1000, 0.4, 2) * 2 + spread(2000, 0.4, 30) * 2), 2)
    sent = np.round(np.array(spread(1000, 0.4, 2) * 2 + spread(2000, 0.4, 3) * 2), 2)
    text = report.markdown(steps)
    for percent in (50, 90, 95, 99, 99.9):
        rank = math.ceil(Fraction(str(percent)) * 6000 / 100)
        a, b = (np.sort(times)[rank - 1] for times in (due, sent))
        assert row(text, f"p{percent:g}") == [f"{a:.2f}", f"{b:.2f}", f"{a - b:.2f}"]
    assert row(text, "max") == ["30.00", "3.00", "27.00"]


def test_the_verdict_comes_first_with_each_limit(steps):
    verdict = report.markdown(steps).splitlines()[2:6]
    assert verdict[0] == "**1 of 2 limits broken**"
    assert verdict[2].startswith("- ✗ `p99<10ms`: 29.7")
    assert verdict[2].endswith(" ms in 2,000/s")
    assert verdict[3] == "- ✓ `errors<1%`: 0.2 % (8 of 4,000) in 2,000/s"


def test_an_invalid_run_says_so_before_anything_else_and_why(late):
    text, page = report.markdown(late), html(late)
    heading, _, verdict, _, why = text.splitlines()[:5]
    assert verdict == "**INVALID: these figures are not to be believed**"
    assert why.startswith("- ⚠ the generator itself was late: found a p99 of 5.00 ms")
    assert '<section class="verdict invalid"' in page
    assert "found a p99 of 5.00 ms" in page


def test_the_open_loop_says_how_much_a_closed_one_would_hide(steps):
    p99 = [float(cell) for cell in row(report.markdown(steps), "p99")[:2]]
    hidden = round(100 * (1 - p99[1] / p99[0]))
    expected = (
        f"the p99 would be {p99[1]:.2f} ms instead of {p99[0]:.2f} ms: {hidden} % of it"
    )
    assert expected in report.markdown(steps)


def test_the_closed_loop_says_that_waiting_is_not_in_its_numbers(closed):
    text = report.markdown(closed)
    assert "Queueing is not in these latencies" in text
    assert row(text, "p50") == ["1.25"]
    assert "from due" not in text


def test_each_phase_has_a_row_and_a_warm_up_is_not_judged(steps):
    text = report.markdown(steps)
    assert row(text, "warm-up (not judged)")[:4] == ["1", "500", "500", "500"]
    assert row(text, "2,000/s")[:4] == ["2", "2,000", "2,000", "1,996"]
    assert row(text, "2,000/s")[-1] == "8 (0.2 %)"


def test_failures_are_counted_by_reason(steps):
    text = report.markdown(steps)
    assert row(text, "status 503") == ["6"]
    assert row(text, "read a 4 as 9") == ["2"]
    assert row(text, "failed") == ["8 (0.13 %)"]


def test_the_servers_stages_and_the_rest_add_up_to_the_request(closed):
    text = report.markdown(closed)
    infer, rest, request = (
        float(row(text, name)[0])
        for name in (
            "infer",
            "the rest: waiting, HTTP, network, client",
            "request, from sending",
        )
    )
    assert infer == 0.05
    assert infer + rest == pytest.approx(request)
    assert request == pytest.approx(1.25, abs=0.001)


def test_stages_that_few_answers_told_say_so(steps):
    assert "Only 8 of 6,000 replies have it" in report.markdown(steps)


def test_a_queue_that_grew_is_told():
    grown = phase(
        "only", 100, *[tally([ms] * 100) for ms in (1.0, 1.1, 3.0, 4.0, 8.0, 9.0)]
    )
    assert "the median rose from 1.05 to 8.50 ms" in report.markdown(record(grown))
    level = phase(
        "only", 100, *[tally([ms] * 100) for ms in (1.0, 9.0, 9.0, 1.1, 1.0, 1.1)]
    )
    assert "the median rose" not in report.markdown(record(level))


def test_a_search_shows_its_rate_its_trials_and_its_windows(search):
    text = report.markdown(search)
    assert "Highest rate that keeps p99\\<10ms: 1,500/s." in text
    assert "3 windows at that rate were answered 1,498, 1,499, 1,500 times a second" in text
    assert "which agrees; their p99 is 8.11, 9.11, 10.11 ms." in text
    assert row(text, "1,000/s") == ["2.50", "0", "✓", "✓"]
    assert row(text, "2,000/s") == ["40.25", "12", "✓", "✗"]
    assert row(text, "3,000/s") == ["–", "3,000", "INVALID", "✗"]


def test_a_search_without_success_says_so():
    window = phase("window", 1500, tally(spread(1500, 20, 30)))
    made = judged(record(window, found={**FOUND, "agree": False}), "p99<10ms")
    assert "No rate keeps p99\\<10ms" in report.markdown(made)
    assert "does not agree: the rate is not settled" in report.markdown(made)


def test_a_search_in_the_closed_loop_finds_what_its_users_get():
    window = phase("window", None, tally(spread(1500, 1, 3)))
    made = record(window, loop="closed", arrivals=None, found={**FOUND, "trials": []})
    assert "Highest rate of 64 users: 1,500/s." in report.markdown(made)


def test_where_and_with_what_is_all_there(steps):
    text = report.markdown(steps)
    for name, value in (
        ("cpu", "some cpu"),
        ("locust", "2.46.3"),
        ("MNIST_WORKERS", "1"),
        ("commit", "ac6ffff"),
        ("seed", "7"),
        ("connections", "64"),
        ("rate", "1,000/s, 2,000/s"),
    ):
        assert row(text, name) == [value]
    assert row(text, "server") == ["0.70", "0.60", "140", "3"]


def test_the_page_has_the_rows_of_the_markdown(any_record):
    shown = [[" ".join(cell.split()) for cell in r] for r in Page(html(any_record)).rows]
    assert shown == rows(report.markdown(any_record))


def test_the_page_needs_nothing_else(any_record):
    page = Page(html(any_record))
    assert "script" not in {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        assert not {name for name in attributes if name.startswith("on")}
        assert all(
            (value or "").startswith(("#", "data:"))
            for name, value in attributes.items()
            if name in ("src", "href", "srcset", "xlink:href")
        ), tag


def test_what_a_server_answers_is_shown_and_not_run(hostile):
    page = Page(html(hostile))
    assert any("<script>alert(1)</script>" in text for text in page.texts)
    assert "<script" not in html(hostile)
    text = report.markdown(hostile)
    assert "<script" not in text.replace("\\<script", "")
    assert not [line for line in text.splitlines() if line.startswith("# head")]


def test_every_drawing_is_well_formed_and_says_what_it_shows(any_record):
    found = drawings(any_record)
    assert found
    for svg in found:
        assert svg.get("role") == "img"
        assert svg.get("aria-label")


def test_a_run_of_nothing_is_reported_too():
    for nothing in (record(), record(phase("only", 10, tally([], due=0)))):
        made = judged(nothing, "p99<10ms")
        assert "INVALID" in report.markdown(made)
        Page(html(made))


def test_three_files_are_written_and_the_json_is_the_record(steps, tmp_path):
    files = report.write(steps, tmp_path / "new")
    assert [file.name for file in files] == ["steps.json", "steps.md", "steps.html"]
    plain, text, page = (file.read_text(encoding="utf-8") for file in files)
    assert json.loads(plain) == json.loads(json.dumps(steps.as_dict()))
    assert (text, page) == (report.markdown(steps), html(steps))


def test_the_reports_of_a_file_are_those_of_the_run(steps):
    again = records.through_json(steps)
    assert report.markdown(again) == report.markdown(steps)
    assert report.html(again) == html(steps)


def test_the_json_has_no_number_that_json_does_not_have(tmp_path):
    made = record(
        found={"trials": [{**FOUND["trials"][0], "rate": 5.0, "p99_ms": math.nan}]}
    )

    def refuse(name):
        raise AssertionError(f"found {name}")

    text = report.write(made, tmp_path)[0].read_text()
    found = Record.from_dict(json.loads(text, parse_constant=refuse))
    assert found.found["trials"][0]["p99_ms"] is None
    assert row(report.markdown(found), "5/s") == ["–", "0", "✓", "✓"]


def test_charts_have_no_colour_of_their_own(steps):
    for svg in re.findall(r"<svg viewBox.*?</svg>", html(steps), re.DOTALL):
        assert not re.findall(r"[:\"] ?#[0-9a-f]{6}\b", svg)


def test_charts_name_their_lines_limits_and_phases(steps):
    words = [" ".join(svg.itertext()) for svg in drawings(steps)]
    assert len(words) == 5
    for names in (("from due", "from sending"), ("p50", "p99", "p99<10ms"), ("failed",)):
        assert any(all(name in text for name in names) for text in words)
    assert all("warm-up" in text for text in words[2:])
