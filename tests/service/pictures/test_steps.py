import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from service.pictures.decode import decode
from tests.support.picture_files import GOOD


def frame(*arguments):
    command = [sys.executable, "-m", "service", "frame", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def three(tmp_path):
    path = tmp_path / "three.png"
    path.write_bytes(GOOD)
    return path


def test_the_frame_is_what_the_model_sees(three):
    done = frame(three)
    assert done.returncode == 0
    (path,) = done.stdout.split()
    drawn = np.asarray(Image.open(path))[::10, ::10]
    assert np.array_equal(drawn.reshape(-1), decode(GOOD, 1 << 20))


def test_every_step_is_written(three, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    done = frame(three, "--steps", "--output", folder)
    names = [path.name.removesuffix(".png") for path in sorted(folder.iterdir())]
    steps = ["grey", "reduced", "paper", "contrast", "roles", "ink", "frame"]
    assert names == [f"three-{number}-{step}" for number, step in enumerate(steps, 1)]
    assert done.stdout.split() == [f"{folder / name}.png" for name in names]


def test_what_is_no_picture_is_refused_in_a_line(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("hello")
    done = frame(path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: x.txt begins with 68 65 6c 6c, expected PNG, JPEG, WebP or GIF\n"
    )
    missing = frame(tmp_path / "none.png")
    assert missing.returncode == 1
    assert missing.stderr.endswith("none.png: No such file or directory\n")
