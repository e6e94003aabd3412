"""The fuzzer finds nothing in the service, and finds what is planted."""

import pytest

from bench.fuzz import http as fuzz_http
from bench.fuzz.http import Fuzzer
from tests.hostile.mutations import case
from tests.hostile.replies import Broken, Reply, check

# Enough for a machine that is busy, but not for what waits for one of the server's
# deadlines (600 s).
SECONDS = 120

PLANT = """
from service.wsgi import load
from service.inference import batch
from service.model.version import Model

{plant}

app = load()
"""
PLANTS = {
    "a 500": (
        "def fail(*_): raise OverflowError\nbatch.inflate = fail",
        "found status 500",
    ),
    "a leak": (
        "refusal, kept = batch.refusal, []\n"
        "def leak(error):\n    kept.append(b'x' * 20_000)\n    return refusal(error)\n"
        "batch.refusal = leak",
        "has grown in each window",
    ),
    "a wrong answer": (
        "predict, calls = Model.predict, []\n"
        "def roll(self, images):\n    calls.append(1)\n"
        "    return predict(self, images if len(calls) < 20 else 1 - images)\n"
        "Model.predict = roll",
        "is read otherwise than at first",
    ),
    "a hang": (
        "import time\ndef wait(*_): time.sleep(2)\nbatch.inflate = wait",
        "no reply and no end in 1.0 s",
    ),
    "an open file": (
        "refusal, kept = batch.refusal, []\n"
        "def leak(error):\n    kept.append(open('/dev/null'))\n    return refusal(error)\n"
        "batch.refusal = leak",
        "open files, now",
    ),
    "a crash": (
        "import os\ndef crash(*_): os._exit(1)\nbatch.inflate = crash",
        "have become",
    ),
}


def test_a_thousand_requests_find_nothing(capsys):
    options = ["--requests", "1000", "--seed", "7", "--seconds", f"{SECONDS}"]
    code = fuzz_http.main(options)
    shown = capsys.readouterr().out
    assert (code, "FAULT" in shown) == (0, False), shown
    for status in (200, 400, 404, 405, 411, 415, 422):
        assert f"\n| {status} | " in shown


@pytest.mark.parametrize("name", PLANTS)
def test_a_run_fails_if_a_fault_is_planted(start, tmp_path, monkeypatch, name):
    plant, fault = PLANTS[name]
    (tmp_path / "wsgi_plant.py").write_text(PLANT.format(plant=plant))
    options = (*fuzz_http.OPTIONS, "--pythonpath", str(tmp_path), "wsgi_plant:app")
    server = start(*options, WEB_CONCURRENCY="1", **fuzz_http.SETTINGS).wait_ready()
    seconds = 1.0 if name == "a hang" else SECONDS
    monkeypatch.setattr(fuzz_http, "SETTLE_S", 0.2)
    monkeypatch.setattr(fuzz_http, "MOST_FAULTS", 1)
    if name == "a leak":
        monkeypatch.setattr(fuzz_http, "LEAST_REQUESTS", 400)
    report = Fuzzer(server, seed=1, seconds=seconds).run(400)
    assert any(fault in found for found in report.faults), report.faults


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"error": "KeyError: 5"}'),
        (400, b'{"error": "<object at 0x7f0123456789>"}'),
        (404, b"<html>"),
        (404, b'{"message": "no"}'),
        (503, b'{"error": "no"}'),
        (299, b""),
    ],
)
def test_a_reply_that_the_service_must_not_give_is_a_fault(status, body):
    with pytest.raises((Broken, ValueError)):
        check(Reply(status, {}, body))


def test_a_request_depends_only_on_its_seed_and_its_number():
    assert [case(3, n) for n in range(50)] == [case(3, n) for n in range(50)]
    assert [case(3, n) for n in range(50)] != [case(4, n) for n in range(50)]


def test_half_of_the_requests_are_malformed_http():
    framed = sum(case(3, number).framed for number in range(1000))
    assert 400 < framed < 600


def test_a_fault_gives_exit_code_1_and_is_shown(monkeypatch, capsys):
    def refuse(reply):
        raise Broken("planted")

    monkeypatch.setattr(fuzz_http, "check", refuse)
    number = next(number for number in range(100) if case(1, number).framed)
    assert fuzz_http.main(["--only", str(number)]) == 1
    assert f"FAULT request {number}: Broken: planted" in capsys.readouterr().out
