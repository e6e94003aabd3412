"""``/invocations``: what MLflow's clients send."""

import json

import numpy as np
import pytest

from service.errors import RequestError
from service.protocols import Limits, invocations

HEADERS = {"content-type": "application/json"}


def decode(value):
    options = invocations.read_head(HEADERS, {})
    batch = invocations.decode(options, [json.dumps(value).encode()], Limits())
    if batch.refused:
        raise batch.refused[0]
    return batch.pixels


# Byte for byte what ScoringServerClient of mlflow-skinny 3.17.2 sends for a DataFrame and
# for an array; it is not installed here.
@pytest.mark.parametrize(
    "wrap",
    [
        lambda rows: {
            "dataframe_split": {
                "index": [*range(len(rows))],
                "columns": [*range(784)],
                "data": rows,
            },
            "params": {"x": 1},
        },
        lambda rows: {"inputs": rows, "params": {"x": 1}},
        lambda rows: {"inputs": [np.reshape(row, (28, 28)).tolist() for row in rows]},
        lambda rows: {"instances": rows},
    ],
    ids=["DataFrame", "array", "array of squares", "instances"],
)
def test_mlflow_s_forms_are_the_same_images(frames, wrap):
    pixels = decode(wrap(frames.tolist()))
    assert np.array_equal(np.rint(pixels * (1 if pixels.max() > 1 else 255)), frames)


@pytest.mark.parametrize(
    ("value", "status", "message"),
    [
        ({}, 400, "found neither of instances and inputs, expected"),
        ({"dataframe_split": {}}, 400, "missing required field data"),
        ({"dataframe_split": {"data": [[0]]}}, 422, "image 0 has 1 numbers"),
        ({"dataframe_split": {"data": [["a"]]}}, 422, "got str"),
        ({"dataframe_split": {"data": []}, "inputs": []}, 400, "more than dataframe_split"),
    ],
    ids=range(5),
)
def test_what_is_none_of_them_is_refused(value, status, message):
    with pytest.raises(RequestError, match=message) as caught:
        decode(value)
    assert caught.value.status == status
