"""The comparison with other servers: its pure parts, and its open loop on a toy server."""

import http.server
import itertools
import json
import socketserver
import threading
import time

import numpy as np
import pytest

from bench.harness import openloop, wrk
from bench.peers import formats, items, latency, report, tables
from bench.peers.servers import SERVERS


class Toy:
    """A server that answers after known delays, in seconds, with a status and a body."""

    def __init__(self, delays=(0.0,), status=200, body=b"{}", hang_up=False):
        toy, self.bodies = self, []
        self.delays, self.lock = itertools.cycle(delays), threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                content = self.rfile.read(int(self.headers["Content-Length"]))
                with toy.lock:
                    toy.bodies.append(content)
                    delay = next(toy.delays)
                time.sleep(delay)
                if hang_up:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 64

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(
            target=self.server.serve_forever, args=(0.01,), daemon=True
        ).start()


@pytest.fixture
def toy():
    made = []

    def make(**options):
        made.append(Toy(**options))
        return made[-1]

    yield make
    for each in made:
        each.server.shutdown()
        each.server.server_close()


def load(port, times, connections=1, bodies=(b"a",)):
    requests = [openloop.request("/", {}, body) for body in bodies]
    return openloop.Generator(port, requests, connections).run(times)


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(0, 1), (50, 5), (90, 9), (90.1, 10), (99.9, 10), (100, 10)],
)
def test_percentile_is_the_nearest_rank(percent, expected):
    assert latency.percentile(range(1, 11), percent) == expected


def test_summary_is_in_microseconds():
    found = latency.summary(3, [0.003, 0.001], [0.0, 0.00002, 0.00001], errors=1)
    assert (found["due"], found["sent"], found["answered"], found["errors"]) == (3, 3, 2, 1)
    assert found["p50_us"] == pytest.approx(1000)
    assert found["max_us"] == pytest.approx(3000)
    assert found["generator_late_p99_us"] == pytest.approx(20)


def test_even_schedule():
    assert latency.schedule(4, 1, "even", seed=1) == [0, 0.25, 0.5, 0.75]


def test_poisson_schedule_has_the_rate_and_follows_the_seed():
    times = latency.schedule(1000, 10, "poisson", seed=1)
    gaps = np.diff(times)
    # Ten thousand arrivals: the count has a standard deviation of 100.
    assert 9_500 < len(times) < 10_500
    # Independent arrivals have exponential gaps: deviation as large as the mean.
    assert gaps.std() / gaps.mean() == pytest.approx(1, abs=0.1)
    assert times == latency.schedule(1000, 10, "poisson", seed=1)
    assert times != latency.schedule(1000, 10, "poisson", seed=2)


def test_a_latency_counts_from_when_a_request_was_due(toy):
    # One connection, and a first answer that takes 0.5 s: the nine others were due in
    # its first 0.1 s and wait behind it. Counted from their sending they would be quick.
    server = toy(delays=[0.5, *[0.0] * 9])
    found = load(server.port, [number / 100 for number in range(10)])
    assert (found["answered"], found["errors"]) == (10, 0)
    assert found["p50_us"] > 0.4e6
    assert found["max_us"] >= 0.5e6


def test_bodies_are_sent_in_turn(toy):
    server = toy()
    load(server.port, [0.0] * 5, bodies=(b"a", b"b", b"c"))
    assert server.bodies == [b"a", b"b", b"c", b"a", b"b"]


def test_all_connections_are_used_at_once(toy):
    server = toy(delays=[0.5])
    started = time.perf_counter()
    found = load(server.port, [0.0] * 4, connections=4)
    assert found["answered"] == 4
    assert time.perf_counter() - started < 2.0  # one after the other they take 2 s


@pytest.mark.parametrize("options", [{"status": 500}, {"hang_up": True}])
def test_a_failed_request_is_an_error_and_has_no_latency(toy, options):
    found = load(toy(**options).port, [0.0, 0.0, 0.0], connections=2)
    assert (found["sent"], found["answered"], found["errors"]) == (3, 0, 3)


def test_a_reply_is_complete_with_its_content():
    head = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 3\r\n\r\n"
    assert openloop.reply_length(head[:-1]) == -1
    assert openloop.reply_length(head) == len(head) + 3
    with pytest.raises(ValueError, match="without Content-Length"):
        openloop.reply_length(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


def answer(rows):
    return np.array(rows, np.float32)


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        pytest.param([[0.9, 0.1]], None, id="right"),
        pytest.param([[0.90009, 0.09991]], None, id="within"),
        pytest.param([[0.8998, 0.1002]], "probabilities differ by 0.0002", id="off"),
        pytest.param([[0.1, 0.9]], "image 0: read 1, expected 0", id="digit"),
        pytest.param([[0.9, 0.1]] * 2, "shape (2, 2), expected (1, 2)", id="shape"),
        pytest.param([[0.9, float("nan")]], "", id="nan"),
    ],
)
def test_a_wrong_answer_is_told(found, wrong):
    problem = items.problem(answer(found), answer([[0.9, 0.1]]))
    assert problem is None if wrong is None else problem and wrong in problem


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, b"oh", r"found 500 b'oh', expected 200"),
        (200, b"[]", "not an answer"),
        (200, json.dumps({"predictions": [[0.1] * 10]}).encode(), "expected"),
    ],
)
def test_a_server_that_answers_wrongly_is_refused(toy, status, body, reason):
    server = toy(status=status, body=body)
    expected = [np.eye(10, dtype=np.float32)[[7]]] * items.BODIES
    (flask,) = (each for each in SERVERS if each.name == "flask")
    with pytest.raises(items.WrongAnswerError, match=reason):
        items.verify(items.ITEMS[0], flask.json, server.port, expected)


def test_the_bodies_are_sixteen_different_ones():
    for item in items.ITEMS:
        asked = items.pixels(item)
        assert len({images.tobytes() for images in asked}) == 16
        assert all(images.shape == (item.images, 784) for images in asked)


def test_v2_binary_says_where_its_tensor_begins():
    pixels = items.pixels(items.ITEMS[3])[0]
    body = formats.V2_BINARY.encode(pixels)
    length = int(formats.V2_BINARY.headers(64)["Inference-Header-Content-Length"])
    (tensor,) = json.loads(body[:length])["inputs"]
    assert tensor["shape"] == [64, 784]
    assert body[length:] == pixels.tobytes()


def test_the_services_digit_must_be_that_of_its_probabilities():
    prediction = {"digit": 3, "probabilities": np.eye(10)[4].tolist()}
    body = json.dumps({"predictions": [prediction]}).encode()
    with pytest.raises(ValueError, match="not those of the probabilities"):
        formats.SERVICE_JSON.decode({}, body)


def test_wrks_figures_are_read():
    errors = '{"status": 1, "connect": 0, "read": 0, "write": 0, "timeout": 0}'
    fields = f'"requests": 500, "microseconds": 250000, "errors": {errors}'
    found = wrk.parse("Running 1s test\nRESULT {" + fields + "}\n")
    assert found["requests_per_s"] == 2000
    assert report.errors(found["errors"]) == 1
    with pytest.raises(RuntimeError, match="unable to connect"):
        wrk.parse("", "unable to connect")


def test_a_spread_is_median_least_and_greatest():
    assert tables.spread([3000, 1000, 1200]) == "1,200 (1,000 – 3,000)"
    assert tables.spread([1500, 2500], 2, 1000) == "2.00 (1.50 – 2.50)"


def test_the_report_has_every_server_its_ratio_its_errors_and_its_reason():
    text = report.markdown(record())
    assert "| **this service** | 4,000 (3,000 – 5,000) |  |" in text
    assert "| mosec | 2,000 (1,500 – 2,500) | 2.00 |" in text
    assert text.index("this service** | 4,000") < text.index("mosec | 2,000")
    assert "| mosec, 1 image, JSON | 2.00 (2.00 – 2.00) |" in text
    assert "| 6,000 | 9 |" in text  # three rounds, and the errors of all three
    assert "- BentoML could not be started: exit code 1: no such file" in text
    assert "| mosec at 1,000/s | 0.50 |" in text
    assert "| **this service** at 1,000/s | 0.50 |" in text
    assert "| two workers / one worker, 1 image, JSON | 1.50 |" in text
    assert "mosec 0.9.8, onnxruntime 1.32.0" in text


def test_a_report_without_the_service_has_no_ratio():
    partial = record()
    del partial["versions"]["service"]
    text = report.markdown(partial)
    assert "| mosec | 2,000 (1,500 – 2,500) |  |" in text
    assert "The service alone" not in text


def record():
    def one(rate):
        counts = {"status": 1, "connect": 0, "read": 2, "write": 0, "timeout": 0}
        figures = {"requests": 2000, "requests_per_s": rate, "p50_us": 2000, "p99_us": 4000}
        used = [{"VmRSS": 20_000, "Pss": 9_000}, {"VmRSS": 80_000, "Pss": 40_000}]
        results = {"json1": {**figures, "errors": counts}}
        return {"ready_seconds": 0.3, "items": results, "memory_kb": used}

    def point(server, of, rate):
        times = {f"p{point}_us": 500 for point in ("50", "90", "99", "99.9")}
        others = {"max_us": 900, "errors": 0, "generator_late_p99_us": 20}
        return {"server": server, "half_of": of, "rate": rate, **times, **others}

    return {
        "date": "2026-01-02",
        "machine": {
            "cpu": "a",
            "cores": 2,
            "kernel": "6",
            "python": "3.11",
            "wrk": "wrk 4",
        },
        "settings": {"rounds": 3, "seconds": 1, "items": ["json1"]},
        "versions": {
            "service": {"flask": "3", "onnxruntime": "1.32.0"},
            "mosec": {"mosec": "0.9.8", "onnxruntime": "1.32.0"},
            "bentoml": {},
        },
        "failed": {"bentoml": "exit code 1: no such file"},
        "rounds": [
            {
                "bare": {"1": 70_000, "64": 640_000},
                "servers": {"service": one(2 * rate), "mosec": one(rate)},
            }
            for rate in (1500, 2500, 2000)
        ],
        "open_loop": [
            point("service", "service", 2000),
            point("service", "mosec", 1000),
            point("mosec", "mosec", 1000),
        ],
        "workers": [
            {"workers": 1, "item": "json1", "requests_per_s": 4000},
            {"workers": 2, "item": "json1", "requests_per_s": 6000},
        ],
    }
