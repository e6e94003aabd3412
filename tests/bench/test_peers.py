"""The comparison with other servers: formats, judgement and report."""

import json

import numpy as np
import pytest

from bench.harness import closedloop, results
from bench.peers import formats, items, report
from bench.peers.servers import PEERS


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(0, 1), (50, 5), (90, 9), (90.1, 10), (99.9, 10), (100, 10)],
)
def test_percentile_is_the_nearest_rank(percent, expected):
    assert results.percentile(range(1, 11), percent) == expected


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
def test_a_wrong_answer_is_reported(found, wrong):
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
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n"
    server = toy(head.encode() + body)
    expected = [np.eye(10, dtype=np.float32)[[7]]] * items.BODIES
    (flask,) = (each for each in PEERS if each.name == "flask")
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


def test_msgpack_is_what_the_specification_says():
    # Written out by hand from the specification of msgpack: map, string, bin 16, bin 8.
    pixels = np.arange(784).astype(np.uint8).reshape(1, 784)
    expected = b"\x81\xa5image\xc5\x03\x10" + pixels.tobytes()
    assert formats.MSGPACK.encode(pixels) == expected
    row = np.arange(10, dtype=np.float32)
    for images, length in ((1, b"\xc4\x28"), (64, b"\xc5\x0a\x00")):
        body = b"\x81\xadprobabilities" + length + images * row.tobytes()
        assert (formats.MSGPACK.decode({}, body) == np.tile(row, (images, 1))).all()


def test_the_services_digit_must_be_that_of_its_probabilities():
    prediction = {"digit": 3, "probabilities": np.eye(10)[4].tolist()}
    body = json.dumps({"predictions": [prediction]}).encode()
    with pytest.raises(ValueError, match="not those of the probabilities"):
        formats.SERVICE_JSON.decode({}, body)


def test_wrks_figures_are_read():
    errors = '{"status": 1, "connect": 0, "read": 0, "write": 0, "timeout": 0}'
    fields = f'"requests": 501, "microseconds": 250000, "errors": {errors}'
    found = closedloop.parse("Running 1s test\nRESULT {" + fields + "}\n")
    assert found["requests_per_s"] == 2000
    with pytest.raises(RuntimeError, match="unable to connect"):
        closedloop.parse("", "unable to connect")


def test_a_spread_is_median_least_and_greatest():
    assert results.spread([3000, 1000, 1200]) == "1,200 (1,000 – 3,000)"
    assert results.spread([1500, 2500], 2, 1000) == "2.00 (1.50 – 2.50)"


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
    assert "waiting 1 ms | mosec 0.9.8, onnxruntime 1.32.0" in text
    assert "| 256 connections | 1,500 (1,000 – 2,000) | 700 (600 – 800) | 6 |" in text
    assert "| mosec | 0.30 (0.30 – 0.30) | 2 | 49 (49 – 49) | 80 (80 – 80) |" in text


def test_a_report_without_the_service_has_no_ratio():
    partial = record()
    del partial["versions"]["service"]
    text = report.markdown(partial)
    assert "| mosec | 2,000 (1,500 – 2,500) |  |" in text
    assert "this service**, 1 image" not in text


def record():
    def one(rate):
        counts = {"status": 1, "connect": 0, "read": 2, "write": 0, "timeout": 0}
        figures = {"requests": 2000, "requests_per_s": rate, "p50_us": 2000, "p99_us": 4000}
        used = [{"VmRSS": 20_000, "Pss": 9_000}, {"VmRSS": 80_000, "Pss": 40_000}]
        results = {"json1": {**figures, "errors": counts}}
        return {"ready_seconds": 0.3, "items": results, "memory_kb": used}

    def case(server, rate):
        errors = {"connect": 0, "timeout": 1 if server == "mosec" else 2}
        fields = {"item": "json1", "case": "256 connections", "errors": errors}
        return {"server": server, "requests_per_s": rate, **fields}

    def point(server, of, rate):
        times = {f"p{point}_us": 500 for point in ("50", "90", "99", "99.9")}
        others = {"max_us": 900, "errors": 0, "generator_late_p99_us": 20}
        return {"server": server, "half_of": of, "rate": rate, **times, **others}

    return {
        "machine": {
            "date": "2026-01-02",
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
        "clients": [
            *(case("service", rate) for rate in (1000, 2000)),
            *(case("mosec", rate) for rate in (600, 800)),
        ],
        "workers": [
            {"workers": 1, "item": "json1", "requests_per_s": 4000},
            {"workers": 2, "item": "json1", "requests_per_s": 6000},
        ],
    }


def test_a_table_escapes_what_would_break_it():
    text = results.table(["a", "b"], [["x|y", 1], ["two\nlines", 2]])
    assert text == "| a | b |\n| --- | ---: |\n| x\\|y | 1 |\n| two lines | 2 |\n"
