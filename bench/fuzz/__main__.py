"""Fuzzers: ``python -m bench fuzz decoders|http|costs [options]``."""

import importlib
import sys
from collections.abc import Sequence

FUZZERS = {
    "http": "requests that are nearly right, to a running service",
    "costs": "requests that take long to decode, and a bound on them",
    "decoders": "every decoder, guided by coverage; needs atheris",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a fuzzer; return its exit code, or 2 if there is none of that name."""
    name, *rest = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if name not in FUZZERS:
        listed = "\n".join(f"  {key:<10}{what}" for key, what in FUZZERS.items())
        print(f"usage: python -m bench fuzz NAME [options]\n\n{listed}", file=sys.stderr)
        return 0 if name in ("-h", "--help") else 2
    return int(importlib.import_module(f"bench.fuzz.{name}").main(rest))


if __name__ == "__main__":
    sys.exit(main())
