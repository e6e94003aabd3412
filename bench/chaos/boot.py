"""New workers that hang, raise or exit while a reload waits for them."""

import signal
import time
from collections.abc import Iterator

from bench.chaos import watch
from bench.chaos.case import Chaos, Finding, case
from bench.chaos.life import RELOAD_S, TIMEOUT_S, reload
from bench.chaos.load import Load, answered

# In place of service.wsgi:load(): a file next to it says what a new worker does.
MODULE = """
import os, pathlib, time
from service.wsgi import load
fault = pathlib.Path(__file__).with_name("fault").read_text()
if fault == "hang":
    time.sleep(600)
if fault == "raise":
    raise RuntimeError("planted: this worker cannot boot")
if fault == "exit":
    os._exit(9)
if fault == "killed":
    os.kill(os.getpid(), 9)
app = load()
"""


def _boot(chaos: Chaos, fault: str, seconds: float) -> Iterator[Finding]:
    (chaos.folder / "wsgi_boot.py").write_text(MODULE)
    planted = chaos.folder / "fault"
    planted.write_text("none")
    options = ("--pythonpath", str(chaos.folder), "--timeout", str(TIMEOUT_S))
    server = chaos.start(*options, "wsgi_boot:app").wait_ready()
    watch.wait(lambda: watch.all_ready(server), RELOAD_S)
    pids = set(server.worker_pids())
    with Load(server.port) as load:
        planted.write_text(fault)
        server.process.send_signal(signal.SIGHUP)
        time.sleep(seconds)
        same = watch.alive(server.process.pid) and pids <= set(watch.ready(server))
        yield Finding(
            "the old workers serve on" if same else "the old workers are gone", same
        )
        planted.write_text("none")
        took = reload(server)
        yield Finding("the next reload works" if took else "no reload after it", bool(took))
        yield from answered(load.stop())
    # Its traceback belongs to the fault and must not count against the server.
    if fault == "raise":
        log = server.log.replace("Traceback", "planted trace")
        server.log_path.write_text(log)


MARK = "the old workers serve on, 0 failed; the next SIGHUP, without the fault, works"


@case(f"new workers that hang at a reload (--timeout {TIMEOUT_S} s here)", MARK)
def hang(chaos: Chaos) -> Iterator[Finding]:
    yield from _boot(chaos, "hang", 2 * TIMEOUT_S)


@case("new workers that raise at a reload", MARK)
def raising(chaos: Chaos) -> Iterator[Finding]:
    yield from _boot(chaos, "raise", TIMEOUT_S)


@case("new workers that exit at a reload", MARK)
def exiting(chaos: Chaos) -> Iterator[Finding]:
    yield from _boot(chaos, "exit", TIMEOUT_S)


@case("new workers that are killed at a reload", MARK)
def killed(chaos: Chaos) -> Iterator[Finding]:
    yield from _boot(chaos, "killed", TIMEOUT_S)
