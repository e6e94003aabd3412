"""LitServe: a LitAPI for JSON, and one for raw bytes beside it."""

import os
from typing import Annotated, Any

import litserve as ls
from fastapi import Body, Response

from bench.peers.model import Model


class Json(ls.LitAPI):
    """JSON in, JSON out."""

    def setup(self, device: str) -> None:
        """Load the model in the worker."""
        self.model = Model()

    def decode_request(self, request: dict[str, Any]) -> list[list[int]]:
        """Take the images out of the request."""
        instances: list[list[int]] = request["instances"]
        return instances

    def predict(self, x: Any) -> Any:
        """Run the model."""
        return self.model.predict(x)

    def encode_response(self, output: Any) -> dict[str, Any]:
        """Make the reply."""
        return {"predictions": output.tolist()}


class Raw(ls.LitAPI):
    """Raw pixels in, raw float32 out."""

    def setup(self, device: str) -> None:
        """Load the model in the worker."""
        self.model = Model()

    def decode_request(
        self, request: Annotated[bytes, Body(media_type="application/octet-stream")]
    ) -> bytes:
        """Take the body as it is."""
        return request

    def predict(self, x: Any) -> Any:
        """Run the model."""
        return self.model.predict_bytes(x)

    def encode_response(self, output: Any) -> Response:
        """Make the reply."""
        return Response(output.tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    server = ls.LitServer(
        [Json(api_path="/predict"), Raw(api_path="/raw")],
        accelerator="cpu",
        workers_per_device=1,
        fast_queue=True,  # ZeroMQ, which its documentation names for high throughput
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        num_api_servers=1,
        log_level="warning",  # no access log
        generate_client_file=False,
    )
