"""Which event loop is used."""

from __future__ import annotations

import asyncio
import os

from sanic.compat import OS_IS_WINDOWS
from sanic.log import error_logger
from sanic.utils import str_to_bool


def try_use_uvloop() -> None:
    """Make uvloop the loop of this process, if it is installed and `SANIC_NO_UVLOOP` does not forbid it."""
    if OS_IS_WINDOWS or str_to_bool(os.environ.get("SANIC_NO_UVLOOP", "no")):
        return
    if not _is_importable("uvloop"):
        error_logger.warning("uvloop is not installed, so the loop of the standard library is used.")
        return
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


def new_loop(use_uvloop: bool) -> asyncio.AbstractEventLoop:
    """Make the loop that a server runs on.

    Args:
        use_uvloop: Whether it is uvloop's where that can be had.
    """
    if use_uvloop and not OS_IS_WINDOWS and not str_to_bool(os.environ.get("SANIC_NO_UVLOOP", "no")):
        try:
            from uvloop import new_event_loop
        except ImportError:
            error_logger.warning("uvloop is not installed, so the loop of the standard library is used.")
        else:
            return new_event_loop()
    return asyncio.new_event_loop()


def _is_importable(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None
