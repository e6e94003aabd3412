"""The port to listen at, as operators and clouds ask for it.

As a program, the container's health check: exits with 0 if the service is ready.
"""

import os
from collections.abc import Mapping, Sequence

DEFAULT = "8000"
# Variables that name it; the first that is set counts. Heroku, Cloud Run and Knative;
# SageMaker; Vertex AI.
VARIABLES = ("PORT", "SAGEMAKER_BIND_TO_PORT", "AIP_HTTP_PORT")
# SageMaker starts an image with this argument, and asks at this port if it names none.
SERVE, SERVE_PORT = "serve", "8080"


def asked(environment: Mapping[str, str], serve: bool) -> str:
    """Return the port to listen at.

    Args:
        environment: the variables.
        serve: whether the service is started with the argument ``serve``.
    """
    found = (environment[name] for name in VARIABLES if environment.get(name))
    return next(found, SERVE_PORT if serve else DEFAULT)


def started_with() -> Sequence[str]:
    """Return the command of process 1, the container's; empty where it cannot be read."""
    try:
        with open("/proc/1/cmdline") as file:
            return file.read().split("\0")
    except OSError:
        return ()


def main() -> bool:
    """Return whether the service at this container's port is not ready."""
    # Not urllib.request, which would ask a proxy ($http_proxy).
    from http.client import HTTPConnection

    port = asked(os.environ, SERVE in started_with())
    connection = HTTPConnection("127.0.0.1", int(port), timeout=2)
    connection.request("GET", "/readyz")
    return connection.getresponse().status != 200


if __name__ == "__main__":
    raise SystemExit(main())
