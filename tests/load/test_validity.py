"""When a run is not to be believed."""

from collections import Counter

import pytest

from load import limits, validity
from load.record import Usage
from tests.load.records import phase, record, spread, tally


def reasons(made, *texts):
    return validity.invalid(made, [limits.parse(text) for text in texts])


def open_run(each, rate=1000, seconds=4, **changes):
    return record(phase("only", rate, *[each] * seconds), **changes)


def run_with_usage(busiest, loop="closed", name="generator"):
    made = phase("only", None if loop == "closed" else 1000, tally([1.0] * 1000))
    return record(made, loop=loop, usage=[Usage(name, busiest, busiest, 90, 2)])


def test_a_run_that_did_what_was_asked_is_believed():
    assert reasons(open_run(tally(spread(1000, 1, 3))), "p99<10ms", "errors<=0") == []


def test_failures_are_no_reason_not_to_believe_a_run():
    refused = tally(spread(1000, 1, 3), failures={"status 503": 900})
    assert reasons(open_run(refused)) == []


def test_a_run_without_an_answer_says_why():
    silent = tally([], due=1000)
    silent.right, silent.failures = 0, Counter({"no connection": 999, "timeout": 1})
    assert reasons(open_run(silent), "p99<10ms") == [
        "no request was answered: found 0 answers to 4,000 requests; most failed by: "
        "no connection"
    ]


def test_a_run_of_warm_ups_alone_says_that():
    made = record(phase("warm-up", 10, tally([1.0] * 10), counted=False))
    (why,) = reasons(made)
    assert "found no phase but warm-ups, expected one" in why


@pytest.mark.parametrize(("done", "believed"), [(990, True), (989, False)])
def test_requests_that_were_due_and_not_done_are_not_forgotten(done, believed):
    cut = tally(spread(done, 1, 3), due=1000)
    cut.right = done
    found = reasons(open_run(cut))
    assert (found == []) == believed
    if not believed:
        assert found == [
            "the generator fell behind or was cut short: found 98.9 % of the requests done "
            "(3,956 of 4,000 that were due), expected 99 % at least"
        ]


# Of 4,000: 1 % is 40, and 5 standard errors of a Poisson process are 5 * sqrt(4000) = 316.
@pytest.mark.parametrize(
    ("due", "arrivals", "believed"),
    [
        (911, "poisson", True),
        (910, "poisson", False),
        (1089, "poisson", True),
        (1090, "poisson", False),
        (990, "constant", True),
        (989, "constant", False),
    ],
)
def test_a_rate_other_than_asked_is_not_believed(due, arrivals, believed):
    found = reasons(open_run(tally(spread(due, 1, 3)), arrivals=arrivals))
    assert (found == []) == believed
    assert all(
        f"found {due:,}.0 requests due a second, expected 1,000.0" in w for w in found
    )


@pytest.mark.parametrize(
    ("late", "latency", "believed"),
    [(1.0, 2, True), (1.01, 2, False), (2.0, 20, True), (2.01, 20, False)],
)
def test_a_generator_that_is_late_is_not_believed(late, latency, believed):
    found = reasons(open_run(tally([latency] * 1000, late_ms=[late] * 1000)))
    assert (found == []) == believed
    if not believed:
        assert found[0].startswith(
            f"the generator itself was late: found a p99 of {late:.2f} ms, expected "
            f"{max(1, latency / 10):.2f} ms at most"
        )


def test_of_several_phases_the_one_at_fault_is_named():
    good, late = tally([1.0] * 1000), tally([1.0] * 1000, late_ms=[1.5] * 1000)
    made = record(phase("first", 1000, good), phase("second", 1000, late))
    (why,) = reasons(made)
    assert why.startswith("second: the generator itself was late")


def test_a_warm_up_may_be_late():
    late, good = tally([1.0] * 1000, late_ms=[9.0] * 1000), tally([1.0] * 1000)
    made = record(phase("warm-up", 1000, late, counted=False), phase("steady", 1000, good))
    assert reasons(made) == []


@pytest.mark.parametrize("loop", ["open", "closed"])
@pytest.mark.parametrize(("busiest", "believed"), [(0.9, True), (0.91, False)])
def test_a_saturated_generator_is_not_believed(busiest, believed, loop):
    found = reasons(run_with_usage(busiest, loop), "max<0.5ms")
    assert (found == []) == believed
    assert all("busiest process at work for 91 % of the time" in why for why in found)


def test_a_saturated_generator_of_an_open_loop_that_keeps_its_limits_is_believed():
    assert reasons(run_with_usage(1.0, "open"), "max<9ms") == []


def test_a_saturated_server_is_what_a_load_test_is_for():
    assert reasons(run_with_usage(1.0, name="server")) == []


@pytest.mark.parametrize(
    ("bound", "believed"),
    # Of 1,000 latencies of 1 to 1,000 ms the p99 is, with 95 % confidence, between the
    # 983rd and the 997th: SciPy's binom.ppf(0.025, 1000, 0.99), and 0.975's and one more.
    [(982.9, True), (983.1, False), (990, False), (996.9, False), (997.1, True)],
)
def test_a_limit_is_undecided_where_the_interval_contains_it(bound, believed):
    made = record(phase("only", 1000, tally(range(1, 1001))))
    found = reasons(made, f"p99<{bound}ms")
    assert found == [] if believed else "undecided: found p99 between 983" in found[0]


def test_ten_slow_answers_break_a_limit_and_ten_fast_ones_do_not_prove_one():
    slow, fast = (record(phase("only", 10, tally([ms] * 10))) for ms in (500.0, 1.0))
    assert reasons(slow, "p99<100ms") == []
    (why,) = reasons(fast, "p99<100ms")
    assert "found p99 between 1.00 and inf ms" in why


@pytest.mark.parametrize("found", [{}, {"rate": 1000.0}], ids=["trial", "end"])
def test_a_search_that_ends_at_its_bound_is_believed(found):
    made = record(phase("only", 1000, tally(range(1, 1001))), found=found)
    assert reasons(made, "p99<990ms") == []


@pytest.mark.parametrize("loop", ["open", "closed"])
@pytest.mark.parametrize(
    ("waited", "believed"), [(None, True), (0.02, True), (0.021, False), (0.7, False)]
)
def test_a_generator_that_waited_for_a_core_is_not_believed(waited, believed, loop):
    made = run_with_usage(0.5, loop)
    made.usage[0].waited = waited
    found = reasons(made, "max<9s")  # kept, and still nothing is to be believed
    assert (found == []) == believed
    assert all("kept from running" in why for why in found)


def test_limits_of_no_percentile_need_no_number_of_requests():
    few = record(phase("only", 3, tally([1.0] * 3)))
    assert reasons(few, "max<9ms", "mean<9ms", "errors<=0", "rate>=1/s") == []


@pytest.mark.parametrize(
    ("texts", "believed"),
    [
        (["p99<10ms"], True),  # all the more without the generator's part
        (["p99<4ms"], False),  # is that the server?
        (["p99<10ms", "max<4ms"], False),
        (["errors<=0"], False),
    ],
)
def test_a_limit_that_is_kept_though_the_generator_was_late_is_kept(texts, believed):
    made = open_run(tally([5.0] * 1000, late_ms=[3.0] * 1000))
    found = validity.invalid(made, [limits.parse(text) for text in texts])
    assert (found == []) == believed


@pytest.mark.parametrize(
    ("stolen", "text", "found", "believed"),
    [
        (None, "p99<4ms", None, True),
        (0.05, "p99<4ms", None, True),
        (0.06, "p99<4ms", None, False),
        (0.06, "p99<10ms", None, True),  # on a quiet machine all the more
        (0.06, "p99<10ms", {"rate": 1000.0}, False),  # and the rate would be higher
    ],
)
def test_a_machine_that_was_not_quiet_is_blamed_for_what_it_may_have_caused(
    stolen, text, found, believed
):
    made = open_run(tally([5.0] * 1000), stolen=stolen, found=found)
    assert (reasons(made, text) == []) == believed
