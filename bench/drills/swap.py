"""A version of the model that comes and goes through the mount."""

import shutil
from collections.abc import Iterator
from functools import partial

from bench.chaos import watch
from bench.chaos.case import Chaos, Finding, case
from bench.chaos.load import Load, answered
from bench.chaos.models import SHIPPED
from bench.drills.stack import predict, stack

RELOAD_S = 30
SURE = 30  # as many answers in a row: of every worker of every replica


@case(
    "version 2 put into the mounted folder under load, then taken away; "
    "docker compose kill -s HUP service replica",
    "replies are of version 1, then 2, then 1; 0 failed; the same containers",
)
def swap(chaos: Chaos) -> Iterator[Finding]:
    folder = chaos.folder / "models"
    shutil.copytree(SHIPPED / "1", folder / "mnist" / "1")
    chaos.folder.chmod(0o755)  # the container's user is another one
    with stack(MNIST_MODELS=str(folder)) as found:
        found.up("service", "proxy")
        ids = found.ids()
        with Load(found.port, 8, 8) as direct, Load(found.proxy_port, 8, 8) as proxied:
            for step, version in enumerate(("1", "2", "1")):
                if step == 1:
                    shutil.copytree(SHIPPED / "2", chaos.folder / "2")
                    (chaos.folder / "2").rename(folder / "mnist" / "2")
                elif step == 2:
                    shutil.rmtree(folder / "mnist" / "2")
                if step:
                    found.compose("kill", "-s", "HUP", "service", "replica")
                for name, port in ("service", found.port), ("replicas", found.proxy_port):
                    took = watch.wait(partial(_all, port, version), RELOAD_S)
                    yield Finding(
                        f"{name}: version {version}"
                        + ("" if took is None else f" after {took:.1f} s"),
                        took is not None,
                    )
            yield from answered(direct.stop())
            yield from answered(proxied.stop())
        yield Finding("the same containers", found.ids() == ids and found.healthy())


def _all(port: int, version: str) -> bool:
    return all(predict(port)["model"]["version"] == version for _ in range(SURE))
