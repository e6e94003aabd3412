"""A real Prometheus with the project's own files, for tests and drills."""

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from tests.support.server import free_port

FILES = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
PATIENCE_S = 30
# Twice a second in place of every ten: a test does not wait for minutes.
QUICK = {
    "scrape_interval: 10s": "scrape_interval: 500ms",
    "scrape_timeout: 5s": "scrape_timeout: 500ms",
    "evaluation_interval: 10s": "evaluation_interval: 500ms",
}
SERVICE_BY_DNS = """\
    dns_sd_configs:
      - names: [service, replica]
        type: A
        port: 8000
        refresh_interval: 10s # one that comes or goes is known as soon as it is scraped
"""
PROXY_BY_DNS = """\
    dns_sd_configs:
      - names: [proxy]
        type: A
        port: 8404
        refresh_interval: 10s
"""


def config(service, proxy, itself):
    """Return prometheus.yml with addresses of this machine, and quick."""
    text = (FILES / "prometheus.yml").read_text()
    static = "    static_configs:\n      - targets: ['{}']\n".format
    addresses = {SERVICE_BY_DNS: static(service), "localhost:9090": itself}
    if proxy:
        addresses[PROXY_BY_DNS] = static(proxy)
    for found, wanted in (QUICK | addresses).items():
        assert text.count(found) == 1, f"expected once in prometheus.yml: {found}"
        text = text.replace(found, wanted)
    return text


class Prometheus:
    """Prometheus on a port of its own; to be used in a ``with`` statement.

    Args:
        folder: for its files.
        service: the address that it asks.
        proxy: the same of a proxy, if there is one.
    """

    def __init__(self, folder, service, proxy=None):
        self.port = free_port()
        (folder / "rules").mkdir()
        for path in (FILES / "rules").glob("*.yml"):
            quick = re.sub(
                r"^( +interval): \S+", r"\1: 500ms", path.read_text(), flags=re.M
            )
            (folder / "rules" / path.name).write_text(quick)
        address = f"127.0.0.1:{self.port}"
        (folder / "prometheus.yml").write_text(config(service, proxy, address))
        self._log = folder / "log"
        self._command = [
            *("prometheus", f"--config.file={folder}/prometheus.yml"),
            *(f"--web.listen-address={address}", f"--storage.tsdb.path={folder}/data"),
        ]

    def __enter__(self):
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        try:
            self.wait_until(lambda: self.get("status/buildinfo"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        finally:
            self._process.kill()

    def get(self, path, **parameters):
        """Return the data of a call of its API; nothing if it does not answer yet."""
        query = urllib.parse.urlencode(parameters, doseq=True)
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as reply:
                return json.load(reply)["data"]
        except urllib.error.HTTPError as error:
            if error.code != 503:  # which it says until it has started
                raise AssertionError(f"{url}: {error.read().decode()}") from None
            return None
        except OSError:
            return None

    def ask(self, expr):
        """Return the series that an expression has now: labels and value."""
        data = self.get("query", query=expr)
        return [(one["metric"], float(one["value"][1])) for one in data["result"]]

    def value(self, expr):
        """Return the one value that an expression has now; None if there is none."""
        values = [value for _, value in self.ask(expr)]
        assert len(values) < 2, f"{expr} has {len(values)} values, expected one"
        return values[0] if values else None

    def rules(self):
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]

    def wait_until(self, true):
        """Wait until a function returns something true, and return that."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self._log.read_text()
            if found := true():
                return found
            time.sleep(0.1)
        raise AssertionError(f"waited in vain:\n{self._log.read_text()[-3000:]}")

    def wait_for_scrapes(self, times):
        """Wait until the service has answered so often since now."""
        latest = time.time()
        for _ in range(times):
            latest = self.wait_until(lambda after=latest: self._scraped(after))

    def _scraped(self, after):
        found = self.value("timestamp(mnist_workers)")
        return found if found and found > after else None


def is_installed():
    return bool(shutil.which("prometheus") and shutil.which("promtool"))
