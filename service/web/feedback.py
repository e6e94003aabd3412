"""``POST /feedback``: what an image really is, sampled before or sent along."""

from itertools import chain
from typing import Annotated

import msgspec
from flask import Flask, Response, request

from service.errors import RequestError
from service.http import JSON, json
from service.inference import Inference, asked_version
from service.web.responses import response

MOST_BYTES = 16_000  # a frame has at most 4,000, or 13,000 with a line for each pixel
EXPECTED = (
    'expected {"digit": <0 to 9>} with {"id": "<X-Request-ID of the reply>"}, or with '
    '{"frame": <as in the reply>}'
)

Digit = Annotated[int, msgspec.Meta(ge=0, le=9)]
Level = Annotated[int, msgspec.Meta(ge=0, le=255)]
SIDE = msgspec.Meta(min_length=28, max_length=28)
Frame = Annotated[list[Annotated[list[Level], SIDE]], SIDE]


class Content(msgspec.Struct, forbid_unknown_fields=True):
    """The body: a digit, and either an id or a frame.

    Attributes:
        digit: what the image is.
        id: the id of the request, if it was sampled.
        image: its place in the request.
        frame: the image itself, 28 rows of 28 grey levels.
    """

    digit: Digit
    id: str | None = None
    image: Annotated[int, msgspec.Meta(ge=0)] = 0
    frame: Frame | None = None


_decoder = msgspec.json.Decoder(Content)


def register(app: Flask, inference: Inference) -> None:
    """Add the route, if samples are kept."""
    samples, metrics = inference.samples, inference.monitoring.metrics
    if samples is None:
        return

    @app.post("/feedback")
    def feedback() -> Response:
        told = _read()
        if told.frame is not None:
            model = inference.repository.get(asked_version(request.args))
            frame = bytes(chain.from_iterable(told.frame))
            version, read = model.version, samples.keep(frame, model, told.digit)
        else:
            answer = samples.label(told.id or "", told.image, told.digit)
            if answer is None:
                raise RequestError(
                    404,
                    f"found no sample of request {told.id!r:.140}, expected one that was "
                    "kept and has no digit yet",
                )
            version, read = answer
        metrics.count_feedback(version, read, told.digit)
        return response(json({"digit": told.digit, "read": read, "version": f"{version}"}))


def _read() -> Content:
    """Read the body.

    Raises:
        RequestError: 400 malformed, 413 too long, 415 not JSON or compressed.
    """
    if request.mimetype != JSON:
        found = f"Content-Type is {request.mimetype!r:.100}"
        raise RequestError(415, f"{found}, expected {JSON}")
    if encoding := request.headers.get("Content-Encoding"):
        found = f"Content-Encoding is {encoding!r:.100}"
        raise RequestError(415, f"{found}, expected a body that is not compressed")
    body = request.stream.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise RequestError(413, f"body is too long, expected at most {MOST_BYTES} bytes")
    try:
        told = _decoder.decode(body)
    except ValueError as error:  # of msgspec, or UTF-8
        raise RequestError(400, f"{error}, {EXPECTED}") from None
    if (told.id is None) == (told.frame is None):
        found = "neither id nor frame" if told.id is None else "both id and frame"
        raise RequestError(400, f"found {found}, {EXPECTED}")
    return told
