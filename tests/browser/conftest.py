import contextlib
import json
import os
import re

import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.lesson import MODELS, VERSIONS, open_chapters
from tests.support import browser as driver
from training import reference

WAIT_MS = 60_000  # far above what anything takes, for a machine that is busy
WINDOW = {"width": 1280, "height": 900}
MEDIA = ("color_scheme", "reduced_motion")
# The page takes a server for away that needs 5 s for an answer; on a machine that is busy,
# one that is there may.
PATIENT = """{
    const after = window.setTimeout;
    window.setTimeout = (call, ms, ...rest) =>
        after(call, ms === 5000 ? 600_000 : ms, ...rest);
}"""

expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="session")
def service(start_once):
    # A machine that is busy with a browser is no rush of clients.
    return start_once(MNIST_MAX_WAIT_MS="10000").wait_ready()


# Not for the session: while Playwright runs, its event loop is the thread's, and other
# tests could not run one of their own.
@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        program = driver.program(playwright)
        if program is None:
            pytest.skip(driver.NEED)
        # One process for a context's pages: another one takes most of a second of CPU.
        browser = driver.launch(playwright, program, "--process-per-site")
        yield browser
        browser.close()


def new_context(browser, service, **options):
    # The network's motion takes half of the CPU of a stroke; tests of it ask for it.
    options = {"viewport": WINDOW, "reduced_motion": "reduce", **options}
    context = browser.new_context(**{"base_url": service.url, **options})
    context.set_default_timeout(WAIT_MS)
    context.add_init_script(PATIENT)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    return context


@contextlib.contextmanager
def opener(context, service, expected=()):
    """Open pages; hold that nothing goes wrong in them.

    Each is a new tab of the context, unless it is to be ``alone``, or has options that
    only a context of its own can have.
    """
    opened, complaints = [], []

    def complain(text):
        if not any(re.search(pattern, text) for pattern in expected):
            complaints.append(f"{text}, in {os.environ['PYTEST_CURRENT_TEST']}")

    def watch_console(message):
        if message.type == "error":
            complain(f"console: {message.text} ({message.location['url']})")

    def new_page(*, alone=False, **options):
        of = context
        if alone or not options.keys() <= {"viewport", *MEDIA}:
            of = new_context(context.browser, service, **options)
            opened.append(of)
        page = of.new_page()
        opened.append(page)
        if of is context and options:
            page.set_viewport_size(options.get("viewport", WINDOW))
            page.emulate_media(**{name: options.get(name) for name in MEDIA})
        origin = options.get("base_url", service.url) + "/"

        def watch_request(asked):
            if not asked.url.startswith((origin, "data:", "blob:" + origin)):
                complain(f"request that leaves the origin: {asked.url}")

        page.on("request", watch_request)
        page.on("console", watch_console)
        page.on("pageerror", lambda error: complain(f"error of the page: {error}"))
        return page

    yield new_page
    for each in reversed(opened):
        each.close()
    assert complaints == []


@pytest.fixture
def new_page(context, service, request):
    """Pages of one test.

    What a test causes on purpose it names: ``@pytest.mark.expects("pattern", ...)``.
    """
    marks = request.node.iter_markers("expects")
    expected = [pattern for mark in marks for pattern in mark.args]
    with opener(context, service, expected) as new_page:
        yield new_page


@pytest.fixture(scope="module")
def new_shared_page(context, service):
    """Pages that a module's tests share, where opening one takes a second."""
    with opener(context, service) as new_page:
        yield new_page


@pytest.fixture(scope="module")
def context(browser, service):
    """A context that a module's pages share, and with it its cache and its process.

    The pages keep nothing in it: no cookie and no storage.
    """
    context = new_context(browser, service)
    context.new_page().goto("/livez")  # keeps the process alive between tests
    yield context
    assert context.storage_state() == {"cookies": [], "origins": []}
    context.close()


@pytest.fixture
def page(new_page):
    return new_page()


@pytest.fixture(scope="session")
def own(root):
    """The project's 30 digits."""
    return json.loads((root / "service/model/digits.json").read_bytes())["digits"]


@pytest.fixture(scope="session")
def strokes(own):
    """The strokes of the first ten of the project's own digits, 0 to 9."""
    assert [digit["label"] for digit in own[:10]] == list(range(10))
    return [digit["strokes"] for digit in own[:10]]


@pytest.fixture(scope="session")
def labels(own):
    return np.array([digit["label"] for digit in own])


@pytest.fixture(scope="module")
def models():
    """Each version's layers, read from its file by the package onnx."""
    return {v: reference.read_layers(MODELS / str(v) / "model.onnx") for v in VERSIONS}


@pytest.fixture(scope="module")
def lesson(new_shared_page, request):
    """The chapters of the lesson that a module's OPENS names, and the 30 digits' frames."""
    page, answers = new_shared_page(), []
    page.on(
        "response", lambda r: answers.append(r) if "/predict?echo=frame" in r.url else None
    )
    open_chapters(page, request.module.OPENS)
    (digits,) = [found for r in answers if len(found := r.json()["predictions"]) == 30]
    return page, np.array([each["frame"] for each in digits]).reshape(30, 784) / 255


@pytest.fixture
def learn(lesson):
    return lesson[0]


@pytest.fixture
def images(lesson):
    """What the server made of the 30 digits that this browser drew, 0 to 1."""
    return lesson[1]
