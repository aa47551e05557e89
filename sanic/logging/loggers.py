"""The loggers that the package writes to. Handlers and levels come from a configuration, not from here."""

from __future__ import annotations

import logging
from typing import Final

from sanic.logging.filter import VerbosityFilter

__all__ = ("access_logger", "error_logger", "logger", "server_logger", "websockets_logger")


def _logger(name: str) -> logging.Logger:
    found = logging.getLogger(name)
    # The name may have got its filter before, from an earlier import of this module.
    if not any(isinstance(present, VerbosityFilter) for present in found.filters):
        found.addFilter(VerbosityFilter())
    return found


logger: Final = _logger("sanic.root")
"""General messages."""

error_logger: Final = _logger("sanic.error")
"""Exceptions."""

access_logger: Final = _logger("sanic.access")
"""One line per response."""

server_logger: Final = _logger("sanic.server")
"""Life of the workers."""

websockets_logger: Final = _logger("sanic.websockets")
"""Internals of websocket connections; warnings and worse, unless a logging configuration asks for more."""

if websockets_logger.level == logging.NOTSET:
    websockets_logger.setLevel(logging.WARNING)
