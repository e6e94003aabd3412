"""The door's life: keys, deadlines, overload, reload, stop; off by default."""

import asyncio
import json
import os
import signal
import threading
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest

from service.http import overloaded, refusal
from service.rpc.call import Call
from service.rpc.status import CODES, trailers
from tests.service.rpc.conftest import PYTHON
from tests.support.server import eventually, free_port

KEY = "k" * 20


def predicted(server):
    """Return how many images were predicted."""
    lines = server.request("GET", "/metrics").body.decode().splitlines()
    found = [line for line in lines if line.startswith("mnist_predictions_total")]
    return sum(float(line.split()[-1]) for line in found)


def test_a_key_is_metadata(start_rpc, make, frames, tmp_path):
    (tmp_path / "keys").write_text(KEY)
    rpc = start_rpc(MNIST_API_KEYS=str(tmp_path / "keys"))
    rpc.server.wait_ready()
    request = make(frames[:1])
    for metadata in ([], [("authorization", "Bearer " + "x" * 20)]):
        with pytest.raises(grpc.RpcError) as failed:
            rpc.client.infer(request, metadata=metadata)
        assert failed.value.code() is grpc.StatusCode.UNAUTHENTICATED
        with pytest.raises(grpc.RpcError) as failed:
            rpc.client.ask("ServerMetadata", metadata)
        assert failed.value.code() is grpc.StatusCode.UNAUTHENTICATED
    metadata = [("authorization", f"Bearer {KEY}")]
    assert rpc.client.infer(request, metadata=metadata).model_name == "mnist"
    assert rpc.client.ask("ServerMetadata", metadata).name == "mnist-server"
    assert rpc.client.ask("ServerReady").ready
    assert rpc.client.health() == 1


def test_what_is_too_late_is_not_computed(rpc, make, frames):
    rpc.client.infer(make(frames[:1]))
    before = predicted(rpc.server)
    (worker,) = rpc.server.worker_pids()
    os.kill(worker, signal.SIGSTOP)
    try:
        calls = [
            rpc.client.method("ModelInfer").future(make(frames), timeout=0.3)
            for _ in range(20)
        ]
        codes = {call.code() for call in calls}
    finally:
        os.kill(worker, signal.SIGCONT)
    assert codes == {grpc.StatusCode.DEADLINE_EXCEEDED}
    rpc.client.infer(make(frames[:1]))  # after all of them
    # gRPC may hand some over before it has read that they were cancelled.
    assert predicted(rpc.server) <= before + 1 + len(calls) // 2 * len(frames)


def test_a_queue_is_bounded(start_rpc, make, frames):
    rpc = start_rpc(MNIST_MAX_WAIT_MS="1")
    rpc.server.wait_ready()
    rpc.client.infer(make(frames[:1]))
    (worker,) = rpc.server.worker_pids()
    os.kill(worker, signal.SIGSTOP)  # so that all are there at once
    try:
        method = rpc.client.method("ModelInfer")
        calls = [method.future(make(frames[:1]), timeout=100) for _ in range(300)]
    finally:
        os.kill(worker, signal.SIGCONT)
    codes = {call.code() for call in calls}
    assert codes == {grpc.StatusCode.OK, grpc.StatusCode.CANCELLED}  # the library's choice
    assert rpc.client.infer(make(frames[:1])).model_name == "mnist"


def test_overload_says_when_to_try_again():
    reply = refusal(overloaded("too much"))
    assert CODES[reply.status] is grpc.StatusCode.UNAVAILABLE
    assert dict(trailers(reply, "7")) == {
        "x-request-id": "7",
        "grpc-retry-pushback-ms": "1000",
    }


def test_reload_loses_no_call(start_rpc, make, frames):
    rpc = start_rpc(WEB_CONCURRENCY="2")
    rpc.server.wait_ready()
    request, ended, failed, answered = make(frames[:1]), threading.Event(), [], []

    def ask(new_connections):
        client = type(rpc.client)(rpc.port)
        while not ended.is_set():
            if new_connections:
                client.channel.close()
                client = type(rpc.client)(rpc.port)
            try:
                client.infer(request)
                answered.append(new_connections)
            except grpc.RpcError as error:
                failed.append(error)

    threads = [threading.Thread(target=ask, args=[new]) for new in (False, True)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        before = {*rpc.server.worker_pids()}
        rpc.server.process.send_signal(signal.SIGHUP)
        eventually(lambda: not before & {*rpc.server.worker_pids()})  # noqa: B023
        # The new workers answer before they are replaced in their turn.
        enough = len(answered) + 50
        eventually(lambda: len(answered) > enough or failed)  # noqa: B023
    ended.set()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {*answered} == {False, True}


def test_stop_says_so_and_answers_what_it_has(start_rpc, make, frames):
    rpc = start_rpc(MNIST_DRAIN_SECONDS="3600")
    rpc.server.wait_ready()
    assert rpc.client.health() == 1
    rpc.server.request_stop()
    eventually(lambda: rpc.client.health() == 2)
    assert not rpc.client.ask("ServerReady").ready
    assert rpc.client.infer(make(frames[:1])).model_name == "mnist"
    rpc.server.process.send_signal(signal.SIGINT)  # no more waiting
    assert rpc.server.wait() == 0


def test_off_by_default(start_once):
    server = start_once(python=PYTHON, WEB_CONCURRENCY="1").wait_ready()
    (worker,) = server.worker_pids()
    assert "cygrpc" not in Path(f"/proc/{worker}/maps").read_text()


def test_master_does_not_load_it(rpc):
    assert "cygrpc" not in Path(f"/proc/{rpc.server.process.pid}/maps").read_text()
    (worker,) = rpc.server.worker_pids()
    assert "cygrpc" in Path(f"/proc/{worker}/maps").read_text()


def test_what_cannot_work(start_once, rpc):
    bind = f"127.0.0.1:{free_port()}"
    expected = {
        "requirements/grpc.txt": start_once(MNIST_GRPC_BIND=bind),
        "gthread": start_once(
            "--worker-class", "gthread", python=PYTHON, MNIST_GRPC_BIND=bind
        ),
        "is in use": start_once(python=PYTHON, MNIST_GRPC_BIND=rpc.client.address),
    }
    for text, server in expected.items():
        assert server.wait() == 4
        (line,) = server.log.splitlines()
        assert text in line


def test_who_has_left_is_gone():
    async def find():
        call = Call(SimpleNamespace(route="/x"), {}, 784, None)
        yield call.gone
        call.outcome.cancel()
        yield call.gone

    async def collect():
        return [gone async for gone in find()]

    assert asyncio.run(collect()) == [False, True]


def test_a_canary_by_header_answers_by_metadata(start_rpc, make, frames, tmp_path):
    share = {"version": 2, "percent": 50, "header": "user"}
    (tmp_path / "traffic.json").write_text(json.dumps({"canary": share}))
    rpc = start_rpc(MNIST_TRAFFIC=str(tmp_path / "traffic.json"))
    rpc.server.wait_ready()

    def version(user):
        metadata = [("user", str(user))]
        return rpc.client.infer(make(frames[:1]), metadata=metadata).model_version

    first = [version(user) for user in range(20)]
    assert {*first} == {"2", "3"}
    assert [version(user) for user in range(20)] == first
