"""The master: reloads that lose nothing or change nothing."""

import os
import signal
import socket
import threading
import time

import pytest

from bench.harness.server import START_S
from tests.support.server import eventually, workers
from tests.support.wire import RAW, connect, digit, post, read_reply


def version(server, frames):
    return server.post(frames[3].tobytes(), RAW).json["model"]["version"]


def reloads(server, result):
    text = server.request("GET", "/metrics").body.decode()
    wanted = f'mnist_reloads_total{{result="{result}"}} '
    return sum(float(x.split()[-1]) for x in text.splitlines() if x.startswith(wanted))


def reload(server, result="done"):
    """Reload, and wait until it has been decided."""
    before = reloads(server, result)
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: reloads(server, result) == before + 1)


@pytest.fixture
def server(start, models):
    return start(MNIST_MODEL_ROOT=str(models)).wait_ready()


@pytest.fixture
def pair(start, models):
    """A server with two workers."""
    return start(WEB_CONCURRENCY="2", MNIST_MODEL_ROOT=str(models)).wait_ready()


def test_a_reload_swaps_versions_and_workers(pair, add_version, frames):
    old = workers(pair)
    assert version(pair, frames) == "1"
    add_version(5)
    reload(pair)
    assert not old & workers(pair)
    assert version(pair, frames) == "5"


def test_a_version_that_was_removed_is_not_served_after_a_reload(
    server, add_version, models, frames
):
    add_version(5)
    reload(server)
    for name in ("model.onnx", "manifest.json"):
        (models / "mnist" / "5" / name).unlink()
    (models / "mnist" / "5").rmdir()
    reload(server)
    assert version(server, frames) == "1"


def test_a_new_version_that_is_broken_is_refused_and_the_others_are_reloaded(
    server, add_version, frames
):
    add_version(5)
    add_version(6, lambda content: content[:1000])
    reload(server)
    assert version(server, frames) == "5"
    server.wait_until("mnist version 6 is refused")


def test_a_reload_that_would_spoil_what_is_served_changes_nothing(
    server, models, add_version, frames
):
    add_version(5)
    reload(server)
    old = workers(server)
    (models / "mnist" / "5" / "model.onnx").write_bytes(b"spoilt")
    reload(server, "refused")
    assert workers(server) == old
    assert version(server, frames) == "5"
    server.wait_until("version 5 was served before this reload and is refused now")


def test_a_reload_without_any_good_version_changes_nothing(server, models, frames):
    old = workers(server)
    (models / "mnist" / "1" / "manifest.json").write_text("{}")
    reload(server, "refused")
    assert workers(server) == old
    assert version(server, frames) == "1"
    server.wait_until("reload is given up: a new worker cannot serve; the log says why")


def test_a_reload_works_again_once_the_files_are_mended(server, models, frames):
    manifest = models / "mnist" / "1" / "manifest.json"
    good = manifest.read_text()
    manifest.write_text("{}")
    reload(server, "refused")
    manifest.write_text(good)
    old = workers(server)
    reload(server)
    assert not old & workers(server)
    assert version(server, frames) == "1"


def test_a_worker_that_is_replaced_serves_what_the_others_serve(pair, models, frames):
    (models / "mnist" / "1" / "model.onnx").write_bytes(b"spoilt")
    for pid in workers(pair):
        os.kill(pid, signal.SIGKILL)
        eventually(lambda pid=pid: pid not in pair.worker_pids())
        workers(pair)
    assert version(pair, frames) == "1"


def test_a_file_of_keys_counts_only_from_a_reload_that_works(start, tmp_path, frames):
    keys = tmp_path / "keys"
    keys.write_text("first-key-of-the-test\n")
    server = start(WEB_CONCURRENCY="2", MNIST_API_KEYS=str(keys)).wait_ready()
    old = workers(server)
    keys.write_text("short\n")
    os.kill(min(old), signal.SIGKILL)
    eventually(lambda: min(old) not in server.worker_pids())
    server.process.send_signal(signal.SIGHUP)
    server.wait_until("reload is given up")
    headers = {"Authorization": "Bearer first-key-of-the-test", "Content-Type": RAW}
    for _ in range(20):
        answer = server.request("POST", "/predict", frames[3].tobytes(), headers)
        assert answer.status == 200


def test_a_reload_with_settings_that_cannot_be_read_changes_nothing(
    start, tmp_path, root, frames
):
    config = tmp_path / "config.py"
    config.write_text((root / "service" / "gunicorn.conf.py").read_text())
    # The file finds the project by its own path.
    text = config.read_text().replace(
        "Path(__file__).resolve().parent.parent", f"Path({str(root)!r})"
    )
    config.write_text(text)
    server = start("--config", str(config)).wait_ready()
    old = workers(server)
    config.write_text("workers = 'many'")
    reload(server, "refused")
    assert workers(server) == old
    assert digit(server, frames)


def test_a_worker_that_does_not_get_ready_stops_the_reload(start, tmp_path, frames):
    script = tmp_path / "wsgi_late.py"
    script.write_text(
        "import os, time\nfrom service.wsgi import load\n"
        f"if os.path.exists({str(tmp_path / 'late')!r}): time.sleep(600)\napp = load()\n"
    )
    options = ("--pythonpath", str(tmp_path), "--graceful-timeout", "2", "wsgi_late:app")
    server = start(*options).wait_ready()
    old = workers(server)
    (tmp_path / "late").touch()
    reload(server, "refused")
    assert workers(server) == old
    assert digit(server, frames)
    server.wait_until("reload is given up: not ready after 2 s")


def load_until(server, frames, end, failures):
    """Send requests on new connections; collect what failed although it was accepted."""
    request = post(frames[4].tobytes(), "Connection: close")
    while not end.is_set():
        client = socket.socket()
        client.settimeout(START_S)
        try:
            client.connect(("127.0.0.1", server.port))
        except OSError:
            client.close()
            continue  # refused: it was never accepted
        try:
            client.sendall(request)
            status = read_reply(client)[0]
            if status != 200:
                failures.append(status)
        except (OSError, ValueError) as error:
            failures.append(repr(error))
        except Exception as error:  # http.client's own
            failures.append(repr(error))
        finally:
            client.close()


@pytest.fixture
def loaded(pair, frames):
    """Clients that come and go; returns what failed."""
    end, failures = threading.Event(), []
    arguments = (pair, frames, end, failures)
    clients = [threading.Thread(target=load_until, args=arguments) for _ in range(8)]
    for client in clients:
        client.start()
    yield failures
    end.set()
    for client in clients:
        client.join()


def test_no_request_is_lost_in_reloads_and_a_stop(pair, loaded):
    for _ in range(3):
        reload(pair)
    pair.process.send_signal(signal.SIGTERM)
    assert pair.wait() == 0
    assert loaded == []


def test_an_old_worker_of_a_reload_stays_ready(pair, frames):
    kept = connect(pair, post(frames[8].tobytes()))
    assert read_reply(kept)[0] == 200
    pair.process.send_signal(signal.SIGHUP)
    pair.wait_until("Worker exiting")
    assert pair.request("GET", "/readyz").status == 200
    kept.close()


def test_hang_ups_that_wait_are_one(server):
    for _ in range(40):
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.005)
    reload(server)  # what waits is handled before it, or is this one
    eventually(lambda: "Hang up" in server.log)
    assert server.log.count("Hang up") < 10


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_what_ends_the_service_overtakes_reloads(start, models, ending):
    # A worker that only starts then is killed after this time.
    options = ("--graceful-timeout", "5")
    server = start(*options, MNIST_MODEL_ROOT=str(models)).wait_ready()
    server.process.send_signal(signal.SIGHUP)
    server.wait_until("Hang up")
    # Stopped, so that both are there when it looks, however late this process sends them.
    for number in (signal.SIGSTOP, signal.SIGHUP, ending, signal.SIGCONT):
        server.process.send_signal(number)
    assert server.wait() == 0
    assert server.log.count("Hang up") == 1
