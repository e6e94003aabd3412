"""Samples: a few of the images that were answered, kept as data to train on.

In the folder, ``unsure`` and ``sure`` have what nobody has looked at, and ``0`` to ``9``
what somebody has given its digit: the form of data that ``python -m training`` takes. Of a
request nothing is kept but the frames, what they were read as, and a hash of its id.
"""

import logging
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from os import scandir, stat_result
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import numpy as np

from service.errors import RequestError, SettingsError
from service.inference.later import Seen
from service.inference.target import Target
from service.inference.traffic import is_chosen
from service.model.version import Model
from service.monitoring.metrics import Metrics
from service.protocols import Images, Probabilities, blanks, no_ink, scale

logger = logging.getLogger(__name__)

UNSEEN = ("sure", "unsure")  # the first is the first to go
DIGITS = tuple("0123456789")
# Samples that a worker writes at a time, at most twice a second: the unsure ones, then the
# least confident. A disk takes a file in a tenth of a millisecond.
MOST_AT_ONCE = 8
# The folder is looked through at most so often, in seconds: 16,000 files take 50 ms.
SCAN_S = 5.0
ROOM = 0.9  # of its size is left when samples had to go
BLOCK = 4096  # bytes that a file of some hundred takes on most disks
SIDE = 28
ANSWER = re.compile(rb"tEXtversion\0(\d+).*tEXtdigit\0(\d)", re.DOTALL)
PNG = b"\x89PNG\r\n\x1a\n"


class Sample(NamedTuple):
    """An image that may be kept.

    Attributes:
        sure: whether its digit is no guess.
        confidence: probability of its digit.
        name: of its file.
        content: the file, a PNG of 28 × 28 grey levels.
    """

    sure: bool
    confidence: float
    name: str
    content: bytes

    @classmethod
    def of(cls, name: str, model: Model, image: Images, row: Probabilities) -> "Sample":
        """Make one of an image, ``[784]``, and its probabilities, ``[10]``."""
        texts = {
            "version": f"{model.version}",
            "digit": f"{row.argmax()}",
            "confidence": f"{row.max():.4f}",
        }
        frame = np.rint(image * 255).astype(np.uint8)
        content = _png(frame.tobytes(), texts)
        return cls(model.is_sure(row), float(row.max()), name, content)


class Store:
    """The folder of samples.

    Args:
        folder: the folder; made if it is missing.
        most_bytes: most bytes on the disk.

    Raises:
        SettingsError: nothing can be written there.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes
        self._left, self._scanned = 0, -SCAN_S
        try:
            for part in (*UNSEEN, *DIGITS):
                (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"MNIST_SAMPLES cannot be used: {error.strerror}, expected a folder that "
                "can be written to"
            ) from error

    def write(self, samples: Sequence[Sample]) -> int:
        """Write samples as far as there is room, and return how many were.

        Raises:
            OSError: a file cannot be written.
        """
        for written, sample in enumerate(samples):
            if not self._write(sample, UNSEEN[not sample.sure]):
                return written
        return len(samples)

    def keep(self, frame: bytes, model: Model, digit: int) -> int:
        """Keep a frame with its digit, in place of one that it was given before.

        Args:
            frame: 28 × 28 grey levels.
            model: the version that reads it.
            digit: what it is.

        Returns:
            The digit as which it is read.

        Raises:
            RequestError: 422 without ink, 507 no room or nothing can be written.
        """
        pixels = np.frombuffer(frame, np.uint8).reshape(1, -1)
        if blanks(pixels) is not None:
            raise no_ink(pixels, 0)
        images = scale(pixels)
        (row,) = model.predict(images)
        name = f"{blake2b(frame, digest_size=8).hexdigest()}-0.png"
        try:
            written = self._write(Sample.of(name, model, images[0], row), str(digit))
            for other in {*DIGITS} - {str(digit)} if written else ():
                (self._folder / other / name).unlink(missing_ok=True)
        except OSError as error:
            logger.error("a sample cannot be written: %s", error)
            written = False
        if not written:
            raise RequestError(
                507,
                "found no room for one more sample, expected MNIST_SAMPLES to have some",
            )
        return int(row.argmax())

    def label(self, request_id: str, image: int, digit: int) -> tuple[int, int] | None:
        """Give a sample its digit.

        Returns:
            The version that has read it, and as which digit; None if there is no such
            sample that nobody has given its digit.
        """
        name = _name(request_id, image)
        for part in UNSEEN:
            path = self._folder / part / name
            try:
                found = ANSWER.search(path.read_bytes())
                if found is None:
                    continue
                path.replace(self._folder / str(digit) / name)
            except FileNotFoundError:
                continue
            return int(found[1]), int(found[2])
        return None

    def _write(self, sample: Sample, part: str) -> bool:
        """Write a sample into one of the folders, if there is room."""
        if monotonic() - self._scanned > SCAN_S:
            self._left = self._make_room()
            self._scanned = monotonic()
        if self._left < BLOCK:
            return False
        path = self._folder / part / sample.name
        # Never a part of a file, whatever happens meanwhile.
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(sample.content)
        unfinished.replace(path)
        self._left -= _size(path.stat())
        return True

    def _make_room(self) -> int:
        """Delete the oldest samples that nobody has looked at; return the bytes left."""
        kept = sum(size for part in DIGITS for _, size, _ in self._files(part))
        unseen = [file for part in UNSEEN for file in sorted(self._files(part))]
        size = kept + sum(size for _, size, _ in unseen)
        if size > self._most - BLOCK:
            for _, taken, entry in unseen:
                if size <= ROOM * self._most:
                    break
                Path(entry).unlink(missing_ok=True)
                size -= taken
        return self._most - size

    def _files(self, part: str) -> Iterator[tuple[float, int, str]]:
        """Yield time, bytes on the disk and path of each file."""
        with scandir(self._folder / part) as entries:
            for entry in entries:
                try:
                    found = entry.stat()
                except FileNotFoundError:  # another worker has deleted or moved it
                    continue
                yield found.st_mtime, _size(found), entry.path


class Sampler:
    """Chooses what is kept; a `later.Reader`.

    Args:
        store: the folder.
        percent: share of the images that are kept although their digit is no guess.
        metrics: where samples are counted.
    """

    NAME = "sampling"

    def __init__(self, store: Store, percent: int, metrics: Metrics) -> None:
        self._store, self._percent, self._metrics = store, percent, metrics
        self._chosen: list[Sample] = []
        self._has_failed = False
        metrics.start_samples()

    def wants(self, target: Target, request_id: str) -> bool:
        """Return whether it does not ask for the frames, as the pages do at every stroke.

        Who has the frame can send it with its digit.
        """
        return not getattr(target.options, "echo", False)

    def read(self, seen: Seen) -> None:
        """Choose among the images of a request."""
        for place, row in enumerate(seen.probabilities):
            name = _name(seen.request_id, place)
            sure = seen.model.is_sure(row)
            if sure and not is_chosen(name, self._percent, b"samples"):
                continue
            self._chosen.append(Sample.of(name, seen.model, seen.images[place], row))
        self._chosen.sort(key=lambda sample: sample[:2])
        self._drop(self._chosen[MOST_AT_ONCE:])
        del self._chosen[MOST_AT_ONCE:]

    def count(self, result: str) -> None:
        """Count a request, or a sample, by what became of it."""
        self._metrics.count_samples(result, 1)

    def job(self) -> Callable[[], None] | None:
        """Return what writes the chosen ones."""
        if not self._chosen:
            return None
        samples, self._chosen = self._chosen, []
        return lambda: self._write(samples)

    def _write(self, samples: Sequence[Sample]) -> None:
        try:
            written = self._store.write(samples)
        except OSError as error:
            self._metrics.count_samples("failed", len(samples))
            if not self._has_failed:
                logger.error("a sample cannot be written: %s", error)
            self._has_failed = True
            return
        self._metrics.count_samples("kept", written)
        self._drop(samples[written:])

    def _drop(self, samples: Sequence[Sample]) -> None:
        self._metrics.count_samples("shed", len(samples))


def _name(request_id: str, image: int) -> str:
    """Return a file's name: clients choose ids, so that they are not kept."""
    return f"{blake2b(request_id.encode(), digest_size=8).hexdigest()}-{image}.png"


def _png(frame: bytes, texts: Mapping[str, str]) -> bytes:
    """Return a PNG of 28 × 28 grey levels (PNG specification, 5 and 11)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", check)

    rows = b"".join(b"\0" + frame[at : at + SIDE] for at in range(0, len(frame), SIDE))
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    parts = [chunk(b"tEXt", f"{key}\0{text}".encode()) for key, text in texts.items()]
    data = chunk(b"IDAT", zlib.compress(rows))
    return b"".join((PNG, chunk(b"IHDR", head), *parts, data, chunk(b"IEND", b"")))


def _size(found: stat_result) -> int:
    """Return the bytes that a file takes on the disk, which counts in blocks of 512."""
    return found.st_blocks * 512
