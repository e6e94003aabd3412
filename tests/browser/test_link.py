"""The link to a drawing: what it brings back, and what is wrong with it."""

import pytest
from playwright.sync_api import expect

from tests.support import browser as driver
from tests.support.page import (
    LINE,
    SPECK,
    choose,
    expect_digit,
    link_of,
    open_page,
    picture,
    pixels,
    watch,
)
from tests.support.server import eventually


@pytest.fixture
def opened(page):
    open_page(page)
    return page


def test_link_brings_everything_back(opened, new_page, strokes):
    asked = watch(opened)
    choose(opened, "#version", "1")
    driver.draw(opened, strokes[3])
    driver.settle(opened)
    other = new_page()
    asked_there = watch(other)
    driver.open_page(other, link_of(opened))
    driver.settle(other)
    assert asked_there[-1].url == asked[-1].url
    assert asked_there[-1].post_data_buffer == asked[-1].post_data_buffer
    expect(other.locator("#digit")).to_have_text(opened.locator("#digit").inner_text())
    assert driver.percents(other) == driver.percents(opened)
    assert link_of(other) == opened.url


def test_address_follows_the_drawing(opened, new_page, strokes):
    driver.draw(opened, strokes[3])
    link = link_of(opened)
    opened.locator("#undo").click()
    eventually(lambda: opened.evaluate("location.href") != link)


def test_link_after_undo_is_of_what_is_left(opened, new_page):
    driver.draw(opened, LINE)
    driver.settle(opened)
    link = link_of(opened)
    driver.draw(opened, SPECK)
    driver.settle(opened)
    opened.locator("#undo").click()
    driver.settle(opened)
    assert link_of(opened) == link


def test_link_of_a_picture_that_was_drawn_on_gets_the_same_answer(opened, new_page):
    content = picture([[[0.3, 0.1], [0.3, 0.4]]], "PNG")
    opened.locator("#file").set_input_files(
        {"name": "line.png", "mimeType": "image/png", "buffer": content}
    )
    driver.settle(opened)
    driver.draw(opened, [[[0.5, 0.5], [0.8, 0.8]]])
    driver.settle(opened)
    frame = pixels(opened, "#frame")
    other = new_page()
    driver.open_page(other, link_of(opened))
    driver.settle(other)
    assert abs(pixels(other, "#frame").astype(int) - frame).mean() < 2


def test_drawing_adds_no_page_to_the_history(opened, strokes):
    before = opened.evaluate("history.length")
    driver.draw(opened, strokes[4])
    link_of(opened)
    assert opened.evaluate("history.length") == before


# test_modules has the others: here is one of each that the page could stumble over.
BROKEN = ["%", "AQoAAg", "0" * 5000]


@pytest.mark.parametrize("drawing", BROKEN)
def test_broken_link_is_said_and_left_out(page, drawing):
    driver.open_page(page, f"/#drawing={drawing}")
    driver.settle(page, "empty")
    expect(page.locator("#notice")).to_contain_text("link")
    driver.draw(page, LINE)
    expect_digit(page, 1)


@pytest.mark.parametrize("fragment", ["%E0%A4%A", "a=b&c", "version=99&width=x"])
def test_link_to_something_else_is_an_empty_page(page, fragment):
    driver.open_page(page, f"/#{fragment}")
    driver.settle(page, "empty")
    driver.draw(page, LINE)
    expect_digit(page, 1)


def test_skipping_to_the_content_keeps_the_drawing(opened, strokes):
    driver.draw(opened, strokes[3])
    expect_digit(opened, 3)
    opened.locator("a.skip").focus()
    opened.keyboard.press("Enter")
    expect_digit(opened, 3)


def test_link_cut_short_is_no_error(opened, strokes):
    driver.draw(opened, strokes[8])
    driver.settle(opened)
    fragment = link_of(opened).partition("#")[2]
    for part in (0.3, 0.6, 0.9):
        opened.goto("/livez")  # or only the fragment would change
        driver.open_page(opened, "/#" + fragment[: int(len(fragment) * part)])
        driver.settle(opened, "empty", "settled")


def test_lesson_goes_on_with_the_drawing(opened, strokes):
    driver.draw(opened, strokes[3])
    driver.settle(opened)
    opened.locator("#follow").click()
    opened.get_by_label("The drawing: your drawing").wait_for()


def test_lesson_cannot_follow_what_was_erased(opened, strokes):
    driver.draw(opened, strokes[3])
    driver.settle(opened)
    opened.locator("#eraser").click()
    driver.draw(opened, LINE)
    link_of(opened)
    assert "#" not in opened.locator("#follow").get_attribute("href")
