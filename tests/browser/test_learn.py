"""The lesson as a page: links, contents, bytes, questions, paper, and everyone's access."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.lesson import (
    CHAPTERS,
    open_chapters,
    open_lesson,
    part,
    set_controls,
)
from tests.support import browser as driver

LANDS = """id => {
    const bar = parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop);
    return document.getElementById(id).getBoundingClientRect().top - bar;
}"""
EARLY_BYTES = 350_000  # a second of a slow connection, 3 Mbit/s
# A brush of width 10 from (0.45, 0.15) to (0.45, 0.85), as drawing.js writes it.
LINE = "AAoAAnMyZnM9mQ"


@pytest.fixture(scope="module")
def whole(new_shared_page):
    """The lesson with all of its widgets, by night; for tests that leave it as it is."""
    page = new_shared_page(color_scheme="dark")
    open_lesson(page)
    return page


def settle(page, name):
    """Wait for the widgets of a chapter, and until what they move is in place again."""
    page.locator(f"#{name} [data-widget][data-ready]").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.evaluate(driver.TWO_FRAMES)


@pytest.mark.parametrize(
    ("width", "chapters"), [(390, CHAPTERS[1::2]), (1440, ["confidence"])]
)
def test_a_link_lands_on_its_chapter(new_page, width, chapters):
    page = new_page(viewport={"width": width, "height": 844})
    for name in chapters:
        page.goto("/livez")  # or only the fragment would change
        page.goto(f"/learn#{name}")
        settle(page, name)
        assert abs(page.evaluate(LANDS, name)) <= 2, name
        marked = page.locator(".contents [aria-current]")
        expect(marked).to_have_attribute("href", f"#{name}")


def test_the_contents_lead_on_and_leave_the_reader_alone(new_page):
    page = new_page(viewport={"width": 390, "height": 844})
    driver.open_page(page, "/learn")
    page.locator(".contents a[href='#features']").click()
    settle(page, "features")
    assert abs(page.evaluate(LANDS, "features")) <= 2
    page.mouse.wheel(0, 2500)
    page.locator("[data-widget='byhand'][data-ready]").wait_for(state="attached")
    page.wait_for_load_state("networkidle")
    page.evaluate(driver.TWO_FRAMES)
    assert page.evaluate(LANDS, "features") < -300


def test_widgets_start_in_sight_and_weights_come_last(new_page):
    page, answers = new_page(alone=True), []
    page.on("response", lambda it: answers.append(it))
    driver.open_page(page, "/learn")
    page.wait_for_load_state("networkidle")
    early = list(answers)
    assert not any("/weights" in each.url for each in early)
    assert sum(len(each.body()) for each in early) <= EARLY_BYTES
    started = page.locator("[data-widget][data-ready]")
    assert [each.get_attribute("data-widget") for each in started.all()] == ["toy"]
    page.locator("[data-widget='unit']").scroll_into_view_if_needed()
    page.locator("[data-widget='unit'][data-ready]").wait_for()
    asked = [each.url for each in answers if "/weights" in each.url]
    assert len(asked) == 1  # the version that is shown, and no other


def test_a_drawing_in_the_link_goes_through_the_network(page):
    page.goto(f"/learn#drawing={LINE}")
    settle(page, "layers")
    assert abs(page.evaluate(LANDS, "layers")) <= 2
    drawn = part(page, "walk", "drawing").locator("svg")
    expect(drawn).to_have_attribute("aria-label", "The drawing: your drawing")
    assert "The answer: 1," in part(page, "walk", "answer").text_content()


def test_every_chapter_asks_one_question(whole):
    for name in CHAPTERS:
        question = whole.locator(f"#{name} .predict")
        expect(question).to_have_count(1)
        expect(question.locator("label.right")).to_have_count(1)
        expect(question.locator("details p")).to_be_hidden()


def test_a_question_marks_the_guess_once_the_reader_looks(page):
    driver.open_page(page, "/learn")
    question = page.locator("#neuron .predict")
    mark = "e => getComputedStyle(e, '::after').content"
    wrong, right = question.locator("label").nth(0), question.locator("label.right")
    wrong.locator("input").check()
    assert [each.evaluate(mark) for each in (wrong, right)] == ["none", "none"]
    question.locator("summary").click()
    assert "✗" in wrong.evaluate(mark)
    assert "✓" in right.evaluate(mark)
    expect(question).to_contain_text("sigmoid(0)")


def test_axe_finds_nothing_in_any_state(page):
    open_lesson(page)
    page.locator("details").evaluate_all("all => all.forEach(it => (it.open = true))")
    page.locator(".predict label:first-of-type input").evaluate_all(
        "all => all.forEach(it => it.click())"
    )
    set_controls(page, "break", pruned=0.9)
    # All steps of the walk at once, of which a reader sees one.
    page.locator("[data-widget='walk']").evaluate("form => (form.dataset.step = 'all')")
    driver.axe(page)


def test_it_fits_a_small_phone(new_page):
    page = new_page(viewport={"width": 320, "height": 640}, has_touch=True)
    open_lesson(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    set_controls(page, "walk", step=2)
    before = part(page, "walk", "reading").inner_text()
    part(page, "walk", "reader").tap(position={"x": 3, "y": 3})
    expect(part(page, "walk", "reading")).not_to_have_text(before)


def test_on_paper_it_is_day_with_exercises_and_without_controls(whole):
    whole.emulate_media(media="print", color_scheme="dark")
    ground = whole.locator("html").evaluate(
        "e => getComputedStyle(e).getPropertyValue('--ground')"
    )
    shown = "e => getComputedStyle(e).display !== 'none'"
    exercises = whole.locator(".exercises:not(.answers) li")
    steps = whole.locator(".step").evaluate_all(f"all => all.map({shown})")
    buttons = whole.locator(".panel button").evaluate_all(f"all => all.map({shown})")
    answers = whole.locator(".answers").evaluate(shown)
    exact = whole.locator(".bar").first.evaluate(
        "e => getComputedStyle(e).printColorAdjust"
    )
    count = [len(e) for e in (exercises.all(), whole.locator(".answers > ol > li").all())]
    whole.emulate_media(media="screen", color_scheme="dark")
    assert ground.strip() == "#fff"
    assert (all(steps), any(buttons), answers, exact) == (True, False, True, "exact")
    assert count == [19, len(CHAPTERS)]
    expect(exercises.first).to_be_hidden()


@pytest.mark.expects("Failed to load resource")
def test_what_fails_is_said_once_and_can_be_tried_again(page):
    body = json.dumps({"error": "found no lesson.json"})
    page.route("**/lesson.json", lambda route: route.fulfill(status=404, body=body))
    driver.open_page(page, "/learn")
    for name in ("history", "calibration", "methods"):
        page.locator(f"[data-widget='{name}']").scroll_into_view_if_needed()
    notice = page.get_by_role("alert").filter(visible=True)
    expect(notice).to_have_count(1)
    expect(notice).to_contain_text("found no lesson.json")
    driver.axe(page, context="#trouble")  # of the rest there is a test
    page.unroute("**/lesson.json")
    notice.get_by_role("button", name="Try again").click()
    for name in ("history", "calibration", "methods"):
        page.locator(f"[data-widget='{name}'][data-ready]").wait_for(state="attached")
    expect(notice).to_have_count(0)


@pytest.mark.expects("Failed to load resource")
def test_it_waits_for_a_server_that_has_no_time(page):
    busy = {"status": 503, "headers": {"Retry-After": "1"}, "body": "{}"}
    page.route("**/weights*", lambda route: route.fulfill(**busy), times=1)
    open_chapters(page, ["layers"])
    expect(page.locator("#trouble")).to_be_hidden()


def test_without_javascript_the_text_is_there(new_page):
    page = new_page(java_script_enabled=False)
    page.goto("/learn")
    assert "The experiments need JavaScript" in page.locator("noscript").text_content()
    expect(page.get_by_role("heading", level=2)).to_have_count(len(CHAPTERS))
