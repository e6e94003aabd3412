"""Accuracy through the wire: ``python -m load accuracy``.

All test images are asked, and the digits that were read right are counted. Exit code 0;
1 if it is another accuracy than expected; 3 if there is none, with the reason.
"""

import argparse
import contextlib
import http.client
import sys
from collections.abc import Iterator
from functools import partial
from itertools import cycle
from urllib.parse import urlsplit

from load import bodies, idx, options
from load.answers import AnswerError, score
from load.idx import DataError
from load.payloads import NAMES, PICTURE, Payload, Request, chosen, request

BATCH = 64  # quick in every dialect
FAILURES = (ValueError, OSError, http.client.HTTPException, DataError, AnswerError)
TIMEOUT_S = 30  # for an answer: far above what one takes, for a machine that is busy


def requests(payload: str, batch: int, images: int | None = None) -> Iterator[Request]:
    """Return requests for the test images, in order, each encoded when it is taken.

    The last one has what is left.

    A ``png`` shows the frame as it is, 28 × 28, and not as large as a drawing: so it
    comes back within a grey level from the way into the frame, and version 3 reads it as it
    reads the others, image for image. Of ten times the side it reads some differently.

    Args:
        payload: by its name; of ``mixed`` each in turn.
        batch: images a request.
        images: how many, from the first on; all by default.

    Raises:
        ValueError: there is no such payload, or not with this batch.
        load.idx.DataError: the images are not there.
    """
    kinds = cycle([_unscaled(kind) for kind in chosen(payload, batch)])
    digits = idx.load()[:images]
    batches = (digits[first : first + batch] for first in range(0, len(digits), batch))
    return (request(next(kinds), some) for some in batches)


def accuracy(
    url: str, payload: str, batch: int, images: int | None = None
) -> tuple[int, int]:
    """Ask one request after the other, and return the right digits and all of them.

    Args:
        url: of the service, such as ``http://127.0.0.1:8000``.
        payload: as in :func:`requests`, with its errors.
        batch: the same.
        images: the same.

    Raises:
        OSError, http.client.HTTPException: the service does not answer.
        load.answers.AnswerError: what it says is no answer.
    """
    right = total = 0
    base = urlsplit(url).path
    with contextlib.closing(_connection(url)) as connection:
        for each in requests(payload, batch, images):
            connection.request(each.method, base + each.path, each.body, each.headers)
            reply = connection.getresponse()
            right += score(each, reply.status, reply.headers, reply.read())
            total += len(each.labels)
    return right, total


def _unscaled(kind: Payload) -> Payload:
    return kind._replace(encode=partial(bodies.png, scale=1)) if kind is PICTURE else kind


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)


def main(arguments: list[str]) -> int:
    """Count, say what was found, and return the exit code."""
    asked = _parser().parse_args(arguments)
    batch = asked.batch or (1 if asked.payload == PICTURE.name else BATCH)
    try:
        right, total = accuracy(asked.host, asked.payload, batch)
    except FAILURES as error:
        print(f"INVALID {error}", file=sys.stderr)
        return 3
    found = f"{asked.payload}: {right:,} of {total:,} right, {100 * right / total:.2f} %"
    if asked.expect is None:
        print(found)
        return 0
    same = right == round(asked.expect * total)
    print(f"{'✓' if same else '✗'} {found}, expected {100 * asked.expect:.2f} %")
    return 0 if same else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m load accuracy")
    parser.add_argument(
        "--host", type=options.host, default=options.HOST, help="(%(default)s)"
    )
    parser.add_argument("--payload", choices=NAMES, default="json", help="(%(default)s)")
    parser.add_argument(
        "--batch", type=options.count, help=f"images a request ({BATCH}; 1 of png)"
    )
    parser.add_argument(
        "--expect", type=float, help="as the manifest has it under test_accuracy: 0.9938"
    )
    return parser
