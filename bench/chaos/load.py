"""The clients' process, as a case sees it, and what its account must say."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from bench.chaos.case import Finding
from bench.harness.cores import ROOT
from bench.harness.server import START_S


@dataclass(frozen=True)
class Account:
    """How many requests were answered ``right``, ``wrong``, ...: see `clients.Account`."""

    counts: dict[str, int]
    texts: list[str] = field(default_factory=list)
    p99_s: float = 0.0
    slowest_s: float = 0.0

    def __getitem__(self, kind: str) -> int:
        return self.counts.get(kind, 0)

    @property
    def accepted(self) -> int:
        return sum(self.counts.values()) - self["refused"]


class Load:
    """Clients at full speed, for a ``with`` statement."""

    def __init__(self, port: int, keep: int = 16, close: int = 16, images: int = 1) -> None:
        self._command = [sys.executable, "-m", "bench.chaos.clients", f"--port={port}"]
        self._command += [f"--keep={keep}", f"--close={close}", f"--images={images}"]

    def __enter__(self) -> Self:
        """Start them, and wait until some are answered."""
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True
        )
        deadline = time.monotonic() + START_S
        while not self.look()["right"]:
            assert time.monotonic() < deadline, "the clients got no answer"
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        """End them."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout):
            if file:
                file.close()

    def look(self) -> Account:
        """Return the account so far."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read()

    def stop(self) -> Account:
        """Let the clients finish, and return the whole account."""
        assert self._process.stdin
        self._process.stdin.close()
        return self._read()

    def _read(self) -> Account:
        assert self._process.stdout
        return Account(**json.loads(self._process.stdout.readline()))


# The marks that most cases share.


def answered(account: Account, shed_allowed: bool = False) -> Iterator[Finding]:
    """Yield how the accepted requests fared: all of them must be answered rightly."""
    yield Finding(f"{account['right']:,} answered", account["right"] > 0)
    for kind in ("wrong", "unexpected"):
        if account[kind]:
            yield Finding(f"{account[kind]} {kind}", False)
    if account["shed"]:
        yield Finding(f"{account['shed']} answered with 503", shed_allowed)
    yield lost(account["failed"], 0)
    if account.texts:
        yield Finding(f"({'; '.join(account.texts[:3])})", True)


def lost(failed: int, most: int) -> Finding:
    """Return how many accepted requests had no whole reply, and whether that is allowed."""
    allowed = f" (at most {most} allowed)" if most else ""
    return Finding(f"{failed} failed{allowed}", failed <= most)
