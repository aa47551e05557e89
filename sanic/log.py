"""The names of the logging package that users import; everything is defined in `sanic.logging`."""

from __future__ import annotations

from sanic.logging.color import Colors
from sanic.logging.default import LOGGING_CONFIG_DEFAULTS
from sanic.logging.deprecation import deprecation
from sanic.logging.filter import VerbosityFilter
from sanic.logging.loggers import access_logger, error_logger, logger, server_logger, websockets_logger

__all__ = (
    "LOGGING_CONFIG_DEFAULTS",
    "Colors",
    "VerbosityFilter",
    "access_logger",
    "deprecation",
    "error_logger",
    "logger",
    "server_logger",
    "websockets_logger",
)
