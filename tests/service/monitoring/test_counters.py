import os

import pytest

from service.monitoring import counters
from service.monitoring.counters import Counters


def test_a_new_row_is_zeros_and_keeps_what_is_added():
    own = Counters()
    own.row("a")[3] += 1.5
    own.row("a")[3] += 1
    assert list(own.rows()) == [("a", [0, 0, 0, 2.5] + [0] * 14)]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 and threads
def test_another_process_sees_what_is_added():
    shared = Counters(slots=2)
    pid = os.fork()
    if not pid:
        shared.claim(1)
        shared.row("of the child")[0] += 7
        os._exit(0)
    os.waitpid(pid, 0)
    shared.row("own")[0] += 1
    assert {key: values[0] for key, values in shared.rows()} == {
        "own": 1,
        "of the child": 7,
    }


def test_a_process_that_takes_over_a_slot_continues_its_counts():
    shared = Counters(slots=2)
    shared.claim(1)
    shared.row("a")[0] += 1
    shared.claim(0)
    shared.claim(1)
    shared.row("a")[0] += 1
    shared.row("b")[0] += 5
    assert [(key, values[0]) for key, values in shared.rows()] == [("a", 2), ("b", 5)]


def test_a_row_whose_writer_was_killed_halfway_does_not_exist():
    shared = Counters()
    # All but the first byte of a key, which comes last.
    shared._memory[1:10] = b"equests\tP"
    assert list(shared.rows()) == []
    shared.row("a")[0] += 1
    assert [key for key, _ in shared.rows()] == ["a"]


def test_a_key_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="has 177 bytes, expected 176"):
        Counters().row("x" * 177)


def test_a_full_slot_loses_counts_and_fails_no_request():
    full = Counters()
    for number in range(counters.ROWS):
        full.row(str(number))[0] += 1
    full.row("one more")[0] += 1
    assert len(list(full.rows())) == counters.ROWS
