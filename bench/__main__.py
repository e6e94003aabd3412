"""What the project measures of itself: ``python -m bench NAME [options]``."""

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple


class Program(NamedTuple):
    """A program: its module with a ``main(argv)``, and what it does."""

    module: str
    what: str


PROGRAMS = {
    "peers": Program("bench.peers.__main__", "requests/s beside other model servers"),
    "layers": Program("bench.layers.__main__", "where the microseconds go"),
    "rpc": Program("bench.rpc.__main__", "calls by gRPC beside plain grpc.aio"),
    "rpc-overload": Program("bench.rpc.overload", "twice as many calls by gRPC"),
    "overload": Program("bench.overload", "twice as many requests as it can answer"),
    "slow": Program("bench.slow", "latency beside thousands of slow clients"),
    "overhead": Program("bench.overhead.__main__", "what metrics, log and tracing cost"),
    "soak": Program("bench.soak.__main__", "load with reloads for half an hour"),
    "chaos": Program("bench.chaos.__main__", "faults on purpose, one by one"),
    "drills": Program("bench.drills.__main__", "the containers under load"),
    "fuzz": Program("bench.fuzz.__main__", "`decoders`, `http` or `costs`"),
    "pictures": Program("bench.pictures.__main__", "how many pictures from life are read"),
    "latency": Program("bench.pages.latency", "from a stroke to its answer on the page"),
    "card": Program("bench.pages.card", "the picture beside a link to the pages"),
    "film": Program("bench.pages.film", "the README's moving picture"),
    "screenshots": Program("bench.pages.screenshots", "both pages, narrow to wide"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a program; return its exit code, or 2 if there is none of that name."""
    name, *rest = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in PROGRAMS:
        return importlib.import_module(PROGRAMS[name].module).main(rest) or 0
    listed = "\n".join(f"  {key:<13}{value.what}" for key, value in PROGRAMS.items())
    usage = f"usage: python -m bench NAME [options]; NAME --help lists them\n\n{listed}"
    if name in ("-h", "--help"):
        print(usage)
        return 0
    print(f"found {name!r}, expected one of the names below\n{usage}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
