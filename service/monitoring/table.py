"""Every metric, declared once: what it is called, how it is labelled, which buckets it has.

A metric's rows in the shared counters are keyed by its row name and the values of its
labels, separated by tabs.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

# Seconds. A request takes a fraction of a millisecond: the usual buckets, which start at
# 5 ms, would put all of them into the first.
REQUEST_BUCKETS = (
    *(0.0001, 0.00025, 0.0005, 0.00075, 0.001, 0.002, 0.003, 0.005, 0.0075),
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
)
STAGE_BUCKETS = (
    *(0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005),
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.1),
)
IMAGES_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
# Nine digits in ten of the test set are above 0.99, and what is no digit is below 0.9.
CONFIDENCE_BUCKETS = (
    *(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95),
    *(0.98, 0.99, 0.995, 0.998, 0.999, 0.9999),
)


class Kind(Enum):
    """How the values of a row become Prometheus samples."""

    HISTOGRAM = "counts of the buckets, and the sum in the last value"
    COUNTER = "the first value"
    GAUGE = "the first value; the workers' largest"
    SUMMARY = "a count and a sum"
    DIGITS = "a counter for each digit"


class Metric(NamedTuple):
    """One metric.

    Attributes:
        kind: how its rows are to be read.
        row: first part of the key of its rows.
        name: Prometheus name, without the suffix ``_total`` of counters.
        text: help text.
        labels: names of the labels.
        buckets: upper bounds of a histogram's buckets.
    """

    kind: Kind
    row: str
    name: str
    text: str
    labels: tuple[str, ...] = ()
    buckets: Sequence[float] = ()

    def key(self, *values: object) -> str:
        """Return the key of the row with these label values."""
        return "\t".join((self.row, *map(str, values)))


REQUESTS = Metric(
    Kind.HISTOGRAM,
    "requests",
    "http_server_request_duration_seconds",
    "Time from a request's dispatch to its reply.",
    ("http_request_method", "http_route", "http_response_status_code"),
    REQUEST_BUCKETS,
)
STAGES = Metric(
    Kind.HISTOGRAM,
    "stages",
    "mnist_stage_duration_seconds",
    "Time of one stage of an answered inference request.",
    ("version", "dialect", "stage"),
    STAGE_BUCKETS,
)
TURNS = Metric(
    Kind.HISTOGRAM,
    "turns",
    "mnist_turn_duration_seconds",
    "Time of a turn of a worker's loop, from its first request to its last reply.",
    (),
    REQUEST_BUCKETS,
)
IMAGES = Metric(
    Kind.HISTOGRAM,
    "images",
    "mnist_request_images",
    "Images in an answered inference request.",
    (),
    IMAGES_BUCKETS,
)
CONFIDENCE = Metric(
    Kind.HISTOGRAM,
    "confidence",
    "mnist_prediction_confidence",
    "Probability of the digit that an image was read as.",
    ("version",),
    CONFIDENCE_BUCKETS,
)
UNSURE = Metric(
    Kind.COUNTER,
    "unsure",
    "mnist_unsure",
    "Predictions that are marked as a guess.",
    ("version",),
)
REFUSED = Metric(
    Kind.COUNTER, "refused", "mnist_refused", "Requests that were refused.", ("reason",)
)
RELOADS = Metric(
    Kind.COUNTER,
    "reloads",
    "mnist_reloads",
    "Reloads done, and refused because the new workers could not serve.",
    ("result",),
)
STARTS = Metric(Kind.COUNTER, "starts", "mnist_worker_starts", "Workers started.")
EXITS = Metric(
    Kind.COUNTER,
    "exits",
    "mnist_worker_exits",
    "Workers that have ended: asked to, died, or killed because they hung.",
    ("cause",),
)
CPU = Metric(
    Kind.COUNTER, "cpu", "process_cpu_seconds", "Time that the workers have computed."
)
LAST = Metric(
    Kind.GAUGE,
    "last",
    "mnist_last_inference_timestamp_seconds",
    "When an inference request was last answered.",
    ("version",),
)
REFUSALS = Metric(
    Kind.SUMMARY,
    "refusals",
    "mnist_refused_duration_seconds",
    "Time until an inference request for a served version was refused.",
    ("version",),
)
SHADOW = Metric(
    Kind.COUNTER,
    "shadow",
    "mnist_shadow_requests",
    "Requests that a shadow was to be compared on.",
    ("version", "result"),
)
SHADOW_IMAGES = Metric(
    Kind.COUNTER,
    "shadow_images",
    "mnist_shadow_images",
    "Images that a shadow was compared on, by whether it read the same digit.",
    ("version", "agrees"),
)
SHADOW_CONFIDENCE = Metric(
    Kind.HISTOGRAM,
    "shadow_confidence",
    "mnist_shadow_confidence",
    "Probability of the digit that a shadow read.",
    ("version",),
    CONFIDENCE_BUCKETS,
)
SAMPLES = Metric(
    Kind.COUNTER,
    "samples",
    "mnist_samples",
    "Images that were chosen as samples, and requests that were not looked at.",
    ("result",),
)
FEEDBACK = Metric(
    Kind.DIGITS,
    "feedback",
    "mnist_feedback",
    "Samples that somebody has given their digit, by the digit that was read.",
    ("version", "read"),
)
PREDICTIONS = Metric(
    Kind.DIGITS, "predictions", "mnist_predictions", "Predicted images.", ("version",)
)
# In the order in which /metrics shows them.
METRICS = (
    *(REQUESTS, STAGES, TURNS, IMAGES, CONFIDENCE, UNSURE, REFUSED, RELOADS, STARTS),
    *(EXITS, CPU, LAST, REFUSALS, PREDICTIONS, SHADOW, SHADOW_IMAGES, SHADOW_CONFIDENCE),
    *(SAMPLES, FEEDBACK),
)
