"""One version of the model: checked when loaded, then arrays in, arrays out."""

import base64
import hashlib
import json
import re
from threading import Lock
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from service.errors import ModelError
from service.model import digits, layers, onnx_file
from service.model.snapshot import VersionFiles
from service.model.thresholds import Thresholds
from service.pictures.frame import PIXELS

INPUT = ("image", "tensor(float)", PIXELS)
OUTPUT = ("probabilities", "tensor(float)", 10)

# The self-check detects broken models (scrambled weights, permuted labels, another pixel
# scale: these read about one digit in ten). It does not rank working ones: one digit more
# or less is a matter of handwriting.
LEAST_RIGHT = 0.8


class _Manifest(NamedTuple):
    name: str
    version: int
    sha256: str
    unsure_below: float | None
    no_digit_above: float | None
    examples: digits.Digits | None  # where the data is not MNIST


class _One:
    """Predicts one image, in memory that is bound to the session once.

    A run takes 9 µs instead of 12, which matters if requests come one at a time.
    """

    def __init__(self, session: ort.InferenceSession) -> None:
        self._image = np.zeros((1, INPUT[2]), np.float32)
        self._probabilities = np.zeros((1, OUTPUT[2]), np.float32)
        self._session, self._binding = session, session.io_binding()
        for bind, name, memory in (
            (self._binding.bind_input, INPUT[0], self._image),
            (self._binding.bind_output, OUTPUT[0], self._probabilities),
        ):
            bind(name, "cpu", 0, np.float32, memory.shape, memory.ctypes.data)
        self._lock = Lock()  # other WSGI servers have threads

    def predict(self, image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the probabilities, float32 ``[1, 10]``, for pixels ``[1, 784]``."""
        with self._lock:
            self._image[:] = image
            self._session.run_with_iobinding(self._binding)
            return self._probabilities.copy()


class Model:
    """A loaded version.

    Attributes:
        name: the model's name.
        version: the version's number.
        sha256: SHA-256 of the ONNX file's bytes.
        thresholds: tell which answers are guesses; None if training did not measure it.
        layers: the dense layers; None if there are layers of other kinds.
    """

    def __init__(self, manifest: _Manifest, content: bytes) -> None:
        self.name, self.version, self.sha256 = manifest[:3]
        self.thresholds = Thresholds.measured(
            manifest.unsure_below, manifest.no_digit_above
        )
        parsed = onnx_file.parse(content)  # first: ONNX Runtime would open other files
        self._session = _session(content)
        self.layers = layers.read(parsed, INPUT[0], OUTPUT[0])
        self._check_signature()
        self._one = _One(self._session)

    @classmethod
    def load(cls, files: VersionFiles) -> Self:
        """Load and check a version.

        Loads the very bytes that match the manifest's SHA-256, checks the signature and
        predicts the project's own digits, or the manifest's examples if it has any, which
        also warms up the session.

        Raises:
            ModelError: the version is unusable; found and expected are in the message.
        """
        try:
            manifest = _read_manifest(files)
            model = cls(manifest, _check_model(files, manifest))
            model._check_examples(manifest.examples or digits.load())
        except ModelError:
            raise
        except Exception as error:  # whatever it is, other versions are to be served
            raise ModelError(f"the version cannot be loaded: {error!r:.300}") from error
        return model

    def predict(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the probabilities of the ten digits.

        Args:
            images: float32 ``[n, 784]``, pixels 0 to 1, n at least 1.

        Returns:
            float32 ``[n, 10]``; each row adds up to 1.
        """
        if len(images) == 1:
            return self._one.predict(images)
        probabilities: npt.NDArray[np.float32]
        (probabilities,) = self._session.run([OUTPUT[0]], {INPUT[0]: images})
        return probabilities

    def is_sure(self, row: npt.NDArray[np.float32]) -> bool:
        """Return whether an answer, its ten probabilities, is no guess."""
        found = self.thresholds
        return found is None or not found.guess(row.tolist(), float(row.max()))

    def _check_signature(self) -> None:
        for kind, values, expected in (
            ("input", self._session.get_inputs(), INPUT),
            ("output", self._session.get_outputs(), OUTPUT),
        ):
            found = [(value.name, value.type, list(value.shape)) for value in values]
            name, dtype, width = expected
            # The first dimension is the batch: any name, but no fixed size.
            matches = len(found) == 1 and (
                found[0][:2] == (name, dtype)
                and len(found[0][2]) == 2
                and not isinstance(found[0][2][0], int)
                and found[0][2][1] == width
            )
            if not matches:
                raise ModelError(
                    f"the {kind} is {found}, expected {[(name, dtype, ['batch', width])]}"
                )

    def _check_examples(self, examples: digits.Digits) -> None:
        frames, labels = examples
        images = frames.astype(np.float32) / np.float32(255)
        try:
            probabilities = self.predict(images)
            self.predict(images[:1])  # warms up the most common shape
        except Exception as error:  # ONNX Runtime's own errors share no other base
            raise ModelError(f"the self-check failed: {error}") from error
        if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):
            raise ModelError(
                "in the self-check the ten outputs of an image do not add up to 1, "
                "expected probabilities"
            )
        right = float((probabilities.argmax(axis=1) == labels).mean())
        if right < LEAST_RIGHT:
            raise ModelError(
                f"the self-check read {right:.0%} of {len(labels)} images rightly, "
                f"expected at least {LEAST_RIGHT:.0%}"
            )


def _read_manifest(files: VersionFiles) -> _Manifest:
    try:
        content = json.loads(_bytes(files.manifest))
        if not isinstance(content, dict):
            raise TypeError(f"found {type(content).__name__}")
    except FileNotFoundError:
        raise ModelError("there is no manifest.json beside the model") from None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ModelError(
            f"manifest.json cannot be read ({error!r:.300}), expected an object with name, "
            "version and sha256"
        ) from error
    values: list[Any] = [content.get(field) for field in _Manifest._fields]
    manifest = _Manifest(*values)
    examples = _examples(manifest.examples)
    name, number = files.folder.parent.name, int(files.folder.name)
    fraction = "a number from 0 to 1"
    good = (  # in the order of the fields
        (repr(name), manifest.name == name),
        # 2.0 and true are equal to numbers, and are none here.
        (f"the number {number}", (type(values[1]), values[1]) == (int, number)),
        ("64 hexadecimal digits", _is_sha256(manifest.sha256)),
        (fraction, _is_fraction(manifest.unsure_below)),
        (fraction, _is_fraction(manifest.no_digit_above)),
        (
            "a list of objects with label (0 to 9) and image (784 bytes in base64)",
            manifest.examples is None or examples is not None,
        ),
    )
    for field, value, (expected, fits) in zip(_Manifest._fields, values, good):
        if not fits:
            raise ModelError(
                f"manifest.json has {field} {_shown(value)}, expected {expected}"
            )
    return manifest._replace(examples=examples)


def _examples(value: Any) -> digits.Digits | None:
    """Return the examples of a manifest; None if there are none or they are malformed."""
    try:
        images = [base64.b64decode(each["image"], validate=True) for each in value]
        labels = [each["label"] for each in value]
    except (TypeError, KeyError, ValueError):
        return None
    well_formed = all(len(image) == PIXELS for image in images) and all(
        type(label) is int and 0 <= label < OUTPUT[2] for label in labels
    )
    if not labels or not well_formed:
        return None
    frames = np.frombuffer(b"".join(images), np.uint8).reshape(-1, PIXELS)
    return digits.Digits(frames, np.array(labels))


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{64}", value))


def _is_fraction(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and 0 <= value <= 1)


def _shown(value: Any) -> str:
    """Return a value as JSON shows it, the beginning if it is long."""
    return f"{json.dumps(value):.100}"


def _check_model(files: VersionFiles, manifest: _Manifest) -> bytes:
    try:
        content = _bytes(files.model)
    except OSError as error:
        raise ModelError(f"model.onnx cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != manifest.sha256:
        raise ModelError(
            f"model.onnx ({len(content)} bytes) has the SHA-256 {digest}, expected "
            f"{manifest.sha256} as in manifest.json"
        )
    return content


def _bytes(found: bytes | OSError) -> bytes:
    if isinstance(found, OSError):
        raise found
    return found


def _session(content: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    # One image takes 13 µs: a thread pool would cost more than it gains, and there is one
    # worker process per core.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4  # errors are raised, so do not print them too
    # Pixels below 1e-38 take the processor 150 times as long; 0 gives the same digits. For
    # the thread that makes the first session, and those that it starts later.
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    # Whatever the bytes look like: another format could not be searched for other files.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own errors share no other base
        raise ModelError(f"ONNX Runtime cannot load model.onnx: {error}") from error
