"""What holds of every page: reachable for everyone, self-contained, strict."""

import pytest

from service.web.modules import bundle
from tests.support import browser as driver
from tests.support.page import choose

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# Swagger UI writes style attributes.
DOCS_CSP = CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
PAGES = ["/", "/learn", "/docs"]
# Bytes on the wire, headers too, of all but the weights, which come last: two seconds on a
# slow telephone (250 kbit/s) are 60 kB. The lesson is long, and read for longer.
MOST = {"/": 60_000, "/learn": 350_000}

every_page = pytest.mark.parametrize("path", PAGES)


def open_whole(page, path):
    """Open a page with all that it fetches and all that it folds away."""
    driver.open_page(page, path)
    if path == "/learn":
        page.evaluate("dispatchEvent(new Event('beforeprint'))")  # starts every widget
    page.wait_for_load_state("networkidle")
    page.locator("details").evaluate_all("all => all.forEach(it => (it.open = true))")


@pytest.fixture(scope="module", params=PAGES)
def opened(request, new_shared_page):
    """A page for the tests that only read it; any error or request to others fails them."""
    page = new_shared_page()
    open_whole(page, request.param)
    return page


@pytest.fixture(params=["light", "dark"])
def whole(request, opened):
    """Such a page by day and by night."""
    opened.emulate_media(color_scheme=request.param)
    opened.evaluate(driver.TWO_FRAMES)
    return opened, request.param


# test_learn has the lesson, in every state.
@pytest.mark.parametrize("opened", ["/", "/docs"], indirect=True)
def test_axe_finds_nothing(whole):
    page, scheme = whole
    # Swagger UI goes from h1 to h3.
    rules = {"heading-order": {"enabled": not page.url.endswith("/docs")}}
    driver.axe(page, scheme, rules=rules if scheme == "light" else {})


def test_axe_finds_nothing_beside_an_answer(page, strokes):
    driver.open_page(page)
    choose(page, "#beside", "1")
    driver.draw(page, strokes[3])
    driver.settle(page)
    driver.axe(page)


def test_dark_is_dark_and_light_is_light(whole):
    page, scheme = whole
    shown = "e => getComputedStyle(e).{}.match(/[\\d.]+/g).slice(0, 3).map(Number)"
    paper, ink = (
        sum(page.locator("body").evaluate(shown.format(part)))
        for part in ("backgroundColor", "color")
    )
    assert (paper < ink) == (scheme == "dark")


def test_says_its_language_and_has_one_title(opened):
    assert opened.locator("html").get_attribute("lang") == "en"
    assert opened.title()
    assert opened.locator("h1").count() == 1


@every_page
def test_never_scrolls_sideways(new_page, path):
    page = new_page(viewport={"width": 320, "height": 640})
    open_whole(page, path)
    for width in (320, 768, 1280):
        page.set_viewport_size({"width": width, "height": 640})
        page.evaluate(driver.TWO_FRAMES)
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_text_can_be_spaced_on_a_narrow_screen(new_page):
    """As WCAG 1.4.12 has it; only with the policy off can a test add a style."""
    page = new_page(viewport={"width": 320, "height": 900}, bypass_csp=True)
    for path in PAGES:
        open_whole(page, path)
        page.add_style_tag(
            content="* { line-height: 1.5 !important; letter-spacing: 0.12em !important; "
            "word-spacing: 0.16em !important } p { margin-bottom: 2em !important }"
        )
        assert page.evaluate("document.documentElement.scrollWidth") == 320, path


@every_page
def test_policy_allows_nothing_but_the_services_own(service, path):
    answer = service.request("GET", path)
    assert answer.status == 200
    assert answer.headers["Content-Security-Policy"] == (
        DOCS_CSP if path == "/docs" else CSP
    )


@pytest.mark.expects("Executing inline script violates .*Content Security Policy")
def test_injected_script_does_not_run(page):
    driver.open_page(page)
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.injected = true";
            document.body.append(script);
        }"""
    )
    assert page.evaluate("window.injected") is None


@pytest.mark.expects("Content Security Policy")
def test_injected_handler_does_not_run(page):
    driver.open_page(page)
    page.evaluate(
        """() => {
            const button = document.createElement("button");
            button.setAttribute("onclick", "window.injected = true");
            document.body.append(button);
            button.click();
        }"""
    )
    assert page.evaluate("window.injected") is None


@pytest.mark.parametrize("path", MOST)
def test_loads_little(new_page, path):
    page, finished = new_page(alone=True), []
    page.on("requestfinished", lambda it: finished.append(it))
    driver.open_page(page, path)
    page.wait_for_load_state("networkidle")
    sizes = {it.url: it.sizes() for it in finished if "/weights" not in it.url}
    assert len(sizes) > 5
    wire = [it["responseHeadersSize"] + it["responseBodySize"] for it in sizes.values()]
    assert sum(wire) <= MOST[path], sizes


def test_loads_the_lessons_modules_without_waiting_for_those_that_import_them(new_page):
    page, asked = new_page(alone=True), []
    page.on("request", lambda it: asked.append(it.url))
    open_whole(page, "/learn")
    preloaded = page.locator("link[rel=modulepreload]").evaluate_all(
        "links => links.map(({ href }) => href)"
    )
    modules = [url for url in asked if url.endswith(".js")]
    assert len(preloaded) > 5
    assert {*preloaded} <= {*modules}
    assert len({*modules}) == len(modules)


MODULES = {
    "a.js": b"""import { twice as double, name } from "./below/b.js";
import {
  Counter,
  start,
} from "./c.js";

const hidden = 1; // a name of its own, which others have too
globalThis.found = [double(hidden), name, new Counter().next(), await start()];
""",
    "below/b.js": b"""import { hidden } from "../c.js";

export function twice(value) {
  return 2 * value;
}
export const name = "b" + hidden;
""",
    "c.js": b"""export const hidden = 7;
export class Counter {
  next = () => hidden + 1;
}
export async function start() {
  return "started";
}
""",
}


def test_a_bundle_does_what_its_modules_do(page):
    driver.open_page(page)
    code = bundle(MODULES, "a.js").decode()
    page.route(
        "**/bundled.js", lambda it: it.fulfill(content_type="text/javascript", body=code)
    )
    page.evaluate("import('/bundled.js')")
    assert page.evaluate("found") == [2, "b7", 8, "started"]


def test_asks_for_no_asset_twice(new_page):
    first, second = new_page(), new_page()
    open_whole(first, "/")
    open_whole(second, "/")
    # A reply that says "not modified" would count, too: 300 bytes.
    sizes = second.evaluate(
        """performance.getEntriesByType("resource")
            .filter(({ name }) => name.includes("/static/"))
            .map(({ transferSize }) => transferSize)"""
    )
    assert {*sizes} == {0}
