"""The load test as Locust sees it: one kind of user, and what happens at which event.

    python -m load SCENARIO --host http://127.0.0.1:8000

is the usual way in; with ``locust -f load/locustfile.py`` and the same options come
Locust's own page, its master and its workers.
"""

import argparse
import itertools
import sys
import time
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, constant, events, runners, task
from locust.runners import MasterRunner, WorkerRunner

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # Locust adds this folder

from load import answers, options, payloads, run
from load.conductor import Conductor
from load.generator import Generator, Plan
from load.record import Verdict

# Seconds between two reports of a worker: find-max waits for one after each trial.
runners.WORKER_REPORT_INTERVAL = 1.0
ANSWER_S = 10.0  # without an answer for longer, a request has failed


class Client(FastHttpUser):  # type: ignore[misc]
    """A connection, kept alive, on which a request is sent when there is a turn for one."""

    wait_time = constant(0)
    network_timeout = connection_timeout = ANSWER_S
    environment: Any

    def on_start(self) -> None:
        """Join those that wait for a turn."""
        self.environment.generator.users += 1

    @task
    def ask(self) -> None:
        """Send the next request when it is due, and check the answer."""
        generator = self.environment.generator
        turn = generator.take()
        try:
            self._send(turn, next(self.environment.requests))
        finally:
            generator.finish(turn)

    def _send(self, turn: Any, request: payloads.Request) -> None:
        sent = time.perf_counter()
        with self.client.request(
            request.method,
            request.path,
            name=request.name,
            data=request.body,
            headers={**request.headers, **self.environment.headers},
            catch_response=True,
            context={"turn": turn, "sent": sent, "generator": self.environment.generator},
        ) as response:
            found = problem(request, response)
            if found:
                response.failure(found)
            if turn.due is not None:  # so that Locust's own tables say the same
                wait = sent - turn.start - turn.due
                response.request_meta["response_time"] += 1000 * wait


def problem(request: payloads.Request, response: Any) -> str | None:
    """Say what is wrong with an answer, or None."""
    if not response.status_code:
        return f"no answer: {type(response.error).__name__}"
    headers, content = response.headers, response.content or b""
    return answers.problem(request, response.status_code, headers, content)


@events.init_command_line_parser.add_listener
def add_options(parser: Any) -> None:
    """Add the options to Locust's own, and to its page."""
    options.add_scenario(parser)
    options.add(parser)


@events.init.add_listener
def prepare(environment: Any, **_: Any) -> None:
    """Give the process its part: to send, to lead, or both."""
    runner = environment.runner
    environment.generator = environment.conductor = environment.conducting = None
    if not isinstance(runner, MasterRunner):
        runner.register_message("plan", _follow)
    if isinstance(runner, WorkerRunner):
        environment.events.report_to_master.add_listener(
            lambda client_id, data: _report(environment, data)
        )
    else:
        environment.events.worker_report.add_listener(
            lambda client_id, data: _take(environment, client_id, data)
        )
        environment.events.spawning_complete.add_listener(
            lambda user_count: _lead(environment)
        )
        # Last, after Locust's own tables.
        environment.report = ""
        environment.events.quit.add_listener(lambda exit_code: print(environment.report))


def _follow(environment: Any, msg: Any, **_: Any) -> None:
    environment.generator.start(Plan.read(msg.data))


def _report(environment: Any, data: dict[str, Any]) -> None:
    if environment.generator:
        data["load"] = environment.generator.report()


def _take(environment: Any, client_id: str, data: dict[str, Any]) -> None:
    if environment.conductor and "load" in data:
        environment.conductor.report(client_id, data["load"])


def _lead(environment: Any) -> None:
    """Begin once all connections are there; only once, if a hand changes their number."""
    if environment.conductor and not environment.conductor.started:
        environment.conductor.started = True
        environment.conducting = gevent.spawn(run.conduct, environment)
        environment.conducting.link_exception(lambda greenlet: environment.runner.quit())


@events.request.add_listener
def note(context: dict[str, Any], exception: Any, response: Any, **found: Any) -> None:
    """Write down what became of a request."""
    turn, sent, generator = context["turn"], context["sent"], context["generator"]
    since = turn.start + turn.due if turn.due is not None else sent
    answered = bool(response.status_code)
    generator.note(
        turn,
        sent,
        since + found["response_time"] / 1000 if answered else None,
        str(exception) if exception else None,
        answers.stages(response.headers.get("server-timing", "")) if answered else {},
    )


@events.test_start.add_listener
def begin(environment: Any, **_: Any) -> None:
    """Check what was asked, and encode all requests before the clock starts."""
    asked = environment.parsed_options
    if not isinstance(environment.runner, MasterRunner):
        environment.generator = Generator()
    if not isinstance(environment.runner, WorkerRunner):
        # Of a run that does not come to its end nothing is to be believed.
        environment.process_exit_code = Verdict(["cut short"]).code
        environment.report = "INVALID: the run was cut short"
        environment.conductor = environment.conducting = None
        try:
            environment.host = options.host(environment.host)
            options.check(asked)
        except (ValueError, argparse.ArgumentTypeError) as error:
            environment.report = f"INVALID: {error}"
            runner = environment.runner
            if not asked.headless:
                print(environment.report, flush=True)
            gevent.spawn(runner.quit if asked.headless else runner.stop)
            return
        environment.conductor = Conductor(environment)
    if environment.generator:
        environment.headers = dict(h.split(": ", 1) for h in asked.header if h)
        requests = payloads.requests(asked.payload, asked.batch)
        start = max(environment.runner.worker_index, 0)  # not all the same at a time
        environment.requests = itertools.cycle(requests[start:] + requests[:start])


@events.test_stop.add_listener
def end(environment: Any, **_: Any) -> None:
    """Hand out no more turns; a run that is stopped by hand has no report."""
    conducting = environment.conducting
    if conducting and conducting is not gevent.getcurrent():
        conducting.kill(block=False)
    if environment.generator:
        environment.generator.stop()
