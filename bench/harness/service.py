"""This service under gunicorn, as tests and measurements start it."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

from bench.harness.cores import ROOT, Command
from bench.harness.server import START_S, Server, ServerError

PYTHON = ROOT / ".venv" / "service" / "bin" / "python"


class Service(Server):
    """This service under gunicorn, by default with two workers and on a free port.

    Args:
        folder: for its log.
        options: gunicorn's.
        port: where it listens, on 127.0.0.1; 0 for a free one.
        cores: those it may run on, such as ``0,1``; all by default.
        prefix: a command that becomes the server, such as ``["prlimit", "--nofile=64"]``.
        output: where it prints instead of the log.
        python: of another environment than ``.venv/service``.
        environment: variables, on top of this process's without ``MNIST_…``, ``GUNICORN…``.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        port: int = 0,
        cores: str = "",
        prefix: Command = (),
        output: int | IO[Any] | None = None,
        python: str | Path = PYTHON,
        **environment: str,
    ) -> None:
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("MNIST_", "GUNICORN"))
        }
        variables = {**kept, "WEB_CONCURRENCY": "2", **environment}
        self._wanted = variables["WEB_CONCURRENCY"] or "2"
        command = [*prefix, python, "-m", "service", "--bind", f"127.0.0.1:{port}"]
        super().__init__(
            [*command, *options],
            folder / "server.log",
            cores=cores,
            environment=variables,
            output=output,
        )

    @property
    def workers(self) -> int:
        """How many workers it is to have."""
        return int(self._wanted)

    def wait_ready(self, path: str = "/readyz", seconds: float = START_S) -> Self:
        """Wait until all workers are there and one answers.

        Raises:
            ServerError: the server ended, or it took more than that many seconds.
        """
        self.port = int(self.wait_until(r"Listening at: http://127.0.0.1:(\d+)")[1])
        super().wait_ready(path, seconds)
        while len(self.worker_pids()) < self.workers:  # the first is quicker than the last
            if time.perf_counter() > self._started + seconds:
                raise ServerError(f"found workers missing:\n{self.log}")
            time.sleep(0.01)
        return self


@contextlib.contextmanager
def service(
    *options: str, cores: str = "", python: str | Path = PYTHON, **environment: str
) -> Iterator[Service]:
    """Run a ready service for the duration of a ``with`` block.

    It has one worker, and the model that the compared servers have. The arguments are
    those of `Service`.
    """
    one: dict[str, Any] = {"WEB_CONCURRENCY": "1", "MNIST_MODEL_VERSION": "1"}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        variables = {**one, **environment}
        with Service(
            Path(name), *options, cores=cores, python=python, **variables
        ) as server:
            yield server.wait_ready()
