"""The front page in the hands of tests: what is asked, answered and seen."""

import base64
import contextlib
import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from service.pictures.frame import draw
from tests.support import browser as driver

REFUSED = "Failed to load resource: the server responded with a status of 4"
LINE = [[[0.45, 0.15], [0.45, 0.85]]]  # a 1
SPECK = [[[0.7, 0.1], [0.7, 0.3]]]  # near enough to belong to it


def open_page(page, path="/"):
    """Open the page, and wait until an empty one shows its example."""
    driver.open_page(page, path)
    if path == "/":
        expect(page.locator("#note")).to_contain_text("This is what happens")
        page.wait_for_load_state("networkidle")  # the weights, too


def watch(page):
    """Every question that the page asks from now on."""
    asked = []
    page.on("request", lambda it: asked.append(it) if "/explain" in it.url else None)
    return asked


def ask(service, question, path=None):
    """What the server answers to the page's question, asked anew."""
    return service.request(
        "POST",
        path or question.url.removeprefix(service.url),
        question.post_data_buffer,
        {"Content-Type": question.headers["content-type"]},
    ).json


def expect_answer(page, answer, digit="#digit", bars="#bars"):
    """The page shows this answer: its digit and its ten probabilities."""
    (prediction,) = answer["predictions"]
    guess = "?" if prediction.get("unsure") else ""
    expect(page.locator(digit)).to_have_text(f"{prediction['digit']}{guess}")
    expected = [100 * probability for probability in prediction["probabilities"]]
    assert driver.percents(page, bars) == pytest.approx(expected, abs=0.011)


def expect_digit(page, digit):
    driver.settle(page)
    expect(page.locator("#digit")).to_have_text(str(digit))


def link_of(page):
    """The link to what is drawn; the address follows the drawing only now and then."""
    page.locator("#share").click()
    page.locator("dialog").wait_for()
    page.keyboard.press("Escape")
    return page.url


@contextlib.contextmanager
def settings(page):
    """The settings, open."""
    page.get_by_role("button", name="Settings and help").click()
    yield
    page.keyboard.press("Escape")


def choose(page, selector, option):
    """Choose an option of a setting."""
    with settings(page):
        page.locator(selector).select_option(option)


def pen(page, width):
    """Set the width of the pen: "min" or "max"."""
    with settings(page):
        slider = page.locator("#width")
        slider.fill(slider.get_attribute(width))


def pixels(page, canvas="#frame"):
    """What a canvas shows: uint8 [height, width, 4]."""
    url = page.locator(canvas).evaluate("e => e.toDataURL('image/png')")
    shown = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    return np.asarray(shown.convert("RGBA"))


def picture(strokes, form, side=280):
    """A picture file of a digit: dark ink on white paper."""
    ink = draw(strokes, side)
    file = io.BytesIO()
    Image.fromarray((255 - 255 * ink).astype(np.uint8)).save(file, form)
    return file.getvalue()


def transfer(page, content, name, kind):
    """What a drop or a paste brings: one file."""
    return page.evaluate_handle(
        """([content, name, type]) => {
            const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name, { type }));
            return transfer;
        }""",
        [base64.b64encode(content).decode(), name, kind],
    )


def tab_to(page, selector):
    """Press Tab until the element, or one inside it, has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator(selector).evaluate("e => e.contains(document.activeElement)"):
            return
    raise AssertionError(f"60 tabs did not reach {selector}")
