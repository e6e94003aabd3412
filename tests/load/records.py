"""Records for the tests of what is made of them."""

import json
from collections import Counter

from load import limits, validity
from load.histogram import Histogram
from load.record import Phase, Record, Slice, Tally, Usage, Verdict


def tally(latency_ms, sent_ms=None, late_ms=(0.01,), failures=(), stages=(), due=None):
    """All were right whose reason to fail is not given."""
    made = Tally(failures=Counter(dict(failures)))
    made.due = len(latency_ms) if due is None else due
    made.right = made.due - made.failed
    for name, times in (
        ("latency", latency_ms),
        ("service", latency_ms if sent_ms is None else sent_ms),
        ("late", late_ms),
    ):
        setattr(made, name, Histogram(Counter(round(100 * ms) for ms in times)))
    for stage, times in dict(stages).items():
        for ms in times:
            made.add_stage(stage, ms / 1000)
    return made


def phase(name, rate, *tallies, counted=True):
    """A phase with a slice of a second for each tally."""
    slices = [Slice(float(at), 1.0, each) for at, each in enumerate(tallies)]
    return Phase(name, rate, float(len(tallies)), counted, slices)


def record(*phases, **changes):
    found = {
        "scenario": "steady",
        "loop": "open",
        "arrivals": "poisson",
        "payload": "json",
        "batch": 1,
        "host": "http://127.0.0.1:8000",
        "connections": 64,
        "seed": 7,
        "generators": 1,
        "started": "2026-01-02T03:04:05+00:00",
        "phases": list(phases),
        "usage": [Usage("generator", 1.2, 0.8, 90, 2), Usage("server", 0.7, 0.6, 140, 3)],
        "machine": {"cpu": "some cpu", "cores": 2},
        "versions": {"locust": "2.46.3"},
        "settings": {"MNIST_WORKERS": 1},
        "commit": "ac6ffff",
    }
    return Record(**{**found, **changes})


def judged(made, *texts):
    """The record with its verdict."""
    asked = [limits.parse(text) for text in texts]
    made.verdict = Verdict(validity.invalid(made, asked), limits.judge(made, asked))
    return made


def spread(count, least, most):
    """So many latencies, in ms, evenly from the least to the most."""
    return [least + (most - least) * i / (count - 1) for i in range(count)]


def steps():
    """Two steps after a warm-up; the second has failures, and requests that waited."""
    return record(
        phase("warm-up", 500, tally(spread(500, 5, 9)), counted=False),
        phase("1,000/s", 1000, *[tally(spread(1000, 0.4, 2), stages=STAGES)] * 2),
        phase(
            "2,000/s",
            2000,
            *[
                tally(
                    spread(2000, 0.4, 30),
                    spread(2000, 0.4, 3),
                    failures={"status 503": 3, "read a 4 as 9": 1},
                    stages=STAGES,
                )
            ]
            * 2,
        ),
        scenario="steps",
    )


STAGES = {"decode": [0.018, 0.02], "infer": [0.05, 0.06], "encode": [0.004]}
FOUND = {
    "limit": "p99<10ms",
    "rate": 1500.0,
    "trials": [
        {"rate": 1000.0, "p99_ms": 2.5, "failed": 0, "kept": True, "invalid": []},
        {"rate": 2000.0, "p99_ms": 40.25, "failed": 12, "kept": False, "invalid": []},
        {
            "rate": 3000.0,
            "p99_ms": None,
            "failed": 3000,
            "kept": False,
            "invalid": ["late"],
        },
    ],
    "windows": [{"rate": 1498.0 + n, "p99_ms": 8.11 + n} for n in range(3)],
    "agree": True,
}


def through_json(made):
    return Record.from_dict(json.loads(json.dumps(made.as_dict())))
