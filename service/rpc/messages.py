"""The messages of the protocol, from what `open_inference.proto` compiles to.

Descriptors instead of generated code: they fit every version of protobuf.
"""

from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

COMPILED = Path(__file__).with_name("open_inference.binpb")

_pool = descriptor_pool.Default()  # where reflection looks, too
for _file in descriptor_pb2.FileDescriptorSet.FromString(COMPILED.read_bytes()).file:
    _pool.AddSerializedFile(_file.SerializeToString())

SERVICE = _pool.FindServiceByName("inference.GRPCInferenceService")
# Each method's messages, by its name: what it is asked, and what it answers.
METHODS: dict[str, tuple[Any, Any]] = {
    method.name: (
        message_factory.GetMessageClass(method.input_type),
        message_factory.GetMessageClass(method.output_type),
    )
    for method in SERVICE.methods
}
InferRequest, InferResponse = METHODS["ModelInfer"]
