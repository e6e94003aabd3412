"""The tables of `deploy/capacity.md`: ``python -m load.capacity.page`` writes them anew.

Each stands between its marker and the end's, and comes from what `make capacity` has
measured. So no number of the page is older than the measurement.
"""

import re
from pathlib import Path
from typing import Any

from load.capacity import measured
from load.capacity.admission import MAX_WAIT_S
from load.capacity.measured import Kind
from load.capacity.plan import SPARE, expect, fewest, highest
from load.capacity.proxy import POLICIES
from load.capacity.simulation import Farm
from load.limits import complete, parse
from load.peers.tables import table

PAGE = Path(__file__).resolve().parents[2] / "deploy" / "capacity.md"
MARKED = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- end -->)", re.S)
LIMITS = tuple(parse(each) for each in complete(["p99<10ms"]))
FARM = Farm(
    most_wait_s=MAX_WAIT_S
)  # one worker, as many connections as it has, and defaults
RATES = (100, 1_000, 10_000, 100_000)
SCALES = (10_000, 1_000_000, 100_000_000)
DAY_S = 86_400
POLICY_REPLICAS, POLICY_SHARE = 8, 0.8
TITLES = dict(zip(POLICIES, ("`random(1)`", "`random(2)`", "`roundrobin`", "`leastconn`")))

Record = dict[str, Any]


def parts(results: Record) -> dict[str, str]:
    """Return each table by the name in its marker."""
    kinds = measured.kinds(results)
    return {
        "core": core(kinds, results["proxy"]),
        "replicas": replicas(kinds),
        "policies": policies(measured.find(kinds, "json", 64)),
        "model": model(kinds, results["costs"]),
        "costs": costs(results["costs"]),
        **{f"scale-{rate}": scale(kinds, results, rate) for rate in SCALES},
    }


def core(kinds: list[Kind], proxies: list[Record]) -> str:
    """Return what one core does of each kind, and what it takes of a proxy's core."""
    head = ["one core", "requests/s", "images/s", "µs a request", "of HAProxy's core, µs"]
    head += ["bytes in", "bytes out", "Mbit/s in", "most at p99 < 10 ms, requests/s"]
    rows = [
        [
            kind.title,
            f"{kind.most_rate:,.0f}",
            f"{kind.most_rate * kind.batch:,.0f}",
            f"{1e6 / kind.most_rate:,.0f}",
            f"{proxy['proxy_us']:,.0f}",
            f"{kind.request_bytes:,}",
            f"{kind.reply_bytes:,}",
            f"{kind.most_rate * kind.request_bytes * 8 / 1e6:,.0f}",
            f"{highest(kind, LIMITS, FARM):,.0f}",
        ]
        for kind, proxy in zip(kinds, proxies)
    ]
    return table(head, rows)


def replicas(kinds: list[Kind]) -> str:
    """Return how many replicas of one worker some rates need, the spare one included."""
    head = ["replicas (cores) for", *(f"{rate:,} requests/s" for rate in RATES)]
    rows = [
        [kind.title, *(f"{fewest(kind, rate, LIMITS, FARM) + SPARE:,}" for rate in RATES)]
        for kind in kinds
    ]
    return table(head, rows)


def policies(kind: Kind) -> str:
    """Return what the proxy's choice does to the latency."""
    rate = POLICY_REPLICAS * POLICY_SHARE / kind.service().each
    rows = []
    for policy in POLICIES:
        farm = FARM._replace(replicas=POLICY_REPLICAS, policy=policy)
        latency = expect(kind, rate, farm).tally.latency
        rows.append([TITLES[policy], *(f"{v:.2f}" for v in latency.percentiles([50, 99]))])
    return table(["`balance`", "p50 ms", "p99 ms"], rows)


def model(kinds: list[Kind], found: Record) -> str:
    """Return which share of a request is the model's, and what none of it would bring."""
    image_us = 1e6 / found["bare_images_per_s"]["64"]
    rows = []
    for kind in kinds:
        request_us = 1e6 / kind.most_rate
        own_us = image_us * kind.batch
        faster = request_us / (request_us - own_us)
        shares = [f"{request_us:,.0f}", f"{own_us:,.0f}", f"{own_us / request_us:.0%}"]
        rows.append([kind.title, *shares, f"{faster:.2f}"])
    head = ["µs of a core", "a request", "of it the model", "share"]
    return table([*head, "times as many, if the model took no time"], rows)


def costs(found: Record) -> str:
    """Return what a replica and a request cost besides the core."""
    own = max(found["memory_kb"], key=lambda used: int(used["VmRSS"]))
    used = sum(each["Pss"] for each in found["memory_kb"])
    rows = [
        ["memory of a replica with one worker, MB", f"{used / 1000:.0f}"],
        ["of it one more worker, MB", f"{own['Pss'] / 1000:.0f}"],
        ["a line of the access log, bytes", f"{found['log_bytes']:.0f}"],
        ["`/metrics`: series", f"{found['series']:,}"],
        ["`/metrics`: bytes", f"{found['metrics_bytes']:,}"],
        ["`/metrics`: ms of a worker", f"{found['scrape_ms']:.1f}"],
        ["the model's file, bytes", f"{found['model_bytes']:,}"],
    ]
    return table(["", "measured"], rows)


def scale(kinds: list[Kind], results: Record, images: int) -> str:
    """Return what so many images a second need, by how they are sent."""
    head = [f"{images:,} images/s as", "requests/s", "workers' cores", "HAProxy's cores"]
    head += ["in flight", "Gbit/s in", "Gbit/s out", "memory, GB", "access log, GB a day"]
    memory_gb = sum(each["Pss"] for each in results["costs"]["memory_kb"]) / 1e6
    log_gb = results["costs"]["log_bytes"] / 1e9
    rows = []
    for kind, proxy in zip(kinds, results["proxy"]):
        rate = images / kind.batch
        cores = fewest(kind, rate, LIMITS, FARM) + SPARE
        latency = expect(kind, rate, FARM._replace(replicas=cores)).tally.latency
        numbers = (
            rate,
            cores,
            rate * proxy["proxy_us"] / 1e6,
            rate * latency.mean / 1e3,
            rate * kind.request_bytes * 8 / 1e9,
            rate * kind.reply_bytes * 8 / 1e9,
            cores * memory_gb,
            rate * DAY_S * log_gb,
        )
        rows.append([kind.title, *map(_number, numbers)])
    alone = {
        n: images / found for n, found in results["costs"]["bare_images_per_s"].items()
    }
    for batch, cores in alone.items():
        title = f"none: in the caller's process, {batch} at a time"
        rows.append([title, "0", _number(cores), *["0"] * 6])
    return table(head, rows)


def _number(value: float) -> str:
    """Return a number with two digits at least, and no more than are known."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def filled(text: str, tables: dict[str, str]) -> str:
    """Return a page with its tables written anew.

    Raises:
        KeyError: a marker names no table.
    """
    return MARKED.sub(lambda found: found[1] + tables[found[2]] + found[3], text)


def main() -> None:
    """Write the page's tables."""
    PAGE.write_text(filled(PAGE.read_text(), parts(measured.load())))


if __name__ == "__main__":
    main()
