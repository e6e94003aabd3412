"""The servers' environments: made when missing, and what is in them."""

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from bench.peers.model import ROOT
from bench.peers.servers import OWN, Server

FOLDER = Path(__file__).resolve().parent
SHARED = "import sysconfig; print(sysconfig.get_config_var('Py_ENABLE_SHARED'))"


class UnavailableError(Exception):
    """A server cannot be installed or started; the text is the reason."""


def place(server: Server) -> Path:
    """Return the folder of a server's environment."""
    name = "service" if server.name == OWN else f"peers/{server.name}"
    return ROOT / ".venv" / name


def install(server: Server) -> None:
    """Make a server's environment if it is missing or older than its requirements.

    Raises:
        UnavailableError: pip's last words.
    """
    environment = place(server)
    stamp = environment / "installed"
    if server.name == OWN:
        if not stamp.exists():
            raise UnavailableError("found no .venv/service; make it with: make serve")
        return
    requirements = FOLDER / server.name / "requirements.txt"
    if stamp.exists() and stamp.stat().st_mtime >= requirements.stat().st_mtime:
        return
    print(f"installing {server.name}", file=sys.stderr, flush=True)
    _run([_python(server), "-m", "venv", "--clear", str(environment)])
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    _run([*pip, "--disable-pip-version-check", "--require-hashes", "-r", str(requirements)])
    stamp.touch()


def versions(server: Server) -> dict[str, str]:
    """Return the version of every package in a server's environment."""
    folders = [str(path) for path in place(server).glob("lib/python3*/site-packages")]
    found = {
        each.metadata["Name"].lower(): each.version
        for each in metadata.distributions(path=folders)
    }
    return dict(sorted(found.items()))


def _python(server: Server) -> str:
    """Return the interpreter for a server's environment."""
    own = f"python3.{sys.version_info.minor}"
    if server.name != "triton":
        return str(Path(sys.base_prefix) / "bin" / own)
    # Triton's Python backend is a program linked with libpython, and takes the one that the
    # system's linker finds, so the modules beside it must be of the same release.
    for folder in ("/usr/bin", "/usr/local/bin", str(Path(sys.base_prefix) / "bin")):
        python = shutil.which(own, path=folder) or shutil.which("python3", path=folder)
        if python and _run([python, "-c", SHARED]).strip() == "1":
            return python
    raise UnavailableError(
        "found no Python built as a shared library, expected one such as Debian's "
        "(packages python3 and python3-venv)"
    )


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise UnavailableError(f"{' '.join(command[1:4])}: {done.stderr.strip()[-300:]}")
    return done.stdout
