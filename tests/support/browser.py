"""How the tests and tools find a browser and use the page: the real mouse, real waiting."""

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from tests.support.server import Server

# The one without windows first: the same pages take two thirds of the CPU.
PROGRAMS = (
    "chromium-headless-shell",
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
)
NEED = (
    "needs Chromium: apt-get install chromium-headless-shell, "
    "or .venv/dev/bin/playwright install chromium"
)
# axe-core's rules, by tag; for a page's further states, in the dark those of colours alone.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES_OF = {"light": RULES, "dark": ["color-contrast", "link-in-text-block"]}
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def program(playwright):
    """Where a Chromium is: the one named, the system's, or Playwright's own; else None."""
    named = os.environ.get("CHROMIUM")
    found = next(
        filter(None, map(shutil.which, [named, *PROGRAMS] if named else PROGRAMS)), None
    )
    own = playwright.chromium.executable_path
    return found or (own if Path(own).exists() else None)


def launch(playwright, path, *options):
    # Chromium refuses to run as root with its sandbox; it opens nothing but the service.
    options += ("--no-sandbox",) if os.geteuid() == 0 else ()
    return playwright.chromium.launch(executable_path=path, args=[*options])


def settle(page, *states):
    """Wait until the newest drawing is answered, or until another of the page's states."""
    # What an event changes may be drawn, and asked, in the frame after it.
    page.evaluate(TWO_FRAMES)
    wanted = ", ".join(f'main[data-state="{state}"]' for state in states or ["settled"])
    page.locator(wanted).wait_for()


def axe(page, *schemes, context=None, **options):
    """Hold that axe finds nothing, by day and by night or in the named scheme."""
    for scheme in schemes or RULES_OF:
        page.emulate_media(color_scheme=scheme)
        page.evaluate(TWO_FRAMES)
        # Of what is right it need not tell: the lesson takes a third of the time then.
        chosen = {"runOnly": RULES_OF[scheme], "resultTypes": ["violations"], **options}
        found = Axe().run(page, context=context, options=chosen)
        assert found.violations_count == 0, found.generate_report()


def open_page(page, path="/"):
    """Open a path of the service; the front page is ready once it says its state."""
    page.goto(path)
    if path.partition("#")[0] == "/":
        page.locator("main[data-state]").wait_for()


def corner(page):
    """The pad's corner and size, in the window's pixels, after scrolling it into view."""
    pad = page.locator("#pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    return box["x"], box["y"], box["width"], box["height"]


def on_pad(page, points):
    """From points in the unit square to points in the window."""
    x, y, width, height = corner(page)
    return [(x + u * width, y + v * height) for u, v in points]


def along(stroke, step):
    """Points along a stroke, from its first to its last, about that far apart."""
    yield stroke[0]
    x, y = stroke[0]
    for to_x, to_y in stroke[1:]:
        far = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
        if far < step and (to_x, to_y) != tuple(stroke[-1]):
            continue
        pieces = max(1, round(far / step))
        for i in range(1, pieces + 1):
            yield x + (to_x - x) * i / pieces, y + (to_y - y) * i / pieces
        x, y = to_x, to_y


def draw(page, strokes, step=0.14):
    """Draw on the pad with the mouse, in quick strokes of points in the unit square."""
    for stroke in strokes:
        (x, y), *rest = on_pad(page, along(stroke, step))
        page.mouse.move(x, y)
        page.mouse.down()
        for x, y in rest:
            page.mouse.move(x, y)
        page.mouse.up()


def drag_finger(page, points):
    """Move a finger over the window: what a touch screen reports, not synthetic events."""
    session = page.context.new_cdp_session(page)
    for i, (x, y) in enumerate(points):
        point = {
            "type": "touchMove" if i else "touchStart",
            "touchPoints": [{"x": x, "y": y}],
        }
        session.send("Input.dispatchTouchEvent", point)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def touch(page, strokes, step=0.05):
    """Draw on the pad with a finger."""
    for stroke in strokes:
        drag_finger(page, on_pad(page, along(stroke, step)))


def number(text):
    """The number in a text such as "99.99 %"."""
    return float(re.search(r"\d+(\.\d+)?", text)[0])


def percents(page, bars="#bars"):
    """The ten percentages on the page, in the order of the digits."""
    texts = [
        page.locator(f'{bars} li[data-digit="{digit}"] .percent').inner_text()
        for digit in range(10)
    ]
    return [number(text) for text in texts]


@contextlib.contextmanager
def working(cores=(None, None), **context):
    """For tools: a service, and a page of it, each on the core that is named if one is."""
    service_core, browser_core = cores
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = program(playwright)
        if path is None:
            raise SystemExit(NEED)
        _keep_to(service_core)
        server = Server(Path(folder))
        try:
            server.wait_ready()
            _keep_to(browser_core)
            with launch(playwright, path) as browser:
                options = {"viewport": {"width": 1280, "height": 900}, **context}
                yield browser.new_context(base_url=server.url, **options).new_page()
        finally:
            server.stop()


def _keep_to(core):
    """Keep what is started from now on to a core."""
    if core is not None:
        os.sched_setaffinity(0, {core})
