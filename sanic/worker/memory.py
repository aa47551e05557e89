"""How much memory this process occupies."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

_STATM = "/proc/self/statm"


class Memory:
    """Tells the resident set of this process.

    Where the system offers no look at the present, that is the largest one so far.
    """

    def __init__(self) -> None:
        # Kept open, so that it can be told when no descriptors are left, too.
        self._descriptor = -1
        with suppress(OSError):
            self._descriptor = os.open(_STATM, os.O_RDONLY | os.O_CLOEXEC)
        self._page = os.sysconf("SC_PAGE_SIZE") if self._descriptor >= 0 else 0

    def resident(self) -> int:
        """Its size, in bytes; 0 if that cannot be known."""
        if self._descriptor >= 0:
            with suppress(OSError, ValueError, IndexError):
                return int(os.pread(self._descriptor, 256, 0).split()[1]) * self._page
        return largest_resident()

    def close(self) -> None:
        """Look no more."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def largest_resident() -> int:
    """The largest resident set of this process so far, in bytes; 0 if that cannot be known."""
    try:
        import resource
    except ImportError:
        return 0
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024
