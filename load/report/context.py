"""The sections on the run's conditions: stages, resources, load, environment."""

import math
from typing import Any

from load.record import Record, Tally
from load.report import words
from load.report.parts import Section, Table
from load.report.words import ms, rate


def stages(whole: Tally) -> Section | None:
    """Break the time down by the server's own account; None where it gives none."""
    if not whole.stages:
        return None
    service = whole.service.mean
    rows = [(name, h.mean, h.percentile(99)) for name, h in whole.stages.items()]
    rest = service - sum(mean for _, mean, _ in rows)
    rows.append(("the rest: waiting, HTTP, network, client", rest, math.nan))
    rows.append(("request, from sending", service, whole.service.percentile(99)))
    shown = [
        [name, ms(mean, 3), ms(p99, 3), f"{100 * mean / service:.1f} %"]
        for name, mean, p99 in rows
    ]
    text = ["As the server reports it (Server-Timing). Percentiles do not add up."]
    timed = max(len(histogram) for histogram in whole.stages.values())
    if timed < len(whole.service):
        text.append(f"Only {timed:,} of {len(whole.service):,} replies have it.")
    head = ["stage", "mean, ms", "p99, ms", "of the mean"]
    return Section("Where the time goes", text, [Table(head, shown)])


def usage(record: Record) -> Section | None:
    """List the resources of each program; None where they are not known."""
    if not record.usage:
        return None
    rows = [
        [
            u.name,
            f"{u.cores:.2f}",
            f"{u.busiest:.2f}",
            f"{u.memory_mib:,.0f}",
            f"{u.processes}",
        ]
        for u in record.usage
    ]
    head = ["program", "cores", "busiest process, cores", "memory, MiB", "processes"]
    text = ["The generator's cores are the time in which it had work to do."]
    if record.stolen is not None:
        text.append(
            f"The host of this machine gave {100 * record.stolen:.1f} % of its "
            "processor time to others."
        )
    return Section("Processor and memory", text, [Table(head, rows)])


def asked(record: Record) -> Section:
    """Describe the load."""
    rates = dict.fromkeys(f"{rate(p.rate)}/s" for p in record.counted if p.rate is not None)
    left_out = sum(phase.seconds for phase in record.phases if not phase.counted)
    rows = [
        ["scenario", record.scenario],
        ["loop", record.loop],
        ["arrivals", record.arrivals or "when the last request is answered"],
        ["rate", ", ".join(rates) or "as it comes"],
        ["payload", record.payload],
        ["images a request", f"{record.batch:,}"],
        ["connections" if record.loop == "open" else "users", f"{record.connections:,}"],
        ["judged", words.duration(record.seconds)],
        ["left out", words.duration(left_out)],
        ["host", record.host],
        ["generator processes", f"{record.generators:,}"],
        ["seed", str(record.seed)],
    ]
    return Section("Load", tables=[Table(["parameter", "value"], rows, words=True)])


def environment(record: Record) -> Section:
    """Describe the machine, the versions and the settings."""
    groups: list[tuple[str, dict[str, Any]]] = [
        ("run", {"started": record.started, "commit": record.commit}),
        ("machine", record.machine),
        ("versions", dict(record.versions)),
        ("settings", record.settings),
    ]
    tables = [
        Table(
            [name, "value"],
            [[key, words.plain(value)] for key, value in each.items()],
            True,
        )
        for name, each in groups
        if each
    ]
    return Section("Environment", tables=tables)
