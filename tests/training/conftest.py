import struct

import pytest

from training.dataset import FILES


@pytest.fixture(scope="session")
def write_idx():
    """Write four arrays into a folder, under the names of MNIST's files."""

    def write(folder, arrays):
        for file, array in zip(FILES, arrays):
            head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
            (folder / file.name).write_bytes(head + array.tobytes())

    return write
