"""The front page while the server is away, slow or busy."""

import itertools
import re

import pytest
from playwright.sync_api import expect

from tests.support import browser as driver
from tests.support.page import (
    LINE,
    REFUSED,
    ask,
    expect_answer,
    expect_digit,
    open_page,
    watch,
)


@pytest.fixture
def opened(page):
    open_page(page)
    return page


@pytest.mark.expects("Failed to load resource: net::ERR_")
def test_server_away_is_said_and_recovers_with_the_newest_drawing(start, new_page, strokes):
    patient = {"MNIST_MAX_WAIT_MS": "10000"}  # on a machine that is busy with the browser
    server = start(**patient).wait_ready()
    page = new_page(base_url=server.url)
    driver.open_page(page)
    driver.draw(page, strokes[3])
    expect_digit(page, 3)
    expect(page.locator("#server")).to_be_empty()
    server.stop()
    page.locator("#clear").click()
    driver.draw(page, strokes[0])
    driver.settle(page, "away")
    expect(page.locator("#server")).to_contain_text(re.compile("server", re.I))
    driver.axe(page)
    page.locator("#clear").click()
    driver.draw(page, strokes[7])
    start(port=server.port, **patient).wait_ready()
    expect_digit(page, 7)
    expect(page.locator("#server")).to_be_empty()


@pytest.mark.expects("Failed to load resource: net::ERR_")
def test_what_could_not_be_loaded_is_said_once_and_tried_again(page, strokes):
    for path in ("**/weights*", "**/gallery.json"):
        page.route(path, lambda route: route.abort())
    driver.open_page(page)
    for digit in (3, 4):  # each answer wants the weights
        driver.draw(page, strokes[digit])
        driver.settle(page)
        page.locator("#clear").click()
    driver.draw(page, strokes[5])
    expect_digit(page, 5)
    notice = page.get_by_role("alert").filter(visible=True)
    expect(notice).to_have_count(1)
    expect(notice).to_contain_text("the server cannot be reached")
    driver.axe(page)
    page.unroute_all()
    notice.get_by_role("button", name="Try again").click()
    expect(notice).to_have_count(0)
    expect(page.locator("#gallery button")).to_have_count(44)
    expect(page.locator("#why-title")).to_contain_text("Why 5, not")


def test_asks_one_thing_at_a_time_and_then_the_newest(opened, service, strokes):
    held, asked = [], watch(opened)
    opened.route("**/explain*", lambda route: held.append(route))
    for part in strokes[8]:
        driver.draw(opened, [part])
    driver.draw(opened, LINE)
    driver.settle(opened, "asking")
    assert len(held) == 1
    with opened.expect_request("**/explain*"):
        held.pop().continue_()
    while not held:
        opened.evaluate(driver.TWO_FRAMES)
    held.pop().continue_()
    driver.settle(opened)
    assert held == []
    assert len(asked) == 2
    expect_answer(opened, ask(service, asked[-1]))


@pytest.mark.expects(REFUSED)
def test_never_shows_an_older_answer_after_a_newer(opened, service, strokes):
    delays = itertools.cycle([200, 5, 90, 1, 40])

    def delay(route):
        opened.wait_for_timeout(next(delays))
        route.continue_()

    opened.emulate_media(reduced_motion="no-preference")
    opened.route("**/explain*", delay)
    asked = watch(opened)
    opened.evaluate(
        """() => {
            window.shown = [];
            const bars = document.querySelector("#bars");
            new MutationObserver(() => window.shown.push(
                [...bars.querySelectorAll(".percent")].map(e => e.textContent)
            )).observe(bars, { subtree: true, childList: true, characterData: true });
        }"""
    )
    for digit in (3, 0, 5):
        opened.locator("#pad").press("Delete")
        driver.draw(opened, strokes[digit], step=0.05)
    expect_digit(opened, 5)
    # What was asked is answered here once more; a single point is refused, and never shown.
    replies = [ask(service, question) for question in asked]
    answers = [
        [100 * it for it in reply["predictions"][0]["probabilities"]]
        for reply in replies
        if "predictions" in reply
    ]
    shown = [
        [driver.number(text) for text in texts]
        for texts in opened.evaluate("window.shown")
        if all(re.search(r"\d", text) for text in texts)  # not what a blank page has
    ]
    assert shown
    newest = 0
    for values in shown:
        of = [i for i, it in enumerate(answers) if values == pytest.approx(it, abs=0.011)]
        not_older = [i for i in of if i >= newest]
        assert not_older, f"the answer to {of} after that to {newest}"
        newest = not_older[0]
    expect_answer(opened, replies[-1])
