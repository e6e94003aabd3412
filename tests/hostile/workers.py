"""What workers hold: memory and open files."""

import contextlib
import resource
from pathlib import Path

PAGE_KIB = resource.getpagesize() // 1024


class Peak:
    """The most memory that each worker had, in KiB.

    Peaks are compared, because what a worker keeps for a while, such as the heads that it
    knows, grows and is dropped again and again.
    """

    def __init__(self, pids: list[int]) -> None:
        self.most = dict.fromkeys(pids, 0)

    def look(self) -> None:
        """Look again; a worker that is no more is left out."""
        for pid in self.most:
            with contextlib.suppress(OSError):
                pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
                self.most[pid] = max(self.most[pid], int(pages) * PAGE_KIB)


def open_files(pids: list[int]) -> dict[int, int]:
    """Return how many files processes have open; none, of one that is no more."""
    counts = dict.fromkeys(pids, 0)
    for pid in pids:
        with contextlib.suppress(OSError):
            counts[pid] = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return counts
