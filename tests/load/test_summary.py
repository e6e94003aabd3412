"""The result on a terminal: plain text, the verdict first."""

from load.summary import summary
from tests.load.records import judged, phase, record, spread, steps, tally


def lines(made, *limits):
    return summary(judged(made, *limits)).strip().splitlines()


def test_the_verdict_is_the_first_line_and_the_limits_are_the_next():
    first, second, third, *_ = lines(steps(), "p99<10ms", "errors<=1%")
    assert first == "steps: 1 of 2 limits broken"
    assert second.startswith("  ✗ p99<10ms: ")
    assert third.startswith("  ✓ errors<=1%: ")


def test_each_phase_has_a_line_of_numbers_and_failures_their_reasons():
    found = lines(steps(), "p99<100ms")
    rows = {line.split("  ")[0]: line.split()[-2:] for line in found}
    assert rows["1,000/s"] == ["1,000.0", "0"]
    assert rows["2,000/s"] == ["1,996.0", "8"]
    assert "warm-up (not judged)" in rows
    assert found[-2:] == ["  failed: status 503 (6)", "  failed: read a 4 as 9 (2)"]


def test_what_makes_it_invalid_is_said_before_the_limits():
    late = record(phase("only", 9, tally([1.0] * 9, late_ms=[5.0] * 9)))
    found = lines(late, "p99<0.5ms")
    assert found[0].startswith("steady: INVALID")
    assert found[1].startswith("  ! the generator itself was late")


def test_it_is_no_markdown_and_has_no_control_characters():
    made = record(phase("\x1b[2Jx|y_z", 9, tally(spread(9, 1, 2))), payload="a_b*c")
    text = summary(judged(made, "p50<9ms"))
    assert "\x1b" not in text
    assert "a_b*c" in text
    assert "x|y_z" in text
