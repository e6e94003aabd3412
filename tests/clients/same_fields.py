"""Compare this project's messages with Triton's and KServe's: run with the descriptors."""

import sys
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool

own = descriptor_pool.DescriptorPool()
for file in descriptor_pb2.FileDescriptorSet.FromString(
    Path(sys.argv[1]).read_bytes()
).file:
    own.AddSerializedFile(file.SerializeToString())

NEWER = {"double_param", "uint64_param"}  # Triton's, and not KServe's yet


def check(ours, theirs):
    """Compare what the first of two messages has, and all below it."""
    for field in ours.fields:
        if field.name in NEWER and field.name not in theirs.fields_by_name:
            continue
        other = theirs.fields_by_name[field.name]
        for it in ("number", "type", "is_repeated"):
            assert getattr(field, it) == getattr(other, it), (field.full_name, it)
        if field.message_type is not None:
            check(field.message_type, other.message_type)
        if field.enum_type is not None:
            values = field.enum_type.values_by_name
            for name in values:
                assert values[name].number == other.enum_type.values_by_name[name].number


def methods(pool):
    found = pool.FindServiceByName("inference.GRPCInferenceService")
    return {method.name: method for method in found.methods}


name = sys.argv[2]
if name == "triton":
    from tritonclient.grpc import service_pb2 as theirs
else:
    from kserve.protocol.grpc import grpc_predict_v2_pb2 as theirs
known = methods(theirs.DESCRIPTOR.pool)
for method, ours in methods(own).items():
    if method in known:
        check(ours.input_type, known[method].input_type)
        check(ours.output_type, known[method].output_type)
print(*sorted(methods(own).keys() & known.keys()))
