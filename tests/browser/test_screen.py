"""The first screen at five sizes: everything in sight, and nothing moves."""

import pytest
from playwright.sync_api import expect

from tests.support import browser as driver
from tests.support.page import open_page

SIZES = [(1440, 820), (1366, 657), (390, 844), (844, 390), (320, 568)]
IN_SIGHT = ["#pad", "#network", "#bars", "#digit", "#verdict", "#clear", "#gallery"]
BOXES = """names => Object.fromEntries(names.map(name => {
    const box = document.querySelector(name).getBoundingClientRect();
    const { left, top, right, bottom } = box;
    return [name, [left, top, right, bottom]];
}))"""
WATCH = """() => {
    window.shifts = [];
    new PerformanceObserver(list => {
        for (const { value, sources } of list.getEntries()) {
            const nodes = sources.map(({ node }) => node?.id || node?.className);
            window.shifts.push([value, ...nodes]);
        }
    }).observe({ type: "layout-shift", buffered: true });
}"""

every_size = pytest.mark.parametrize(
    "size", SIZES, ids=lambda size: "x".join(map(str, size))
)


def opened_at(new_page, size):
    width, height = size
    page = new_page(viewport={"width": width, "height": height})
    open_page(page)
    return page


@every_size
def test_drawing_network_and_answer_are_in_the_window(new_page, size, strokes):
    page = opened_at(new_page, size)
    driver.draw(page, strokes[3])
    driver.settle(page)
    assert page.evaluate("scrollY") == 0
    boxes = page.evaluate(BOXES, IN_SIGHT)
    width, height = size
    for name, (left, top, right, bottom) in boxes.items():
        assert min(left, top) >= 0, (name, boxes[name])
        assert right <= width, (name, boxes[name])
        assert bottom <= height, (name, boxes[name])
        assert min(right - left, bottom - top) > 15, (name, boxes[name])
    if height > width:  # a hand that draws hides what is below it
        assert boxes["#verdict"][3] <= boxes["#pad"][1]
        assert boxes["#digit"][3] <= boxes["#pad"][1]


@every_size
def test_choosing_a_drawing_moves_nothing(new_page, size):
    page = opened_at(new_page, size)
    page.evaluate(WATCH)
    names = [*IN_SIGHT[:4], "#why", "#gallery"]
    before = page.evaluate(BOXES, names)
    for name in ("heart", "scribble", "five that leans by 25 degrees"):
        page.locator(f'#gallery button[data-name="{name}"]').click()
        driver.settle(page)
        expect(page.locator("#note")).to_contain_text("ersion")
        assert page.evaluate(BOXES, names) == before
        assert page.evaluate("scrollY") == 0
        room = page.locator(".answer").evaluate("it => it.scrollHeight - it.clientHeight")
        assert room <= 1, f"the words on the {name} do not fit"
    assert page.evaluate("window.shifts") == []


def test_nothing_moves_while_the_page_loads_and_one_draws(new_page, strokes):
    page = new_page(
        alone=True,
        viewport={"width": 1440, "height": 820},
        reduced_motion="no-preference",
    )
    page.add_init_script(f"({WATCH})()")
    open_page(page)
    for digit in (0, 4):
        driver.draw(page, strokes[digit])
        driver.settle(page)
    page.locator("#clear").click()
    driver.settle(page, "empty")
    assert page.evaluate("window.shifts") == []
