"""Measure all that the model needs, and the model: ``python -m load.capacity.run``.

(``make capacity``.) Needs wrk, HAProxy, two cores that do nothing else, and root for their
priorities.
"""

import argparse
import json
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from load.capacity import costs, measure, pair, report
from load.capacity.measured import RESULTS, Kind, load
from load.capacity.others import quietest
from load.capacity.targets import TARGETS, Record
from load.peers.measure import say

ONE = 2  # of the targets, 64 images in JSON: many requests a second, answered together


PARTS = ("kinds", "pair", "one", "proxy", "costs")


def measured_part(part: str, results: Record, brief: int, seconds: int) -> Any:
    """Return one part of the results; ``one`` needs the kinds before it."""
    if part == "kinds":
        tried = [quietest(partial(measure.kind, target, brief)) for target in TARGETS]
        return [kind.as_dict() | {"others": others} for kind, others in tried]
    if part == "costs":
        with tempfile.TemporaryDirectory() as folder:
            return costs.costs(Path(folder), brief)
    if part == "one":
        known = Kind.from_dict(results["kinds"][ONE])
        return measure.one_replica(TARGETS[ONE], known, 3 * brief)
    if part == "proxy":
        return [costs.proxy(target, brief) for target in TARGETS]
    return pair.run(seconds)


def main() -> None:
    """Measure, and write figures and tables."""
    parser = argparse.ArgumentParser(prog="python -m load.capacity.run")
    parser.add_argument("--seconds", type=int, default=40, help="a load of two replicas")
    parser.add_argument("--brief", type=int, default=4, help="each other measurement, s")
    parser.add_argument("--parts", default=",".join(PARTS), help="others are kept")
    options = parser.parse_args()
    results: Record = load() if RESULTS.exists() else {}
    for part in options.parts.split(","):
        results[part] = measured_part(part, results, options.brief, options.seconds)
        results["date"] = time.strftime("%Y-%m-%d")
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(results) + "\n")
    RESULTS.with_suffix(".md").write_text(report.markdown(results))
    say(f"wrote {RESULTS.name} and {RESULTS.stem}.md in deploy/results")


if __name__ == "__main__":
    main()
