"""The load test as Locust sees it: its users, and what happens at which event.

    locust -f load/locustfile.py --headless -u 16 -r 4 -t 20s --host http://127.0.0.1:8000

is a load test as any other of Locust's, with a verdict at its end (`load.users`). With
``--scenario NAME``, or ``python -m load NAME``, requests come by a schedule
(`load.sender`).
"""

import argparse
import itertools
import logging
import sys
from pathlib import Path
from typing import Any

import gevent
from locust import events, runners
from locust.dispatch import UsersDispatcher
from locust.runners import MasterRunner, WorkerRunner

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # Locust adds this folder

from load import answers, options, page, run
from load.conductor import Conductor
from load.generator import Schedule, Users
from load.messages import Asked, Plan
from load.record import Tally, Verdict
from load.scenarios import Load
from load.users import (
    Connection,
    JsonBatch,
    JsonImage,
    PngPicture,
    RawBytes,
    V1Rows,
    V2Binary,
    V2Json,
    wanted,
)

# What Locust finds here.
__all__ = [
    "JsonBatch",
    "JsonImage",
    "PngPicture",
    "RawBytes",
    "V1Rows",
    "V2Binary",
    "V2Json",
]

# Seconds between two reports of a worker: find-max waits for one after each trial.
runners.WORKER_REPORT_INTERVAL = 1.0


@events.init_command_line_parser.add_listener
def add_options(parser: Any) -> None:
    """Add the options to Locust's own, and to its page."""
    options.add_scenario(parser)
    options.add(parser)


@events.init.add_listener
def prepare(environment: Any, web_ui: Any, **_: Any) -> None:
    """Give the process its part: to send, to lead, or both."""
    runner, asked = environment.runner, environment.parsed_options
    environment.generator = environment.conductor = environment.conducting = None
    environment.record, environment.report = None, ""
    environment.user_classes = environment.named = [
        user for user in environment.user_classes if wanted(user, asked)
    ]
    # A master decides before the test starts; a scenario can be named on Locust's page.
    environment.dispatcher_class = lambda worker_nodes, user_classes: UsersDispatcher(
        worker_nodes, [Connection] if asked.scenario or asked.stages else user_classes
    )
    if not isinstance(runner, MasterRunner):
        runner.register_message("plan", _follow)
    if isinstance(runner, WorkerRunner):
        environment.events.report_to_master.add_listener(
            lambda client_id, data: _report(environment, data)
        )
        return
    environment.run_time = asked.run_time
    if asked.scenario or asked.stages:
        asked.run_time = None  # it ends by itself: see `begin`
        if asked.headless and asked.only_summary:
            # Locust's would be woven into ours where a container merges two streams.
            logging.getLogger("locust.stats_logger").setLevel(logging.WARNING)
    environment.events.worker_report.add_listener(
        lambda client_id, data: _take(environment, client_id, data)
    )
    environment.events.spawning_complete.add_listener(lambda user_count: _lead(environment))
    environment.events.quitting.add_listener(lambda environment: run.conclude(environment))
    # Last, after Locust's own tables.
    environment.events.quit.add_listener(
        lambda exit_code: environment.report and print(environment.report, flush=True)
    )
    if web_ui:
        page.extend(environment, web_ui)


def _follow(environment: Any, msg: Any, **_: Any) -> None:
    asked = environment.asked
    loads = [Load(*each) for each in msg.data["loads"]]
    environment.generator.start(
        Asked(
            environment.host,
            run.requests(asked, asked.payload, asked.batch),
            max(environment.runner.worker_index, 0),  # not all the same at a time
            environment.headers,
            environment.generator.users,
        ),
        Plan(**{**msg.data, "loads": loads}),
    )


def _report(environment: Any, data: dict[str, Any]) -> None:
    if environment.generator:
        found = environment.generator.report()
        plain = [(*key, tally.as_dict()) for *key, tally in found["tallies"]]
        data["load"] = {**found, "tallies": plain}


def _take(environment: Any, client_id: str, data: dict[str, Any]) -> None:
    if environment.conductor and "load" in data:
        tallies = [(*key, Tally.from_dict(t)) for *key, t in data["load"]["tallies"]]
        environment.conductor.report(client_id, {**data["load"], "tallies": tallies})


def _lead(environment: Any) -> None:
    """Begin once all connections are there; only once, if a hand changes their number."""
    conductor = environment.conductor
    if conductor and not conductor.started:
        conductor.started = True
        if not environment.asked.scenario:
            gevent.spawn(environment.watch.begin)
            return
        environment.conducting = gevent.spawn(run.conduct, environment)
        environment.conducting.link_exception(lambda greenlet: environment.runner.quit())


@events.request.add_listener
def note(
    response_time: float, context: dict[str, Any], exception: Any, response: Any, **_: Any
) -> None:
    """Write down what became of a request of one of Locust's own users."""
    answered = bool(response.status_code)
    context["users"].note(
        response_time / 1000 if answered else None,
        str(exception) if exception else None,
        answers.stages(response.headers.get("server-timing", "")) if answered else {},
        context["images"],
    )


@events.test_start.add_listener
def begin(environment: Any, **_: Any) -> None:
    """Check what was asked, and encode all requests before the first is sent."""
    given, runner = environment.parsed_options, environment.runner
    environment.generator = None
    if not isinstance(runner, WorkerRunner):
        environment.report, environment.record = "", None
        environment.conductor = environment.conducting = None
        run_time = given.run_time or environment.run_time
        given.interval = run.interval(run_time)  # for the workers too
        try:
            environment.host = options.host(environment.host or options.HOST)
            environment.asked = options.resolved(given, runner.target_user_count, run_time)
            if given.output:
                run.writable(Path(given.output))
        except (options.OptionError, argparse.ArgumentTypeError) as error:
            _refuse(environment, str(error))
            return
        # Of a run that does not come to its end nothing is to be believed.
        environment.process_exit_code = Verdict(["cut short"]).code
        if environment.asked.scenario:
            environment.report = "INVALID: the run was cut short"
        environment.conductor = Conductor(environment)
        environment.watch = run.Watch(environment)
    else:
        environment.asked = options.resolved(given, sys.maxsize)
    if not isinstance(runner, MasterRunner):
        _prepare_requests(environment)


def _refuse(environment: Any, why: str) -> None:
    """Say why nothing is sent, and end."""
    environment.process_exit_code = run.WRONG
    environment.report = f"error: {why}"
    headless, runner = environment.parsed_options.headless, environment.runner
    if not headless:
        print(environment.report, flush=True)
    gevent.spawn(runner.quit if headless else runner.stop)


def _prepare_requests(environment: Any) -> None:
    asked, at = environment.asked, max(environment.runner.worker_index, 0)
    environment.headers = dict(each.split(": ", 1) for each in asked.header)
    if asked.scenario:
        environment.user_classes = [Connection]
        environment.generator = Schedule(
            environment.stats, aside=environment.parsed_options.headless
        )
        return
    if environment.user_classes == [Connection]:
        environment.user_classes = environment.named
    environment.requests = {}
    for user in environment.user_classes:
        made = run.requests(asked, user.payload, user.images)
        turned = (
            made[at % len(made) :] + made[: at % len(made)]
        )  # not all the same at a time
        environment.requests[user.payload, user.images] = itertools.cycle(turned)
    environment.generator = Users(asked.interval)


@events.test_stop.add_listener
def end(environment: Any, **_: Any) -> None:
    """Send no more; a scenario that is stopped by hand has no report."""
    conducting = environment.conducting
    if conducting and conducting is not gevent.getcurrent():
        conducting.kill(block=False)
    if environment.generator:
        environment.generator.stop()
    if environment.web_ui and environment.conductor and not conducting:
        # Once the last reports of the workers are there.
        gevent.spawn_later(2 * runners.WORKER_REPORT_INTERVAL, run.conclude, environment)
