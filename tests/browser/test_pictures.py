"""Pictures on the front page: opened, dropped, pasted; and the request as a program."""

import base64
import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from service.pictures.frame import draw
from tests.support import browser as driver
from tests.support.page import (
    REFUSED,
    expect_answer,
    expect_digit,
    link_of,
    open_page,
    picture,
    pixels,
    transfer,
)


@pytest.fixture
def opened(page):
    open_page(page)
    return page


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_picture_from_a_file(opened, strokes, form):
    kind = f"image/{form.lower()}"
    file = {"name": "digit", "mimeType": kind, "buffer": picture(strokes[8], form)}
    opened.locator("#file").set_input_files(file)
    expect_digit(opened, 8)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_picture_dropped(opened, strokes, form):
    kind = f"image/{form.lower()}"
    dropped = transfer(opened, picture(strokes[9], form), "digit", kind)
    for event in ("dragenter", "dragover", "drop"):
        opened.locator("#pad").dispatch_event(event, {"dataTransfer": dropped})
    expect_digit(opened, 9)


def test_picture_pasted(opened, strokes):
    """Through the clipboard and its key, as people do it."""
    content = base64.b64encode(picture(strokes[6], "PNG")).decode()
    opened.evaluate(
        """async content => {
            const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
            const blob = new Blob([bytes], { type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }""",
        content,
    )
    opened.keyboard.press("Control+v")
    expect_digit(opened, 6)


LONGEST_ARGUMENT = 128 * 1024  # bytes, on Linux
NO_PICTURES = {
    "text": (b"a seven", "notes.txt", "text/plain"),
    "not what it says": (b"\x89PNG\r\n\x1a\n and then nothing", "seven.png", "image/png"),
    "empty": (b"", "empty.png", "image/png"),
}


@pytest.mark.parametrize(
    ("way", "what"), [("file", "not what it says"), ("file", "empty"), ("drop", "text")]
)
@pytest.mark.expects(REFUSED)
def test_what_is_no_picture_is_refused_in_words(opened, strokes, way, what):
    content, name, kind = NO_PICTURES[what]
    driver.draw(opened, strokes[3])
    expect_digit(opened, 3)
    link, before = link_of(opened), pixels(opened, "#pad")
    if way == "file":
        file = {"name": name, "mimeType": kind, "buffer": content}
        opened.locator("#file").set_input_files(file)
    else:
        dropped = transfer(opened, content, name, kind)
        opened.locator("#pad").dispatch_event("drop", {"dataTransfer": dropped})
    expect(opened.locator("main")).to_contain_text("expected PNG")
    expect_digit(opened, 3)
    assert link_of(opened) == link
    assert (pixels(opened, "#pad") == before).all()


# The request, to take along


def copied(page, button):
    """What a button puts into the snippet and the clipboard."""
    page.locator(button).click()
    expect(page.locator("#copied")).to_have_text("Copied.")
    text = page.locator("#snippet").inner_text()
    assert page.evaluate("navigator.clipboard.readText()") == text
    return text


def noise(form, side=900):
    """A picture file of a 7 and grain, which makes it large."""
    grain = np.random.default_rng(7).integers(0, 60, (side, side))
    ink = draw([[(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)]], side)
    file = io.BytesIO()
    Image.fromarray(np.clip(230 - 200 * ink - grain, 0, 255).astype(np.uint8)).save(
        file, form
    )
    return file.getvalue()


def run_copied(page, folder):
    """Run what "Copy as curl" gives, as pasted into a shell, and return the answer."""
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    command = copied(page, "#copy-curl")
    completed = subprocess.run(
        ["bash"], input=command, cwd=folder, capture_output=True, text=True
    )
    assert completed.returncode == 0, completed.stderr
    return command, json.loads(completed.stdout)


def test_copied_curl_gets_the_answer_on_the_page(opened, strokes, tmp_path):
    driver.draw(opened, strokes[9])
    driver.settle(opened)
    command, answer = run_copied(opened, tmp_path)
    assert len(command) < LONGEST_ARGUMENT
    expect_answer(opened, answer)


def test_copied_curl_sends_a_picture_as_its_file(opened, tmp_path):
    content, name = noise("JPEG"), "my 7's photo.jpg"
    opened.locator("#file").set_input_files(
        {"name": name, "mimeType": "image/jpeg", "buffer": content}
    )
    driver.settle(opened)
    (tmp_path / name).write_bytes(content)
    command, answer = run_copied(opened, tmp_path)
    assert len(command) < 300
    expect_answer(opened, answer)


def test_copied_curl_takes_what_is_longer_than_an_argument(opened, tmp_path):
    """A picture of a format that the server does not read goes as the page's own PNG."""
    content = noise("BMP")
    opened.locator("#file").set_input_files(
        {"name": "seven.bmp", "mimeType": "image/bmp", "buffer": content}
    )
    driver.settle(opened)
    command, answer = run_copied(opened, tmp_path)
    assert len(command) > LONGEST_ARGUMENT
    expect_answer(opened, answer)


def test_copied_python_gets_the_answer_on_the_page(opened, strokes):
    driver.draw(opened, strokes[9])
    driver.settle(opened)
    script = copied(opened, "#copy-python")
    # -I -S: nothing but the standard library.
    command = [sys.executable, "-I", "-S", "-c", script]
    completed = subprocess.run(command, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    expect_answer(opened, {"predictions": [json.loads(completed.stdout)]})
