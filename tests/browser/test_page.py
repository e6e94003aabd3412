"""The front page as people use it: mouse, finger, keyboard, gallery, two versions."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.support import browser as driver
from tests.support.page import (
    LINE,
    REFUSED,
    SPECK,
    ask,
    expect_answer,
    expect_digit,
    open_page,
    pen,
    pixels,
    tab_to,
    watch,
)
from tests.support.server import eventually

# Cells of a seven, (row, column): drawn without a mouse.
SEVEN = [(row, column) for row in (6, 7) for column in range(8, 20)]
SEVEN += [(row, 18 - (row - 8) // 2 + i) for row in range(8, 22) for i in (0, 1)]


@pytest.fixture
def opened(page):
    open_page(page)
    return page


def cell(page):
    """Where the keyboard's cursor is, from what the page says: row and column."""
    row, column = re.findall(r"\d+", page.locator("#cell").inner_text())[:2]
    return int(row), int(column)


def go_to(page, row, column):
    """Walk with the arrow keys, as far as the page says it is; the first cell is 1, 1."""
    at_row, at_column = cell(page)
    for _ in range(abs(row - at_row)):
        page.keyboard.press("ArrowDown" if row > at_row else "ArrowUp")
    for _ in range(abs(column - at_column)):
        page.keyboard.press("ArrowRight" if column > at_column else "ArrowLeft")
    assert cell(page) == (row, column)


# Drawing


def test_drawn_with_the_mouse(opened, strokes):
    """Some; the game of test_extras draws nearly all."""
    for digit in (0, 3, 6, 9):
        driver.draw(opened, strokes[digit])
        expect_digit(opened, digit)
        opened.locator("#clear").click()
        driver.settle(opened, "empty")


def test_shows_what_the_server_answers(opened, service, strokes):
    asked = watch(opened)
    driver.draw(opened, strokes[4])
    driver.settle(opened)
    expect_answer(opened, ask(service, asked[-1]))


def test_drawn_with_a_finger(new_page, strokes):
    page = new_page(has_touch=True, viewport={"width": 390, "height": 500})
    driver.open_page(page)
    driver.corner(page)  # brings the pad into view
    before = page.evaluate("scrollY")
    driver.touch(page, strokes[3])
    expect_digit(page, 3)
    assert page.evaluate("scrollY") == before


def test_a_finger_beside_the_pad_scrolls(new_page):
    page = new_page(has_touch=True, viewport={"width": 390, "height": 500})
    driver.open_page(page)
    box = page.locator("#verdict").bounding_box()
    x, y = box["x"] + 20, box["y"] + 10
    driver.drag_finger(page, [(x, y), (x, y / 2), (x, 1)])
    eventually(lambda: page.evaluate("scrollY > 0"))


def test_focus_tells_the_cell(opened):
    tab_to(opened, "#pad")
    expect(opened.locator("#cell")).to_contain_text(
        re.compile(r"row \d+, column \d+", re.I)
    )


def test_drawn_with_the_keyboard(opened):
    tab_to(opened, "#pad")
    opened.keyboard.press("ArrowUp")
    for row, column in SEVEN:
        go_to(opened, row + 1, column + 1)
        opened.keyboard.press("Space")
    expect_digit(opened, 7)


@pytest.mark.expects(REFUSED)
def test_space_takes_ink_away_again(opened):
    tab_to(opened, "#pad")
    opened.keyboard.press("Space")
    with_ink = opened.locator("#cell").inner_text()
    opened.keyboard.press("Space")
    assert opened.locator("#cell").inner_text() != with_ink
    driver.settle(opened, "empty", "refused")
    expect(opened.locator("#verdict")).to_contain_text(re.compile("no ink", re.I))


def test_delete_clears(opened):
    driver.draw(opened, LINE)
    driver.settle(opened)
    opened.locator("#pad").press("Delete")
    driver.settle(opened, "empty")


def test_control_z_undoes(opened, strokes):
    driver.draw(opened, strokes[7])
    driver.settle(opened)
    opened.locator("#pad").press("Control+z")
    driver.settle(opened, *(["settled"] if len(strokes[7]) > 1 else ["empty"]))


def test_eraser_takes_ink_away(opened):
    driver.draw(opened, LINE)
    driver.settle(opened)
    alone = pixels(opened)
    driver.draw(opened, SPECK)
    driver.settle(opened)
    assert (pixels(opened) != alone).any()
    opened.locator("#eraser").click()
    pen(opened, "max")
    driver.draw(opened, [[[0.75, 0.02], [0.75, 0.4]]])
    driver.settle(opened)
    assert (pixels(opened) == alone).all()


def test_a_wider_brush_draws_wider(opened):
    ink = []
    for setting in ("min", "max"):
        pen(opened, setting)
        driver.draw(opened, LINE)
        driver.settle(opened)
        ink.append(int(pixels(opened)[..., 0].astype(int).sum()))
        opened.locator("#clear").click()
    assert ink[0] != ink[1]


def test_undo_takes_the_last_stroke_away(opened):
    asked = watch(opened)
    driver.draw(opened, LINE)
    driver.settle(opened)
    alone = asked[-1].post_data_buffer
    driver.draw(opened, SPECK)
    driver.settle(opened)
    assert asked[-1].post_data_buffer != alone
    opened.locator("#undo").click()
    driver.settle(opened)
    assert asked[-1].post_data_buffer == alone


def test_undo_brings_back_what_was_cleared(opened, strokes):
    driver.draw(opened, strokes[5])
    opened.locator("#clear").click()
    driver.settle(opened, "empty")
    opened.locator("#undo").click()
    expect_digit(opened, 5)


def test_clear_leaves_no_answer(opened, strokes):
    driver.draw(opened, strokes[5])
    expect_digit(opened, 5)
    opened.locator("#clear").click()
    driver.settle(opened, "empty")
    assert not re.search(r"\d", opened.locator("#digit").inner_text())


def test_an_empty_page_has_an_example_until_one_draws(opened):
    expect(opened.locator("#note")).to_have_text("This is what happens to a 3.")
    expect(opened.locator("#digit")).to_have_text("3")
    assert opened.locator("main").get_attribute("data-state") == "empty"
    driver.draw(opened, LINE)
    expect_digit(opened, 1)
    opened.locator("#clear").click()
    driver.settle(opened, "empty")
    expect(opened.locator("#verdict")).to_have_text("Draw a digit from 0 to 9.")
    expect(opened.locator("#note")).to_be_empty()


def test_no_digit_is_said_to_be_certain(opened, strokes):
    driver.draw(opened, strokes[0])
    driver.settle(opened)
    assert "100" not in opened.locator("#bars").inner_text()


def test_the_answer_is_said(opened, strokes):
    driver.draw(opened, strokes[6])
    driver.settle(opened)
    expect(opened.locator("#said")).to_contain_text("6")
    assert opened.locator("#said").get_attribute("aria-live") == "polite"


def test_the_frame_shown_is_what_the_model_saw(opened, service, strokes):
    asked = watch(opened)
    driver.draw(opened, strokes[2])
    driver.settle(opened)
    answer = ask(service, asked[-1], "/predict?echo=frame")
    frame = np.array(answer["predictions"][0]["frame"])
    shown = pixels(opened)
    assert shown.shape == (28, 28, 4)
    assert (shown[..., :3] == frame[..., None]).all()
    assert (shown[..., 3] == 255).all()


def test_an_answer_is_timed_from_the_stroke_to_the_paint(opened, strokes):
    driver.draw(opened, strokes[1])
    driver.settle(opened)
    timed = 'performance.getEntriesByName("stroke to answer").length'
    eventually(lambda: opened.evaluate(timed) > 0)


# The gallery


def test_digits_of_the_gallery_are_read_right(opened):
    """One of each; the tests of the models have all thirty."""
    buttons = opened.locator("#gallery button[data-label]:not([data-name])")
    expect(buttons).to_have_count(30)
    for digit in range(10):
        opened.locator(
            f'#gallery button[data-label="{digit}"]:not([data-name])'
        ).first.click()
        expect_digit(opened, digit)


@pytest.mark.expects(REFUSED)
def test_every_hard_one_is_drawn(opened):
    buttons = opened.locator("#gallery button[data-name]")
    expect(buttons.first).to_be_visible()
    for button in buttons.all():
        button.click()
        driver.settle(opened, "settled", "refused")
