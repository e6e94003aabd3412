"""Flask, written plainly: the quickstart's JSON route on the model."""

from flask import Flask, Response, jsonify, request

from bench.peers.model import Model

app = Flask(__name__)
model = Model()


@app.get("/health")
def health() -> str:
    """Say that the model is loaded: it is when this module is."""
    return "ok"


@app.post("/predict")
def predict() -> Response:
    """Answer JSON with JSON."""
    return jsonify(predictions=model.predict(request.get_json()["instances"]).tolist())


@app.post("/raw")
def raw() -> Response:
    """Answer raw pixels with raw float32."""
    content = model.predict_bytes(request.get_data()).tobytes()
    return Response(content, mimetype="application/octet-stream")
