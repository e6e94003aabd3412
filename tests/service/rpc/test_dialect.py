"""Whatever a message holds, it is decoded or refused with words."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.protocols import Limits, Predictions
from service.rpc import dialect
from service.rpc.messages import InferRequest, InferResponse

NUMBERS = st.lists(st.integers(0, 255), max_size=5) | st.just([0, 200] * 392)
TENSORS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["image", "x"]),
        "datatype": st.sampled_from(["UINT8", "FP32", "FP16", "INT64", "BYTES", ""]),
        "shape": st.sampled_from([[1, 784], [784], [-1, 784], [2**62, 784], []]),
    },
    optional={
        "contents": st.dictionaries(
            st.sampled_from(["uint_contents", "int64_contents", "fp32_contents"]), NUMBERS
        )
    },
)
MESSAGES = st.builds(
    lambda inputs, raw, outputs: InferRequest(
        inputs=inputs, raw_input_contents=raw, outputs=outputs
    ).SerializeToString(),
    st.lists(TENSORS, max_size=2),
    st.lists(st.sampled_from([b"", b"x", bytes([0, 200] * 392)]), max_size=2),
    st.lists(st.fixed_dictionaries({"name": st.sampled_from(["probabilities", "x"])})),
)


@given(st.lists(MESSAGES | st.binary(max_size=40), max_size=3))
def test_every_message_is_decoded_or_refused(bodies):
    batch = dialect.decode(None, bodies, Limits())
    assert len(batch.counts) + len(batch.refused) == len(bodies)
    for error in batch.refused.values():
        assert error.status in (400, 413, 422)
        assert "expected" in error.message
    if not batch.counts:
        return
    predictions = Predictions.of(np.full((sum(batch.counts), 10), 0.1, np.float32))
    for payload in dialect.encode(batch, predictions, "mnist", 3):
        reply = InferResponse.FromString(payload.body)
        assert [list(output.shape) for output in reply.outputs] == [[1, 10]]


def test_classes_are_typed_as_the_request_was(frames):
    tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 784]}
    tensor["contents"] = {"uint_contents": frames[7].tolist()}
    request = InferRequest(inputs=[tensor])
    output = request.outputs.add(name="probabilities")
    output.parameters["classification"].int64_param = 2
    batch = dialect.decode(None, [request.SerializeToString()], Limits())
    probabilities = np.eye(10, dtype=np.float32)[[7]]
    ((body, *_),) = dialect.encode(batch, Predictions.of(probabilities), "mnist", 3)
    (found,) = InferResponse.FromString(body).outputs
    assert found.datatype == "BYTES"
    assert list(found.contents.bytes_contents) == [b"1.000000:7:7", b"0.000000:0:0"]
