"""Two runs side by side."""

import re

import pytest

from load import report
from load.compare import code, compare, incomparable, main, tolerance, worse
from load.record import Usage
from tests.load.records import FOUND, judged, phase, record, spread, tally


def row(text, name):
    """The cells of the only line that begins with a name: columns are two spaces apart."""
    lines = [re.split(r"\s{2,}", line) for line in text.splitlines()]
    (found,) = [cells[1:] for cells in lines if cells[0] == name]
    return found


def run(most=2.0, failed=0, rate=1000, **changes):
    each = tally(
        spread(rate, 0.5, most),
        failures={"status 503": failed} if failed else {},
        stages={"infer": [most / 10] * rate},
    )
    return record(phase("only", rate, each, each), **changes)


def test_differences_are_shown_as_value_and_ratio():
    text = compare(run(2.0), run(4.0, failed=100))
    assert row(text, "max") == ["2.00", "4.00", "+2.00", "2.00"]
    assert row(text, "right/s") == ["1,000.00", "900.00", "-100.00", "0.90"]
    assert row(text, "failed, %") == ["0.00", "10.00", "+10.00", "–"]
    assert row(text, "infer") == ["0.20", "0.40", "+0.20", "2.00"]


def test_usage_is_compared_by_program():
    more = [Usage("server", 1.4, 1.0, 280, 3)]
    text = compare(run(), run(usage=more))
    assert row(text, "server, cores") == ["0.70", "1.40", "+0.70", "2.00"]
    assert row(text, "server, memory, MiB") == ["140.00", "280.00", "+140.00", "2.00"]
    assert row(text, "generator, cores") == ["1.20", "–", "–", "–"]


def test_two_runs_of_the_same_are_comparable():
    assert list(incomparable(run(), run(most=9.0, commit="other", versions={}))) == []
    assert "Not comparable" not in compare(run(), run())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"payload": "png"}, "not the same payload: json in a, png in b"),
        ({"batch": 64}, "not the same images a request: 1 in a, 64 in b"),
        ({"loop": "closed"}, "not the same loop: open in a, closed in b"),
        ({"arrivals": None}, "not the same arrivals: poisson in a, – in b"),
        ({"connections": 8}, "not the same connections: 64 in a, 8 in b"),
        ({"generators": 3}, "not the same generator processes: 1 in a, 3 in b"),
        (
            {"machine": {"cpu": "some cpu", "cores": 8}},
            "not the same machine's cores: 2 in a, 8 in b",
        ),
        ({"rate": 500}, "not the same rate: 1,000/s in a, 500/s in b"),
    ],
)
def test_what_cannot_be_compared_is_said_first(change, why):
    a, b = run(), run(**change)
    assert list(incomparable(a, b)) == [why]
    assert compare(a, b).splitlines()[2:4] == ["Not comparable:", f"  ! {why}"]


def test_an_invalid_run_compares_with_nothing():
    late = judged(record(phase("only", 9, tally([1.0] * 9, late_ms=[5.0] * 9))))
    (why,) = [w for w in incomparable(run(rate=9), late)]
    assert why.startswith("b is INVALID: the generator itself was late")
    assert code(run(rate=9), late) == code(late, run(rate=9), 1.0) == 3


def test_what_has_changed_between_the_runs_is_listed():
    text = compare(run(), run(commit="beef123", versions={"locust": "3"}, settings={}))
    assert row(text, "commit") == ["ac6ffff", "beef123"]
    assert row(text, "locust") == ["2.46.3", "3"]
    assert row(text, "MNIST_WORKERS") == ["1", "–"]


@pytest.mark.parametrize(
    ("a", "b", "what"),
    [
        ({"most": 2.0}, {"most": 2.3}, "p99"),
        ({"failed": 10}, {"failed": 12}, "failed, %"),
        ({}, {"failed": 1}, "failed, %"),
        ({"rate": 1000}, {"rate": 880}, "right/s"),
    ],
)
def test_more_than_the_tolerance_is_worse(a, b, what):
    (found,) = worse(run(**a), run(**b), 0.1)
    assert found.startswith(f"{what}: found ")
    assert code(run(**a), run(**b), 0.1) == 1
    assert code(run(**a), run(**b)) == 0
    assert code(run(**b), run(**a), 0.1) == 0


def test_less_than_the_tolerance_is_as_good():
    assert worse(run(most=2.0, failed=100), run(most=2.1, failed=105), 0.1) == []


def test_two_searches_are_compared_by_the_rate_that_they_found():
    a, b = run(2.0, found=FOUND), run(8.0, rate=900, found={**FOUND, "rate": 1400.0})
    assert list(incomparable(a, b)) == []
    assert row(compare(a, b), "highest rate") == ["1,500.00", "1,400.00", "-100.00", "0.93"]
    assert worse(a, b, 0.1) == []
    (found,) = worse(a, b, 0.05)
    assert found.startswith("highest rate: found 1,400.00, expected 1,500.00")


def test_a_tolerance_is_a_percentage():
    assert tolerance(" 12.5 % ") == 0.125
    for text in ("10", "-5%", "ten", ""):
        with pytest.raises(ValueError, match=r"found the tolerance .* such as 10%"):
            tolerance(text)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The reports of a run, and of one that is slower."""
    runs = {"before": run(2.0), "after": run(4.0)}
    folder = tmp_path_factory.mktemp("runs")
    return [str(report.write(made, folder / name)[0]) for name, made in runs.items()]


def test_the_command_prints_the_comparison_of_two_files(files, capsys):
    assert main(files) == 0
    assert row(capsys.readouterr().out, "max") == ["2.00", "4.00", "+2.00", "2.00"]


def test_the_command_ends_with_1_if_it_got_worse(files, capsys):
    assert main([*files, "--worse", "10%"]) == 1
    assert capsys.readouterr().err.startswith("✗ p99: found 3.9")
    assert main([*files[::-1], "--worse", "10%"]) == 0
    assert main([*files, "--worse", "300%"]) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("{", "expected a report in JSON"),
        ("{}", "expected a report in JSON"),
        ("[]", "expected a report in JSON"),
    ],
)
def test_a_file_that_is_no_record_is_named(tmp_path, files, capsys, content, said):
    other = tmp_path / "other.json"
    if content is not None:
        other.write_text(content)
    with pytest.raises(SystemExit) as ended:
        main([files[0], str(other)])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert "other.json" in error
    assert said in error


def test_a_tolerance_that_is_none_is_told(files, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*files, "--worse", "ten"])
    assert ended.value.code == 2
    assert "found the tolerance 'ten'; expected a percentage such as 10%" in (
        capsys.readouterr().err
    )
