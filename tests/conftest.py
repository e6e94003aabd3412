import ctypes
import gc
import os
from collections import Counter
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from xdist.scheduler import LoadFileScheduling

# TensorFlow reads these when it is imported; the commands set the same.
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
# Hundreds of programs are started; each would compile the project's modules anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

from tests.support.server import Server
from training import data

# How long examples take says something of the machine, and nothing of the code.
hypothesis.settings.register_profile(
    "project",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("project")

# ONNX Runtime makes tiny numbers zero in the thread that loads a model; Hypothesis needs
# the usual arithmetic to draw floats.
LIBM = ctypes.CDLL(None)
FE_DFL_ENV = ctypes.c_void_p(-1)

ROOT = Path(__file__).resolve().parent.parent
# Files and folders, the longest first.
LONG = ["test_containers.py", "test_commands.py", "training", "soak", "test_fuzz_http.py"]
# What is slow to start, once for all of the tests in a folder that use it: TensorFlow, and
# the service in its three ways.
TOGETHER = (
    "tests/training/",
    "tests/service/web/",
    "tests/service/inference/",
    "tests/service/test_",
)
# Of the programs that tests start.
ENVIRONMENTS = ("service", "load", "clients", "tracing", "grpc")
BESIDE = ROOT.parent / "shared" / "mnist"

if "MNIST_DIR" not in os.environ and BESIDE.is_dir():
    os.environ["MNIST_DIR"] = str(BESIDE)


def pytest_configure():
    missing = [name for name in ENVIRONMENTS if not (ROOT / ".venv" / name).is_dir()]
    if missing:
        found = f"found no {', '.join(f'.venv/{name}' for name in missing)}"
        pytest.exit(f"{found}; run `make environments` once", returncode=4)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Keep the garbage collector from what the imports make.

    Half a million objects, TensorFlow's above all: a full collection takes 0.3 s of them.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items):
    """Start with the longest files, so that all processes end at about the same time."""

    def turn(item):
        names = item.nodeid.partition("::")[0].split("/")
        if "browser" in names:  # last: a new container's network fails what Chromium loads
            return len(LONG) + 1
        return next((at for at, name in enumerate(LONG) if name in names), len(LONG))

    items.sort(key=turn)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each file to one process, and the files that belong together to the same."""

    class ByFolder(LoadFileScheduling):
        def _split_scope(self, nodeid):
            whole = (folder for folder in TOGETHER if nodeid.startswith(folder))
            return next(whole, super()._split_scope(nodeid))

    return ByFolder(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_terminal_summary(terminalreporter):
    """Say in one place which tools are missing, and how many tests skip for each."""
    reasons = [str(skip.longrepr[2]) for skip in terminalreporter.stats.get("skipped", [])]
    missing = Counter(each.removeprefix("Skipped: ") for each in reasons)
    if missing:
        terminalreporter.section("not tested here")
    for reason, count in missing.most_common():
        terminalreporter.line(f"{count} tests: {reason}")


def pytest_runtest_call(item):
    if getattr(item.obj, "is_hypothesis_test", False) and hasattr(LIBM, "fesetenv"):
        LIBM.fesetenv(FE_DFL_ENV)


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def mnist():
    """The real data; skipped only where no place has a file of it."""
    try:
        return data.load(download=False)
    except data.DataError as error:
        folders = [os.environ.get("MNIST_DIR"), data.cache()]
        if any(folder and Path(folder).is_dir() for folder in folders):
            raise
        pytest.skip(f"needs MNIST: {error}")


@pytest.fixture(scope="session")
def noise():
    """Images that need no data set: uint8 [64, 784], every pixel at random."""
    return np.random.default_rng(7).integers(0, 256, (64, 784), dtype=np.uint8)


@pytest.fixture(scope="session")
def version_1():
    return ROOT / "models" / "mnist" / "1"


@pytest.fixture(scope="session", params=["1", "2", "3"])
def shipped(request):
    """The folder of each version in the box."""
    return ROOT / "models" / "mnist" / request.param


@pytest.fixture(scope="session")
def served():
    """The number of the version that is served by default."""
    return "3"


def starting(tmp_path_factory):
    """Yield what starts servers, and stop them all in the end."""
    servers = []

    def start(*options, **settings):
        servers.append(Server(tmp_path_factory.mktemp("server"), *options, **settings))
        return servers[-1]

    yield start
    for server in servers:  # all at once: each takes a few tenths of a second
        server.request_stop()
    for server in servers:
        server.stop()


# Servers cost a little even if nobody asks them, so that most end with their module.
start = pytest.fixture(scope="module")(starting)
start_once = pytest.fixture(scope="session")(starting)


@pytest.fixture(scope="session")
def url(start_once):
    """Where the service answers."""
    return start_once(WEB_CONCURRENCY="2").wait_ready().url
