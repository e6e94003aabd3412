"""Faults on purpose: ``python -m bench chaos [--list] [--only PATTERN] [--rounds N]``.

A real gunicorn with two workers unless stated. After each fault, on every server that is
still to run: all workers are there, `/livez` answers, the golden predictions are right, the
gauges are sane and the log has no traceback.
"""

import resource
import sys
from collections.abc import Sequence

from bench.chaos import case, checks
from bench.harness.results import heading

# In the order of the table.
MODULES = (
    *("life", "boot", "models", "rude", "slow", "costly"),
    *("neighbours", "containers", "others"),
)
MOST_FILES = 20_000  # 10,000 connections have two ends, and servers inherit the limit


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is asked for; return 1 if a case fails."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, MOST_FILES), most))
    about = heading("Faults", "chaos", __doc__)
    return case.run("chaos", MODULES, lambda: about, checks.after, argv)


if __name__ == "__main__":
    sys.exit(main())
