"""The front page as people use it: a mouse, a finger, a keyboard, a file, a link."""

import base64
import io
import itertools
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from service.pictures.frame import draw
from tests.support import browser as driver

REFUSED = "Failed to load resource: the server responded with a status of 4"
LINE = [[[0.45, 0.15], [0.45, 0.85]]]  # a 1
SPECK = [[[0.93, 0.1], [0.93, 0.3]]]  # beside it, which makes it another picture
# Cells of a seven, (row, column): drawn without a mouse.
SEVEN = [(row, column) for row in (6, 7) for column in range(8, 20)]
SEVEN += [(row, 18 - (row - 8) // 2 + i) for row in range(8, 22) for i in (0, 1)]


@pytest.fixture
def opened(page):
    driver.open_page(page)
    return page


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
    return page.url


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


@pytest.mark.parametrize("digit", range(10))
def test_drawn_with_the_mouse(opened, strokes, digit):
    driver.draw(opened, strokes[digit])
    expect_digit(opened, digit)


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
    box = page.locator("h1").bounding_box()
    x, y = box["x"] + 20, box["y"] + 10
    driver.drag_finger(page, [(x, y), (x, y / 2), (x, 1)])
    page.wait_for_function("scrollY > 0")


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
    opened.locator("input[name=tool][value=eraser]").check()
    width = opened.locator("#width")
    width.fill(width.get_attribute("max"))
    driver.draw(opened, [[[0.93, 0.02], [0.93, 0.4]]])
    driver.settle(opened)
    assert (pixels(opened) == alone).all()


def test_a_wider_brush_draws_wider(opened):
    width = opened.locator("#width")
    ink = []
    for setting in ("min", "max"):
        width.fill(width.get_attribute(setting))
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


def test_no_ink_is_said_and_nothing_asked(page):
    asked = watch(page)
    driver.open_page(page)
    driver.settle(page, "empty")
    expect(page.locator("#verdict")).to_contain_text(re.compile("no ink", re.I))
    assert asked == []


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
    opened.wait_for_function('performance.getEntriesByName("stroke to answer").length > 0')


# Pictures


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
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


NO_PICTURES = {
    "text": (b"a seven", "notes.txt", "text/plain"),
    "not what it says": (b"\x89PNG\r\n\x1a\n and then nothing", "seven.png", "image/png"),
    "another format": (b"%PDF-1.4", "seven.pdf", "application/pdf"),
    "empty": (b"", "empty.png", "image/png"),
}


@pytest.mark.parametrize(
    ("way", "what"), [*itertools.product(["file"], NO_PICTURES), ("drop", "text")]
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


# The link


def test_link_brings_everything_back(opened, new_page, strokes):
    asked = watch(opened)
    opened.locator("#version").select_option("1")
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
    opened.wait_for_function("link => location.href !== link", arg=link)


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


BROKEN = ["%", "!", "x", "AAAA", "AQoAAg", "_____w", "0" * 5000]


@pytest.mark.parametrize("drawing", BROKEN)
def test_broken_link_is_said_and_left_out(page, drawing):
    driver.open_page(page, f"/#drawing={drawing}")
    driver.settle(page, "empty")
    expect(page.locator("#notice")).to_contain_text("link")
    driver.draw(page, LINE)
    expect_digit(page, 1)


@pytest.mark.parametrize("fragment", ["x", "%", "%E0%A4%A", "a=b&c", "version=99&width=x"])
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
        opened.goto("about:blank")  # or only the fragment would change
        driver.open_page(opened, "/#" + fragment[: int(len(fragment) * part)])
        driver.settle(opened, "empty", "settled")


def test_lesson_goes_on_with_the_drawing(opened, strokes):
    asked = watch(opened)
    driver.draw(opened, strokes[3])
    driver.settle(opened)
    sent = asked[-1].post_data_buffer
    opened.locator("#follow a").click()
    opened.get_by_label("Your drawing").and_(
        opened.locator("[aria-pressed=true]")
    ).wait_for()
    assert sent in [each.post_data_buffer for each in asked if "version" not in each.url]


def test_lesson_cannot_follow_what_was_erased(opened, strokes):
    driver.draw(opened, strokes[3])
    expect(opened.locator("#follow")).to_be_visible()
    opened.locator("input[name=tool][value=eraser]").check()
    driver.draw(opened, LINE)
    expect(opened.locator("#follow")).to_be_hidden()


def test_share_copies_the_link(opened, strokes):
    driver.draw(opened, strokes[4])
    driver.settle(opened)
    opened.locator("#share").click()
    opened.wait_for_function(
        "async () => await navigator.clipboard.readText() === location.href"
    )


# The server away, slow, busy


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
    page.locator("#clear").click()
    driver.draw(page, strokes[7])
    start(port=server.port, **patient).wait_ready()
    expect_digit(page, 7)
    expect(page.locator("#server")).to_be_empty()


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
    for digit in (3, 0, 7, 5):
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


# The request, to take along


def copied(page, button):
    """What a button puts into the snippet and the clipboard."""
    page.locator(button).click()
    expect(page.locator("#snippet")).not_to_be_empty()
    text = page.locator("#snippet").inner_text()
    assert page.evaluate("navigator.clipboard.readText()") == text
    return text


def test_copied_curl_gets_the_answer_on_the_page(opened, strokes):
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    driver.draw(opened, strokes[9])
    driver.settle(opened)
    command = copied(opened, "#copy-curl")
    completed = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    expect_answer(opened, json.loads(completed.stdout))


def test_copied_python_gets_the_answer_on_the_page(opened, strokes):
    driver.draw(opened, strokes[9])
    driver.settle(opened)
    script = copied(opened, "#copy-python")
    # -I -S: nothing but the standard library.
    command = [sys.executable, "-I", "-S", "-c", script]
    completed = subprocess.run(command, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    expect_answer(opened, {"predictions": [json.loads(completed.stdout)]})


# Versions


@pytest.mark.parametrize(("version", "beside"), [("1", "2"), ("2", "1")])
def test_two_versions_beside_each_other(opened, service, strokes, version, beside):
    asked = watch(opened)
    opened.locator("#version").select_option(version)
    opened.locator("#beside").select_option(beside)
    driver.draw(opened, strokes[4])
    driver.settle(opened)
    expect_answer(opened, ask(service, asked[-1], f"/explain?version={version}"))
    other = ask(service, asked[-1], f"/explain?version={beside}")
    expect_answer(opened, other, "#digit-beside", "#bars-beside")


def test_another_version_answers_the_same_drawing(opened, service, strokes):
    asked = watch(opened)
    driver.draw(opened, strokes[2])
    driver.settle(opened)
    opened.locator("#version").select_option("1")
    driver.settle(opened)
    expect_answer(opened, ask(service, asked[-1], "/explain?version=1"))


# Inside the network


@pytest.mark.parametrize("layer", ["#layer-1", "#layer-2"])
def test_hovering_a_unit_shows_its_weights(opened, strokes, layer):
    driver.draw(opened, strokes[8])
    driver.settle(opened)
    frame = pixels(opened)
    units = opened.locator(f"{layer} button.unit")
    units.nth(5).hover()
    opened.evaluate(driver.TWO_FRAMES)
    assert (pixels(opened) != frame).any()
    expect(opened.locator("#unit")).to_contain_text(re.compile(r"\b(5|6)\b"))
    opened.mouse.move(1, 1)
    opened.evaluate(driver.TWO_FRAMES)
    assert (pixels(opened) == frame).all()


def test_focusing_a_unit_shows_its_weights(opened, strokes):
    driver.draw(opened, strokes[8])
    driver.settle(opened)
    frame = pixels(opened)
    tab_to(opened, "#layer-1")
    opened.evaluate(driver.TWO_FRAMES)
    first, said = pixels(opened), opened.locator("#unit").inner_text()
    assert (first != frame).any()
    opened.keyboard.press("ArrowRight")
    opened.evaluate(driver.TWO_FRAMES)
    assert (pixels(opened) != first).any()
    expect(opened.locator("#unit")).not_to_have_text(said)


def test_a_layer_is_one_stop_of_the_tab_key(opened):
    tab_to(opened, "#layer-1")
    opened.keyboard.press("Tab")
    inside = "e => e.contains(document.activeElement)"
    assert not opened.locator("#layer-1").evaluate(inside)


@pytest.mark.parametrize(("layer", "count"), [("#layer-1", 128), ("#layer-2", 64)])
def test_every_unit_is_there(opened, strokes, layer, count):
    driver.draw(opened, strokes[8])
    driver.settle(opened)
    assert opened.locator(f"{layer} button.unit").count() == count


# The gallery


def test_every_digit_of_the_gallery_is_read_right(opened):
    buttons = opened.locator("#gallery button[data-label]:not([data-name])")
    expect(buttons).to_have_count(30)
    for button in buttons.all():
        button.click()
        expect_digit(opened, button.get_attribute("data-label"))


@pytest.mark.expects(REFUSED)
def test_every_hard_one_is_drawn(opened):
    buttons = opened.locator("#gallery button[data-name]")
    expect(buttons.first).to_be_visible()
    for button in buttons.all():
        button.click()
        driver.settle(opened, "settled", "refused")
