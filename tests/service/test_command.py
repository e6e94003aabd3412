"""``python -m service`` and the application for other servers, as a user starts them."""

import re
import subprocess
from dataclasses import fields

from service import wsgi
from service.settings import Settings
from tests.support.server import PYTHON, ROOT

COMMAND = [PYTHON, "-m", "service"]


def run(*arguments):
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True)


def test_help_names_every_setting():
    text = run("--help").stdout
    assert all(f"MNIST_{field.name.upper()} " in text for field in fields(Settings))


def test_the_port_is_an_option():
    with subprocess.Popen(
        [*COMMAND, "--port", "0"], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as started:
        listening = next(line for line in started.stderr if "Listening at: " in line)
        started.terminate()
        started.stderr.read()
    assert re.search(r"http://127\.0\.0\.1:(?!8000\b)\d+ ", listening)
    assert started.returncode == 0


def test_a_number_as_the_file_of_the_process_id_is_refused():
    ended = run("-p", "9000")
    assert (ended.returncode, ended.stderr.count("\n")) == (4, 1)
    assert ended.stderr.endswith("expected --port 9000\n")


def test_other_servers_find_the_application():
    assert wsgi.app.test_client().get("/readyz").status_code == 200
    assert wsgi.app is wsgi.app
