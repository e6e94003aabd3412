"""What the documents tell the reader to type works, and prints what they show."""

import json
import re
import subprocess
import sys

import pytest

# A block of commands or code, and the block of its output right after it.
BLOCK = r"```{}\n((?:(?!```).)*?)```\n\n```{}\n(.*?)\n```"
MAKE = re.compile(r"(?:`|^ *)make ([a-z0-9-]+)", re.MULTILINE)


def here(text, url):
    """Return an example that asks the test's server."""
    return text.replace("127.0.0.1:8000", url.removeprefix("http://"))


def examples(pages, language, output):
    return [
        (path, *found)
        for path, text in pages.items()
        for found in re.findall(BLOCK.format(language, output), text, re.DOTALL)
    ]


def ask(root, commands, url):
    command = ["bash", "-euo", "pipefail", "-c", here(commands, url)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (commands, done.stderr)
    return json.loads(done.stdout)


def nearly(value):
    """Allow for the last digits of floats, which differ by processor."""
    if isinstance(value, dict):
        return {key: nearly(each) for key, each in value.items()}
    if isinstance(value, list):
        return [nearly(each) for each in value]
    return pytest.approx(value, abs=1e-5) if isinstance(value, float) else value


def test_every_curl_gets_the_answer_shown(root, pages, url):
    found = examples(pages, "sh", "json")
    for path, commands, shown in found:
        assert ask(root, commands, url) == nearly(json.loads(shown)), (path, commands)
    asked = " ".join(commands for _, commands, _ in found)
    for route in ("predict", "explain", "v1/models/mnist:predict", "v2/models/mnist/infer"):
        assert f"127.0.0.1:8000/{route} " in asked


def test_the_protocols_of_the_front_page_answer_the_same(root, pages, table, url):
    commands = [row[-1].strip("`") for row in table(pages["README.md"], "Protocol |")]
    own, v1, v2 = (ask(root, command, url) for command in commands)
    (prediction,) = own["predictions"]
    assert prediction["digit"] == 7
    assert v1["predictions"] == [prediction["probabilities"]]
    assert v2["outputs"][0]["data"] == prediction["probabilities"]


def test_the_lessons_code_prints_what_it_shows(root, pages):
    python = root / ".venv" / "service" / "bin" / "python"
    found = examples(pages, "python", "text")
    assert found
    for path, code, shown in found:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True)
        assert done.stdout.strip() == shown, (path, done.stderr)


def test_the_clients_read_the_seven(root, pages, url):
    python = root / ".venv" / "clients" / "bin" / "python"  # `make test` makes it
    clients = re.findall(r"```python\n(.*?)```", pages["docs/http.md"], re.DOTALL)
    assert len(clients) == 3
    for client in clients:
        command = [python, "-c", here(client, url)]
        done = subprocess.run(
            command, cwd=root, capture_output=True, text=True, timeout=120
        )
        assert done.stdout.strip() == "7", done.stderr


def test_every_make_target_exists(root, documents):
    makefile = (root / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    for path, text in documents.items():
        assert set(MAKE.findall(text)) <= targets, path


def test_a_python_without_venv_is_told_what_to_install(root, tmp_path):
    (tmp_path / "requirements").mkdir()
    for name in ("Makefile", "requirements/service.txt"):
        (tmp_path / name).write_bytes((root / name).read_bytes())
    python = tmp_path / "python"
    script = f'case "$2" in *ensurepip*) exit 1;; esac; exec {sys.executable} "$@"'
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    command = ["make", "-C", str(tmp_path), f"PYTHON={python}", "serve"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "expected it: on Debian, apt-get install python3-venv" in done.stderr
