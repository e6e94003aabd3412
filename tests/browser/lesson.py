"""What the tests of the lesson share: opening it whole, and reading its numbers."""

import re

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


def open_lesson(page, path="/learn"):
    """Open the lesson and start every widget, as printing does."""
    driver.open_page(page, path)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for widget in page.locator("[data-widget]").all():
        widget.and_(page.locator("[data-ready]")).wait_for(state="attached")


def numbers(text):
    """All numbers in a text; the page writes a true minus sign."""
    plain = text.replace("\u2212", "-").replace(",", "")
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", plain)]


def part(page, widget, name):
    """What a widget's module fills in."""
    return page.locator(f"[data-widget='{widget}'] [data-part='{name}']")


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
