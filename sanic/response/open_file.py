"""An open file, and reading it without holding up the event loop.

What the system has in memory is read at once, because a thread costs many times as much as the copy; for what would
have to come from the disk a thread waits. It knows nothing of HTTP.
"""

from __future__ import annotations

import errno
import os
from asyncio import get_running_loop
from stat import S_ISDIR, S_ISREG
from typing import Final

#: The most that is read at once when a whole file passes through.
BLOCK_SIZE: Final = 256 * 1024

# Opening must neither wait for the other end of a pipe nor adopt a terminal. Not every platform has all of them.
_FLAGS: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY"))
# Read only what is in the page cache (Linux).
_NO_WAIT: Final[int] = getattr(os, "RWF_NOWAIT", 0)
# A file of this size is read at once also where the system cannot tell whether it is in memory.
_SMALL: Final = 64 * 1024


class OpenFile:
    """A file or directory that is open for reading; it closes itself when nobody holds it any more.

    Args:
        path: Its path.

    Raises:
        OSError: It cannot be opened.

    Attributes:
        descriptor: For the calls of `os`; -1 when it is closed.
        path: As given.
        size: In bytes, when it was opened.
        modified_ns: When it was last modified, in nanoseconds since 1970.
    """

    __slots__ = ("descriptor", "modified_ns", "path", "size", "status")

    def __init__(self, path: str) -> None:
        self.descriptor = -1
        self.path = path
        self.descriptor = os.open(path, _FLAGS)
        status = self.status = os.fstat(self.descriptor)
        self.size = status.st_size
        self.modified_ns = status.st_mtime_ns

    @property
    def is_regular(self) -> bool:
        """Whether it is a file like any other: no directory, pipe, socket or device."""
        return S_ISREG(self.status.st_mode)

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return S_ISDIR(self.status.st_mode)

    @property
    def modified(self) -> float:
        """When it was last modified, in seconds since 1970."""
        return self.modified_ns / 1_000_000_000

    @property
    def etag(self) -> str:
        """A strong entity tag: another one for every other content (RFC 9110 section 8.8.3).

        It is made of size and time of modification, which copies of a directory on several machines share.
        """
        return f'"{self.modified_ns:x}-{self.size:x}"'

    def close(self) -> None:
        """Close it; any number of times."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    __del__ = close

    async def read(self, size: int, offset: int) -> bytes:
        """Read a piece; it is shorter than asked for only at the end of the file.

        Args:
            size: Bytes to read.
            offset: Where to begin, in bytes.
        """
        data = self._read_without_waiting(size, offset)
        if data is None:
            data = await get_running_loop().run_in_executor(None, read_blocking, self.descriptor, size, offset)
        return data

    def _read_without_waiting(self, size: int, offset: int) -> bytes | None:
        if _NO_WAIT:
            buffer = bytearray(size)
            try:
                if os.preadv(self.descriptor, [buffer], offset, _NO_WAIT) == size:
                    return bytes(buffer)
                return None  # a part of it is not in memory, or the file has become shorter
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
                    return None
        return read_blocking(self.descriptor, size, offset) if size <= _SMALL else None


def read_blocking(descriptor: int, size: int, offset: int) -> bytes:
    """Read a piece of a file, and wait for it."""
    pieces = []
    while size > 0:
        data = _read_once(descriptor, size, offset)
        if not data:
            break
        pieces.append(data)
        size -= len(data)
        offset += len(data)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _read_once(descriptor: int, size: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, size, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, size)
