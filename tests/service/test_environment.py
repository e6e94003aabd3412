"""Where the service runs: what is wrong, missing or full, and what it may not do."""

import contextlib
import datetime
import email.utils
import os
import resource
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from bench.harness.server import START_S
from tests.support.server import eventually

RAW = "application/octet-stream"
# The mounts are the server's own, and end with it.
NAMESPACE = ["unshare", "--mount", "sh", "-ec"]
# May read everything (the interpreter may be in a folder of root's) and write nothing.
NOBODY = (
    "setpriv --reuid=54321 --regid=54321 --clear-groups "
    "--inh-caps=+dac_read_search --ambient-caps=+dac_read_search"
)
MEMORY = {
    "full": "mount -t tmpfs -o size=64k none /dev/shm; head -c 64k /dev/zero > /dev/shm/x",
    "without an inode": "mount -t tmpfs -o nr_inodes=1 none /dev/shm",
}


@pytest.fixture
def namespace():
    """Return what makes a prefix that runs a script and becomes the server."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv")
    if subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs a mount namespace: `unshare --mount` does not make one")
    return lambda script: [*NAMESPACE, f'{script}; exec "$@"', "sh"]


def serves(server, frames):
    """Whether it predicts and shows its metrics, with the same workers as before."""
    workers = server.worker_pids()
    for _ in range(8):
        answer = server.post(frames[3].tobytes(), RAW)
        assert [p["digit"] for p in answer.json["predictions"]] == [3]
    metrics = server.request("GET", "/metrics")
    assert metrics.status == 200
    assert b'http_route="/predict"' in metrics.body
    return workers and server.worker_pids() == workers


# What cannot work.


@pytest.fixture(scope="module")
def ended(start, url, tmp_path_factory):
    """Servers that cannot work, all started at once."""
    models = tmp_path_factory.mktemp("models")
    (models / "file").touch()
    (models / "locked").mkdir(mode=0)
    port = url.rsplit(":", 1)[1]
    # Permissions do not stop root: it gives up the capabilities that pass over them.
    caps = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    locked = {"prefix": caps if os.getuid() == 0 else ()}
    root = {"MNIST_MODEL_ROOT": str(models), "WEB_CONCURRENCY": "1"}
    return {
        "port in use": start(port=port),
        "workers": start(WEB_CONCURRENCY="two"),
        "no worker": start(WEB_CONCURRENCY="0"),
        "word": start(PORT="http"),
        "port": start(PORT="65536"),
        "file": start(**root, MNIST_MODEL_NAME="file"),
        "locked": start(**root, MNIST_MODEL_NAME="locked", **locked),
        "few files": start(prefix=["prlimit", "--nofile=43"], WEB_CONCURRENCY="2"),
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "workers",
            "error: WEB_CONCURRENCY has value 'two', expected a whole number from 1",
        ),
        (
            "no worker",
            "error: WEB_CONCURRENCY has value '0', expected a whole number from 1",
        ),
        ("word", "error: PORT has value 'http', expected a whole number from 0 to 65535"),
        ("port", "error: PORT has value '65536', expected a whole number from 0 to 65535"),
        ("file", "manifest.json; it cannot be read: Not a directory"),
        ("locked", "manifest.json; it cannot be read: Permission denied"),
        ("port in use", " is in use, expected a free address; try --port "),
        ("few files", "error: the limit of open files is 43, expected at least 44"),
    ],
)
def test_a_start_that_cannot_work_ends_with_the_reason(ended, name, reason):
    server = ended[name]
    assert server.wait() != 0
    assert server.log.count(reason) == 1, server.log
    assert "Traceback" not in server.log


# What is missing.


def test_it_serves_as_any_user_without_home_on_a_read_only_disk(start, namespace, frames):
    script = "mount -o remount,bind,ro /; mount -t tmpfs none /dev/shm"
    prefix = namespace(f'{script}; unset HOME; set -- {NOBODY} "$@"')
    server = start(prefix=prefix).wait_ready()
    assert serves(server, frames)
    for pid in (server.process.pid, *server.worker_pids()):
        assert os.stat(f"/proc/{pid}").st_uid == 54321
    assert server.stop() == 0


@pytest.mark.parametrize("state", MEMORY)
def test_memory_files_that_cannot_be_made_cost_nothing(start, namespace, frames, state):
    server = start(prefix=namespace(MEMORY[state])).wait_ready()
    assert serves(server, frames)
    assert server.stop() == 0


# Few files.


def cpu_seconds(pid):
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_more_clients_than_files_wait_and_cost_nothing(start, frames):
    server = start(prefix=["prlimit", "--nofile=64"]).wait_ready()
    (worker,) = server.worker_pids()
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            address = "127.0.0.1", server.port
            client = stack.enter_context(socket.create_connection(address, START_S))
            client.sendall(b"GET /livez HTTP/1.1\r\n")  # and no more: it stays
        before = cpu_seconds(worker)
        time.sleep(1)
        assert cpu_seconds(worker) - before < 0.3
    assert serves(server, frames)
    assert server.worker_pids() == [worker]
    assert "cannot accept" not in server.log


# A clock that jumps.


@pytest.fixture
def faketime():
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        pytest.skip("needs the library of Debian's faketime")
    before = {*Path("/dev/shm").glob("*faketime_*")}
    yield str(found[0])
    for left in {*Path("/dev/shm").glob("*faketime_*")} - before:
        left.unlink()


def test_a_clock_that_jumps_kills_no_worker(start, faketime, tmp_path, frames):
    (tmp_path / "offset").write_text("+0")
    # The library refuses the call that time.sleep makes.
    (tmp_path / "sitecustomize.py").write_text(
        "import select, time\n"
        "time.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"
    )
    server = start(
        PYTHONPATH=str(tmp_path),
        LD_PRELOAD=faketime,
        FAKETIME_TIMESTAMP_FILE=str(tmp_path / "offset"),
        FAKETIME_CACHE_DURATION="1",
        # As with a real clock: the monotonic clock and files' times stay.
        DONT_FAKE_MONOTONIC="1",
        NO_FAKE_STAT="1",
    ).wait_ready()
    workers = server.worker_pids()
    for days in (1, -1):
        (tmp_path / "offset").write_text(f"{days:+}d")
        wait_for_date(server, datetime.timedelta(days))
        assert serves(server, frames)
    assert server.worker_pids() == workers
    assert server.stop() == 0


def wait_for_date(server, offset):
    def is_there():
        date = server.request("GET", "/livez").headers["Date"]
        now = datetime.datetime.now(datetime.UTC)
        return abs(email.utils.parsedate_to_datetime(date) - now - offset).seconds < 60

    eventually(is_there)


# What it may not do.


@pytest.fixture(scope="module")
def bare(start, tmp_path_factory):
    """A server without any variable: under continuous integration's, telemetry is off."""
    home = tmp_path_factory.mktemp("home")
    variables = f"HOME={home}", "WEB_CONCURRENCY=", "PORT="
    # Long enough that a worker that does not end by itself is not killed during the test.
    options = "--workers", "2", "--graceful-timeout", "100"
    prefix = "prlimit", "--nofile=100:1000", "env", "-i", *variables
    server = start(*options, prefix=prefix, WEB_CONCURRENCY="2").wait_ready()
    server.wait_until("in a browser")
    server.home = home
    return server


def processes(server):
    return [server.process.pid, *server.worker_pids()]


def sockets(pid):
    """Yield each socket of a process: its table in /proc/net and its columns there."""
    links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    for table, column in {"tcp": 9, "tcp6": 9, "unix": 6}.items():
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[column] in inodes:
                inodes.remove(columns[column])
                yield table, columns
    for inode in inodes:
        yield "UDP or another", [inode]


def test_each_process_has_one_thread(bare, frames):
    assert serves(bare, frames)
    assert [len(os.listdir(f"/proc/{pid}/task")) for pid in processes(bare)] == [1] * 3


def test_an_empty_variable_is_none(bare, frames):
    assert serves(bare, frames)


def test_each_process_may_have_as_many_files_as_the_system_allows(bare):
    for pid in processes(bare):
        assert resource.prlimit(pid, resource.RLIMIT_NOFILE) == (1000, 1000)


def test_nothing_is_written_into_home(bare, frames):
    assert serves(bare, frames)
    assert list(bare.home.iterdir()) == []


def test_no_process_has_a_socket_but_those_of_its_clients(bare, frames):
    with socket.create_connection(("127.0.0.1", bare.port)) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        found = [known for pid in processes(bare) for known in sockets(pid)]
    ports = [
        int(columns[1].split(":")[1], 16) for table, columns in found if table == "tcp"
    ]
    assert len(ports) >= 4  # the listener in three processes, and this client's
    assert set(ports) == {bare.port}
    # uvloop's pair, by which a signal wakes the loop: it has no name.
    others = [(table, *columns[7:]) for table, columns in found if table != "tcp"]
    assert set(others) == {("unix",)}


def test_it_ends_without_being_killed(bare, frames):
    assert serves(bare, frames)
    assert bare.stop() == 0
