"""mosec with dynamic batching: one route in JSON, one in msgpack."""

from typing import Any

import numpy as np
from mosec import Runtime, Server, Worker
from mosec.mixin import MsgpackMixin

from bench.peers.model import PIXELS, Model


class Json(Worker):
    """JSON, which is what a Worker reads and writes by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()

    def forward(self, data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answer the requests that came together."""
        parts = [np.asarray(request["instances"], np.uint8) for request in data]
        return [{"predictions": part.tolist()} for part in _together(self.model, parts)]


class Msgpack(MsgpackMixin, Worker):
    """The pixels as bytes in msgpack, the answer as float32 bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()

    def forward(self, data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answer the requests that came together."""
        parts = [
            np.frombuffer(request["image"], np.uint8).reshape(-1, PIXELS)
            for request in data
        ]
        return [{"probabilities": part.tobytes()} for part in _together(self.model, parts)]


def _together(model: Model, parts: list[Any]) -> list[Any]:
    """Run one batch of all requests' images, and cut the answer up again."""
    ends = np.cumsum([len(part) for part in parts])
    return np.split(model.predict(np.concatenate(parts)), ends[:-1])


if __name__ == "__main__":
    server = Server()
    # As many as there are connections, which is its best case: a batch is full at once.
    # 1 ms is the shortest wait for a full one that it knows; 10 is the default.
    batching = {"num": 1, "max_batch_size": 16, "max_wait_time": 1}
    server.register_runtime(
        {
            "/predict": [Runtime(Json, **batching)],
            "/msgpack": [Runtime(Msgpack, **batching)],
        }
    )
    server.run()
