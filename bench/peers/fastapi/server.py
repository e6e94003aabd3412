"""FastAPI with a pydantic model for the request, as its tutorial has it."""

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from bench.peers.model import Model


class Instances(BaseModel):
    """The request."""

    instances: list[list[int]]


class Predictions(BaseModel):
    """The reply."""

    predictions: list[list[float]]


app = FastAPI()
model = Model()


@app.get("/health")
async def health() -> str:
    """Say that the model is loaded: it is when this module is."""
    return "ok"


# async def, since nothing blocks for long: with def each request would go to a thread pool.
@app.post("/predict")
async def predict(body: Instances) -> Predictions:
    """Answer JSON with JSON."""
    return Predictions(predictions=model.predict(body.instances).tolist())


@app.post("/raw")
async def raw(request: Request) -> Response:
    """Answer raw pixels with raw float32."""
    content = model.predict_bytes(await request.body()).tobytes()
    return Response(content, media_type="application/octet-stream")
