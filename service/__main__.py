"""``python -m service``: gunicorn with the project's settings."""

import argparse
import gc
import os
import re
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from service import create_inference, port
from service.monitoring.json_lines import early
from service.settings import PREFIX, Settings, unknown

if TYPE_CHECKING:
    from service.inference import Inference


def check(variable: str, least: int, most: int) -> None:
    """Exit unless the variable is missing, empty or a number within the limits."""
    value = os.environ.get(variable)
    if not value:  # gunicorn does not accept an empty one
        os.environ.pop(variable, None)
    elif not re.fullmatch(r"[0-9]{1,5}", value) or not least <= int(value) <= most:
        expected = f"a whole number from {least} to {most}"
        sys.exit(early(f"error: {variable} has value {value!r:.100}, expected {expected}"))


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return the host and the port asked for, if any, and the options for gunicorn."""
    defaults = [(f"{PREFIX}{each.name.upper()}", each.default) for each in fields(Settings)]
    settings = "".join(f"\n  {name:<22} {_shown(default)}" for name, default in defaults)
    parser = argparse.ArgumentParser(
        prog="python -m service",
        usage="%(prog)s [--host HOST] [--port PORT] [gunicorn's options]",
        description="Serve the model over HTTP, on 127.0.0.1:8000 by default.",
        epilog="gunicorn's options:\n"
        "  --access-logfile -     log each request on standard output\n"
        "  --timeout 30           kill a worker that hangs for so many seconds\n"
        "  and all others that gunicorn documents\n\n"
        "python -m service predict FILE ... prints the digits of pictures, and ends\n"
        "python -m service frame FILE [--steps] writes what the model sees of a picture\n\n"
        "environment variables (docs/operations.md explains each):\n"
        "  PORT                   like --port; a cloud's own variable counts too\n"
        f"  WEB_CONCURRENCY        workers, one per core if not set{settings}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--host", help="address to listen at, 127.0.0.1 by default")
    parser.add_argument("--port", help="port to listen at, 0 for any free one")
    return parser.parse_known_args(arguments)


def _shown(default: object) -> str:
    if default in (None, "", ()):
        return "not set"
    return str(int(default) if isinstance(default, bool) else default)


def _local() -> "Inference":
    """Load the models for whoever has the files at hand: nothing to check or to keep."""
    settings = Settings.from_environment()
    alone = replace(settings, api_keys=None, trusted_hosts=(), traffic=None, samples=None)
    return create_inference(alone)


def main() -> None:
    """Be gunicorn, so that signals reach it and its exit code is ours."""
    command, arguments = sys.argv[1:2], sys.argv[2:]
    if command == ["frame"]:
        from service.pictures import steps  # the master needs neither NumPy nor Pillow

        return steps.main(arguments, Settings.from_environment().max_pixels)
    if command == ["predict"]:
        from service.inference import command as files

        return files.main(arguments, _local)
    # What is imported from here on stays, so it need not be looked through for garbage:
    # that takes a tenth of the start. The hook `when_ready` ends it.
    gc.disable()
    asked, options = parse(sys.argv[1:])
    if asked.port is not None:
        os.environ["PORT"] = asked.port
    # Here: gunicorn reads the first when it is imported, and ends in a traceback.
    check("WEB_CONCURRENCY", 1, 1000)  # a worker takes 90 MB, and needs a core to be of use
    for variable in port.VARIABLES:
        check(variable, 0, 65535)  # 0 for any free one
    serve = options[:1] == [port.SERVE]
    os.environ["PORT"] = port.asked(os.environ, serve)
    options = options[serve:]
    if asked.host is not None:
        host = f"[{asked.host}]" if ":" in asked.host else asked.host
        options = ["--bind", f"{host}:{os.environ['PORT']}", *options]
    for message in unknown(os.environ):
        print(early(f"warning: {message}", "warning"), file=sys.stderr, flush=True)
    config = Path(__file__).with_name("gunicorn.conf.py")
    sys.argv[1:] = ["--config", str(config), *options]
    # Here: gunicorn reads variables when it is imported.
    from service.server import master

    master.main()


if __name__ == "__main__":
    main()
