"""The scenarios from the command line, by a real Locust on the real service."""

import http.server
import json
import re
import shutil
import socketserver
import threading
import urllib.parse
import urllib.request

import pytest

from load import payloads

LENIENT = ("--limit", "mean<10s", "--limit", "errors<=0")
SHORT = ("--seconds", 1.5, "--warm-up", 0.3, "--rate", 60, "--connections", 8)
# What a busy machine does to some requests: it refuses them in time, or sends none.
BUSY = {"status 503", "never sent: all connections were busy"}


def answered(done):
    """The requests of a run that were answered, or failed as on a busy machine."""
    assert done.record, done.err
    tally = done.record.tally
    assert set(tally.failures) <= BUSY
    assert tally.right + tally.failed == tally.due
    assert tally.right > 0
    return tally


def answers(url, more=20):
    """Return a function that says whether the service has answered some more."""

    def predictions():
        with urllib.request.urlopen(f"{url}/metrics") as reply:
            text = reply.read().decode()
        return sum(
            map(float, re.findall(r"^mnist_predictions_total{.+} (.+)$", text, re.M))
        )

    wanted = predictions() + more
    return lambda: predictions() >= wanted


@pytest.fixture
def impostor():
    """A fast server that answers every request with the same bytes."""
    reply = {"status": 200, "body": b""}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(reply["status"])
            self.send_header("Content-Length", str(len(reply["body"])))
            self.end_headers()
            self.wfile.write(reply["body"])

        def log_message(self, *_):
            pass

    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", reply
        server.shutdown()


@pytest.fixture(scope="module")
def pngs(tmp_path_factory):
    """Two folders of pictures: of digits as they are named, and of no name."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, asked in enumerate(payloads.requests("png", 1)):
        for name in (str(asked.labels[0]), "some"):
            (folder / name).mkdir(exist_ok=True)
            (folder / name / f"{number}.png").write_bytes(asked.body)
    return folder


@pytest.fixture
def run_users(run_load, url):
    """Run plain Locust, for longer if a busy machine has let nothing be answered."""

    def run_users(*options):
        for seconds in (2, 15, 60):
            time = ("-t", f"{seconds}s")
            done = run_load("users", "--host", url, *time, *options, locust=True)
            if done.record and done.record.tally.right:
                break
        return done

    return run_users


def test_plain_locust_fills_its_tables_and_ends_with_a_verdict(run_users):
    done = run_users("-u", 4, "-r", 4, "--limit", "mean<10s")
    record, tally = done.record, answered(done)
    assert done.reasons == []
    assert done.code == record.verdict.code
    assert (record.loop, record.connections) == ("closed", 4)
    # Locust's own table has the same requests, and is before the verdict.
    assert re.search(rf"Aggregated +{tally.due} ", done.err)
    assert "users: " in done.out
    assert "mean<10s" in done.out


def test_plain_locust_past_a_limit_ends_with_1_or_is_invalid(run_users):
    done = run_users("-u", 2, "-r", 2, "--limit", "mean<1us", "JsonImage")
    assert done.record.payload == "JsonImage"
    assert ("mean<1us", False) in [
        (text, kept) for text, _, kept in done.record.verdict.limits
    ]
    assert done.code == (3 if done.record.verdict.invalid else 1)


def test_plain_locust_with_two_workers_and_tags(run_users, two_processes):
    users = ("-u", 4, "-r", 4, "--tags", "v2", "--limit", "mean<10s")
    done = run_users(*users, *two_processes)
    assert done.record.payload == "V2Binary, V2Json"
    assert done.record.generators == 2
    assert re.search(rf"Aggregated +{answered(done).due} ", done.err)


def test_plain_locust_that_is_interrupted_judges_what_there_was(run_load, url):
    users = ("-u", 2, "-r", 2, "-t", "1m", "--limit", "mean<10s")
    done = run_load("users", "--host", url, *users, locust=True, interrupt=answers(url))
    assert answered(done)
    assert done.reasons == []


def test_stages_are_a_load_of_your_own(run_load, url):
    options = ("--warm-up", 0, "--stages", "1s:40,2s:80", *LENIENT)
    done = run_load("stages", "--host", url, *options)
    found = [(phase.name, phase.rate, phase.seconds) for phase in done.record.phases]
    assert found == [("1s:40", 40, 1), ("2s:80", 80, 2)]
    assert done.reasons == []


def test_your_own_pictures_are_sent_as_frames(run_load, url, pngs):
    options = ("--payload", "json", "--batch", 3, "--seconds", 1, "--rate", 60)
    assert answered(run_load("smoke", "--host", url, "--images", pngs, *options))


def test_of_your_own_pictures_one_in_another_digits_folder_fails(
    run_load, url, pngs, tmp_path
):
    mixed = tmp_path / "mixed"
    shutil.copytree(pngs, mixed)
    seven = next((mixed / "7").iterdir())
    seven.rename(mixed / "3" / seven.name)
    options = ("--images", mixed, "--payload", "png", "--rate", 60, "--seconds", 1)
    tally = run_load("smoke", "--host", url, *options).record.tally
    assert set(tally.failures) - BUSY == {"read a 3 as 7"}
    assert tally.right > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-t", "5s", "--scenario", "steady"), "steady needs 35 s, got 5"),
        (("-t", "5s", "--rate", "9"), "found --rate 9.0 but no --scenario"),
    ],
)
def test_options_that_do_not_fit_together_are_refused_before_anything_is_sent(
    run_load, impostor, options, said
):
    host, _ = impostor
    done = run_load("steady", "--host", host, "-u", 2, "-r", 2, *options, locust=True)
    assert done.code == 2
    assert said in done.out
    assert re.search(r"Aggregated +0 ", done.err)


def test_a_scenario_runs_and_keeps_its_limits(run_load, url):
    done = run_load("spike", "--host", url, *SHORT, "--limit", "mean<10s")
    assert answered(done)
    assert ("mean<10s", True) in [(t, kept) for t, _, kept in done.record.verdict.limits]
    assert done.reasons == []
    assert done.code == done.record.verdict.code


def test_find_max_finds_a_rate_and_shows_its_trials(run_load, url):
    options = ("--seconds", 0.3, "--connections", 2, "--limit", "mean<10s")
    done = run_load("find-max", "--host", url, *options)
    found = done.record.found
    assert found["rate"] > 0, done.err
    assert len(found["windows"]) == 3
    assert "Highest rate" in done.out


def test_each_payload_is_answered_right_and_has_a_row_in_locusts_table(run_load, url):
    options = ("--payload", "mixed", "--seconds", 2, "--rate", 60)
    users = ("-u", 8, "-r", 8, "--scenario", "smoke")
    done = run_load("smoke", "--host", url, *users, *options, locust=True)
    assert "infer" in answered(done).stages
    for name in payloads.PAYLOADS:
        assert re.search(rf"POST +{name} +[1-9]", done.err)


def test_past_a_limit_it_says_so(run_load, url):
    done = run_load("steady", "--host", url, *SHORT, "--limit", "p50<1us")
    assert done.code == done.record.verdict.code != 0
    assert "✗" in done.out


def test_a_fast_wrong_answer_is_a_failure(run_load, impostor):
    host, reply = impostor
    prediction = {"digit": 1, "probabilities": [0, 1] + 8 * [0]}
    reply["body"] = json.dumps({"predictions": [prediction]}).encode()
    done = run_load("smoke", "--host", host, "--seconds", 1)
    assert done.code != 0
    failures = set(done.record.tally.failures) - BUSY
    assert failures
    assert all(re.fullmatch(r"read a \d as 1", text) for text in failures), failures


def test_failures_within_their_limit_pass(run_load, impostor):
    host, _ = impostor
    limits = ("--limit", "errors<=100%", "--limit", "p50<10s")
    done = run_load("smoke", "--host", host, "--seconds", 1, *limits)
    assert set(done.record.tally.failures) - BUSY == {"not an answer to json"}
    assert all(kept for *_, kept in done.record.verdict.limits)


def test_a_host_that_does_not_answer_is_said_before_anything_begins(run_load):
    done = run_load("smoke", "--host", "http://127.0.0.1:9")
    assert done.code == 3
    assert done.err == (
        "INVALID: nothing answers at http://127.0.0.1:9; start it with: make serve\n"
    )


def test_a_run_that_is_interrupted_is_no_pass(run_load, url):
    done = run_load(
        "steady", "--host", url, *LENIENT, "--seconds", 60, interrupt=answers(url)
    )
    assert done.code == 3, done.err
    assert done.record is None
    assert "INVALID: the run was cut short" in done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--limit", "p99<10"), "found no unit"),
        (("--rate", "-1"), "expected a number above 0"),
        (("--header", "Authorization"), "expected NAME: VALUE"),
        (("--host", "localhost:8000"), "expected a URL such as http://127.0.0.1:8000"),
        (("--images", "/dev/null"), "found no .png, .jpg, .jpeg in /dev/null"),
        (("--stages", "1s:5"), "with the scenario smoke"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_is_sent(run_load, options, said):
    done = run_load("smoke", *options)
    assert done.code == 2
    assert said in done.err


def test_more_processes_than_connections_are_refused(run_load, url, two_processes):
    done = run_load("soak", "--host", url, "--connections", 1, *two_processes)
    assert done.code == 3
    assert "found 1 connections for 2 processes" in done.out


def test_a_folder_that_cannot_be_made_ends_the_run_before_it_begins(run_load, url):
    done = run_load("soak", "--host", url, "--output", "/dev/null/none")
    assert done.code == 2
    assert "found no folder for the reports" in done.out


def test_variables_that_do_not_fit_together_end_the_run(run_load, url):
    variables = {"LOAD_PAYLOAD": "png", "LOAD_BATCH": "2"}
    done = run_load("smoke", "--host", url, "--seconds", 1, variables=variables)
    assert done.code == 2
    assert "batch is 2, expected 1" in done.err


def test_a_rate_that_no_process_sends_ends_as_invalid(run_load, url):
    done = run_load("smoke", "--host", url, "--seconds", 1, "--rate", 1e9)
    assert done.code == 3
    assert "the generator " in done.out


def test_a_refusal_breaks_a_limit_of_a_percentile_alone(run_load, impostor):
    host, reply = impostor
    reply.update(status=503)
    done = run_load("smoke", "--host", host, "--seconds", 1, "--limit", "p50<10s")
    assert ("errors<=0", False) in [
        (text, kept) for text, _, kept in done.record.verdict.limits
    ]


def test_an_api_key_goes_along(run_load, start, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("0123456789abcdef0123456789abcdef\n")
    server = start(MNIST_API_KEYS=str(keys)).wait_ready()
    bearer = "Authorization: Bearer 0123456789abcdef0123456789abcdef"
    done = run_load("smoke", "--host", server.url, "--seconds", 1, "--header", bearer)
    assert answered(done)
