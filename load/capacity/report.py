"""The tables of what was measured, and how far the simulation is from it."""

from typing import Any

from load.capacity import measured, pair
from load.capacity.measured import Kind
from load.peers.latency import percentile
from load.peers.tables import table

Record = dict[str, Any]
NAMES = ("mean", "p50", "p95", "p99")


def markdown(results: Record) -> str:
    """Return `deploy/results/capacity.md`."""
    two, cost = results["pair"], results["pair"]["costs_us"]
    return "\n".join(
        [
            "# Service times, and how far the model is from what is measured\n",
            f"{results['date']}, made by `make capacity`; the raw figures are in "
            "`capacity.json`. All predictions were made before what they predict was "
            "measured, from the service times, for the same seeded Poisson arrivals.\n",
            "*others*: the share of the machine that other processes took meanwhile; each "
            "figure is measured until that is below 5 %, or the quietest of three.\n",
            "## Service times\n",
            "One worker on one core, the client on the other. *alone*: the core's time "
            "for a request that nobody else is with; *together*: with 16 clients, what "
            "comes out at most; *once*: what requests that are answered together take "
            "once, and of how many; *around*: what a client waits besides.\n",
            services(measured.kinds(results)),
            "## One replica, no proxy: 64 images in JSON\n",
            loads(results["one"]),
            f"## Two replicas behind HAProxy: {two['target']}\n",
            f"{pair.__doc__.partition(chr(10) * 2)[2]}\n",
            f"A request takes {cost['busy']:,.0f} µs of a replica's core after another "
            f"one, {cost['wake']:,.0f} more where the replica was idle, and "
            f"{cost['others']:.0f} of proxy and generator: the pair has time for "
            f"{two['most_rate']:.0f} requests a second.\n",
            loads(two["loads"]),
            "The machine is not the same from minute to minute. Once more, with the time "
            "of the replicas' cores that was counted during each load, not before it:\n",
            loads([each | {"predicted": each["explained"]} for each in two["loads"]], True),
            "## HAProxy\n",
            "With a core for itself, 16 clients, and `balance` and `http-reuse` as "
            "shipped.\n",
            proxies(results["proxy"]),
        ]
    )


def services(kinds: list[Kind]) -> str:
    """Return the table of service times."""
    head = [
        "",
        "alone µs, median",
        "p99",
        "together, requests/s",
        "once µs",
        "of",
        "around µs",
    ]
    rows = [
        [
            kind.title,
            f"{percentile(kind.alone_us, 50):,.0f}",
            f"{percentile(kind.alone_us, 99):,.0f}",
            f"{kind.most_rate:,.0f}",
            f"{kind.once_us:.0f}",
            f"{kind.together:.1f}",
            f"{kind.around_us:.0f}",
        ]
        for kind in kinds
    ]
    return table(head, rows)


def loads(found: list[Record], cores: bool = False) -> str:
    """Return the table of loads: predicted / measured ms, and the ratio."""
    head = ["", "requests/s", "requests", "refused: model / measured"]
    head += [*(f"{name}: model / measured ms" for name in NAMES), "others"]
    head += ["µs of a replica's core"] * cores
    rows = [
        [
            " ".join([f"{load['share']:.0%}", load.get("balance", "")]).strip(),
            f"{load['rate']:,.0f}",
            f"{load['requests']:,}",
            f"{load['predicted']['failed']:,} / {load['measured']['failed']:,}",
            *(_pair(load, name) for name in NAMES),
            f"{load['others']:.1%}",
            *([f"{load['replica_us']:,.0f}"] if cores else []),
        ]
        for load in found
    ]
    return table(head, rows)


def _pair(load: Record, name: str) -> str:
    model, real = load["predicted"][name], load["measured"][name]
    return f"{model:.2f} / {real:.2f} ({model / real:.2f})"


def proxies(found: list[Record]) -> str:
    """Return the table of what HAProxy takes."""
    head = ["", "µs of its core a request", "requests/s of a core", "failed"]
    rows = [
        [
            each["title"],
            f"{each['proxy_us']:.1f}",
            f"{1e6 / each['proxy_us']:,.0f}",
            f"{each['failed']:,}",
        ]
        for each in found
    ]
    return table(head, rows)
