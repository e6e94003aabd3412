"""Robyn: a handler a route, and a reply of bytes."""

import os
from typing import Any

from robyn import Request, Response, Robyn

from bench.peers import answers

app = Robyn(__file__)


def _reply(answer: answers.Answer) -> Any:
    return Response(200, {"Content-Type": answer.media_type}, answer.body)


def _body(request: Request) -> bytes:
    return request.body if isinstance(request.body, bytes) else request.body.encode()


@app.get("/health")
async def health(request: Request) -> Response:
    """Say that the model is loaded."""
    return _reply(answers.health(b""))


# async def, since nothing blocks for long: with def each request would go to a thread pool.
@app.post("/predict")
async def predict(request: Request) -> Response:
    """Answer JSON with JSON."""
    return _reply(answers.predict(_body(request)))


@app.post("/raw")
async def raw(request: Request) -> Response:
    """Answer raw pixels with raw float32."""
    return _reply(answers.raw(_body(request)))


if __name__ == "__main__":
    app.start(host="127.0.0.1", port=int(os.environ["PORT"]))
