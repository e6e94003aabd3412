"""Rules, alerts and panels against a real Prometheus that asks a real service."""

import http.server
import json
import re
import subprocess
import threading
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from service.model import digits
from tests.deploy import promql
from tests.deploy.prometheus import FILES, Prometheus, is_installed

needs_prometheus = pytest.mark.skipif(
    not is_installed(), reason="needs prometheus and promtool, Debian's package prometheus"
)
RAW, JSON = "application/octet-stream", "application/json"
NAME = re.compile(r"- alert: (\w+)")
# Grafana's variables, as if everything were chosen.
CHOSEN = {
    "$__rate_interval": "1m",
    "$job": ".*",
    "$instance": ".*",
    "$version": ".*",
}
# What is empty while all is well, and why. The proxy here is a recording.
EMPTY = {
    "ALERTS": "no alert that concerns the service",
    'state="refused"': "no version was refused",
    "absent(": "the service is there",
    'http_response_status_code!="503"': "there was no bug",
    "offset": "an hour ago there was no Prometheus",
    "mnist_reloads_total": "no reload: a mark for each",
    'cause!="asked"': "no worker died: a mark for each",
    "prometheus_rule_evaluation_failures_total": "see `health` of the rules",
    "rate(haproxy_server_http_responses_total": "nothing moves in the recording",
}
# Exposed by the service, but in no panel or rule.
UNWATCHED: dict[str, str] = {}


class Recording(http.server.BaseHTTPRequestHandler):
    """The metrics of a real HAProxy, recorded."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(Path(__file__).with_name("haproxy.prom").read_bytes())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def proxy():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recording)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def send_some(server):
    """Send requests in each dialect, and some that are refused."""
    frames = digits.load().frames
    image = frames[7].tolist()
    tensor = {"name": "image", "shape": [1, 784], "datatype": "UINT8", "data": image}
    for path, body in {
        "/predict": {"instances": [image]},
        "/explain": {"instances": [image]},
        "/v1/models/mnist:predict": {"instances": [image]},
        "/v2/models/mnist/infer": {"inputs": [tensor]},
    }.items():
        assert server.post(json.dumps(body), JSON, path).status == 200
    assert server.post(frames.tobytes(), RAW).status == 200
    assert server.post(frames.tobytes(), RAW, "/predict?version=1").status == 200
    assert server.post(b"{", JSON).status == 400
    assert server.post(b"{", JSON, "/predict?version=1").status == 400
    assert server.request("GET", "/nowhere").status == 404


@pytest.fixture(scope="module")
def unit_tests():
    """The rules' own tests, which run beside the others."""
    names = sorted(path.name for path in (FILES / "tests").glob("*.yml"))
    process = subprocess.Popen(
        ["promtool", "test", "rules", *names],
        cwd=FILES / "tests",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def prometheus(start, proxy, unit_tests, tmp_path_factory):
    server = start(MNIST_MAX_WAIT_MS="10000").wait_ready()
    send_some(server)
    folder = tmp_path_factory.mktemp("prometheus")
    with Prometheus(folder, f"127.0.0.1:{server.port}", proxy) as prometheus:
        prometheus.wait_for_scrapes(1)
        send_some(server)
        prometheus.wait_for_scrapes(3)  # and for the rules that use rules
        yield prometheus


@pytest.fixture(scope="module")
def panels(root):
    """Of each query of the dashboard: its title, legend and expression."""
    path = root / "deploy" / "grafana" / "dashboards" / "mnist.json"
    board = json.loads(path.read_text())
    queries = [
        (panel["title"], target["legendFormat"], target["expr"])
        for panel in board["panels"]
        for target in panel.get("targets", [])
    ]
    marks = board["annotations"]["list"]
    queries += [(mark["name"], mark["textFormat"], mark["expr"]) for mark in marks]
    for variable in board["templating"]["list"]:
        found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"])
        queries.append((variable["name"], f"{{{{{found[2]}}}}}", found[1]))
    return [(title, legend, chosen(expr)) for title, legend, expr in queries]


def chosen(expr):
    for name, value in CHOSEN.items():
        expr = expr.replace(name, value)
    assert "$" not in expr
    return expr


def may_be_empty(expr):
    return any(part in expr for part in EMPTY)


@pytest.fixture
def alerts(prometheus):
    return [rule for rule in prometheus.rules() if rule["type"] == "alerting"]


@needs_prometheus
def test_promtool_accepts_the_configuration_and_every_rule():
    command = ["promtool", "check", "config", FILES / "prometheus.yml"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")
    for path in (FILES / "rules").glob("*.yml"):
        assert path.name in result.stdout


@needs_prometheus
def test_every_rule_can_be_evaluated(prometheus):
    rules = prometheus.rules()
    assert len(rules) > 70
    assert [r for r in rules if r["health"] != "ok" or r.get("lastError")] == []


@needs_prometheus
def test_every_alert_says_how_bad_it_is_with_its_value_and_where_to_go(alerts):
    for alert in alerts:
        said = alert["annotations"]
        assert alert["labels"]["severity"] in ("critical", "warning"), alert["name"]
        assert set(said) == {"summary", "description", "runbook"}, alert["name"]
        assert "$value" in said["description"], alert["name"]
        assert said["runbook"] == f"deploy/runbook.md#{alert['name'].lower()}"


@needs_prometheus
def test_every_name_and_label_is_one_that_exists(prometheus, panels):
    """Of what the service, HAProxy and Prometheus really expose and record."""
    exist = defaultdict(set)
    for series in prometheus.get("series", **{"match[]": '{__name__=~".+"}'}):
        exist[series["__name__"]] |= set(series)
    exist["ALERTS"] |= {"alertname", "alertstate"}
    labels = set().union(*exist.values())
    expressions = [rule["query"] for rule in prometheus.rules()]
    expressions += [expr for _, _, expr in panels]
    for expr in expressions:
        used = promql.selectors(expr)
        assert used or expr.startswith("vector("), expr
        for metric, chosen_by in used:
            assert metric in exist, f"found {metric} in {expr}, which nothing exposes"
            assert chosen_by <= exist[metric], (metric, expr)
        assert promql.grouping(expr) <= labels, expr


@needs_prometheus
def test_every_metric_of_the_service_is_watched_or_has_a_reason(prometheus, panels):
    expressions = [rule["query"] for rule in prometheus.rules()]
    expressions += [expr for _, _, expr in panels]
    used = {name for expr in expressions for name, _ in promql.selectors(expr)}
    plain = {re.sub(r"_(bucket|sum|count|total)$", "", name) for name in used}
    series = prometheus.get("series", **{"match[]": 'mnist_workers{job="mnist"}'})
    instance = series[0]["instance"]
    exposed = prometheus.get("targets/metadata", match_target=f'{{instance="{instance}"}}')
    names = {re.sub("_total$", "", one["metric"]) for one in exposed}
    assert len(names) > 15
    assert names - plain == set(UNWATCHED)


@needs_prometheus
def test_every_panel_shows_data_or_is_explained(prometheus, panels):
    without, wrong = [], []
    for title, legend, expr in panels:
        series = [labels for labels, value in prometheus.ask(expr) if value == value]
        if not series and not may_be_empty(expr):
            without.append((title, expr))
        for labels in series:
            if not set(re.findall(r"\{\{(\w+)\}\}", legend)) <= set(labels):
                wrong.append((title, legend, labels))
    assert without == []
    assert wrong == []


@needs_prometheus
def test_what_an_alert_compares_has_data_or_is_explained(prometheus, alerts):
    every = [side for alert in alerts for side in promql.sides(alert["query"])]
    without = [
        side for side in every if not prometheus.ask(side) and not may_be_empty(side)
    ]
    assert len(every) > len(alerts)
    assert without == []


@needs_prometheus
def test_no_alert_is_raised_but_those_that_are_deserved(prometheus):
    deserved = {"ProxyServerDown"}  # it is, in the recording
    # How quick a machine is that is busy with tests is another matter.
    slow = {"LatencyBudgetBurn", "ScrapeSlow", "Saturated"}

    def raised():
        return {one["labels"]["alertname"] for one in prometheus.get("alerts")["alerts"]}

    prometheus.wait_until(lambda: raised() - slow == deserved)


@needs_prometheus
def test_a_name_without_addresses_is_no_target_and_no_failure(prometheus):
    def targets():
        found = prometheus.get("targets", state="active")["activeTargets"]
        return sorted((one["labels"]["job"], one["health"]) for one in found)

    well = [("mnist", "up"), ("prometheus", "up"), ("proxy", "up")]
    prometheus.wait_until(lambda: targets() == well)


@needs_prometheus
def test_the_rules_own_tests_pass(unit_tests):
    output, _ = unit_tests.communicate(timeout=120)
    assert unit_tests.returncode == 0, output


def test_every_alert_has_a_test_that_raises_it_and_one_that_does_not():
    names = set(NAME.findall((FILES / "rules" / "alerts.yml").read_text()))
    text = "".join(path.read_text() for path in (FILES / "tests").glob("*.yml"))
    silent = set(re.findall(r"alertname: (\w+), exp_alerts: \[\]\}", text))
    raised = set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n", text))
    assert raised == silent == names


def test_every_alert_has_its_section_in_the_runbook(root):
    names = NAME.findall((FILES / "rules" / "alerts.yml").read_text())
    runbook = (root / "deploy" / "runbook.md").read_text()
    assert re.findall(r"^### (\w+)$", runbook, re.M) == list(dict.fromkeys(names))


def test_the_baseline_is_what_the_served_model_makes_of_the_test_set(root, mnist, served):
    rules = (FILES / "rules" / "recording.yml").read_text()
    version, value = f'version: "{served}"', r"expr: vector\(([\d.]+)\)"
    share = rf'labels: \{{{version}, digit: "(\d)"\}}\s+{value}'
    confidence = rf"confidence\s+labels: \{{{version}\}}\s+{value}"
    model = root / "models" / "mnist" / served / "model.onnx"
    run = partial(onnxruntime.InferenceSession(model).run, None)
    images = mnist.x_test.reshape(-1, 784).astype(np.float32) / 255
    (probabilities,) = run({"image": images})
    shares = np.bincount(probabilities.argmax(axis=1), minlength=10) / len(images)
    assert [float(value) for _, value in sorted(re.findall(share, rules))] == [
        pytest.approx(value, abs=0.0002) for value in shares
    ]
    (written,) = re.findall(confidence, rules)
    assert float(written) == pytest.approx(probabilities.max(axis=1).mean(), abs=0.0002)
