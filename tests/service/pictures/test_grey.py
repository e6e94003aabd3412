import numpy as np
import pytest
from PIL import Image

from service.pictures.grey import averageable, grey


def halves(first, second, mode="RGB"):
    """A picture of two colours, side by side."""
    picture = Image.new(mode, (80, 40), first)
    picture.paste(second, (40, 0, 80, 40))
    return picture


def contrast(picture):
    levels = grey(averageable(picture))
    return abs(int(levels[20, 60]) - int(levels[20, 20]))


@pytest.mark.parametrize(
    ("first", "second", "least"),
    [
        ((255, 0, 0), (0, 130, 0), 250),  # of one luminance
        ((255, 255, 255), (255, 255, 0), 250),
        ((90, 90, 255), (0, 150, 60), 190),
    ],
)
def test_the_channel_that_separates_is_used(first, second, least):
    assert contrast(halves(first, second)) >= least


@pytest.mark.parametrize("second", [(0, 0, 0), (200, 30, 30), (40, 60, 150)])
def test_the_luminance_is_used_where_it_separates(second):
    picture = halves((250, 250, 250), second)
    assert np.array_equal(grey(picture), np.asarray(picture.convert("L")))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_16_bits_are_read_by_those_that_are_used(bits):
    levels = np.linspace(0, (1 << bits) - 1, 256).astype(np.uint16)
    found = grey(averageable(Image.fromarray(np.tile(levels, (4, 1)))))
    assert np.abs(found[0] - np.arange(256)).max() <= 1


@pytest.mark.parametrize(("paper", "faint", "pen"), [(255, 240, 0), (0, 15, 255)])
def test_strokes_that_fade_to_transparent_paper_are_ink(paper, faint, pen):
    """As of a GIF: only what is all paper is transparent, and faint rings are more."""
    levels = np.full((60, 60), paper, np.uint8)
    alpha = np.zeros_like(levels)
    levels[15:45, 15:45], alpha[15:45, 15:45] = faint, 255
    levels[20:40, 28:32] = pen
    picture = Image.merge("LA", [Image.fromarray(levels), Image.fromarray(alpha)])
    found = grey(picture)
    assert abs(found[0, 0] - faint) < 1
    assert found[30, 30] == pen
