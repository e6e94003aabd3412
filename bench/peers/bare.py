"""ONNX Runtime alone, the upper bound: ``python -m bench.peers.bare --images 64``."""

import argparse
import json
import time

import numpy as np

from bench.peers import items
from bench.peers.model import Model


def rate(images: int, seconds: float) -> float:
    """Return the images per second of ``session.run`` alone, in batches of ``images``."""
    every = items.digits().astype(np.float32) / np.float32(255)
    batch = every[np.arange(images) % len(every)]
    model = Model()
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        for _ in range(100):  # so that the clock costs nothing
            model.run(batch)
        count += 100 * images
    return count / elapsed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1, help="images a run (default: 1)")
    parser.add_argument("--seconds", type=float, default=2, help="(default: 2)")
    options = parser.parse_args()
    print(json.dumps({"images_per_s": rate(options.images, options.seconds)}))
