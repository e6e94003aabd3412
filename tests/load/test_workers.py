"""Several processes that send: together they are what one would be."""

import pytest

SECONDS, RATE = 3, 120
STEPS = ("--seconds", SECONDS, "--rate", RATE, "--warm-up", 0, "--arrivals", "constant")


@pytest.fixture
def steps(run_load, url):
    def steps(*options):
        done = run_load("steps", "--host", url, *STEPS, *options, "--connections", 16)
        assert done.record, done.err
        return done.record

    return steps


@pytest.mark.parametrize("processes", [1, 2])
def test_each_request_of_a_schedule_is_sent_and_counted_once(
    steps, two_processes, processes
):
    record = steps(*(two_processes if processes == 2 else ()))
    assert record.generators == processes
    shares = [phase.rate * phase.seconds for phase in record.phases]
    assert shares == pytest.approx([14.4, 28.8, 43.2, 57.6, 72])
    for phase, share in zip(record.phases, shares):
        tally = phase.tally
        assert abs(tally.due - share) < 1
        assert len(tally.latency) == len(tally.service) == tally.right
        # On a busy machine, the time of some passes before there is a free connection.
        assert set(tally.failures) <= {"never sent: all connections were busy"}
        assert tally.right + tally.failures.total() == tally.due
    assert any(phase.tally.right for phase in record.phases)
