"""The living network on the front page: what it shows, and what a unit looks for."""

import contextlib
import re

import pytest
from playwright.sync_api import expect

from tests.support import browser as driver
from tests.support.page import ask, open_page, pixels, tab_to, watch

PLACES = """async ([depth, unit]) => {
    const { fetchLayers } = await import("/static/network.js");
    const { orderOf, place } = await import("/static/places.js");
    const canvas = document.querySelector("#network");
    const order = orderOf(await fetchLayers(document.querySelector("#version").value));
    const places = place(canvas.clientWidth, canvas.clientHeight, order);
    const { left, top } = canvas.getBoundingClientRect();
    const [x, y] = places.units[depth][unit];
    return [left + x, top + y];
}"""


@pytest.fixture
def drawn(new_page, strokes):
    """A page with an 8, without motion."""
    page = new_page()
    open_page(page)
    driver.draw(page, strokes[8])
    driver.settle(page)
    page.evaluate(driver.TWO_FRAMES)
    return page


@pytest.mark.parametrize(("depth", "name"), [(0, "layer 1"), (1, "layer 2"), (2, "output")])
def test_pointing_at_a_unit_shows_what_it_looks_for(drawn, depth, name):
    frame, usual = pixels(drawn), drawn.locator("#unit").inner_text()
    drawn.mouse.move(*drawn.evaluate(PLACES, [depth, 5]))
    expect(drawn.locator("#unit")).to_contain_text(name)
    expect(drawn.locator("#unit")).to_contain_text("excites it")
    assert (pixels(drawn) != frame).any()
    drawn.mouse.move(1, 1)
    expect(drawn.locator("#unit")).to_have_text(usual)
    assert (pixels(drawn) == frame).all()


def tap(page, place, shown):
    """Tap until the frame shows something else.

    Chromium makes no click of a touch that follows another within 0.4 s, nor of one that
    takes 0.5 s, as on a busy machine.
    """
    label = page.locator("#frame")
    for _ in range(6):
        page.wait_for_timeout(500)
        page.touchscreen.tap(*place)
        with contextlib.suppress(AssertionError):
            expect(label).to_have_attribute("aria-label", re.compile(shown), timeout=10_000)
            return
    pytest.fail(f"found {label.get_attribute('aria-label')}, expected {shown}")


def test_a_tap_holds_a_unit_until_the_next(new_page, strokes):
    page = new_page(has_touch=True, viewport={"width": 390, "height": 844})
    open_page(page)
    driver.touch(page, strokes[8])
    driver.settle(page)
    frame = pixels(page)
    tap(page, page.evaluate(PLACES, [2, 8]), "output")
    assert (pixels(page) != frame).any()
    tap(page, page.evaluate(PLACES, [2, 8]), "saw")


def test_arrows_move_from_unit_to_unit(drawn):
    tab_to(drawn, "#network")
    words = drawn.locator("#unit")
    expect(words).to_contain_text("of layer 1")
    first = words.inner_text()
    drawn.keyboard.press("ArrowDown")
    expect(words).not_to_have_text(first)
    drawn.keyboard.press("ArrowRight")
    expect(words).to_contain_text("of layer 2")
    drawn.keyboard.press("ArrowRight")
    drawn.keyboard.press("Home")
    expect(words).to_contain_text("The output of 0")
    drawn.keyboard.press("Tab")
    expect(words).to_contain_text("Each dot is a unit")


def test_a_stroke_changes_the_network(drawn):
    before = pixels(drawn, "#network")
    driver.draw(drawn, [[(0.1, 0.1), (0.9, 0.1)]])
    driver.settle(drawn)
    drawn.evaluate(driver.TWO_FRAMES)
    assert (pixels(drawn, "#network") != before).any()


def painted_frames(page, strokes):
    """How often the network is painted after a stroke."""
    page.evaluate(
        """() => {
            window.painted = 0;
            const canvas = document.querySelector("#network");
            const context = canvas.getContext("2d");
            const clear = context.clearRect;
            context.clearRect = (...box) => {
                window.painted++;
                clear.apply(context, box);
            };
        }"""
    )
    driver.draw(page, strokes)
    driver.settle(page)
    page.evaluate("new Promise(done => setTimeout(done, 300))")  # longer than its motion
    return page.evaluate("window.painted")


def moving_page(new_page, motion, tick):
    """A page whose clock goes on by some ms each time that it is read."""
    page = new_page(alone=True, reduced_motion=motion)
    page.add_init_script(f"let now = 0; performance.now = () => (now += {tick});")
    open_page(page)
    return page


@pytest.mark.parametrize(("motion", "moves"), [("no-preference", True), ("reduce", False)])
def test_it_moves_unless_one_wants_no_motion(new_page, motion, moves):
    page = moving_page(new_page, motion, tick=5)
    answers = watch(page)
    painted = painted_frames(page, [[(0.45, 0.15), (0.45, 0.85)]])
    assert (painted > len(answers) + 1) == moves, (painted, len(answers))


def test_a_slow_machine_moves_once_at_most(new_page):
    page = moving_page(new_page, "no-preference", tick=60)
    answers = watch(page)
    painted = painted_frames(page, [[(0.45, 0.15), (0.45, 0.85)]])
    assert painted <= len(answers) + 2


def test_why_names_the_two_digits_and_adds_up(drawn, service):
    asked = watch(drawn)
    drawn.locator('#gallery button[data-name="nine that is nearly a four"]').click()
    driver.settle(drawn)
    answer = ask(service, asked[-1])
    probabilities = answer["predictions"][0]["probabilities"]
    first, second = sorted(range(10), key=probabilities.__getitem__, reverse=True)[:2]
    expect(drawn.locator("#why-title")).to_have_text(f"Why {first}, not {second}?")
    words = drawn.locator("#why-sum").inner_text().replace("−", "-")
    most, least, bias, lead = map(float, re.findall(r"-?\d+\.\d", words))
    assert lead == pytest.approx(most - least + bias, abs=0.21)
    sums = answer["layers"][-1]["sums"]
    assert lead == pytest.approx(sums[first] - sums[second], abs=0.06)
    assert len({tuple(it) for it in pixels(drawn, "#why").reshape(-1, 4)}) > 10
