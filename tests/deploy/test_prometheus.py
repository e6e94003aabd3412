"""Rules, alerts and panels against a real Prometheus that scrapes a real service."""

import http.server
import json
import re
import subprocess
import threading
from pathlib import Path

import pytest
import yaml

from service.model import digits
from tests.deploy.prometheus import FILES, Prometheus, is_installed

needs_prometheus = pytest.mark.skipif(
    not is_installed(), reason="needs prometheus and promtool, Debian's package prometheus"
)
RAW, JSON = "application/octet-stream", "application/json"
METRIC = re.compile(r"\b(?:(?:mnist|http_server|process|haproxy)_\w+|\w+:\w+:\w+)")
# Grafana's variables, as if everything were selected.
SELECTED = {"$__rate_interval": "1m", "$job": ".*", "$instance": ".*"}
# Queries without data while all is well, and why.
EMPTY = {
    "ALERTS": "nothing fires",
    "mnist_reloads_total": "no reload: an annotation for each",
    'cause!="asked"': "no crash: an annotation for each",
    "rate(haproxy_": "nothing moves in the recording",
}


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
    """Send predictions, and requests that are refused."""
    frames = digits.load().frames
    body = json.dumps({"instances": frames[:1].tolist()})
    assert server.post(body, JSON, "/v1/models/mnist:predict").status == 200
    assert server.post(frames.tobytes(), RAW).status == 200
    assert server.post(b"{", JSON).status == 400
    assert server.request("GET", "/nowhere").status == 404


@pytest.fixture(scope="module")
def prometheus(start, proxy, tmp_path_factory):
    server = start(MNIST_MAX_WAIT_MS="10000").wait_ready()
    send_some(server)
    folder = tmp_path_factory.mktemp("prometheus")
    with Prometheus(folder, f"127.0.0.1:{server.port}", proxy) as prometheus:
        prometheus.wait_for_scrapes(1)
        send_some(server)
        prometheus.wait_for_scrapes(3)  # and for the rules that use rules
        yield prometheus


@pytest.fixture(scope="module")
def queries(root):
    """Return the legend and the expression of each query of the dashboard."""
    path = root / "deploy" / "grafana" / "dashboards" / "mnist.json"
    board = json.loads(path.read_text())
    targets = [it for panel in board["panels"] for it in panel.get("targets", [])]
    found = [(it.get("legendFormat", ""), it["expr"]) for it in targets]
    found += [(it["textFormat"], it["expr"]) for it in board["annotations"]["list"]]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            values = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"])
            found.append((f"{{{{{values[2]}}}}}", values[1]))
    return [(legend, selected(expr)) for legend, expr in found]


def selected(expr):
    for name, value in SELECTED.items():
        expr = expr.replace(name, value)
    assert "$" not in expr
    return expr


def alerts():
    rules = yaml.safe_load((FILES / "rules" / "alerts.yml").read_text())
    return [rule for group in rules["groups"] for rule in group["rules"]]


@needs_prometheus
def test_promtool_accepts_the_configuration_and_every_rule():
    command = ["promtool", "check", "config", FILES / "prometheus.yml"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")
    for path in (FILES / "rules").glob("*.yml"):
        assert path.name in result.stdout


@needs_prometheus
def test_the_unit_tests_of_the_rules_pass():
    command = ["promtool", "test", "rules", "tests.yml"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=FILES)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_alert_has_a_unit_test_in_which_it_fires_and_one_in_which_it_does_not():
    cases = [
        case
        for test in yaml.safe_load((FILES / "tests.yml").read_text())["tests"]
        for case in test.get("alert_rule_test", [])
    ]
    names = {rule["alert"] for rule in alerts()}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == names


def test_every_alert_has_a_severity_and_a_section_in_the_runbook(root):
    runbook = (root / "deploy" / "runbook.md").read_text()
    sections = re.findall(r"^### (\w+)$", runbook, re.M)
    assert sections == list(dict.fromkeys(rule["alert"] for rule in alerts()))
    for rule in alerts():
        assert rule["labels"]["severity"] in ("critical", "warning")
        link = rule["annotations"]["runbook"]
        assert link == f"deploy/runbook.md#{rule['alert'].lower()}"


@needs_prometheus
def test_every_rule_can_be_evaluated(prometheus):
    rules = prometheus.rules()
    assert len(rules) > len(alerts())
    assert [r for r in rules if r["health"] != "ok" or r.get("lastError")] == []


@needs_prometheus
def test_every_metric_that_rules_and_panels_name_exists(prometheus, queries):
    exist = set(prometheus.get("label/__name__/values"))
    expressions = [rule["query"] for rule in prometheus.rules()]
    expressions += [expr for _, expr in queries]
    named = {name for expr in expressions for name in METRIC.findall(expr)}
    assert len(named) > 30
    assert named - exist == set()


@needs_prometheus
def test_every_recording_rule_is_used(prometheus, queries):
    rules = prometheus.rules()
    expressions = [rule["query"] for rule in rules] + [expr for _, expr in queries]
    used = {name for expr in expressions for name in METRIC.findall(expr)}
    assert {rule["name"] for rule in rules if rule["type"] == "recording"} <= used


@needs_prometheus
def test_every_panel_shows_data_with_the_labels_of_its_legend(prometheus, queries):
    for legend, expr in queries:
        found = [labels for labels, value in prometheus.ask(expr) if value == value]
        assert found or any(part in expr for part in EMPTY), expr
        for labels in found:
            assert set(re.findall(r"\{\{(\w+)\}\}", legend)) <= set(labels), expr


@needs_prometheus
def test_nothing_fires_while_all_is_well(prometheus):
    # How fast a machine is that is busy with tests is another matter.
    slow = {"LatencyBudgetBurn", "Saturated"}
    raised = {one["labels"]["alertname"] for one in prometheus.get("alerts")["alerts"]}
    assert raised - slow == set()
