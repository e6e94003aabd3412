"""``python -m service [gunicorn's options]``: gunicorn with the project's settings."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Become gunicorn, so that signals reach it and its exit code is this one's."""
    config = Path(__file__).with_name("gunicorn.conf.py")
    module = [sys.executable, "-m", "service.master"]
    command = [*module, "--config", str(config), *sys.argv[1:]]
    # glibc gives each thread a heap of its own, and each keeps what its largest request
    # took: 149 MB in a worker after requests of 1,024 images, 115 MB with one heap. Only
    # one thread of a Python process allocates at a time anyway.
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    # It also gives memory back after each large request, and each page of it costs a fault
    # on the next: 90 faults for 64 images. These keep up to 16 MiB and map what is larger.
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(16 << 20))
    os.environ.setdefault("MALLOC_TOP_PAD_", str(1 << 20))
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(4 << 20))
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
