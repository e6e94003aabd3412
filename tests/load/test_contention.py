"""Whether the generator waited for a core, from planted counters of the kernel."""

import pytest

from load.contention import Contention


@pytest.fixture
def schedstat(tmp_path):
    path = tmp_path / "schedstat"
    path.write_text("5000000000 1000000000 900\n")
    return path


def test_the_time_in_the_run_queue_since_the_last_look_is_told(schedstat, tmp_path):
    contention = Contention(schedstat, tmp_path / "none")
    schedstat.write_text("6000000000 1700000000 950\n")
    assert contention.waited() == pytest.approx(0.7)
    assert contention.waited() == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "nr_throttled 1\nthrottled_usec 250000\n",
            "nr_throttled 9\nthrottled_usec 1500000\n",
        ),
        ("nr_throttled 1\nthrottled_time 250000000\n", "throttled_time 1500000000\n"),
    ],
    ids=["version 2", "version 1"],
)
def test_a_group_that_was_throttled_waited_as_long(schedstat, tmp_path, before, after):
    cpu_stat = tmp_path / "cpu.stat"
    cpu_stat.write_text(before)
    contention = Contention(schedstat, cpu_stat)
    cpu_stat.write_text(after)
    assert contention.waited() == pytest.approx(1.25)


def test_the_larger_of_both_is_told_and_not_the_sum(schedstat, tmp_path):
    cpu_stat = tmp_path / "cpu.stat"
    cpu_stat.write_text("throttled_usec 0\n")
    contention = Contention(schedstat, cpu_stat)
    cpu_stat.write_text("throttled_usec 300000\n")
    schedstat.write_text("6000000000 1500000000 950\n")
    assert contention.waited() == pytest.approx(0.5)


@pytest.mark.parametrize("content", [None, "", "x y z"])
def test_without_the_kernels_counters_nothing_is_known(tmp_path, content):
    path = tmp_path / "schedstat"
    if content is not None:
        path.write_text(content)
    assert Contention(path, tmp_path / "none").waited() is None
