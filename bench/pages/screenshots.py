"""Pictures of the pages, for people to look at: ``python -m bench screenshots``.

Both pages, whole, at the widths of a phone, a tablet and a desk, by day and by night.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.harness.cores import ROOT
from tests.support import browser as driver

WIDTHS = (320, 768, 1440)
DIGITS = ROOT / "service" / "model" / "digits.json"


def main(argv: Sequence[str] | None = None) -> None:
    """Take the pictures, and print where they are."""
    parser = argparse.ArgumentParser(prog="python -m bench screenshots")
    parser.add_argument("--output", type=Path, help="folder; by default a new one")
    folder = parser.parse_args(argv).output or Path(tempfile.mkdtemp(prefix="pages-"))
    folder.mkdir(parents=True, exist_ok=True)
    three = json.loads(DIGITS.read_bytes())["digits"][3]["strokes"]
    with driver.working() as page:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                for path, name in (("/", "draw"), ("/learn", "learn")):
                    driver.open_page(page, path)
                    page.wait_for_load_state("networkidle")
                    if path == "/":
                        driver.draw(page, three)
                        driver.settle(page)
                        page.locator("#clear").evaluate("e => scrollTo(0, 0)")
                    file = folder / f"{name}-{width}-{scheme}.png"
                    page.screenshot(path=file, full_page=True)
                    print(file)


if __name__ == "__main__":
    main()
