"""``python -m service predict FILE ...``."""

import csv
import json
import subprocess
import sys

import pytest

from service import create_app, create_inference
from service.inference import command
from service.settings import Settings
from tests.support.picture_files import GOOD


@pytest.fixture
def three(tmp_path):
    path = tmp_path / "three, of mine.png"
    path.write_bytes(GOOD)
    return path


@pytest.fixture(scope="module")
def answer():
    """What the service answers to the picture."""
    client = create_app(Settings()).test_client()

    def ask(query):
        reply = client.post(f"/predict{query}", data=GOOD, content_type="image/png")
        return reply.json["predictions"][0]

    return ask


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        command.main([*map(str, arguments)], create_inference)
    return ended.value.code, *capsys.readouterr()


@pytest.mark.parametrize("options", [(), ("--version", "1")])
def test_a_file_gets_the_answer_of_the_service(capsys, three, answer, options):
    code, text, _ = run(capsys, three, *options, "--format", "json")
    expected = answer(f"?version={options[1]}" if options else "")
    (row,) = json.loads(text)
    assert code == 0
    assert row["file"] == str(three)
    for name in "digit", "confidence":
        assert row[name] == expected[name]
    assert row["unsure"] == expected.get("unsure")


def test_what_cannot_be_read_has_its_reason_and_the_others_an_answer(capsys, three):
    code, text, _ = run(capsys, three.parent / "none.png", __file__, three)
    missing, not_picture, good = csv.DictReader(text.splitlines())
    assert code == 1
    assert missing["error"] == "No such file or directory"
    assert "expected PNG, JPEG, WebP or GIF" in not_picture["error"]
    assert (good["file"], good["digit"], good["error"]) == (str(three), "3", "")


def test_a_table_has_the_reasons_on_standard_error(capsys, three):
    code, text, errors = run(capsys, three, __file__, "--format", "table")
    assert code == 1
    head, row = text.splitlines()
    assert head.split() == ["file", "digit", "confidence"]
    assert row.split()[-2] == "3"
    assert errors.startswith(__file__)


def test_keys_and_hosts_are_for_clients(three, tmp_path):
    (tmp_path / "keys").write_text("k" * 32)
    done = subprocess.run(
        [sys.executable, "-m", "service", "predict", three],
        env={"MNIST_API_KEYS": str(tmp_path / "keys"), "MNIST_TRUSTED_HOSTS": "a.test"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_model_that_cannot_be_served_is_one_line(three, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "service", "predict", three],
        env={"MNIST_MODEL_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
