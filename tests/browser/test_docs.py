"""The page of the API."""

import pytest
from playwright.sync_api import expect

from tests.support import browser as driver

BROKEN = "Failed to load resource"


def test_lists_the_routes_and_tries_them_out(page):
    driver.open_page(page, "/docs")
    page.locator("[data-path='/livez']").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    answer = page.locator(".live-responses-table").get_by_text('"live": true')
    answer.first.wait_for()
    colours = driver.RULES_OF["dark"]  # the rest is Swagger UI's
    driver.axe(page, context=".opblock.is-open", runOnly=colours)


def test_leads_back_to_the_other_pages(page):
    driver.open_page(page, "/docs")
    here = page.get_by_role("link", name="API", exact=True)
    expect(here).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Draw", exact=True).click()
    page.locator("#pad").wait_for()


@pytest.mark.expects(BROKEN)
@pytest.mark.parametrize("part", ["**/openapi.json", "**/swagger-ui-bundle.js"])
def test_says_once_that_it_could_not_be_loaded_and_tries_again(new_page, part):
    page = new_page(alone=True)
    page.route(part, lambda route: route.abort())
    driver.open_page(page, "/docs")
    page.get_by_role("alert").wait_for()
    expect(page.get_by_role("alert")).to_contain_text("could not be fetched")
    page.unroute(part)
    page.get_by_role("button", name="Try again").click()
    page.locator("[data-path='/predict']").wait_for()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_follows_the_system_into_the_dark(page):
    driver.open_page(page, "/docs")
    paper = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(paper)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_class("dark-mode")
    assert page.evaluate(paper) != light
