"""The compose file's profiles on a real engine, as a drill sees them."""

import contextlib
import json
import os
import shlex
import shutil
import time
from collections.abc import Iterator
from typing import Any

from bench.chaos import asks, watch
from bench.chaos.case import SkipError
from bench.harness.cores import ROOT
from bench.harness.server import free_port
from tests.support.engine import BUILD_S, START_S, STOP_S, Project, call, output

# A program that stops every process of a container but itself and the init.
FREEZE = "import os, signal; os.kill(-1, signal.SIGSTOP)"


def composes() -> dict[str, list[str]]:
    """Return the commands that there are, by version; $COMPOSE is the first."""
    given = shlex.split(os.environ.get("COMPOSE", ""))
    candidates = [given, ["docker", "compose"], ["docker-compose"]]
    found: dict[str, list[str]] = {}
    for command in candidates:
        if command and shutil.which(command[0]):
            done = call([*command, "version", "--short"])
            if done.returncode == 0:
                found.setdefault(done.stdout.strip(), command)
    if not found or call(["docker", "info"]).returncode:
        raise SkipError(
            "needs a Docker engine and Compose, found " + (str(found) or "none")
        )
    return found


class Stack(Project):
    """A project of its own, on ports of its own.

    Args:
        command: Compose; the newest by default.
        environment: variables of the compose file.
    """

    def __init__(self, command: list[str] | None = None, **environment: str) -> None:
        super().__init__(command or next(iter(composes().values())), ROOT)
        self.proxy_port, self.prometheus_port = free_port(), free_port()
        self.environment = (
            {k: v for k, v in os.environ.items() if not k.startswith(("MNIST_", "LOAD_"))}
            | {
                "PORT": str(self.port),
                "PROXY_PORT": str(self.proxy_port),
                "PROMETHEUS_PORT": str(self.prometheus_port),
                "COMPOSE": shlex.join(self.command[:-2]),
                "COMPOSE_PROJECT_NAME": self.command[-1],
                "COMPOSE_PROFILES": "scale,observability,load",
            }
            | environment
        )

    def up(self, *services: str) -> float:
        """Start services; return the seconds until all containers are healthy."""
        began = time.monotonic()
        self.compose("up", "--detach", *services, timeout=2 * START_S)
        assert watch.wait(self.healthy, 2 * START_S) is not None, self.states()
        return time.monotonic() - began

    def ids(self, service: str = "") -> list[str]:
        """Return the containers of a service, or of all."""
        return self.compose("ps", "--quiet", *([service] if service else [])).split()

    def show(self, template: str, *ids: str) -> list[str]:
        """Return what `docker inspect` tells of containers."""
        return output(["docker", "inspect", "--format", template, *ids]).splitlines()

    def states(self) -> dict[str, str]:
        """Return each container's name and health."""
        lines = self.show("{{.Name}} {{.State.Health.Status}}", *self.ids())
        return {
            name.rpartition(f"{self.command[-1]}")[2]: s
            for name, s in map(str.split, lines)
        }

    def healthy(self) -> bool:
        """Tell whether all containers are."""
        return set(self.states().values()) == {"healthy"}

    def run(self, container: str, program: str) -> str:
        """Run a Python program in a container."""
        return output(["docker", "exec", container, "python3", "-c", program])

    def samples(self, replica: str, address: str = "127.0.0.1:8000") -> dict[str, float]:
        """Return the metrics at an address as a replica sees it, by name and labels."""
        url = f"http://{address}/metrics"
        text = self.run(
            replica,
            f"import urllib.request as u; print(u.urlopen('{url}').read().decode())",
        )
        lines = (li.rpartition(" ") for li in text.splitlines() if li and li[0] != "#")
        return {name: float(value) for name, _, value in lines}


@contextlib.contextmanager
def stack(command: list[str] | None = None, **environment: str) -> Iterator[Stack]:
    """Give a drill a stack whose images are built, and take it down in the end."""
    found = Stack(command, **environment)
    try:
        found.compose("build", "service", "replica", timeout=BUILD_S)
        yield found
    finally:
        found.compose("down", "--volumes", timeout=4 * STOP_S)


def predict(port: int) -> Any:
    """Ask for one prediction; return the reply."""
    ask = asks.single()[1]
    reply = asks.exchange(port, ask.content)
    kind, text = asks.judge(ask, reply) if reply else ("no reply", "")
    if not reply or kind != "right":
        raise ConnectionError(f"found {kind} {text}, expected a prediction")
    return json.loads(reply.body)
