"""Requests of each dialect."""

import json

import numpy as np

from service.protocols.oip import LENGTH

RAW, JSON = "application/octet-stream", "application/json"
INFER, TFS = "/v2/models/mnist/infer", "/v1/models/mnist:predict"


def tensor(datatype, images, **fields):
    entry = {"name": "image", "shape": list(images.shape), "datatype": datatype, **fields}
    return json.dumps({"inputs": [entry]}).encode()


def binary(server, datatype, images):
    content = images.tobytes()
    text = tensor(datatype, images, parameters={"binary_data_size": len(content)})
    headers = {LENGTH: str(len(text)), "Content-Type": RAW}
    return server.request("POST", INFER, text + content, headers)


def dump(value):
    return json.dumps(value).encode()


def floats(images):
    return images.astype(np.float32) / np.float32(255)
