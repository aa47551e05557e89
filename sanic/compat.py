"""What differs between platforms or library versions, and the header container.

Anything that must be asked of the platform is asked here, once; nothing here knows of applications.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from multidict import CIMultiDict

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ("OS_IS_WINDOWS", "Header", "open_async", "stat_async")

OS_IS_WINDOWS: Final = os.name == "nt"


class Header(CIMultiDict[str]):
    """Headers of a message: a multi-dict whose names are compared without regard to case.

    ``headers["name"]`` and ``headers.get("name")`` give the first value. As attributes, headers read as one text:
    ``headers.user_agent`` is all values of ``user-agent`` joined with ``,`` (RFC 9110 section 5.3), ``""`` when
    there is none; one trailing underscore is dropped, so that ``headers.from_`` can be written.
    """

    def __getattr__(self, key: str) -> str:
        if key.startswith("_"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{key}'")
        return ",".join(self.getall(key.removesuffix("_").replace("_", "-"), ()))

    def get_all(self, key: str) -> list[str]:
        """Return all values of the named header in order, ``[]`` when it is absent."""
        return list(self.getall(key, ()))


async def open_async(file: str | os.PathLike[str], mode: str = "r", **kwargs: Any) -> Any:
    """Open a file without blocking the event loop: ``async with await open_async(path) as file: …``.

    :param file: path of the file.
    :param mode: as for `open`.
    :param kwargs: further arguments of `open`.
    """
    from aiofiles import open as aio_open

    return aio_open(file, mode, **kwargs)  # type: ignore[call-overload]


async def stat_async(path: str | Path) -> os.stat_result:
    """Return `os.stat` of a path without blocking the event loop."""
    from aiofiles.os import stat

    return await stat(path)
