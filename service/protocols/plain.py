"""Images as integers in JSON, read without a step of Python or a branch for each number.

Nearly every request is ``{"instances": [[784 integers, 0 to 255], ...]}``, written with
nothing between the numbers but a comma, or a comma and a space. That form is so narrow that
whole-array operations of NumPy can read it, and prove that they read it right: what is not
exactly of that form is left to a parser of JSON (`instances`).
"""

import re
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from service.protocols import PIXELS

OPENING = re.compile(rb'\{"instances": ?\[(?=\[\d)')
CLOSING = b"]]}"
DIGITS = b"0123456789"
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


def read(
    bodies: Sequence[bytes], max_images: int
) -> tuple[npt.NDArray[np.uint8], list[int]] | None:
    """Read bodies of the plain form, all at once.

    One image takes 20 µs alone and 5 µs among sixteen, 64 images take 0.23 ms: orjson and
    `bytes` took 11 µs and 0.78 ms, simdjson's buffers 10 µs and 0.41 ms.

    Returns:
        The pixels of all images, uint8 ``[n, 784]``, and the number of images in each body;
        None if any body is of another form, has a fault, or has too many images.
    """
    openings = [OPENING.match(body) for body in bodies]
    if not (all(openings) and all([body.endswith(CLOSING) for body in bodies])):
        return None
    content = bodies[0] if len(bodies) == 1 else b"".join(bodies)
    text = np.frombuffer(content, np.uint8)
    values = text - np.uint8(ord("0"))
    digit = values < 10
    ends = np.flatnonzero(digit[:-1] > digit[1:])  # where each number has its last digit
    if not len(ends) or len(ends) % PIXELS:
        return None
    spaced = content[ends[0] + 2] == ord(" ")
    last = ends[PIXELS - 1 :: PIXELS].tolist()
    counts = _counts(content, last, [len(body) for body in bodies], spaced)
    outside = sum([found.end() for found in openings if found])
    if max(counts, default=max_images + 1) > max_images or not _is_separated(
        text, digit, counts, spaced, outside
    ):
        return None
    pixels = _numbers(values, digit, ends)
    return None if pixels is None else (pixels.reshape(-1, PIXELS), counts)


def _counts(content: bytes, last: list[int], lengths: list[int], spaced: bool) -> list[int]:
    """Return how many images each body has; nothing if one does not end as it must.

    Args:
        content: the bodies, one after the other.
        last: where each image has its last digit.
        lengths: of the bodies.
        spaced: whether a space follows each comma.
    """
    between = b"], [" if spaced else b"],["
    counts, count = [], 0
    limits = accumulate(lengths)
    limit = next(limits)
    for place in last:
        count += 1
        opening = place + 1 + len(between)
        if place + 1 + len(CLOSING) == limit:
            counts.append(count)
            count, limit = 0, next(limits, 0)
        elif content[place + 1 : opening] != between or content[opening] not in DIGITS:
            return []
    return counts if len(counts) == len(lengths) else []


def _is_separated(
    text: Bytes, digit: Flags, counts: list[int], spaced: bool, outside: int
) -> bool:
    """Say whether there is one comma, and where it is so one space, between two numbers.

    The brackets have been looked at; all else is counted. There are 783 gaps in an image,
    and none is empty. So if there are as many commas as gaps, and nothing but commas, or
    commas that all have a space behind them and as many spaces, then each gap has one. A
    byte that is neither makes the sum wrong.

    Args:
        text: the bodies.
        digit: which bytes are digits.
        counts: how many images each body has.
        spaced: whether a space follows each comma.
        outside: bytes before the first image of each body, in all.
    """
    images = sum(counts)
    comma = text == ord(",")
    commas = np.count_nonzero(comma)
    if spaced and np.count_nonzero(comma[:-1] & (text[1:] == ord(" "))) != commas:
        return False
    separators = 2 * commas if spaced else commas
    brackets = 2 * images + 2 * len(counts)  # of the images, and what closes the bodies
    found = np.count_nonzero(digit) + separators + brackets + outside
    return bool(commas == PIXELS * images - len(counts) and found == len(text))


def _numbers(values: Bytes, digit: Flags, ends: Places) -> npt.NDArray[np.uint8] | None:
    """Return the numbers of up to three digits that end at places, or None.

    Numbers are summed up digit by digit at every place, where it wraps around at 256, and
    only those at an end are kept. If all of them, written out, have as many digits in all
    as there are, none had a leading zero or a fourth digit, since either makes a number
    longer and never shorter than it is written; nor was one 256 to 299, which wraps around
    to a shorter one. What is 300 and more begins with another digit than 1 and 2.
    """
    flags = digit.view(np.uint8)
    values *= flags
    hundreds = values[:-2] * flags[1:-1]
    if np.count_nonzero((hundreds > 2) & digit[2:]):
        return None
    sums = values[1:-1] * np.uint8(10)
    sums += values[2:]
    hundreds *= 100
    sums += hundreds
    numbers = sums.take(ends - 2)
    digits = len(numbers) + np.count_nonzero(numbers > 9) + np.count_nonzero(numbers > 99)
    return numbers if digits == np.count_nonzero(digit) else None
