"""gRPC's server in a worker, on the worker's own event loop."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import grpc
import grpc.aio
from google.protobuf import json_format
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from service.errors import RequestError
from service.http import INTERNAL_ERROR, Reply, refusal, request_id, sane_id
from service.inference import Endpoint, Inference, Target
from service.monitoring import log_bug
from service.monitoring.outcome import Outcome
from service.rpc import dialect
from service.rpc.answers import HEALTH, Answers
from service.rpc.call import Call
from service.rpc.messages import METHODS, SERVICE
from service.rpc.status import CODES, REQUEST_ID, message, trailers

ROUTE = f"/{SERVICE.full_name}/"
INFER = ROUTE + "ModelInfer"
# Seconds that calls have to end once the door closes. Inference takes milliseconds, but
# beside eight busy loops 2 s were not enough for each call; streams (health watches,
# reflection) would never end.
GRACE_S = 10
# What heads ask for is remembered; most services see fewer than ten.
MOST_TARGETS = 256
# Calls at a time; the next get RESOURCE_EXHAUSTED. Each may hold a message of the largest
# size, and far fewer fill a worker.
MOST_CALLS = 1024
# gRPC hands calls over one by one, so that a queue is in its library, where admission does
# not see it. A call takes 0.2 ms of the library's time at least (`bench.rpc`): those that
# wait there do so for about as long as a request may.
PENDING_PER_MS = 5

# Takes a call with its head, its message, and whether that is all of it: `Turns.take`.
Take = Callable[[Call, Call, bytes, bool], None]


class Door:
    """Listens for calls, and answers them.

    Args:
        inference: answers inference.
        release: the service's version.
    """

    def __init__(self, inference: Inference, release: str) -> None:
        self._inference, self._settings = inference, inference.settings
        self._answers = Answers(inference, release)
        self._targets: dict[tuple[str, ...], Target] = {}
        header = inference.canary.header if inference.canary else ""
        self._decides = "authorization", header  # the metadata on which targets depend
        self._serving = True

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._settings.grpc_bind.rpartition(":")[2])

    async def open(self, idle_s: int) -> None:
        """Listen; calls wait until `serve`.

        Args:
            idle_s: seconds after which a connection without a call ends.

        Raises:
            RuntimeError: the address cannot be used.
        """
        most_pending = PENDING_PER_MS * self._settings.max_wait_ms
        self._server = grpc.aio.server(
            options=[
                ("grpc.server.max_pending_requests", most_pending),
                ("grpc.server.max_pending_requests_hard_limit", most_pending),
                ("grpc.so_reuseport", 1),
                ("grpc.max_receive_message_length", self._settings.max_body_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_connection_idle_ms", 1000 * idle_s),
                # Identity alone: what a message inflates to has no limit.
                ("grpc.compression_enabled_algorithms_bitset", 1),
            ],
            maximum_concurrent_rpcs=MOST_CALLS,
        )
        self._health = health.aio.HealthServicer()
        await self._health.set(SERVICE.full_name, health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = [SERVICE.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME]
        reflection.enable_server_reflection(names, self._server)
        self._server.add_generic_rpc_handlers((self._handlers(),))
        self._server.add_insecure_port(self._settings.grpc_bind)
        await self._server.start()

    def serve(self, take: Take) -> None:
        """Give calls of ModelInfer to the worker's turns from now on."""
        self._take = take

    async def report(self, is_open: bool) -> None:
        """Tell health checks whether calls should come."""
        if self._serving and not is_open:
            self._serving = False
            await self._health.enter_graceful_shutdown()

    async def close(self) -> None:
        """Tell clients to go elsewhere, and answer what they have sent."""
        await self.report(False)
        await self._server.stop(GRACE_S)

    # Methods.

    def _handlers(self) -> grpc.GenericRpcHandler:
        handlers = {"ModelInfer": grpc.unary_unary_rpc_method_handler(self._infer)}
        for name in self._answers.methods:
            asked, answered = METHODS[name]
            handlers[name] = grpc.unary_unary_rpc_method_handler(
                self._method(name), asked.FromString, answered.SerializeToString
            )
        return grpc.method_handlers_generic_handler(SERVICE.full_name, handlers)

    async def _infer(self, body: bytes, context: Any) -> bytes:
        fields = dict(context.invocation_metadata())
        try:
            body = dialect.parse(body)  # for the batch too
            target = self._target(body.message, fields)
        except RequestError as error:
            outcome = Outcome("POST", INFER, None, request_id(), refusal(error), len(body))
            self._inference.monitoring.count([outcome])
            await _abort(context, outcome)
        left = context.time_remaining()
        if left is not None:
            target = target.with_timeout(left)
        call = Call(target, fields, len(body), context)
        self._take(call, call, body, True)
        outcome = await call.outcome
        if outcome.reply.status != 200:
            await _abort(context, outcome)
        context.set_trailing_metadata(((REQUEST_ID, outcome.request_id),))
        return outcome.reply.body

    def _target(self, message: Any, fields: dict[str, str]) -> Target:
        """Return what is asked for."""
        asked = message.model_name, message.model_version
        decides = {name: fields.get(name, "") for name in self._decides}
        key = (*asked, *decides.values())
        target = self._targets.get(key)
        if target is None:
            if len(self._targets) == MOST_TARGETS:
                self._targets.clear()
            endpoint = Endpoint(INFER, asked[0], None, dialect)
            query = f"version={asked[1]}" if asked[1] else ""
            target = self._inference.target(endpoint, query, decides)
            self._targets[key] = target
        return target

    def _method(self, name: str) -> Callable[[Any, Any], Awaitable[Any]]:
        route, (_, answered) = ROUTE + name, METHODS[name]
        monitoring, access = self._inference.monitoring, self._inference.access

        async def handle(request: Any, context: Any) -> Any:
            began, error = perf_counter(), None
            fields = dict(context.invocation_metadata())
            used_id = request_id(sane_id(fields.get(REQUEST_ID, "")))
            reply = Reply(200, b"")
            try:
                refused = None if name in HEALTH else access.refuse_key(route, fields)
                if refused is not None:
                    raise refused.without_frames()
                found = json_format.ParseDict(
                    self._answers.methods[name](request), answered()
                )
            except RequestError as refused:
                reply = refusal(refused)
            except Exception as bug:
                reply, error = INTERNAL_ERROR, bug
            outcome = Outcome("POST", route, None, used_id, reply, error=error)
            outcome.seconds = perf_counter() - began
            if error is not None:
                log_bug(outcome)
            if name not in HEALTH:
                monitoring.count([outcome])
            if reply.status != 200:
                await _abort(context, outcome)
            return found

        return handle


async def _abort(context: Any, outcome: Outcome) -> None:
    """End a call with the status of an outcome that is no success; raises gRPC's error."""
    reply = outcome.reply
    code, metadata = CODES[reply.status], trailers(reply, outcome.request_id)
    await context.abort(code, message(reply), metadata)
