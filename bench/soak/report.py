"""The record of a soak as gates and as a table."""

from collections import Counter
from statistics import median
from typing import Any

from bench.chaos.case import Finding
from bench.harness.results import table
from bench.soak import gates
from bench.soak.samples import Sample

Record = dict[str, Any]


def judge(record: Record) -> dict[str, Finding]:
    """Return each gate by what it is about."""
    counts: Counter[str] = sum(
        (Counter(e["counts"]) for e in record["intervals"]), Counter()
    )
    samples = [Sample(**sample) for sample in record["samples"]]
    master = [s for s in samples if s.pid == record["master"]]
    workers = [s for s in samples if s.pid != record["master"]]
    warm_up = record["warm_up_s"]
    left = record["left_behind"]
    reloads = record["reloads"]
    return {
        "wrong answers": gates.wrong(counts),
        "unexpected codes": gates.unexpected(counts),
        "failed": gates.failed(counts),
        "memory, a worker": gates.memory(workers, warm_up),
        "memory, master": gates.memory(master, warm_up),
        "open files, workers": gates.files(workers, warm_up),
        "open files, master": gates.files(master, warm_up),
        "open files, idle": gates.idle_files(*record["idle_files"]),
        "threads, workers": gates.threads(workers, warm_up),
        "files in TMPDIR, /dev/shm": Finding(
            f"{left[0]}, then {left[1]}", left[1] == left[0]
        ),
        "reloads": Finding(f"{sum(reloads)} of {len(reloads)} with new pids", all(reloads)),
        "stop": Finding(f"exit code {record['exit_code']}", record["exit_code"] == 0),
    }


MARKS = {
    "wrong answers": "0",
    "unexpected codes": "0",
    "failed": "0",
    "memory, a worker": f"< {gates.MOST_MIB_PER_HOUR:g} MiB/h",
    "memory, master": f"< {gates.MOST_MIB_PER_HOUR:g} MiB/h",
    "open files, workers": "constant, sockets and heartbeats apart",
    "open files, master": "constant, sockets and heartbeats apart",
    "open files, idle": "as before",
    "threads, workers": "constant",
    "files in TMPDIR, /dev/shm": "as before",
    "reloads": "all",
    "stop": "exit code 0",
}


def markdown(record: Record) -> str:
    """Return the tables and what they are of."""
    found = judge(record)
    counts: Counter[str] = sum(
        (Counter(e["counts"]) for e in record["intervals"]), Counter()
    )
    rows = [
        [name, MARKS[name], finding.seen, "yes" if finding.ok else "**NO**"]
        for name, finding in found.items()
    ]
    kinds = [[kind, f"{count:,}"] for kind, count in sorted(counts.items())]
    return "\n".join(
        [
            "# Soak\n",
            f"`make bench WHAT=soak`: {record['minutes']:g} minutes of an open loop at "
            f"{record['rate']:,.0f} requests/s, {record['share']:.0%} of the "
            f"{record['capacity']:,.0f} that {record['workers']} worker(s) answered at the "
            "start, of single images as bytes and JSON, both standard dialects, small "
            "batches and pictures. 5 % are bad, 0.5 % of the clients are killed in the "
            "middle of a request, and there is a SIGHUP every "
            f"{record['reload_minutes']:g} minutes, with a burst for the new workers right "
            "after it. Every answer is compared with its label, every refusal with its "
            "code.\n",
            table(["", "pass mark", "seen", "ok"], rows),
            "",
            "Memory is VmRSS, sampled every "
            f"{record['interval_s']:g} s. Reloads replace the workers, so the slope is the "
            "one that fits the samples of all of them best (least squares) when each may "
            "begin at a level of its own, without each one's first "
            f"{record['warm_up_s']:g} s.\n",
            table(["requests", "count"], kinds),
            "",
            latencies(record["intervals"]),
            "",
        ]
    )


def latencies(intervals: list[Record]) -> str:
    """Return the latencies of the first and the last fifth: medians of the intervals'."""
    fifth = max(len(intervals) // 5, 1)
    rows = []
    for name, part in (("first", intervals[:fifth]), ("last", intervals[-fifth:])):
        points = (f"{median(each[p] for each in part):.2f}" for p in ("p50_ms", "p99_ms"))
        rows.append([f"{name} fifth", *points])
    return table(["latency from the time due, ms", "p50", "p99"], rows)
