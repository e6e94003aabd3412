"""What the front page has beside the answer: another version, fool it, share it, play."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support import browser as driver
from tests.support.page import (
    LINE,
    ask,
    choose,
    expect_answer,
    expect_digit,
    open_page,
    settings,
    watch,
)


@pytest.fixture
def opened(page):
    """A page that has read a 3."""
    open_page(page)
    page.locator('#gallery button[data-label="3"]').first.click()
    expect_digit(page, 3)
    return page


def fool(page):
    page.locator('#fool[aria-disabled="false"]').click()
    cards = page.locator("dialog .cards section")
    expect(cards).to_have_count(2)
    for card in cards.all():
        expect(card).to_contain_text("of 784")
    return cards


def test_both_versions_are_fooled_side_by_side(opened):
    for card in fool(opened).all():
        words = card.inner_text()
        assert re.search(
            r"\d+ pixels? of 784 turns? a 3 into an? [012456789] \(\d+\s%\)", words
        )
    driver.axe(opened)
    opened.keyboard.press("Escape")
    expect(opened.locator("dialog")).to_have_count(0)
    expect(opened.locator("#fool")).to_be_focused()


def test_share_has_the_link_and_a_picture_of_the_network(opened):
    opened.locator("#share").click()
    expect(opened.get_by_label("Link")).to_have_value(re.compile(r"#drawing=\w+"))
    opened.get_by_role("button", name="Copy link").click()
    expect(opened.locator("dialog")).to_contain_text("The link is copied.")
    assert opened.evaluate("navigator.clipboard.readText()") == opened.url
    with opened.expect_download() as waiting:
        opened.get_by_role("button", name="Save picture").click()
    saved = Image.open(io.BytesIO(waiting.value.path().read_bytes())).convert("RGB")
    assert saved.size == (1200, 630)
    colours = np.unique(np.asarray(saved).reshape(-1, 3), axis=0).astype(int)
    assert (colours[:, 2] > colours[:, 0] + 60).any()  # what excites
    assert (colours[:, 0] > colours[:, 2] + 60).any()  # what inhibits
    driver.axe(opened)


def test_share_of_an_empty_page_says_what_is_missing(page):
    open_page(page)
    driver.draw(page, LINE)
    page.locator("#clear").click()
    page.locator("#share").click()
    expect(page.locator("dialog")).to_contain_text("Draw a digit")


def test_ten_digits_against_the_clock(opened, strokes):
    opened.locator("#play").click()
    task = opened.locator("#game strong")
    driver.axe(opened)
    for count in range(1, 10):
        expect(opened.locator("#game")).to_contain_text(f"{count} of 10")
        digit = int(re.search(r"\d", task.inner_text())[0])
        # A stroke that came after its digit was read.
        opened.locator("#clear").click(force=True)
        driver.draw(opened, strokes[digit])
    expect(opened.locator("#game")).to_contain_text("10 of 10")
    opened.get_by_role("button", name="Skip").click()
    expect(opened.locator("dialog")).to_contain_text("It read 9 of your 10 digits in")
    driver.axe(opened)
    opened.keyboard.press("Escape")
    expect(opened.locator("#game")).to_have_count(0)
    expect(opened.locator("#gallery")).to_be_visible()


def test_axe_finds_nothing_in_the_settings(opened):
    with settings(opened):
        driver.axe(opened)


@pytest.mark.parametrize(("version", "beside"), [("1", "3"), ("3", "2")])
def test_two_versions_beside_each_other(page, service, strokes, version, beside):
    open_page(page)
    asked = watch(page)
    choose(page, "#version", version)
    choose(page, "#beside", beside)
    driver.draw(page, strokes[4])
    driver.settle(page)
    expect_answer(page, ask(service, asked[-1], f"/explain?version={version}"))
    other = ask(service, asked[-1], f"/explain?version={beside}")
    expect_answer(page, other, "#digit-beside", "#bars-beside")


def test_another_version_answers_the_same_drawing(page, service, strokes):
    open_page(page)
    asked = watch(page)
    driver.draw(page, strokes[2])
    driver.settle(page)
    choose(page, "#version", "1")
    driver.settle(page)
    expect_answer(page, ask(service, asked[-1], "/explain?version=1"))
