import math
import os

import pytest

from service import board
from service.board import NOBODY, Board


def test_a_new_row_is_zeros_and_keeps_what_is_added():
    own = Board()
    own.row("a")[3] += 1.5
    own.row("a")[3] += 1
    assert list(own.rows()) == [("a", [0, 0, 0, 2.5] + [0] * 14)]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 and threads
def test_another_process_sees_what_is_added():
    shared = Board(slots=2)
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


def test_who_takes_over_a_slot_goes_on_where_the_last_one_stopped():
    shared = Board(slots=2)
    shared.claim(1)
    shared.row("a")[0] += 1
    shared.claim(0)
    shared.claim(1)
    shared.row("a")[0] += 1
    shared.row("b")[0] += 5
    assert [(key, values[0]) for key, values in shared.rows()] == [("a", 2), ("b", 5)]


def test_a_row_whose_writer_was_killed_halfway_is_none():
    shared = Board()
    # All but the first byte of a key, which comes last.
    shared._memory[1:10] = b"equests\tP"
    assert list(shared.rows()) == []
    shared.row("a")[0] += 1
    assert [key for key, _ in shared.rows()] == ["a"]


def test_a_key_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="has 177 bytes, expected 176"):
        Board().row("x" * 177)


def test_a_full_slot_loses_counts_and_fails_no_request():
    full = Board()
    for number in range(board.ROWS):
        full.row(str(number))[0] += 1
    full.row("one more")[0] += 1
    assert len(list(full.rows())) == board.ROWS


def test_the_fewest_connections_are_another_worker_s():
    shared = Board(slots=3)
    assert shared.fewest_connections() == math.inf
    for slot, count in enumerate((7, 4, 5)):
        shared.claim(slot)
        shared.count_connections(count)
    assert shared.fewest_connections() == 4
    shared.claim(1)
    assert shared.fewest_connections() == 5
    shared.count_connections(NOBODY)
    shared.claim(0)
    assert shared.fewest_connections() == 5
