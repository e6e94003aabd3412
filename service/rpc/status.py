"""gRPC's status of what HTTP has a status for."""

import grpc
import orjson

from service.http import Reply

# As in google.rpc.Code; for a request that is too large as gRPC's own limit of messages.
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    415: grpc.StatusCode.INVALID_ARGUMENT,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    499: grpc.StatusCode.CANCELLED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
# The counterpart of Retry-After, in milliseconds (gRPC's proposal A6).
PUSHBACK = "grpc-retry-pushback-ms"
REQUEST_ID = "x-request-id"


def message(reply: Reply) -> str:
    """Return what a reply with an error says."""
    return str(orjson.loads(reply.body)["error"])


def trailers(reply: Reply, request_id: str) -> tuple[tuple[str, str], ...]:
    """Return the metadata that goes with a reply's status."""
    waits = [(PUSHBACK, f"{v}000") for name, v in reply.headers if name == "Retry-After"]
    return ((REQUEST_ID, request_id), *waits)
