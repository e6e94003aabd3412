"""The surface that is drawn on, at its edges: real pointers and keys in Chromium."""

import pytest
from playwright.sync_api import expect

from tests.support import browser as driver
from tests.support.page import LINE, expect_digit, open_page, pixels

CORNER = [(0.25, 0.45), (0.6, 0.15), (0.6, 0.85)]  # a flagged 1 in three points
UNDO = {
    "usual": {"key": "z", "code": "KeyZ"},
    "caps lock": {"key": "Z", "code": "KeyZ"},
    "French layout": {"key": "z", "code": "KeyW"},
    "Russian layout": {"key": "я", "code": "KeyZ"},
}


@pytest.fixture
def opened(page):
    open_page(page)
    return page


def ink_at(page, x, y):
    """Whether there is ink at a place in the unit square."""
    shown = pixels(page, "#pad")
    side = shown.shape[0]
    return bool(shown[round(y * side), round(x * side), 3] > 127)


def go(page, points, release=True):
    """Press at the first point and move to the others, exactly there."""
    (x, y), *rest = driver.on_pad(page, points)
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(x, y)
    if release:
        page.mouse.up()


def press_control(page, key):
    """Press a key of any layout with Control: what a keyboard reports."""
    session = page.context.new_cdp_session(page)
    for kind in ("rawKeyDown", "keyUp"):
        session.send("Input.dispatchKeyEvent", {"type": kind, "modifiers": 2, **key})
    session.detach()


def is_enabled(page, selector):
    return page.locator(selector).get_attribute("aria-disabled") == "false"


def test_a_pointer_that_leaves_the_pad_is_cut_at_the_edge(opened):
    go(opened, [(0.5, 0.3), (0.8, 0.3), (1.2, 0.3), (1.2, 0.7), (0.8, 0.7), (0.5, 0.7)])
    assert ink_at(opened, 0.98, 0.3)
    assert ink_at(opened, 0.98, 0.7)
    assert not ink_at(opened, 0.98, 0.5)


def test_what_was_drawn_out_and_back_is_one_stroke_to_undo(opened):
    go(opened, [(0.5, 0.3), (1.2, 0.3), (1.2, 0.7), (0.5, 0.7)])
    opened.locator("#undo").click()
    driver.settle(opened, "empty")


def test_a_lost_release_ends_the_stroke(opened):
    go(opened, [(0.2, 0.2), (0.2, 0.5)], release=False)
    session = opened.context.new_cdp_session(opened)
    for x, y in driver.on_pad(opened, [(0.4, 0.6), (0.8, 0.8)]):
        session.send(
            "Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y, "buttons": 0}
        )
    session.detach()
    assert ink_at(opened, 0.2, 0.4)
    assert not ink_at(opened, 0.4, 0.6)
    assert not ink_at(opened, 0.8, 0.8)


def test_sparse_points_keep_their_corner(opened):
    go(opened, CORNER)
    assert ink_at(opened, 0.6, 0.15)


def test_sparse_points_of_a_curve_stay_round(opened):
    """Six points of a circle: the middle of a side is further out than the chord's."""
    go(
        opened,
        [(0.8, 0.5), (0.65, 0.76), (0.35, 0.76), (0.2, 0.5), (0.35, 0.24), (0.65, 0.24)],
    )
    assert not ink_at(opened, 0.65, 0.82)  # the corner of the hexagon, with its pen's half


def test_control_z_is_found_by_its_letter(opened):
    for key in UNDO.values():
        driver.draw(opened, LINE)
        press_control(opened, key)
        driver.settle(opened, "empty")


def test_redo_brings_back_what_was_undone(opened):
    driver.draw(opened, LINE)
    for keys in ("Control+y", "Control+Shift+z"):
        opened.keyboard.press("Control+z")
        driver.settle(opened, "empty")
        opened.keyboard.press(keys)
        expect_digit(opened, 1)


def test_a_new_stroke_leaves_nothing_to_redo(opened):
    driver.draw(opened, LINE)
    opened.locator("#undo").click()
    assert is_enabled(opened, "#redo")
    driver.draw(opened, LINE)
    assert not is_enabled(opened, "#redo")


def test_a_drawing_of_the_gallery_is_undone_as_a_whole(opened):
    driver.draw(opened, LINE)
    opened.locator('#gallery button[data-label="4"]').first.click()
    expect_digit(opened, 4)
    opened.locator("#undo").click()
    expect_digit(opened, 1)


def test_a_button_that_has_done_its_work_keeps_the_focus(opened):
    for button in ("#undo", "#clear"):
        driver.draw(opened, LINE)
        opened.locator(button).press("Enter")
        driver.settle(opened, "empty")
        expect(opened.locator(button)).to_be_focused()
        assert not is_enabled(opened, button)


def test_a_drop_of_no_file_gets_a_word(opened):
    dropped = opened.evaluate_handle(
        """() => {
            const transfer = new DataTransfer();
            transfer.setData("text/plain", "seven");
            return transfer;
        }"""
    )
    opened.locator("#pad").dispatch_event("drop", {"dataTransfer": dropped})
    expect(opened.locator("#notice")).to_contain_text("no file")


def test_two_digits_side_by_side_are_said_to_be_two(opened):
    driver.draw(opened, [[(0.25, 0.2), (0.25, 0.8)], [(0.7, 0.2), (0.7, 0.8)]])
    driver.settle(opened)
    expect(opened.locator("#note")).to_contain_text("two digits")


def test_one_digit_in_two_pieces_is_not(opened):
    """A 5 whose hat is apart from its body."""
    hat = [(0.4, 0.1), (0.75, 0.1)]
    body = [(0.4, 0.25), (0.38, 0.45), (0.6, 0.45), (0.7, 0.62), (0.55, 0.85), (0.35, 0.8)]
    driver.draw(opened, [hat, body])
    driver.settle(opened)
    expect(opened.locator("#note")).not_to_contain_text("two digits")


COUNT = """() => {
    window.painted = 0;
    const kind = CanvasRenderingContext2D.prototype;
    const apart = ["network", "frame", "why"]; // painted when an answer comes
    const calls = ["lineTo", "quadraticCurveTo", "arc", "stroke", "fill", "drawImage"];
    for (const name of calls) {
        const paint = kind[name];
        kind[name] = function (...values) {
            if (!apart.includes(this.canvas.id)) window.painted++;
            return paint.apply(this, values);
        };
    }
}"""


def calls_of_a_move(page):
    """How often a canvas is asked to paint for one more point of a stroke."""
    go(page, [(0.5, 0.5), (0.55, 0.5)], release=False)
    page.evaluate(driver.TWO_FRAMES)
    before = page.evaluate("window.painted")
    page.mouse.move(*driver.on_pad(page, [(0.6, 0.55)])[0])
    page.evaluate(driver.TWO_FRAMES)
    page.mouse.up()
    return page.evaluate("window.painted") - before


def test_a_move_after_300_strokes_paints_no_more_than_the_first(opened, new_page):
    link = opened.evaluate(
        """async () => {
            const { Drawing, encode } = await import("/static/drawing.js");
            const drawing = new Drawing();
            for (let i = 0; i < 300; i++) {
                const points = Array.from({ length: 20 }, (_, j) => [100 * j, 13 * i]);
                drawing.add({ kind: "brush", width: 4, points });
            }
            return encode(drawing);
        }"""
    )
    opened.evaluate(COUNT)
    first = calls_of_a_move(opened)
    full = new_page()
    driver.open_page(full, f"/#drawing={link}")
    driver.settle(full)
    full.evaluate(COUNT)
    assert 0 < calls_of_a_move(full) <= 10 * first


@pytest.mark.expects("422")  # so full a pad has no digit on it
def test_a_long_stroke_gives_the_same_pixels_live_and_from_a_link(opened, new_page):
    """Painted piece by piece under the mouse, and at once when a link is opened."""
    zigzag = [(0.1 + 0.8 * (i % 2), 0.1 + 0.8 * i / 40) for i in range(41)]
    curve = [(0.5 + 0.3 * (i / 40), 0.1 + 0.8 * i / 40) for i in range(41)]
    for points in (zigzag, curve):
        go(opened, points)
    live = pixels(opened, "#pad")
    opened.locator("#share").click()
    opened.locator("dialog").wait_for()
    other = new_page()
    driver.open_page(other, opened.url)
    driver.settle(other)
    assert (pixels(other, "#pad") == live).all()
