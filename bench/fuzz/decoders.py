"""Coverage-guided fuzzing of every decoder, by atheris: ``python -m bench fuzz decoders``.

Nothing but RequestError may leave a decoder; anything else ends the run with its input. The
options are libFuzzer's, such as ``-max_total_time=60 -max_len=4000``.
"""

import contextlib
from collections.abc import Sequence

import atheris

with atheris.instrument_imports(include=["service", "PIL", "werkzeug"]):
    from service.errors import RequestError
    from service.pictures.decode import JPEG, PNG, decode
    from service.protocols import Limits, compression, oip, predict, tfserving

PIXELS = 100_000  # small, so that a run is short
LIMITS = Limits(4, PIXELS)
JSON = predict.read_head({"content-type": "application/json"}, {})
FORM = predict.read_head({"content-type": "multipart/form-data; boundary=B"}, {})
DECODERS = [
    lambda body, number: predict.decode(JSON, [body, body], LIMITS),
    lambda body, number: predict.decode(FORM, [body], LIMITS),
    lambda body, number: tfserving.decode(None, [body], LIMITS),
    lambda body, number: oip.decode("", [body], LIMITS),
    lambda body, number: oip.decode(str(number), [body], LIMITS),
    lambda body, number: decode(PNG + body, PIXELS),
    lambda body, number: decode(JPEG + body, PIXELS),
    lambda body, number: compression.inflate(body, "gzip", 5000),
    lambda body, number: compression.inflate(body, "deflate", 5000),
]


def decode_one(data: bytes) -> None:
    provider = atheris.FuzzedDataProvider(data)
    run = DECODERS[provider.ConsumeIntInRange(0, len(DECODERS) - 1)]
    number = provider.ConsumeIntInRange(0, len(data))
    with contextlib.suppress(RequestError):
        run(provider.ConsumeBytes(len(data)), number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz until something fails, or the time is over; it ends the process."""
    atheris.Setup(["fuzz", *(arguments or [])], decode_one)
    atheris.Fuzz()
    return 0
