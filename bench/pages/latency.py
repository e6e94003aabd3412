"""From a stroke to its painted answer, in the browser: ``python -m bench latency``.

The page itself notes it, from the event of the newest point in the answered drawing to the
paint of the answer. Digits are drawn with the mouse as fast as a hand draws; where there
are two cores, the service has one and the browser the other.
"""

import argparse
import itertools
import json
import os
import statistics
import time
from collections.abc import Sequence
from typing import Any

from bench.harness.cores import ROOT
from bench.harness.results import describe, machine, percentile
from tests.support import browser as driver

DIGITS = ROOT / "service" / "model" / "digits.json"
POINTS_PER_S = 60  # as many as a screen has frames
TIMES = 'performance.getEntriesByName("stroke to answer").map(it => it.duration)'


def measure(page: Any, digits: list[Any], points: int) -> list[float]:
    """Draw that many points, one after the other, and return the times, ms.

    Args:
        page: of Playwright.
        digits: the strokes of each, points in the unit square.
        points: how many to draw.
    """
    driver.open_page(page)
    driver.draw(page, digits[0])  # the first answer also fetches the weights
    driver.settle(page)
    page.wait_for_load_state("networkidle")
    page.evaluate("performance.clearMeasures()")
    left = points
    due = time.perf_counter()
    for digit in itertools.cycle(digits):
        page.locator("#clear").click()
        for stroke in digit:
            first, *rest = driver.on_pad(page, driver.along(stroke, 0.03))
            page.mouse.move(*first)
            page.mouse.down()
            for point in rest[:left]:
                due = max(due + 1 / POINTS_PER_S, time.perf_counter())
                time.sleep(max(0, due - time.perf_counter()))
                page.mouse.move(*point)
                left -= 1
            page.mouse.up()
            if not left:
                driver.settle(page)
                page.evaluate(driver.TWO_FRAMES)
                return sorted(page.evaluate(TIMES))
    raise ValueError("found no strokes, expected some")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure in rounds, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m bench latency")
    parser.add_argument("--points", type=int, default=300, help="(default: 300)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    options = parser.parse_args(argv)
    digits = [digit["strokes"] for digit in json.loads(DIGITS.read_bytes())["digits"]]
    cores = sorted(os.sched_getaffinity(0))[:2]
    apart = len(cores) == 2
    print(f"{describe(machine())}, load before {os.getloadavg()[0]:.1f}")
    print("service and browser on a core each" if apart else "not pinned")
    with driver.working(tuple(cores) if apart else (None, None)) as page:
        print(f"Chromium {page.context.browser.version}")
        for _ in range(options.rounds):
            times = measure(page, digits, options.points)
            print(
                f"{options.points} points, {len(times)} answers: median "
                f"{statistics.median(times):.1f} ms, p95 {percentile(times, 95):.1f} ms, "
                f"max {times[-1]:.1f} ms"
            )


if __name__ == "__main__":
    main()
