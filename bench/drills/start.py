"""From nothing to the first answer, every profile, and what holds each container."""

import json
import os
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator

from bench.chaos import watch
from bench.chaos.case import Chaos, Finding, case
from bench.drills.stack import Stack, composes, predict, stack
from tests.support import standins
from tests.support.engine import BUILD_S, LATE, START_S, call, output

SERVICES = ("service", "proxy", "prometheus")  # and the replicas, which the proxy brings
IMAGE = "mnist-service"
EXPECTED = {
    "mnist": 4,
    "proxy": 1,
    "prometheus": 1,
}  # what Prometheus finds: jobs and targets


def _services() -> tuple[str, ...]:
    return (*SERVICES, *(["grafana"] if standins.provide("grafana") else []))


@case(
    "up from no container to the first answered prediction",
    "answered; with the images built, and without a cache, downloads included",
)
def first_answer(chaos: Chaos) -> Iterator[Finding]:
    for version, command in composes().items():
        with stack(command) as found:
            yield Finding(f"Compose {version}: {_first_answer(found):.1f} s", True)
    with stack() as found:
        began = time.monotonic()
        found.compose("build", "--no-cache", "service", timeout=BUILD_S)
        built = time.monotonic() - began
        yield Finding(f"without a cache {built + _first_answer(found):.1f} s", True)


def _first_answer(found: Stack) -> float:
    began = time.monotonic()
    found.compose("up", "--detach", "service", timeout=START_S)
    assert watch.wait(lambda: _answers(found), START_S) is not None, "no answer"
    return time.monotonic() - began


def _answers(found: Stack) -> bool:
    try:
        return bool(predict(found.port))
    except OSError:
        return False


FILES = """
import hashlib, os
for top in "/opt/venv", "/app":
    for folder, folders, files in os.walk(top):
        for path in sorted(os.path.join(folder, name) for name in folders + files):
            seen = os.lstat(path)
            plain = os.path.isfile(path) and not os.path.islink(path)
            bits = hashlib.sha256(open(path, "rb").read()).hexdigest() if plain else ""
            print(path, oct(seen.st_mode), seen.st_uid, int(seen.st_mtime), bits)
"""


@case(
    "two builds of the service without a cache, by each builder",
    "the same files: bytes, modes, owners and times",
)
def builds(chaos: Chaos) -> Iterator[Finding]:
    commands = list(composes().items())
    lists = []
    for version, command in (commands[0], commands[-1]):
        with stack(command) as found:
            began = time.monotonic()
            found.compose("build", "--no-cache", "service", timeout=BUILD_S)
            took = time.monotonic() - began
            show = ["docker", "run", "--rm", "--entrypoint=python", IMAGE, "-c", FILES]
            lists.append(set(output(show).splitlines()))
            yield Finding(f"Compose {version}: {len(lists[-1])} files, {took:.0f} s", True)
    differ = sorted(lists[0] ^ lists[1])
    yield Finding(f"{len(differ)} differ {differ[:4] or ''}", not differ)


@case(
    "every profile together: service, scale, observability, load",
    "all containers healthy; Prometheus has scraped each of them; the load test passes",
)
def profiles(chaos: Chaos) -> Iterator[Finding]:
    for version, command in composes().items():
        with stack(command) as found:
            took = found.up(*_services())
            states = Counter(found.states().values())
            count = len(_services()) + 3
            yield Finding(
                f"Compose {version}: {dict(states)} after {took:.0f} s",
                states == {"healthy": count},
            )
            watch.wait(lambda: _targets(found) == EXPECTED, START_S)
            yield Finding(f"targets up: {_targets(found)}", _targets(found) == EXPECTED)
            yield _load(found)


def _targets(found: Stack) -> dict[str, int]:
    """Return how many targets of each job Prometheus has scraped."""
    url = f"http://127.0.0.1:{found.prometheus_port}/api/v1/targets?state=active"
    with urllib.request.urlopen(url, timeout=10) as answer:
        targets = json.load(answer)["data"]["activeTargets"]
    return dict(Counter(t["labels"]["job"] for t in targets if t["health"] == "up"))


def _load(found: Stack) -> Finding:
    found.compose("build", "load-master", "load-worker", timeout=BUILD_S)
    asked = {"SCENARIO": "smoke", "LOAD_SECONDS": "3", "LOAD_LIMIT": "errors<=0"}
    asked["UID_GID"] = f"{os.getuid()}:{os.getgid()}"
    run = ["run", "--rm", "-T", "--use-aliases", "load-master"]
    done = found.try_compose(*run, timeout=2 * START_S, **asked)
    kept = done.returncode in (0, LATE) and "✓ `errors<=0`" in done.stdout + done.stderr
    seen = "load: errors<=0 kept" if kept else (done.stdout + done.stderr)[-300:]
    return Finding(seen, kept)


STATUS = """
for file in /proc/[0-9]*/status; do
  grep -E "^(Uid|CapEff|CapBnd|NoNewPrivs):" $file | tr -s "\\n\\t" "  "; echo
done
"""


@case(
    "who the processes of each container are, and where root could write",
    "no root, no capabilities or new privileges; read-only; memory and processes limited",
)
def hardened(chaos: Chaos) -> Iterator[Finding]:
    with stack() as found:
        found.up(*_services())
        for service in (*_services(), "replica"):
            id = found.ids(service)[0]
            lines = call(["docker", "exec", id, "sh", "-c", STATUS]).stdout.splitlines()
            users = {line.split()[1] for line in lines if line}
            bare = all(
                "CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1" in line
                for line in lines
                if line
            )
            write = ["docker", "exec", "--user", "0", id, "sh", "-c", "echo > /probe"]
            closed = "Read-only file system" in call(write).stderr
            limits = "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}"
            bounded = all(int(n) > 0 for n in found.show(limits, id)[0].split())
            yield Finding(
                f"{service}: {len(lines)} processes of {', '.join(users)}",
                bool(users) and "0" not in users and bare and closed and bounded,
            )
