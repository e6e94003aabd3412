"""From what was measured to replicas, and the page that says so."""

import json
import math
import shutil
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from load.capacity import measured, page
from load.capacity.haproxy import PATHS, Haproxy, shipped
from load.capacity.measured import Kind, find, thin
from load.capacity.page import LIMITS, MARKED
from load.capacity.plan import SPARE, expect, fewest, highest, plan
from load.capacity.proxy import NAMES, TWO
from load.capacity.simulation import Farm
from load.limits import parse

ONE = Kind("json", 1, 2000, 500, (100.0,) * 9 + (200.0,), 60.0, 16.0, 50.0, 20_000.0)
MANY = Kind("json", 64, 116_000, 12_000, (500.0,), 0.0, 16.0, 100.0, 2000.0)
FARM = Farm(most_wait_s=0.05)


@pytest.fixture(scope="module")
def results():
    return measured.load()


@pytest.fixture
def quick(monkeypatch):
    """Simulate few requests, where it does not matter that a p99 is exact."""
    monkeypatch.setattr("load.capacity.plan.REQUESTS", 3000)
    highest.cache_clear()
    yield
    highest.cache_clear()


def test_the_limits_are_kept_with_one_lost_and_not_with_two(quick):
    limits = [parse("p99<1.2ms"), parse("errors<=0")]
    found = plan(MANY, 5000, limits, FARM)
    assert found.all.replicas == found.lost.replicas + SPARE
    assert found.lost.keeps(limits)
    fewer = FARM._replace(replicas=found.lost.replicas - 1)
    assert not expect(MANY, 5000, fewer).keeps(limits)


def test_many_replicas_are_the_rate_by_the_highest_of_one(quick):
    limits = (parse("p99<4ms"),)
    assert fewest(MANY, 1e6, limits, FARM) == -(-1e6 // highest(MANY, limits, FARM))


def test_a_tighter_limit_and_a_blind_proxy_cost_replicas(quick):
    tight, wide = (parse("p99<0.8ms"),), (parse("p99<10ms"),)
    assert highest(MANY, tight, FARM) < highest(MANY, wide, FARM)
    blind = FARM._replace(policy=TWO)
    assert highest(MANY, tight, blind) < highest(MANY, tight, FARM)


@pytest.mark.parametrize("rate", [1650, 1e6])
def test_no_worker_is_planned_busier_than_was_measured(quick, rate):
    replicas = fewest(MANY, rate, (parse("p99<1s"),), FARM)
    assert replicas == math.ceil(rate / (0.8 * 2000))


def test_a_limit_that_no_number_of_replicas_keeps_is_said(quick):
    with pytest.raises(ValueError, match=r"found a p99 of 0\.6.* expected p99<0\.5ms"):
        plan(MANY, 100, [parse("p99<0.5ms")], FARM)


def test_between_two_sizes_times_grow_as_a_straight_line():
    half = find([ONE, MANY], "json", 32)
    assert half.request_bytes == pytest.approx(2000 + 114_000 * 31 / 63, abs=1)
    assert half.around_us == pytest.approx(50 + 50 * 31 / 63)
    assert 1e6 / half.most_rate == pytest.approx(50 + 450 * 31 / 63)


@pytest.mark.parametrize(("payload", "batch"), [("json", 65), ("png", 1)])
def test_what_was_not_measured_is_refused(payload, batch):
    with pytest.raises(ValueError, match="expected one of 1 image, JSON, 64 images, JSON"):
        find([ONE, MANY], payload, batch)


def test_a_kind_survives_json():
    assert Kind.from_dict(json.loads(json.dumps(ONE.as_dict()))) == ONE


def test_thinned_times_have_the_percentiles_of_all():
    kept = thin(range(100_000), 1000)
    assert len(kept) == 1000
    assert sum(kept) / 1000 == pytest.approx(50_000, rel=0.01)
    assert kept[989] == pytest.approx(99_000, rel=0.001)


def test_the_pages_tables_are_what_the_calculator_says(root, results):
    """Of one kind, for time: the others come from the same lines of code."""
    text = (root / "deploy" / "capacity.md").read_text()
    kinds, proxies = results["kinds"], results["proxy"]
    (number,) = (
        n for n, k in enumerate(kinds) if (k["payload"], k["batch"]) == ("json", 64)
    )
    some = results | {"kinds": [kinds[number]], "proxy": [proxies[number]]}
    shown = {found[2]: found[0].splitlines() for found in MARKED.finditer(text)}
    tables = page.parts(some)
    assert set(shown) == set(tables)
    for name, table in tables.items():
        assert set(table.splitlines()) <= set(shown[name]), name


def test_the_model_is_near_two_real_replicas(results):
    """Within a fifth up to 80 % of what they can do, by the algorithm that is shipped."""
    loads = [x for x in results["pair"]["loads"] if x["balance"] == shipped("balance")]
    assert [load["share"] for load in loads] == [0.3, 0.5, 0.7, 0.8]
    for load in loads:
        assert load["measured"]["failed"] == 0
        for name in ("mean", "p50", "p95", "p99"):
            found = load["predicted"][name] / load["measured"][name]
            assert 0.8 < found < 1.25, (load["share"], load["balance"], name)


def test_the_model_knows_the_proxys_algorithm():
    assert shipped("balance") in NAMES


@pytest.mark.skipif(not shutil.which("haproxy", path=PATHS), reason="found no haproxy")
def test_a_real_proxy_passes_requests_on():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with Haproxy([server.server_port], [], "roundrobin") as proxy:
            url = f"http://127.0.0.1:{proxy.port}/"
            with urllib.request.urlopen(url, timeout=10) as reply:
                assert reply.status == 204
        server.shutdown()
        thread.join()


def calculate(root, *arguments):
    command = [sys.executable, "-m", "load.capacity", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


def test_the_calculator_answers(root, results):
    said = calculate(root, "--rate", "5000", "--limit", "p99<10ms", "--batch", "64")
    kind = find(measured.kinds(results), "json", 64)
    replicas = fewest(kind, 5000, LIMITS, FARM) + SPARE
    assert f"p99<10ms and errors<=0: {replicas} replicas of 1 worker" in said.stdout
    assert f"| {replicas - 1} (one lost) |" in said.stdout


def test_the_calculator_says_what_is_wrong(root):
    said = calculate(root, "--rate", "5000", "--limit", "p99<10")
    assert said.returncode == 2
    assert "found no unit in the limit 'p99<10'" in said.stderr
