"""The pages of a server that asks for an API key."""

import os
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.support import browser as driver

KEY, WRONG = "a-key.of~the_test+16/", "another-key-of-16-letters"
LINE = [[[0.45, 0.15], [0.45, 0.85]]]
REFUSED = "the server responded with a status of 401"


@pytest.fixture(scope="module")
def service(start, tmp_path_factory):
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(KEY)
    settings = {"MNIST_API_KEYS": str(keys), "MNIST_MAX_WAIT_MS": "10000"}
    return start(WEB_CONCURRENCY="1", **settings).wait_ready()


def give(page, key):
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Use this key").click()


def test_asks_before_one_draws_and_then_answers(page):
    driver.open_page(page)
    expect(page.locator("#key")).to_contain_text("This server asks for an API key.")
    driver.draw(page, LINE)
    driver.settle(page, "locked")
    expect(page.locator("#digit")).to_have_text("?")
    give(page, f" {KEY} ")
    driver.settle(page)
    expect(page.locator("#key")).to_be_hidden()
    expect(page.locator("#digit")).to_have_text("1")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.expects(REFUSED)
def test_says_that_a_key_is_wrong_and_asks_again(page):
    driver.open_page(page)
    give(page, "no key: ü")
    expect(page.locator("#key-words")).to_contain_text("A key has only letters, digits")
    give(page, WRONG)
    expect(page.locator("#key-words")).to_have_text("The server does not know this key.")
    expect(page.get_by_label("API key")).to_have_attribute("aria-invalid", "true")
    give(page, KEY)
    expect(page.locator("#key")).to_be_hidden()


def test_the_lesson_waits_for_the_key_and_the_tab_keeps_it(page):
    driver.open_page(page, "/learn")
    give(page, KEY)
    expect(page.locator("#key")).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # starts every widget
    for name in ("layers", "confidence", "training", "break"):
        page.locator(f"#{name} :is(canvas, svg)").first.wait_for()
    assert page.locator(".notice:visible").count() == 0
    driver.open_page(page)
    driver.draw(page, LINE)
    driver.settle(page)
    expect(page.locator("#key")).to_be_hidden()


def test_what_is_copied_has_the_key_s_place_and_not_the_key(page):
    driver.open_page(page)
    give(page, KEY)
    driver.draw(page, LINE)
    driver.settle(page)
    environment = {**os.environ, "API_KEY": KEY}
    programs = ("curl", "bash", "curl -s"), ("Python", sys.executable, "import json")
    for button, run, starts in programs:
        page.get_by_role("button", name=f"Copy as {button}").click()
        expect(page.locator("#snippet")).to_contain_text(starts)
        program = page.locator("#snippet").inner_text()
        assert KEY not in program
        done = subprocess.run(
            [run, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert re.search(r'"digit": ?1\b', done.stdout), done.stderr


def test_the_field_of_the_key_has_its_own_undo(page):
    driver.open_page(page)
    driver.draw(page, LINE)
    driver.settle(page, "locked")
    field = page.get_by_label("API key")
    field.press_sequentially("abc")
    field.press("Control+z")
    expect(field).to_have_value("")
    expect(page.locator("#undo")).to_have_attribute("aria-disabled", "false")
    assert page.locator("main").get_attribute("data-state") == "locked"  # not empty


@pytest.mark.expects(REFUSED)
def test_axe_finds_nothing_in_the_form(new_page):
    page = new_page(viewport={"width": 320, "height": 640})
    driver.open_page(page)
    give(page, WRONG)
    expect(page.get_by_label("API key")).to_have_attribute("aria-invalid", "true")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    driver.axe(page, context="#key")
