"""The load test, which writes down each request: what the histograms are made of."""

import json
import os
from pathlib import Path

from load import generator
from load.locustfile import Client  # noqa: F401  # for Locust to find

FOLDER = Path(os.environ["WITNESS"])
note = generator.Generator.note


def witnessed(self, turn, sent, done, failure, stages):
    due = sent if turn.due is None else turn.start + turn.due
    line = [turn.phase, due - turn.start, done - due, done - sent]
    with (FOLDER / str(os.getpid())).open("a") as file:
        file.write(json.dumps(line) + "\n")
    note(self, turn, sent, done, failure, stages)


generator.Generator.note = witnessed
