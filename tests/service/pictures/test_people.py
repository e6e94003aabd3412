"""Pictures as people take them; `python -m bench pictures` has the whole table."""

import pytest

from bench.pictures import photo, screen
from bench.pictures.__main__ import measure
from bench.pictures.conditions import CONDITIONS
from bench.pictures.hand import hands
from service.model.snapshot import VersionFiles
from service.model.version import Model

COUNT = 4
NAMES = [each.name for each in CONDITIONS if "megapixels" not in each.name]
FILLED_BY = screen, photo


@pytest.fixture(scope="module")
def model(root, served):
    return Model.load(VersionFiles.read(root / "models" / "mnist" / served))


@pytest.mark.parametrize("name", NAMES)
def test_what_people_send_is_read(name, model, mnist):
    """Of four, one may be a handwriting that is hard to read; none is sure and wrong."""
    (condition,) = (each for each in CONDITIONS if each.name == name)
    found = measure(condition, hands(COUNT, start=9000), model)
    assert found.right >= 1 - 1 / COUNT
    assert (found.refused, found.wrong) == (0, 0)


def test_there_are_forty_kinds_of_pictures():
    assert len({*NAMES}) >= 40
