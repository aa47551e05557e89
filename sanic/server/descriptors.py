"""Says that no file descriptors are left, and that there are some again; what they are used for it does not know.

Without them no connection can be accepted. uvloop tells nobody, asyncio tells it a hundred times a second.
"""

from __future__ import annotations

import asyncio
import errno
import os
from typing import Any

from sanic.log import error_logger

_INTERVAL = 1.0
#: Seconds until it is said again.
_AGAIN_SECONDS = 60.0
_NONE_LEFT = (errno.EMFILE, errno.ENFILE)
#: What asyncio says of it.
_MESSAGE = "socket.accept() out of system resource"


class DescriptorWatch:
    """Looks once a second whether a descriptor can be had.

    Args:
        loop: The event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None
        self._said_at: float | None = None
        self._is_short = False

    def start(self) -> None:
        """Begin to look."""
        if self._loop.get_exception_handler() is None:
            self._loop.set_exception_handler(_handle)
        self._look()

    def stop(self) -> None:
        """Look no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _look(self) -> None:
        self._handle = self._loop.call_later(_INTERVAL, self._look)
        now = self._loop.time()
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            if error.errno in _NONE_LEFT and (self._said_at is None or now - self._said_at >= _AGAIN_SECONDS):
                self._said_at = now
                self._is_short = True
                error_logger.error(
                    "No file descriptors are left%s: connections cannot be accepted. Raise the limit, for example "
                    "with `ulimit -n`.",
                    _limit(),
                )
            return
        if self._is_short:
            self._is_short = False
            error_logger.warning("There are file descriptors again.")


def _limit() -> str:
    try:
        import resource
    except ImportError:
        return ""
    return f" (the limit is {resource.getrlimit(resource.RLIMIT_NOFILE)[0]})"


def _handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if context.get("message") != _MESSAGE:
        loop.default_exception_handler(context)
