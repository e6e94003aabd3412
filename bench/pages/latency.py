"""From a stroke to its painted answer, in the browser: ``python -m bench.pages.latency``.

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
from pathlib import Path

from tests.support import browser as driver
from training import machine

DIGITS = Path(__file__).resolve().parents[2] / "service" / "model" / "digits.json"
A_SECOND = 60  # points, as many as a screen has pictures
TIMES = 'performance.getEntriesByName("stroke to answer").map(it => it.duration)'


def measure(page, strokes, points):
    """Draw so many points, one after the other, and return the times, ms."""
    driver.open_page(page)
    driver.draw(page, strokes[0])  # the first answer also fetches the weights
    driver.settle(page)
    page.wait_for_load_state("networkidle")
    page.evaluate("performance.clearMeasures()")
    left = points
    due = time.perf_counter()
    for digit in itertools.cycle(strokes):
        page.locator("#clear").click()
        for stroke in digit:
            first, *rest = driver.on_pad(page, driver.along(stroke, 0.03))
            page.mouse.move(*first)
            page.mouse.down()
            for point in rest[:left]:
                due = max(due + 1 / A_SECOND, time.perf_counter())
                time.sleep(max(0, due - time.perf_counter()))
                page.mouse.move(*point)
                left -= 1
            page.mouse.up()
            if not left:
                driver.settle(page)
                page.evaluate(driver.TWO_FRAMES)
                return page.evaluate(TIMES)
    raise AssertionError("no strokes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--points", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    described = machine.describe()
    cores = (None, None)
    if hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > 1:
        cores = tuple(sorted(os.sched_getaffinity(0)))[:2]
    strokes = [digit["strokes"] for digit in json.loads(DIGITS.read_bytes())["digits"]]
    apart = "service and browser on a core each" if cores[0] is not None else "not pinned"
    load = os.getloadavg()[0]
    print(
        f"{described['cpu']}, {described['cores']} cores, {apart}, load before {load:.1f}"
    )
    with driver.working(cores) as page:
        print(f"Chromium {page.context.browser.version}")
        for _ in range(options.rounds):
            times = sorted(measure(page, strokes, options.points))
            p95 = statistics.quantiles(times, n=20)[-1]
            median = statistics.median(times)
            print(
                f"{options.points} points, {len(times)} answers: "
                f"median {median:.1f} ms, p95 {p95:.1f} ms, max {times[-1]:.1f} ms"
            )


if __name__ == "__main__":
    main()
