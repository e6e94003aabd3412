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


def numbers(reply):
    """Take the probabilities out of a reply; another processor's last digits differ."""
    found = [reply.pop("outputs")[0]["data"]] if "outputs" in reply else []
    rows = reply.get("predictions", [])
    if rows and isinstance(rows[0], list):
        found += reply.pop("predictions")
    elif rows:
        for row in rows:
            found += [row.pop("probabilities"), [row.pop("confidence")]]
    return found


def test_every_curl_gets_the_answer_shown(root, pages, url):
    found = examples(pages, "sh", "json")
    assert len(found) >= 6
    for path, commands, shown in found:
        command = ["bash", "-euo", "pipefail", "-c", here(commands, url)]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (path, done.stderr)
        answer, expected = json.loads(done.stdout), json.loads(shown)
        for got, wanted in zip(numbers(answer), numbers(expected), strict=True):
            assert got == pytest.approx(wanted, abs=1e-5), path
        assert answer == expected, path


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
        if path != "CHANGELOG.md":  # which names what is gone
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
