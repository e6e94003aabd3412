"""Pictures of the pages, for people to look at: ``python -m bench screenshots``.

The first screen of the page to draw on and the whole lesson, at the sizes of a desk, a
laptop, and phones upright and across, by day and by night.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.harness.cores import ROOT
from tests.support import browser as driver

SIZES = (1440, 820), (1366, 657), (390, 844), (844, 390), (320, 568)
DIGITS = ROOT / "service" / "model" / "digits.json"


def main(argv: Sequence[str] | None = None) -> None:
    """Take the pictures, and print where they are."""
    parser = argparse.ArgumentParser(prog="python -m bench screenshots")
    parser.add_argument("--output", type=Path, help="folder; by default a new one")
    folder = parser.parse_args(argv).output or Path(tempfile.mkdtemp(prefix="pages-"))
    folder.mkdir(parents=True, exist_ok=True)
    three = json.loads(DIGITS.read_bytes())["digits"][3]["strokes"]
    with driver.working() as page:
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                for path, name in (("/", "draw"), ("/learn", "learn")):
                    driver.open_page(page, path)
                    if path == "/learn":  # start every widget
                        page.evaluate("dispatchEvent(new Event('beforeprint'))")
                    page.wait_for_load_state("networkidle")
                    if path == "/":
                        driver.draw(page, three)
                        driver.settle(page)
                        page.wait_for_load_state("networkidle")  # the weights
                    file = folder / f"{name}-{width}-{scheme}.png"
                    page.screenshot(path=file, full_page=path != "/")
                    print(file)


if __name__ == "__main__":
    main()
