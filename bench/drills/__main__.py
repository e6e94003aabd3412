"""The containers under load: ``python -m bench drills [--list] [--only PATTERN]``.

`docker-compose.yml` on a Docker engine. The clients are those of `bench/chaos`, on the same
machine, at full speed: 16 that keep their connection, 16 with one for each request, unless
it says otherwise; all answers are checked. Stand-ins for images are Debian's packages
(`tests/support/standins`). Counters and alerts are those of the service outside a
container, and of Debian's Prometheus.
"""

import sys
from collections.abc import Sequence

from bench.chaos import case, checks
from bench.harness.results import heading
from tests.support import standins

# In the order of the table.
MODULES = ("start", "scale", "roll", "swap", "slow", "counters", "alerts")


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is asked for; return 1 if a drill fails."""
    return case.run("drills", MODULES, about, checks.after, argv)


def about() -> str:
    """Return what the table is of; builds the images that are stood in for."""
    images = {standins.tag(name): standins.provide(name) for name in standins.NAMES}
    used = ", ".join(f"`{tag}` {what or 'is not there'}" for tag, what in images.items())
    return f"{heading('Drills', 'drills', __doc__)}\nImages: {used}.\n"


if __name__ == "__main__":
    sys.exit(main())
