"""JSON that is none, that is no request, or that has no image in it."""

from collections.abc import Iterator
from functools import partial

from tests.hostile.dialects import (
    FORMS,
    JSON,
    PATHS,
    PREDICT,
    V1,
    V2,
    Row,
    ask,
    numbers,
    request,
)

# What a pixel may be written as, and the code where that differs between the scales.
PIXELS: dict[str, tuple[str, int, dict[str, int]]] = {
    "nan": ("NaN", 400, {}),
    "infinity": ("Infinity", 400, {}),
    "minus-infinity": ("-Infinity", 400, {}),
    "1e400": ("1e400", 422, {}),
    "minus-zero": ("-0.0", 200, {"v2-uint8": 422}),
    "subnormal": ("5e-324", 200, {"v2-uint8": 422}),
    "fraction": ("0.5", 200, {"v2-uint8": 422}),
    "true": ("true", 422, {}),
    "null": ("null", 422, {}),
    "string": ('"7"', 422, {}),
    "object": ("{}", 422, {}),
    "list": ("[7]", 422, {}),
    "5000-digits": ("9" * 5000, 422, {}),
    "minus-5000-digits": ("-" + "9" * 5000, 422, {}),
    "5000-zeros": ("0." + "0" * 5000 + "1", 200, {"v2-uint8": 422}),
    "2-to-63": (str(2**63), 422, {}),
    "2-to-64": (str(2**64), 422, {}),
    "-1": ("-1", 422, {}),
    "256": ("256", 422, {}),
    "255.5": ("255.5", 422, {}),
    "leading-zero": ("07", 400, {}),
    "plus": ("+7", 400, {}),
    "hexadecimal": ("0x7", 400, {}),
    "no-digit-after-point": ("7.", 400, {}),
    "no-digit-before-point": (".5", 400, {}),
    "underscore": ("1_0", 400, {}),
    "nothing": ("", 400, {}),
    "comment": ("/* 7 */ 7", 400, {}),
    "arabic": ("٧", 400, {}),
}


def rows_of(count: int, length: int = 28) -> str:
    """Write rows of ones and zeros."""
    row = "[" + ", ".join(["0", "255"] * (length // 2)) + "]"
    return "[" + ", ".join([row] * count) + "]"


IMAGES: dict[str, tuple[str, int, dict[str, int]]] = {
    "empty": ("[]", 422, {}),
    "783": ("[" + "0, " * 782 + "255]", 422, {}),
    "785": ("[" + "0, " * 784 + "255]", 422, {}),
    "27-rows": (rows_of(27), 422, {}),
    "29-rows": (rows_of(29), 422, {}),
    "ragged": (rows_of(27)[:-1] + ", [0]]", 422, {}),
    "rows-and-numbers": (rows_of(27)[:-1] + ", 0]", 422, {}),
    "3-D": (f"[{rows_of(28)}]", 422, {}),
    "no-ink": ("[" + ", ".join(["0"] * 784) + "]", 422, {}),
    # Of the input as a whole, where that is the image.
    "number": ("5", 422, {"v2-uint8": 400, "v2-fp32": 400}),
    "string": ('"x"', 422, {"v2-uint8": 400, "v2-fp32": 400}),
    "null": ("null", 422, {"v2-uint8": 400, "v2-fp32": 400}),
    "depth-250000": ("[" * 250_000 + "]" * 250_000, 422, {}),
}
GOOD = "[" + ", ".join(numbers("predict")) + "]"
WHOLE = {
    path: (text % GOOD).encode()
    for path, text in (
        FORMS["predict"],
        FORMS["explain"],
        FORMS["v1-rows"],
        FORMS["v2-uint8"],
    )
}
# Whole bodies that no dialect takes.
DOCUMENTS: dict[str, bytes] = {
    "empty": b"",
    "null": b"null",
    "array": b"[]",
    "string": b'"x"',
    "number": b"5",
    "object": b"{}",
    "other-keys": b'{"pixels": []}',
    "bytes": bytes(range(256)),
    "nul": b"\0",
    "cut": b'{"inst',
    "single-quotes": b"{'instances': []}",
    "lone-surrogate": rb'{"\ud800": 1}',
    "invalid-utf-8": b'{"instances": "\xff"}',
    "overlong-utf-8": b'{"instances": "\xc0\xaf"}',
    "depth-1000": b"[" * 1000 + b"]" * 1000,
    "depth-100000": b"[" * 100_000 + b"]" * 100_000,
    "depth-250000": b"[" * 250_000 + b"]" * 250_000,
    "depth-250000-objects": b'{"a": ' * 250_000,
    "depth-400-unknown": b'{"x": ' + b"[" * 400 + b"]" * 400 + b"}",
    "depth-100000-unknown": b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}
# Far more of something than images have, which is slow to build.
MANY = {
    "381296-pictures": b'{"instances": [' + b'{"b64":""},' * 381_295 + b'{"b64":""}]}',
    "500000-lists": b'{"instances": [' + b"[]," * 499_999 + b"[]]}",
    "300000-keys": b"{" + b",".join(b'"%d":0' % n for n in range(300_000)) + b"}",
}
# What is done to a body that every dialect takes.
CHANGES = {
    "bom": lambda body: b"\xef\xbb\xbf" + body,
    "utf-16": lambda body: body.decode().encode("utf-16"),
    "utf-16-le": lambda body: body.decode().encode("utf-16-le"),
    "utf-32": lambda body: body.decode().encode("utf-32"),
    "trailing-junk": lambda body: body + b"x",
    "trailing-nul": lambda body: body + b"\0",
    "twice": lambda body: body + b"\n" + body,
    "trailing-comma": lambda body: body[:-1] + b",}",
    "comment": lambda body: b"// 7\n" + body,
    "no-end": lambda body: body[:-1],
    "control": lambda body: body.replace(b": ", b":\x0b ", 1),
    "duplicate-key": lambda body: body[:-1] + b", " + body[1:],
    "duplicate-key-escaped": lambda body: (
        body[:-1] + b", " + body[1:].replace(b'"i', rb'"\u0069', 1)
    ),
}


def build() -> Iterator[tuple[str, Row]]:
    """Yield the rows with their names."""
    for form in FORMS:
        for name, (text, status, others) in PIXELS.items():
            image = numbers(form)
            image[5] = text
            content = partial(ask, form, "[" + ", ".join(image) + "]")
            yield f"pixel-{name}-{form}", Row(others.get(form, status), content)
        for name, (text, status, others) in IMAGES.items():
            yield (
                f"image-{name}-{form}",
                Row(others.get(form, status), partial(ask, form, text)),
            )
    for path in PATHS:
        for name, body in DOCUMENTS.items():
            yield f"json-{name}-{path}", Row(400, partial(request, path, body))
        for name, body in MANY.items():
            yield f"json-{name}-{path}", Row(413, partial(request, path, body))
        for name, change in CHANGES.items():
            body = change(WHOLE[path])
            yield f"json-{name}-{path}", Row(400, partial(request, path, body))
    yield from _batches()
    yield from _unknown_keys()


def _batches() -> Iterator[tuple[str, Row]]:
    for path in PATHS[:3]:
        for count, image, status in (
            (0, "", 422),
            (1025, GOOD, 413),
            (100_000, "[0]", 413),
        ):
            body = f'{{"instances": [{", ".join([image] * count)}]}}'.encode()
            yield f"batch-{count}-{path}", Row(status, partial(request, path, body))
    text = '{"inputs": [{"name": "image", "datatype": "UINT8", "shape": [%d, 784], '
    text += '"data": %s}]}'
    for count, data, status in (
        (0, "[]", 422),
        (1025, f"[{', '.join([GOOD] * 1025)}]", 413),
    ):
        body = (text % (count, data)).encode()
        yield f"batch-{count}-v2", Row(status, partial(request, V2, body))


def _unknown_keys() -> Iterator[tuple[str, Row]]:
    """Of the other protocols, servers ignore what they do not know; the own one refuses."""
    for path, status in ((PREDICT, 400), (V1, 200), (V2, 200)):
        body = WHOLE[path][:-1] + b', "x": {"y": [1, null]}}'
        yield f"unknown-key-{path}", Row(status, partial(request, path, body, JSON))
        depth = b"[" * 400 + b"]" * 400
        deep = WHOLE[path][:-1] + b', "x": ' + depth + b"}"
        yield f"unknown-key-depth-400-{path}", Row(status, partial(request, path, deep))


ROWS = dict(build())
