"""The settings: environment variables, read once into one immutable object."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from service.errors import SettingsError

PREFIX = "MNIST_"
# As in TensorFlow Serving, whose versions are int64; YYYYMMDDhhmmss fits.
LARGEST_VERSION = (1 << 63) - 1
# The largest value of each number; what is above is a slip, and would fail later or hang.
MOST = {
    "model_version": LARGEST_VERSION,
    "max_body_bytes": 1 << 30,  # a body is held in memory, and its images beside it
    "max_images": 100_000,  # 3 s of a worker, which gunicorn kills after 30
    "max_pixels": 1 << 26,  # 8192 × 8192: 2 s of a worker as a PNG in four channels
    "client_seconds": 3600,  # a client that does nothing holds one of the connections
    "max_wait_ms": 60_000,  # no client waits longer, and gunicorn kills a worker after 30 s
    "drain_seconds": 3600,  # no load balancer takes longer to notice
    "samples_mb": 100_000,  # each worker looks through the folder every five seconds
    "samples_percent": 100,
}
# What else begins with the prefix: the folder of the data for training, and what Kubernetes
# makes in each pod for a Service whose name begins so (mnist, mnist-canary).
OTHERS = re.compile(
    r"MNIST_(DIR|(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|"
    r"PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?))"
)
MOST_SHOWN = 100  # characters of a value in a message
# What Vertex AI calls settings of ours; a variable of the setting's own name counts first.
CLOUDS = {"predict_route": "AIP_PREDICT_ROUTE", "health_route": "AIP_HEALTH_ROUTE"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What to serve, and within which limits.

    Each field is set by the variable of its name in capitals after ``MNIST_``.

    Attributes:
        model_root: folder that holds ``<name>/<version>/model.onnx``.
        model_name: name of the model in it, and in replies.
        model_version: version served by default; the highest good one if not set.
        max_body_bytes: largest request body; 16 MiB holds a phone's photograph of 50
            megapixels, and 1024 images in JSON, about 2.6 kB each, four times.
        max_images: most images per request, so that no request blocks a worker for long.
        max_pixels: largest picture, width × height; phones take up to 8160 × 6144.
        client_seconds: time a client has to send a request's head, to send its body, or
            to read its reply; 8 s are enough for 16 MiB at 17 Mbit/s.
        max_wait_ms: how long a request may wait for those before it, in milliseconds: 50
            are enough for a thousand images (30); a larger request may wait for up to
            twenty times as long as it takes itself.
        drain_seconds: how long the service goes on answering after SIGTERM while it
            reports that it is not ready: the time a load balancer needs to notice.
        fast_path: whether the worker answers inference without Flask's dispatch, 1 or 0.
        api_keys: file with one key per line, one of which a client must send; no keys are
            needed if not set.
        trusted_hosts: host names the service answers to; any if empty. A name that starts
            with a dot covers its subdomains.
        metrics_bind: ``address:port`` that serves the metrics, and nothing else does;
            served with everything else if empty.
        grpc_bind: ``address:port`` that serves the Open Inference Protocol over gRPC; not
            served if empty.
        log_format: format of the log lines, text or json.
        tracing: whether spans are sent to an OpenTelemetry collector, 1 or 0.
        predict_route: one more path that predicts, as TensorFlow Serving's does.
        health_route: one more path that answers as ``/readyz``.
        traffic: file that says which other versions get a share of the requests; none do
            if not set.
        samples: folder that keeps a few of the images; none are kept if not set.
        samples_mb: most megabytes that they take: 64 are 16,000 images, in blocks of 4 kB.
        samples_percent: share of the images that are kept although the model was sure.
    """

    model_root: Path = Path(__file__).resolve().parent.parent / "models"
    model_name: str = "mnist"
    model_version: int | None = None
    max_body_bytes: int = 16 * 1024 * 1024
    max_images: int = 1024
    max_pixels: int = 50 * 1024 * 1024
    client_seconds: int = 8
    max_wait_ms: int = 50
    drain_seconds: int = 0
    fast_path: bool = True
    api_keys: Path | None = None
    trusted_hosts: tuple[str, ...] = ()
    metrics_bind: str = ""
    grpc_bind: str = ""
    log_format: str = "text"
    tracing: bool = False
    predict_route: str = ""
    health_route: str = ""
    traffic: Path | None = None
    samples: Path | None = None
    samples_mb: int = 64
    samples_percent: int = 1

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; a missing or empty variable keeps its default.

        Other variables with the prefix are ignored; `unknown` finds them.

        Raises:
            SettingsError: a value does not fit its setting.
        """
        read: dict[str, Callable[[str], Any]] = {
            "model_root": Path,
            "model_name": _name,
            "fast_path": _switch,
            "api_keys": Path,
            "trusted_hosts": _hosts,
            "metrics_bind": _address,
            "grpc_bind": _address,
            "log_format": _format,
            "tracing": _switch,
            "predict_route": _route,
            "health_route": _route,
            "traffic": Path,
            "samples": Path,
        }
        values: dict[str, Any] = {}
        for field in fields(cls):
            own = variable = PREFIX + field.name.upper()
            if not environment.get(own):
                variable = CLOUDS.get(field.name, own)
            value = environment.get(variable)
            if value:
                try:
                    if field.name in MOST:
                        values[field.name] = _number(field.name, value)
                    else:
                        values[field.name] = read[field.name](value)
                except ValueError as error:
                    shown = value if len(value) <= MOST_SHOWN else value[:MOST_SHOWN] + "…"
                    raise SettingsError(
                        f"{variable} has value {shown!r}, expected {error}"
                    ) from None
        return cls(**values)


def unknown(environment: Mapping[str, str]) -> list[str]:
    """Return a warning for each variable that looks like a setting and is none.

    The value is not in it: ``MNIST_API_KEY`` may hold a key.
    """
    known = [field.name.upper() for field in fields(Settings)]
    messages = []
    for variable in sorted(environment):
        name = variable.removeprefix(PREFIX)
        if name in (variable, *known) or OTHERS.fullmatch(variable):
            continue
        near = get_close_matches(name, known, 1) or known
        expected = " or ".join(PREFIX + each for each in near)
        start = f"{variable:.100} is no setting and has no effect"
        messages.append(f"{start}, expected {expected}")
    return messages


def wants_json(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the log is to be JSON; needed to report that another setting is wrong."""
    return environment.get(PREFIX + "LOG_FORMAT") == "json"


def _number(name: str, text: str) -> int:
    least, most = int(name not in ("drain_seconds", "samples_percent")), MOST[name]
    # 4,000 digits: int() takes no more than 4,300. isdecimal alone would let other
    # scripts' digits pass.
    decimal = text.isascii() and text.isdecimal() and len(text) <= 4000
    if not decimal or not least <= int(text) <= most:
        raise ValueError(f"a whole number from {least} to {most}")
    return int(text)


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", text):
        raise ValueError("a name of letters, digits and . _ -")
    return text


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("1 or 0")
    return text == "1"


def _format(text: str) -> str:
    if text not in ("text", "json"):
        raise ValueError("text or json")
    return text


def _hosts(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(","))
    label = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
    if not all(re.fullmatch(rf"\.?{label}(\.{label})*", name) for name in names):
        raise ValueError("host names without scheme or port, between commas")
    return names


def _route(text: str) -> str:
    # What needs no escape in a path (RFC 3986, 3.3).
    if len(text) > MOST_SHOWN or not re.fullmatch(r"(/[\w.~!$&'()*+,;=:@-]+)+", text, re.A):
        raise ValueError(f"a path such as /health, of at most {MOST_SHOWN} characters")
    return text


def _address(text: str) -> str:
    found = re.fullmatch(r"([0-9.]+|\[[0-9a-f]*:[0-9a-f:.]*\]):([0-9]{1,5})", text.lower())
    try:
        if not found or not 0 < int(found[2]) < 1 << 16:
            raise ValueError
        host = ip_address(found[1].strip("[]")).compressed
    except ValueError:
        raise ValueError(
            "an IP address and a port, such as 127.0.0.1:9090 or [::1]:9090"
        ) from None
    return f"[{host}]:{int(found[2])}" if ":" in host else f"{host}:{int(found[2])}"
