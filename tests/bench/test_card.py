"""The picture beside a link to the pages."""

import numpy as np
from PIL import Image

from bench.pages import card


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def test_the_card_is_of_the_models_that_are_shipped(tmp_path):
    card.main(["--output", str(tmp_path / "card.png")])
    np.testing.assert_array_equal(pixels(tmp_path / "card.png"), pixels(card.OUTPUT_FILE))
