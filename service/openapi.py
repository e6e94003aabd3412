"""The OpenAPI 3.1 document of every route."""

from typing import Any

from service.access import METRICS, is_open
from service.protocols import oip, tensors
from service.settings import Settings

JSON, RAW = "application/json", "application/octet-stream"
Schema = dict[str, Any]

# What each code means, wherever it is used.
ERRORS = {
    400: "malformed: not the form that is described here",
    401: "no valid API key: `Authorization: Bearer <key>`",
    404: "no such model, version or route",
    405: "another method, with `Allow`",
    411: "no Content-Length",
    413: "a body, a picture or a number of images over the limit",
    415: "another Content-Type or Content-Encoding, or a picture not in PNG or JPEG",
    422: "well-formed, but no images of digits",
    500: "a bug; the log has it under the reply's X-Request-ID",
    503: "no time or no room for it now, with `Retry-After`",
}
IMAGE = [0] * 380 + [255] * 8 + [0] * 396
PROBABILITIES = [0.0, 0.9, 0.1, *[0.0] * 7]


def document(name: str, settings: Settings) -> Schema:
    """Describe the service of a model of that name, within its limits."""
    paths: Schema = {
        "/predict": {"post": _predict(settings)},
        "/explain": {"post": _explain()},
    }
    for path, versioned in (("", False), ("/versions/{version}", True)):
        paths |= _v1(f"/v1/models/{{model}}{path}", name, versioned)
        paths |= _v2(f"/v2/models/{{model}}{path}", name, versioned)
    paths |= _plain()
    components = {"schemas": _schemas(settings), "responses": _errors()}
    if settings.metrics_bind:
        del paths[METRICS]  # it is at an address of its own
    if settings.api_keys:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        _lock(paths)
    for path, operations in paths.items():
        for operation in operations.values():
            operation["tags"] = [_tag(path)]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Handwritten digits over HTTP",
            "version": "1.0",
            "summary": "One model, three protocols, the same answer.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": components,
    }


def _lock(paths: Schema) -> None:
    """Say of all that needs a key that it does."""
    locked = [operations for path, operations in paths.items() if not is_open(path)]
    for operations in locked:
        for operation in operations.values():
            operation["security"] = [{"key": []}]
            operation["responses"]["401"] = {"$ref": "#/components/responses/401"}


def _tag(path: str) -> str:
    if path.startswith("/v1"):
        return "TensorFlow Serving and KServe V1"
    if path.startswith("/v2"):
        return "Open Inference Protocol V2"
    return "Predict" if path in ("/predict", "/explain") else "Service"


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _array(items: Schema, length: int | None = None, **others: Any) -> Schema:
    exact = {} if length is None else {"minItems": length, "maxItems": length}
    return {"type": "array", "items": items, **exact, **others}


def _object(required: dict[str, Schema], **optional: Schema) -> Schema:
    properties = {**required, **optional}
    return {"type": "object", "required": list(required), "properties": properties}


def _content(schema: Schema, example: Any = None, media: str = JSON) -> Schema:
    return {media: {"schema": schema, **({} if example is None else {"example": example})}}


def _operation(
    summary: str, content: Schema, errors: tuple[int, ...] = (), **others: Any
) -> Schema:
    replies: Schema = {
        "200": {
            "description": summary,
            "content": content,
            "headers": {"X-Request-ID": {"schema": {"type": "string"}}},
        }
    }
    replies |= {
        str(code): {"$ref": f"#/components/responses/{code}"}
        for code in sorted({*errors, 405, 500})
    }
    return {"summary": summary, "responses": replies, **others}


def _errors() -> Schema:
    schema = _object({"error": {"type": "string"}})
    example = {"error": "what was found, what was expected"}
    return {
        str(code): {"description": text, "content": _content(schema, example)}
        for code, text in ERRORS.items()
    }


INFERENCE_ERRORS = (400, 404, 411, 413, 415, 422, 503)


def _path_parameters(name: str, versioned: bool) -> list[Schema]:
    parameters = [
        {
            "name": "model",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "examples": [name]},
        }
    ]
    if versioned:
        version = {"type": "integer", "minimum": 1, "examples": [1]}
        parameters.append(
            {"name": "version", "in": "path", "required": True, "schema": version}
        )
    return parameters


VERSION = {"name": "version", "in": "query", "schema": {"type": "integer", "minimum": 1}}
ECHO = {"name": "echo", "in": "query", "schema": {"type": "string", "enum": ["frame"]}}
PICTURE = {"type": "string", "format": "binary"}


def _predict(settings: Settings) -> Schema:
    files = _array(PICTURE, minItems=1)
    likeliest = {"digit": 1, "confidence": 0.9, "probabilities": PROBABILITIES}
    prediction = {**likeliest, "unsure": False}
    example = {"predictions": [prediction], "model": {"name": "mnist", "version": "2"}}
    return _operation(
        f"Read up to {settings.max_images} digits",
        {
            **_content(_ref("PredictReply"), example),
            RAW: {"schema": {"contentMediaType": RAW}},
        },
        INFERENCE_ERRORS,
        operationId="predict",
        parameters=[VERSION, ECHO],
        requestBody={"required": True, "content": _images("PredictRequest", files)},
    )


def _explain() -> Schema:
    files = _array(PICTURE, 1)
    return _operation(
        "Read one digit, and tell what every layer makes of it",
        _content(_ref("ExplainReply")),
        INFERENCE_ERRORS,
        operationId="explain",
        parameters=[VERSION, ECHO],
        requestBody={"required": True, "content": _images("ExplainRequest", files)},
    )


def _images(schema: str, files: Schema) -> Schema:
    """Describe the bodies that the project's own routes take."""
    return {
        **_content(_ref(schema), {"instances": [IMAGE]}),
        "image/png": {"schema": {"contentMediaType": "image/png"}},
        "image/jpeg": {"schema": {"contentMediaType": "image/jpeg"}},
        "multipart/form-data": {"schema": _object({"image": files})},
        RAW: {"schema": {"contentMediaType": RAW}},
    }


def _v1(path: str, name: str, versioned: bool) -> Schema:
    parameters = _path_parameters(name, versioned)
    predict = _operation(
        "Predict by rows or by columns",
        _content(_ref("TensorFlowReply"), {"predictions": [PROBABILITIES]}),
        INFERENCE_ERRORS,
        parameters=parameters,
        requestBody={
            "required": True,
            "content": _content(_ref("TensorFlowRequest"), {"instances": [IMAGE]}),
        },
    )
    status = _content(_ref("TensorFlowStatus"))
    return {
        path: {"get": _operation("Status", status, (404,), parameters=parameters)},
        f"{path}/metadata": {
            "get": _operation("Signature", _any(), (404,), parameters=parameters)
        },
        f"{path}:predict": {"post": predict},
    }


def _v2(path: str, name: str, versioned: bool) -> Schema:
    parameters = _path_parameters(name, versioned)
    length = {
        "name": oip.LENGTH,
        "in": "header",
        "description": "bytes of JSON before the binary tensors; 0 for float32 alone",
        "schema": {"type": "integer", "minimum": 0},
    }
    pixels = {"name": "image", "shape": [1, 784], "datatype": "UINT8", "data": IMAGE}
    infer = _operation(
        "Infer",
        {
            **_content(_ref("InferReply")),
            RAW: {"schema": {"contentMediaType": RAW}},
        },
        INFERENCE_ERRORS,
        parameters=[*parameters, length],
        requestBody={
            "required": True,
            "content": {
                **_content(_ref("InferRequest"), {"inputs": [pixels]}),
                RAW: {"schema": {"contentMediaType": RAW}},
            },
        },
    )
    ready = _content(_object({"name": {"type": "string"}, "ready": {"type": "boolean"}}))
    gets = {
        "": _operation("Metadata", _content(_ref("Metadata")), (404,)),
        "/ready": _operation("Whether the model is ready", ready, (404,)),
        "/config": _operation("Triton's model configuration", _any(), (404,)),
        "/stats": _operation("Triton's statistics", _content(_ref("Statistics")), (404,)),
    }
    described = {
        f"{path}{end}": {"get": {**operation, "parameters": parameters}}
        for end, operation in gets.items()
    }
    return {**described, f"{path}/infer": {"post": infer}}


def _any() -> Schema:
    return _content({"type": "object"})


def _plain() -> Schema:
    """Describe the routes without parameters."""
    models = _content(_object({"models": _array({"type": "string"})}))
    boolean = {"type": "boolean"}
    text = {"type": "string"}
    server = _object({"name": text, "version": text, "extensions": _array(text)})
    entry = _object({"name": text, "version": text, "state": text, "reason": text})
    index = _operation(
        "Triton's index of the repository",
        _content(_array(entry)),
        (400, 413),
        requestBody={"content": _content(_object({}, ready=boolean), {"ready": True})},
    )
    page = _content(text, media="text/html; charset=utf-8")
    metrics = _content(text, media="text/plain; version=0.0.4; charset=utf-8")
    gets = {
        "/": ("Draw a digit, for a browser", page),
        "/learn": ("The lesson, for a browser", page),
        "/gallery.json": ("Drawings to try, as strokes", _any()),
        "/docs": ("This document, for a browser", page),
        "/openapi.json": ("This document", _any()),
        "/livez": ("The process answers", _content(_object({"live": boolean}))),
        "/readyz": ("A model is loaded", _content(_object({"ready": boolean}))),
        "/metrics": ("Prometheus, summed over the workers", metrics),
        "/v1/models": ("Models", models),
        "/v2": ("Metadata of the server", _content(server)),
        "/v2/": ("Metadata of the server", _content(server)),
        "/v2/health/live": ("Live", _content(_object({"live": boolean}))),
        "/v2/health/ready": ("Ready", _content(_object({"ready": boolean}))),
        "/v2/models": ("Models", models),
        "/v2/models/stats": ("Triton's statistics", _content(_ref("Statistics"))),
    }
    described = {path: {"get": _operation(*what)} for path, what in gets.items()}
    for path in ("/readyz", "/v2/health/ready"):
        stopping = {"description": "it is about to stop", "content": gets[path][1]}
        described[path]["get"]["responses"]["503"] = stopping
    lesson = _operation("What was measured, for the lesson", _any(), (404,))
    weights = _operation(
        "The layers' weights: float32, little-endian, kernel (row by row), then biases",
        {RAW: {"schema": {"contentMediaType": RAW}}},
        (400, 404),
        parameters=[VERSION],
    )
    weights["responses"]["304"] = {"description": "the client has them, by its ETag"}
    return {
        **described,
        "/v2/repository/index": {"post": index},
        "/lesson.json": {"get": lesson},
        "/weights": {"get": weights},
    }


def _schemas(settings: Settings) -> Schema:
    text, whole, boolean = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
    count = {"minItems": 1, "maxItems": settings.max_images}
    pixel = {"type": "number", "minimum": 0, "maximum": 255}
    numbers = {"oneOf": [_array(pixel, 784), _array(_array(pixel, 28), 28)]}
    picture = _object({"b64": {"type": "string", "contentEncoding": "base64"}})
    picture["additionalProperties"] = False
    image = {"oneOf": [*numbers["oneOf"], picture]}
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    row = _array(probability, 10)
    digit = {"type": "integer", "minimum": 0, "maximum": 9}
    grey = {"type": "integer", "minimum": 0, "maximum": 255}
    prediction = _object(
        {"digit": digit, "confidence": probability, "probabilities": row},
        unsure=boolean,
        frame=_array(_array(grey, 28), 28),
    )
    units = _array({"type": "number"}, minItems=1)
    activation = {"enum": ["relu", "sigmoid", "softmax"]}
    layer = _object({"activation": activation, "sums": units, "activations": units})
    keyed = _object({"image": image})
    instance = {"anyOf": [image, {**keyed, "additionalProperties": False}]}
    column = _array(numbers, **count)
    parameters = {"type": "object"}
    data = {"type": "array", "items": {"type": ["number", "array", "string"]}}
    tensor = _object(
        {"name": text, "datatype": text, "shape": _array(whole)},
        data=data,
        parameters=parameters,
    )
    given = _object(
        {
            "name": {"const": tensors.INPUT},
            "datatype": {"enum": list(tensors.DATATYPES)},
            "shape": _array(whole, 2),
        },
        data=data,
        parameters=parameters,
    )
    wanted = _object({"name": {"const": oip.OUTPUT}}, parameters=parameters)
    described = _object({"name": text, "datatype": text, "shape": _array(whole)})
    state = _object({"version": text, "state": text, "status": {"type": "object"}})
    statistics = _object(
        {
            "name": text,
            "version": text,
            "last_inference": whole,
            "inference_count": whole,
            "execution_count": whole,
            "inference_stats": {
                "type": "object",
                "additionalProperties": _object({"count": whole, "ns": whole}),
            },
            "batch_stats": _array({"type": "object"}),
        }
    )
    return {
        "PredictRequest": {
            **_object({"instances": _array(image, **count)}),
            "additionalProperties": False,
        },
        "PredictReply": _object(
            {
                "predictions": _array(prediction),
                "model": _object({"name": text, "version": text}),
            }
        ),
        "ExplainRequest": {
            **_object({"instances": _array(image, 1)}),
            "additionalProperties": False,
        },
        "ExplainReply": _object(
            {
                "predictions": _array(prediction, 1),
                "model": _object({"name": text, "version": text}),
                "layers": _array(layer, minItems=1),
            }
        ),
        "TensorFlowRequest": {
            "oneOf": [
                _object({"instances": _array(instance, **count)}),
                _object({"inputs": {"oneOf": [column, _object({"image": column})]}}),
            ],
        },
        "TensorFlowReply": {
            "oneOf": [
                _object({"predictions": _array(row)}),
                _object({"outputs": _array(row)}),
            ]
        },
        "TensorFlowStatus": _object(
            {"name": text, "ready": boolean, "model_version_status": _array(state)}
        ),
        "InferRequest": _object(
            {"inputs": _array(given, 1)},
            id=text,
            outputs=_array(wanted, maxItems=1),
            parameters=parameters,
        ),
        "InferReply": _object(
            {"model_name": text, "model_version": text, "outputs": _array(tensor)}, id=text
        ),
        "Metadata": _object(
            {
                "name": text,
                "versions": _array(text),
                "platform": text,
                "inputs": _array(described),
                "outputs": _array(described),
            }
        ),
        "Statistics": _object({"model_stats": _array(statistics)}),
    }
