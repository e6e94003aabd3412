"""Load test of ``POST /predict``: real digits, every answer checked, a verdict.

    locust -f load/locustfile.py --host http://127.0.0.1:8000 [--headless]

Locust is closed-loop: a user sends its next request when the last one is answered, so
a slow server is asked less often. Its times are whole milliseconds.
"""

import base64
import json
import logging
import random
from pathlib import Path
from typing import Any, NamedTuple

from locust import FastHttpUser, constant, events, task
from locust.env import Environment
from locust.runners import WorkerRunner

logger = logging.getLogger(__name__)


class Digit(NamedTuple):
    """A request's body, encoded before the clock starts, and the answer it must get."""

    body: bytes
    label: int


def _read_digits() -> list[Digit]:
    entries = json.loads(Path(__file__).with_name("digits.json").read_bytes())
    return [
        Digit(
            json.dumps({"instances": [list(base64.b64decode(entry["frame"]))]}).encode(),
            entry["label"],
        )
        for entry in entries
    ]


DIGITS = _read_digits()


def problem(status: int, content: bytes, label: int) -> str | None:
    """Say what is wrong with an answer, or None: a fast wrong answer is a failure."""
    if status != 200:
        # Status 0 is Locust's for no answer at all.
        return f"status {status}: {content[:100]!r}"
    try:
        (prediction,) = json.loads(content)["predictions"]
        digit, probabilities = prediction["digit"], prediction["probabilities"]
        total = sum(probabilities)
    except (ValueError, KeyError, TypeError):
        return f"not an answer: {content[:100]!r}"
    if digit != label:
        return f"read a {label} as {digit}"
    if len(probabilities) != 10 or abs(total - 1) > 1e-3:
        return f"{len(probabilities)} probabilities that add up to {total:.4f}"
    return None


class Reader(FastHttpUser):
    """A client that has a digit read, waits for the answer, and goes on at once."""

    wait_time = constant(0)

    @task
    def predict(self) -> None:
        """Post one digit as JSON."""
        digit = random.choice(DIGITS)
        with self.client.post(
            "/predict",
            data=digit.body,
            headers={"Content-Type": "application/json"},
            catch_response=True,
        ) as response:
            found = problem(response.status_code, response.content or b"", digit.label)
            if found:
                response.failure(found)


@events.init_command_line_parser.add_listener
def add_limits(parser: Any) -> None:
    """Add the two limits to Locust's options and to its page."""
    parser.add_argument(
        "--max-fail-percent",
        type=float,
        default=0.0,
        env_var="MAX_FAIL_PERCENT",
        help="highest share of failed requests, in percent (default: 0)",
    )
    parser.add_argument(
        "--max-p99",
        type=float,
        default=100.0,
        env_var="MAX_P99",
        help="highest 99th percentile of the response time, in ms (default: 100)",
    )


@events.quitting.add_listener
def judge(environment: Environment, **_: Any) -> None:
    """Set the exit code: 0 within the limits, 1 past one of them or without a request."""
    if isinstance(environment.runner, WorkerRunner):
        return  # the master has the statistics of all
    total = environment.stats.total
    options = environment.parsed_options
    assert options is not None
    failed = 100 * total.fail_ratio
    p99 = total.get_response_time_percentile(0.99) or 0.0
    passed = {
        f"{total.num_requests} requests > 0": total.num_requests > 0,
        f"{failed:.3f} % failed <= {options.max_fail_percent:g} %": failed
        <= options.max_fail_percent,
        f"p99 {p99:.0f} ms <= {options.max_p99:g} ms": p99 <= options.max_p99,
    }
    for limit, kept in passed.items():
        logger.info("%s %s", "✓" if kept else "✗", limit)
    environment.process_exit_code = 0 if all(passed.values()) else 1
