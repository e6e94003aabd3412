"""The pages behind an nginx that takes a prefix off, of which the service knows nothing."""

import os
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest

from bench.harness.server import START_S
from tests.browser.conftest import new_context
from tests.support import browser as driver
from tests.support.server import eventually, free_port

PREFIX = "/some/digits"
CONFIG = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  # Its files may not be its worker's: nothing may be written into any.
  access_log off; client_body_buffer_size 1m; proxy_max_temp_file_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location {prefix}/ {{
      proxy_pass http://127.0.0.1:{service}/; proxy_set_header Host $http_host;
    }}
  }}
}}
"""


@pytest.fixture(scope="module")
def proxy(service, tmp_path_factory):
    """The address of the proxy."""
    # Where Debian puts it is not on every user's path.
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        pytest.skip("needs nginx, found none")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    config = folder / "nginx.conf"
    config.write_text(
        CONFIG.format(folder=folder, port=port, service=service.port, prefix=PREFIX)
    )
    process = subprocess.Popen([nginx, "-e", folder / "error.log", "-c", config])
    eventually(lambda: process.poll() is not None or (folder / "pid").exists())
    assert process.poll() is None, (folder / "error.log").read_text()
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(START_S)


@pytest.fixture(scope="module")
def context(browser, service, proxy):
    context = new_context(browser, service, base_url=proxy)
    context.new_page().goto(PREFIX + "/livez")  # keeps the process alive between tests
    yield context
    context.close()


@pytest.fixture
def page(context):
    """A page of the proxy; whatever it asks for must be below the prefix, and there."""
    page, wrong = context.new_page(), []

    def watch(answer):
        below = urlsplit(answer.url).path.startswith(PREFIX + "/")
        if answer.url.startswith("http") and not (below and answer.ok):
            wrong.append((answer.status, answer.url))

    page.on("response", watch)
    yield page
    page.close()
    assert wrong == []


def test_the_api_can_be_tried_out(page):
    page.goto(PREFIX + "/docs")
    page.locator("[data-path='/livez']").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table").get_by_text('"live": true').first.wait_for()


def test_links_lead_from_page_to_page(page):
    page.goto(PREFIX + "/docs")
    for name, path in (("Learn", "/learn"), ("API", "/docs")):
        page.get_by_role("link", name=name, exact=True).click()
        page.wait_for_url(f"**{PREFIX}{path}")


@pytest.mark.parametrize("path", ["/", "/learn", "/docs"])
def test_all_that_a_page_asks_for_is_below(page, path):
    page.goto(PREFIX + path)
    page.wait_for_load_state("networkidle")


def test_a_drawing_is_read(page, strokes):
    page.goto(PREFIX + "/")
    driver.draw(page, strokes[3])
    driver.settle(page)
