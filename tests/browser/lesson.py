"""What the tests of the lesson share: opening it, and reading its numbers."""

import json
import re

import pytest

from bench.harness.cores import ROOT
from tests.support import browser as driver

MODELS = ROOT / "models" / "mnist"
VERSIONS = sorted(int(path.parent.name) for path in MODELS.glob("*/manifest.json"))
CHAPTERS = [
    "neuron",
    "activations",
    "layers",
    "training",
    "features",
    "confidence",
    "traditional",
    "break",
    "yours",
]


every_version = pytest.mark.parametrize("version", VERSIONS)


def manifest(version):
    return json.loads((MODELS / str(version) / "manifest.json").read_bytes())


def open_lesson(page, path="/learn"):
    """Open the lesson and start every widget, as printing does."""
    driver.open_page(page, path)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for widget in page.locator("[data-widget]").all():
        widget.and_(page.locator("[data-ready]")).wait_for(state="attached")


def open_chapters(page, chapters):
    """Open the lesson and start the widgets of some chapters, as a reader does."""
    driver.open_page(page, "/learn")
    for chapter in chapters:
        for widget in page.locator(f"#{chapter} [data-widget]").all():
            widget.scroll_into_view_if_needed()
            widget.and_(page.locator("[data-ready]")).wait_for(state="attached")


def numbers(text):
    """All numbers in a text; the page writes a true minus sign."""
    plain = text.replace("\u2212", "-").replace(",", "")
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", plain)]


def part(page, widget, name):
    """What a widget's module fills in."""
    return page.locator(f"[data-widget='{widget}'] [data-part='{name}']")


def text(page, widget, name):
    """The same as text; the page keeps numbers and their % together."""
    return part(page, widget, name).text_content().replace("\u00a0", " ")


def set_controls(page, widget, **values):
    """Set controls of a widget as a hand does, by their names."""
    form = page.locator(f"[data-widget='{widget}']")
    for name, value in values.items():
        control = form.locator(f"[name='{name}']")
        if control.first.get_attribute("type") == "radio":
            form.locator(f"[name='{name}'][value='{value}']").check()
        elif isinstance(value, bool):
            control.set_checked(value)
        else:
            control.fill(str(value))
    page.evaluate(driver.TWO_FRAMES)
