"""``POST /feedback``: what a sampled image really is."""

from typing import Annotated

import msgspec
from flask import Flask, Response, request

from service.errors import RequestError
from service.http import JSON, json
from service.inference import Inference
from service.web.responses import response

MOST_BYTES = 1000  # an id has at most 128
EXPECTED = 'expected {"id": "<X-Request-ID of the reply>", "digit": <0 to 9>}'


class Content(msgspec.Struct, forbid_unknown_fields=True):
    """The body.

    Attributes:
        id: the request's id.
        digit: what the image is.
        image: its place in the request.
    """

    id: str
    digit: Annotated[int, msgspec.Meta(ge=0, le=9)]
    image: Annotated[int, msgspec.Meta(ge=0)] = 0


_decoder = msgspec.json.Decoder(Content)


def register(app: Flask, inference: Inference) -> None:
    """Add the route, if samples are kept."""
    samples, metrics = inference.samples, inference.monitoring.metrics
    if samples is None:
        return

    @app.post("/feedback")
    def feedback() -> Response:
        if request.mimetype != JSON:
            found = f"Content-Type is {request.mimetype!r:.100}"
            raise RequestError(415, f"{found}, expected {JSON}")
        body = request.stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise RequestError(
                413, f"body is too long, expected at most {MOST_BYTES} bytes"
            )
        try:
            told = _decoder.decode(body)
        except ValueError as error:  # of msgspec, or UTF-8
            raise RequestError(400, f"{error}, {EXPECTED}") from None
        answer = samples.label(told.id, told.image, told.digit)
        if answer is None:
            raise RequestError(
                404,
                f"found no sample of request {told.id!r:.140}, expected one that was kept "
                "and has no digit yet",
            )
        version, read = answer
        metrics.count_feedback(version, read, told.digit)
        return response(json({"digit": told.digit, "read": read, "version": f"{version}"}))
