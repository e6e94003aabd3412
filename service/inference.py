"""One inference request, whatever its dialect and whichever server received it."""

from collections.abc import Mapping
from time import perf_counter

from service.errors import RequestError
from service.metrics import STAGES, Metrics
from service.model import Model
from service.protocols import Dialect, Limits, Request, oip, predict, tfserving
from service.replies import Reply

# Every route that runs the model, and the dialect it speaks.
ROUTES: dict[str, Dialect] = {
    "/predict": predict,
    "/v1/models/<model>:predict": tfserving,
    "/v1/models/<model>/versions/<int:version>:predict": tfserving,
    "/v2/models/<model>/infer": oip,
    "/v2/models/<model>/versions/<int:version>/infer": oip,
}


def answer(
    dialect: Dialect, request: Request, model: Model, metrics: Metrics, limits: Limits
) -> Reply:
    """Decode the request, predict, encode the reply; measure each stage and count it.

    Raises:
        RequestError: the request cannot be answered.
    """
    start = perf_counter()
    try:
        question = dialect.decode(request, limits)
    except RequestError:
        metrics.count_refusal(model.version, perf_counter() - start)
        raise
    decoded = perf_counter()
    probabilities = model.predict(question.images)
    inferred = perf_counter()
    content = dialect.encode(question, probabilities, model.name, model.version)
    encoded = perf_counter()
    seconds = (decoded - start, inferred - decoded, encoded - inferred)
    metrics.count_inference(model.version, probabilities.argmax(axis=1).tolist(), seconds)
    timing = ", ".join(
        [f"{stage};dur={1000 * duration:.3f}" for stage, duration in zip(STAGES, seconds)]
    )
    headers = {"Content-Type": content.content_type, **content.headers}
    return Reply(200, content.body, {**headers, "Server-Timing": timing})


def asked_version(parameters: Mapping[str, str]) -> int | None:
    """Read ``?version=``, the version where the path names none.

    Raises:
        RequestError: 400, it is no number.
    """
    version = parameters.get("version")
    if version is None:
        return None
    # Ten digits: longer than any version, shorter than what int() is slow to read.
    if not (version.isascii() and version.isdecimal() and len(version) <= 10):
        raise RequestError(400, f"version is {version!r:.100}, expected a whole number")
    return int(version)
