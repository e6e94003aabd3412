"""A case that takes a few seconds, and how all cases are run."""

import pytest

from bench.chaos import checks, life
from bench.chaos.case import CASES, Case, Finding, SkipError, perform, table
from bench.harness.server import START_S


def test_one_round_of_a_case_is_as_it_should_be(monkeypatch):
    # How fast it is, is not what is tested here.
    for module, names in (
        (life, ("RECOVERY_S", "RELOAD_S", "GRACE_S")),
        (checks, ("RECOVERY_S", "SETTLE_S")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, START_S)
    (one,) = (one for one in CASES if one.run is life.kill_workers)
    # Patient, so that a busy machine is no cause for a 503.
    result = perform(one, checks.after, MNIST_MAX_WAIT_MS="60000")
    assert result.ok, result.seen


def findings(*found):
    return Case("a case", "a mark", lambda chaos: iter(found))


def broken(chaos):
    yield Finding("so far", True)
    raise ValueError("it broke")


def skipped(chaos):
    yield Finding("so far", True)
    raise SkipError("there is none")


@pytest.mark.parametrize(
    ("one", "ok", "seen"),
    [
        (findings(Finding("a", True), Finding("b", True)), True, "a; b"),
        (findings(Finding("a", True), Finding("b", False)), False, "a; **b**"),
        (findings(), False, ""),
        (Case("", "", broken), False, "so far; **ValueError: it broke**"),
        (Case("", "", skipped), None, "skipped: there is none"),
    ],
)
def test_a_case_is_as_good_as_each_of_its_findings(one, ok, seen):
    result = perform(one, checks.after)
    assert (result.ok, result.seen) == (ok, seen)


def test_the_table_has_a_line_a_case_whatever_was_seen():
    seen = Finding("a | b\nc", False)
    lines = table([perform(findings(seen), checks.after)]).splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("| a case | a mark | **a \\| b c** | **NO** |")
