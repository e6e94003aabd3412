"""Prometheus metrics, summed over the worker processes."""

import os
from collections import defaultdict
from collections.abc import Mapping
from time import time
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Summary,
    generate_latest,
    multiprocess,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from service.repository import Repository

# Seconds. A request takes a fraction of a millisecond: the usual buckets, which start at
# 5 ms, would put all of them into the first.
REQUEST_BUCKETS = (0.00025, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075) + (
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
)
STAGE_BUCKETS = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005) + (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.1,
)
IMAGES_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}
STAGES = ("decode", "infer", "encode")


class Totals(NamedTuple):
    """What all workers did with a version since the start.

    Attributes:
        requests: answered inference requests.
        images: images in them.
        refused: refused inference requests.
        refused_seconds: time spent on these.
        stage_seconds: time of each stage of the answered ones.
        last: Unix time of the last answer, 0 if there was none.
    """

    requests: int
    images: int
    refused: int
    refused_seconds: float
    stage_seconds: Mapping[str, float]
    last: float


class Metrics:
    """The service's metrics.

    Under gunicorn each worker keeps its values in files in ``$PROMETHEUS_MULTIPROC_DIR``,
    and whichever worker is asked adds up all of them; without it, this process's own.
    """

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        own = self._own
        self._requests = Histogram(
            "http_server_request_duration_seconds",
            "Time from a request's dispatch to its reply.",
            ("http_request_method", "http_route", "http_response_status_code"),
            buckets=REQUEST_BUCKETS,
            registry=own,
        )
        self._stages = Histogram(
            "mnist_stage_duration_seconds",
            "Time of one stage of an answered inference request.",
            ("version", "stage"),
            buckets=STAGE_BUCKETS,
            registry=own,
        )
        self._refusals = Summary(
            "mnist_refused_duration_seconds",
            "Time until an inference request for a served version was refused.",
            ("version",),
            registry=own,
        )
        self._last = Gauge(
            "mnist_last_inference_timestamp_seconds",
            "When an inference request was last answered.",
            ("version",),
            multiprocess_mode="max",
            registry=own,
        )
        self._images = Histogram(
            "mnist_request_images",
            "Images in an answered inference request.",
            buckets=IMAGES_BUCKETS,
            registry=own,
        )
        self._predictions = Counter(
            "mnist_predictions",
            "Predicted images.",
            ("version", "digit"),
            registry=own,
        )
        self._versions = Gauge(
            "mnist_model_version",
            "1 for the state that the version is in, in any worker.",
            ("version", "state"),
            multiprocess_mode="livemax",
            registry=own,
        )

    def set_versions(self, repository: Repository) -> None:
        """Show which versions are served and which are refused."""
        for version in repository.models:
            state = "default" if version == repository.default.version else "served"
            self._versions.labels(version, state).set(1)
        for version in repository.refused:
            self._versions.labels(version, "refused").set(1)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered with a status."""
        method = method if method in METHODS else "other"  # a client can invent more
        self._requests.labels(method, route, status).observe(seconds)

    def count_inference(
        self, version: int, digits: npt.NDArray[np.intp], seconds: tuple[float, ...]
    ) -> None:
        """Count an answered inference: its digits ``[n]`` and the time of each stage."""
        for stage, duration in zip(STAGES, seconds):
            self._stages.labels(version, stage).observe(duration)
        self._last.labels(version).set(time())
        self._images.observe(len(digits))
        for digit, count in enumerate(np.bincount(digits).tolist()):
            if count:
                self._predictions.labels(version, digit).inc(count)

    def count_refusal(self, version: int, seconds: float) -> None:
        """Count an inference request that was refused."""
        self._refusals.labels(version).observe(seconds)

    def totals(self, version: int) -> Totals:
        """Add up what all workers did with a version."""
        values: dict[tuple[str, str], float] = defaultdict(float)
        for metric in self._registry().collect():
            for sample in metric.samples:
                if sample.labels.get("version") == str(version):
                    values[sample.name, sample.labels.get("stage", "")] += sample.value
        stage = "mnist_stage_duration_seconds"
        return Totals(
            requests=int(values[f"{stage}_count", "infer"]),
            images=int(values["mnist_predictions_total", ""]),
            refused=int(values["mnist_refused_duration_seconds_count", ""]),
            refused_seconds=values["mnist_refused_duration_seconds_sum", ""],
            stage_seconds={name: values[f"{stage}_sum", name] for name in STAGES},
            last=values["mnist_last_inference_timestamp_seconds", ""],
        )

    def expose(self) -> tuple[bytes, str]:
        """Return the text for Prometheus and its content type."""
        return generate_latest(self._registry()), CONTENT_TYPE_PLAIN_0_0_4

    def _registry(self) -> CollectorRegistry:
        """Return what has the values of all workers."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return self._own
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return registry
