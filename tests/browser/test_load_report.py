"""The report of a load test, in a browser: for everyone, on a phone, light and dark."""

import pytest

from load import report
from tests.load.records import FOUND, STAGES, judged, phase, record, spread, steps, tally
from tests.support import browser as driver


def search():
    late = tally(spread(1500, 1, 8), late_ms=[5.0] * 1500, stages=STAGES)
    windows = [phase(f"window {i}", 1500, late, late) for i in (1, 2)]
    return record(*windows, scenario="find-max", found=FOUND)


@pytest.mark.parametrize(("make", "scheme"), [(steps, "light"), (search, "dark")])
def test_axe_finds_nothing_and_a_phone_scrolls_one_way(new_page, make, scheme):
    made = judged(make(), "p99<10ms", "errors<1%")
    page = new_page(color_scheme=scheme, viewport={"width": 375, "height": 800})
    page.set_content(report.html(made))
    assert page.locator("figure svg[role=img]").count() >= 4
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    driver.axe(page, scheme)
