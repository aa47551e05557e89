"""Small files that have been served lately, kept in memory until they change.

Each use asks the system whether the path still leads to the very file that was read, unchanged; that one question takes
the place of opening, locating and reading it. Nothing is kept that changed so lately that a further change might not
show in its times.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import time_ns
from typing import Final

from sanic.headers.dates import format_http_date
from sanic.response.media_types import content_type_of
from sanic.response.open_file import OpenFile

#: Files up to this size are kept.
LARGEST_KEPT: Final = 64 * 1024
#: Bytes and files that one mount keeps; then it begins anew.
MOST_BYTES: Final = 8 * 1024 * 1024
MOST_FILES: Final = 1024
# Times of files are as coarse as two seconds on some file systems.
_COARSEST_CLOCK_NS: Final = 2_000_000_000


class KnownFile:
    """A file, as its response needs it.

    Args:
        opened: The file.
        body: What is in it, if that has been read.

    Attributes:
        path: Where it is.
        content_type: What its name tells.
        size: In bytes.
        modified: When it was last modified, in seconds since 1970; `modified_ns` in nanoseconds.
        last_modified: The same as a header has it.
        etag: Its entity tag.
        body: What is in it, or None.
    """

    __slots__ = ("body", "content_type", "etag", "last_modified", "modified", "modified_ns", "path", "size", "status")

    def __init__(self, opened: OpenFile, body: bytes | None = None) -> None:
        self.path = opened.path
        self.content_type = content_type_of(opened.path)
        self.size = opened.size
        self.modified = opened.modified
        self.modified_ns = opened.modified_ns
        self.last_modified = format_http_date(opened.modified)
        self.etag = opened.etag
        self.status = opened.status
        self.body = body


class KnownFiles:
    """The files that one mount has read lately, by path.

    Args:
        clock: The time in nanoseconds since 1970, as the file system tells it.
        most_bytes: What they may weigh together.
        most_files: How many they may be.
    """

    __slots__ = ("_bytes", "_clock", "_files", "_most_bytes", "_most_files")

    def __init__(
        self, clock: Callable[[], int] = time_ns, most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES
    ) -> None:
        self._clock = clock
        self._most_bytes = most_bytes
        self._most_files = most_files
        self._files: dict[str, KnownFile] = {}
        self._bytes = 0

    def get(self, path: str) -> KnownFile | None:
        """A file that is as it was when it was read; None for one that is not known, or no longer."""
        known = self._files.get(path)
        if known is None:
            return None
        try:
            now = os.stat(path)
        except OSError:
            now = None
        then = known.status
        if (
            now is not None
            and now.st_mtime_ns == then.st_mtime_ns
            and now.st_ctime_ns == then.st_ctime_ns
            and now.st_size == then.st_size
            and now.st_ino == then.st_ino
            and now.st_dev == then.st_dev
        ):
            return known
        self._forget(path)
        return None

    def keep(self, known: KnownFile) -> None:
        """Keep a file whose body has been read, if it is small and has not just been changed."""
        body, status = known.body, known.status
        # What is shorter or longer than it was said to be is being written to.
        if body is None or len(body) != known.size or known.size > LARGEST_KEPT:
            return
        if self._clock() - max(status.st_mtime_ns, status.st_ctime_ns) < _COARSEST_CLOCK_NS:
            return
        self._forget(known.path)
        if self._bytes + known.size > self._most_bytes or len(self._files) >= self._most_files:
            self._files.clear()
            self._bytes = 0
        self._files[known.path] = known
        self._bytes += known.size

    def _forget(self, path: str) -> None:
        known = self._files.pop(path, None)
        if known is not None:
            self._bytes -= known.size
