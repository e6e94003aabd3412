"""The front page where samples are kept: one can tell the digit of an answer."""

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from service.pictures.frame import SIDE, draw
from tests.support import browser as driver
from tests.support.page import expect_digit, open_page, pixels, tab_to

SIZES = [(1440, 820), (844, 390), (390, 844), (320, 568)]
FULL = "the server responded with a status of 507"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="module")
def service(start, folder):
    settings = {"MNIST_SAMPLES": str(folder), "MNIST_SAMPLES_PERCENT": "100"}
    return start(WEB_CONCURRENCY="1", MNIST_MAX_WAIT_MS="10000", **settings).wait_ready()


@pytest.fixture(autouse=True)
def empty(folder):
    yield
    for path in kept(folder):
        path.unlink()


def kept(folder):
    return sorted(folder.glob("*/*"))


def levels(page):
    """The frame that the page shows: uint8 [28, 28]."""
    return pixels(page)[..., 0]


def ask(page, strokes):
    """Draw, and open the dialog."""
    open_page(page)
    driver.draw(page, strokes)
    driver.settle(page)
    page.get_by_role("button", name="Wrong?").click()
    return page.get_by_role("dialog", name="Wrong?")


def say(dialog, digit):
    dialog.get_by_role("button", name=f"{digit}", exact=True).click()
    return dialog.get_by_role("status")


def test_what_is_said_to_be_wrong_is_kept_as_what_it_is(page, strokes, folder):
    dialog = ask(page, strokes[4])
    expect(dialog).to_contain_text("The network read a 4. It was a …")
    assert np.array_equal(pixels(page, "dialog canvas")[..., 0], levels(page))
    expect(say(dialog, 9)).to_have_text("Thanks, kept as a 9.")
    (path,) = kept(folder)
    assert path.parent.name == "9"
    assert np.array_equal(np.asarray(Image.open(path)), levels(page))


def test_a_slip_of_the_finger_is_corrected(page, strokes, folder):
    dialog = ask(page, strokes[4])
    expect(say(dialog, 7)).to_have_text("Thanks, kept as a 7.")
    expect(say(dialog, 8)).to_have_text("Thanks, kept as an 8.")
    assert [path.parent.name for path in kept(folder)] == ["8"]
    pressed = dialog.locator('[aria-pressed="true"]')
    expect(pressed).to_have_text("8")


def test_the_pages_keep_nothing_by_themselves(page, strokes, service, folder):
    dialog = ask(page, strokes[4])
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.locator('#fool[aria-disabled="false"]').click()
    expect(page.locator("dialog .cards section")).to_contain_text(["of 784", "of 784"])
    driver.open_page(page, "/learn")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # starts every widget
    page.wait_for_load_state("networkidle")
    # What comes after these is written after these; it is shed if it takes long.
    frame = (255 * draw(strokes[4], SIDE)).astype(np.uint8).tobytes()
    for _ in range(100):
        service.post(frame, "application/octet-stream")
        page.wait_for_timeout(600)  # a worker writes twice a second
        if kept(folder):
            break
    assert len(kept(folder)) == 1


def test_there_is_nothing_to_tell_before_an_answer(page):
    open_page(page)
    button = page.get_by_role("button", name="Wrong?")
    expect(button).to_have_attribute("aria-disabled", "true")
    button.click(force=True)
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.expects(FULL)
def test_says_why_nothing_was_kept(page, strokes, folder):
    dialog = ask(page, strokes[4])
    aside = folder.rename(folder.with_name("aside"))
    try:
        expect(say(dialog, 9)).to_contain_text("Not kept: found no room")
    finally:
        aside.rename(folder)
    expect(say(dialog, 9)).to_have_text("Thanks, kept as a 9.")


def test_works_by_the_keyboard(page, folder):
    open_page(page)
    page.locator('#gallery button[data-label="3"]').first.press("Enter")
    expect_digit(page, 3)
    tab_to(page, "#wrong")
    page.keyboard.press("Enter")
    tab_to(page, "dialog [role=group] button:nth-child(6)")
    page.keyboard.press("Space")
    expect(page.locator("dialog [role=status]")).to_have_text("Thanks, kept as a 5.")
    page.keyboard.press("Escape")
    expect(page.locator("#wrong")).to_be_focused()
    assert [path.parent.name for path in kept(folder)] == ["5"]


def test_axe_finds_nothing(page, strokes):
    dialog = ask(page, strokes[4])
    expect(say(dialog, 9)).to_contain_text("Thanks")
    driver.axe(page)


def test_says_that_the_server_keeps_drawings(page):
    open_page(page)
    words = page.locator("footer").inner_text()
    assert "which keeps only those that you say it misread" in words
    assert "are not kept" not in words


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
def test_everything_fits(new_page, strokes, size):
    width, height = size
    page = new_page(viewport={"width": width, "height": height})
    ask(page, strokes[4])
    assert page.evaluate("document.documentElement.scrollWidth") == width
    room = "e => [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight]"
    assert max(page.locator("dialog").evaluate(room)) <= 1
    buttons = page.locator(".actions > *")
    assert {
        *buttons.evaluate_all("all => all.map(e => e.scrollWidth - e.clientWidth)")
    } == {0}
    # Two rows at most, which do not overlap.
    boxes = [button.bounding_box() for button in buttons.all()]
    rows = sorted({box["y"] for box in boxes})
    assert len(rows) <= 2
    assert all(box["height"] >= 24 for box in boxes)
