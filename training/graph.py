"""Names and metadata of an ONNX model, for readers of the file. No weight changes."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import onnx

# tf2onnx's paths: network, layer and operation, each made unique by a number at its end.
PATH = re.compile(r"[^/]+/(?P<layer>.+?)(_\d+)?/[^/]+$")
ROLES = {"MatMul": "kernel", "Conv": "kernel", "Add": "bias"}  # of a weight, by its user

INPUT_RANGE = (
    "float32 [batch, 784]: 28 × 28 pixels row by row, 0 (black, paper) to 1 (white, ink)"
)


def name_parts(model: onnx.ModelProto) -> None:
    """Name nodes, weights and values after their layers: ``hidden_1/MatMul``.

    The graph's inputs and outputs keep their names.

    Args:
        model: as tf2onnx makes it; changed in place.
    """
    graph = model.graph
    kept = {value.name for value in (*graph.input, *graph.output)}
    weights = {tensor.name for tensor in graph.initializer}
    names: dict[str, str] = {name: name for name in kept}
    for node in graph.node:
        found = PATH.match(node.name)
        layer = found["layer"] if found else "graph"
        node.name = _unused(f"{layer}/{node.op_type}", (each.name for each in graph.node))
        for old in node.input:
            if old in weights and old not in names:
                role = ROLES.get(node.op_type, "constant")
                names[old] = _unused(f"{layer}/{role}", names.values())
        for old in node.output:
            names[old] = names.get(old) or _unused(node.name, names.values())
    for tensor in (*graph.initializer, *graph.value_info):
        tensor.name = names.get(tensor.name, tensor.name)
    for node in graph.node:
        node.input[:] = [names.get(old, old) for old in node.input]
        node.output[:] = [names.get(old, old) for old in node.output]


def describe(content: bytes, manifest: Mapping[str, Any]) -> bytes:
    """Write into a file what its manifest says: labels, input, recipe, version, licence.

    Args:
        content: an ONNX file.
        manifest: with ``name`` and ``version``, and as ``manifest.build`` makes it.

    Returns:
        The same model, with these metadata in place of any it had.
    """
    model = onnx.load_from_string(content)
    recipe, dataset = manifest["recipe"]["name"], manifest["dataset"]
    model.model_version = manifest["version"]
    model.doc_string = f"{manifest['name']}, fitted by the recipe {recipe} on {dataset}"
    fields = {
        "labels": json.dumps(manifest["labels"], ensure_ascii=False),
        "input": INPUT_RANGE,
        "recipe": recipe,
        "dataset": dataset,
        "version": str(manifest["version"]),
    }
    if "license" in manifest:
        fields["license"] = manifest["license"]
    onnx.helper.set_model_props(model, fields)
    described: bytes = model.SerializeToString()
    return described


def _unused(name: str, taken: Iterable[str]) -> str:
    """Return a name, with a number after it if it is taken."""
    others = set(taken)
    candidates = (f"{name}_{number}" if number > 1 else name for number in range(1, 10_000))
    return next(candidate for candidate in candidates if candidate not in others)
