"""Locust's own page: the options and the scenarios there."""

import json
import subprocess
import time
import urllib.parse
import urllib.request

from tests.support.server import free_port


def test_locusts_own_page_offers_the_options_and_runs_a_scenario(root, url, tmp_path):
    port = free_port()
    locust = root / ".venv" / "load" / "bin" / "locust"
    command = [locust, "-f", "load/locustfile.py", "--host", url, "--output", tmp_path]
    options = ["--web-host", "127.0.0.1", "--web-port", str(port)]
    page = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([*command, *options], cwd=root, stderr=subprocess.DEVNULL)
    try:
        shown = wait_for(lambda: urllib.request.urlopen(page).read().decode())
        assert "scenario" in shown
        assert "arrivals" in shown
        # The page sends every field, also those that are empty.
        fields = dict.fromkeys(("limit", "header", "stages", "images", "rate"), "")
        form = {**fields, "user_count": 4, "spawn_rate": 4, "host": url}
        smoke = {"scenario": "smoke", "seconds": "1", "rate": "50", "payload": "raw"}
        post(f"{page}/swarm", form | smoke)
        record = wait_for(lambda: json.loads((tmp_path / "smoke.json").read_bytes()))
        assert record["payload"] == "raw"
        assert record["phases"][0]["rate"] == 50
        report = urllib.request.urlopen(f"{page}/verdict").read().decode()
        assert "smoke" in report
        assert tab(page)["p99<100ms"]
        wait_for(lambda: state(page)["stopped"])
        # Locust's own users after a scenario; the tab has their verdict while they run.
        plain = {"scenario": "", "seconds": "", "payload": "json", "limit": "mean<10s"}
        post(f"{page}/swarm", form | plain)
        wait_for(lambda: {"✓": True}[tab(page)["mean<10s"]])
        post(f"{page}/stop", {})
        record = wait_for(lambda: json.loads((tmp_path / "users.json").read_bytes()))
        assert record["scenario"] == "users"
    finally:
        process.kill()
        process.wait()


def post(address, form):
    urllib.request.urlopen(address, urllib.parse.urlencode(form).encode())


def state(page):
    """The state of the test that the page shows, as the only key."""
    return {json.load(urllib.request.urlopen(f"{page}/stats/requests"))["state"]: True}


def tab(page):
    """What became of each limit, by the rows of the tab."""
    polled = json.load(urllib.request.urlopen(f"{page}/stats/requests"))
    (found,) = polled["extended_stats"]
    return {row["what"]: row["kept"] for row in found["data"]}


def wait_for(look):
    for _ in range(300):
        try:
            return look()
        except (OSError, ValueError, KeyError):
            time.sleep(0.1)
    return look()
