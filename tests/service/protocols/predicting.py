"""Bodies of /predict, and how they are decoded."""

import json

from service.protocols import (
    Limits,
    predict,
)

JSON, RAW = "application/json", "application/octet-stream"


def decode_all(bodies, headers, max_images=1024, **parameters):
    options = predict.read_head(headers, parameters)
    return predict.decode(options, bodies, Limits(max_images))


def decode(body, content_type=JSON, max_images=1024, **parameters):
    """Return what one body asks for, or raise why it is refused."""
    found = decode_all([body], {"content-type": content_type}, max_images, **parameters)
    for error in found.refused.values():
        raise error
    return found


def dump(instances):
    return json.dumps({"instances": instances}).encode()


def image(pixel=7, count=784):
    pixels = [0, 128] * 392
    pixels[5] = pixel
    return pixels[:count]
