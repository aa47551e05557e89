"""Applying a logging configuration, and fitting its formatters to the mode of the run.

The only place in the package that changes handlers. Formatters that are not this package's own are left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from sanic.helpers import Default, _default
from sanic.logging.color import is_color_allowed, is_terminal
from sanic.logging.default import LOGGING_CONFIG_DEFAULTS
from sanic.logging.formatter import AutoFormatter

__all__ = ("apply_log_config", "setup_logging")


def apply_log_config(log_config: dict[str, Any] | None = None) -> None:
    """Configure logging for the process.

    :param log_config: as for `logging.config.dictConfig`; ``None`` takes ``LOGGING_CONFIG_DEFAULTS``.
    :raises ValueError: the configuration is wrong.
    """
    from logging.config import dictConfig

    dictConfig(LOGGING_CONFIG_DEFAULTS if log_config is None else log_config)


def setup_logging(debug: bool, no_color: bool = False, log_extra: bool | Default | None = _default) -> None:
    """Fit this package's formatters to the mode of the run; may be called again when it changes.

    Placeholders become debug or production formatters; all get to know whether to colour, by the stream that
    they write to, and whether to append extra fields.

    :param debug: whether the run is in debug mode.
    :param no_color: write no colours, even on a terminal.
    :param log_extra: append extra fields; not given or ``None`` means in debug mode only.
    """
    has_extra = debug if log_extra is None or isinstance(log_extra, Default) else log_extra
    may_color = not no_color and is_color_allowed()
    for handler in _handlers():
        formatter = handler.formatter
        if not isinstance(formatter, AutoFormatter):
            continue
        if formatter.is_placeholder:
            formatter = formatter.for_mode(debug)
            handler.setFormatter(formatter)
        formatter.log_extra = has_extra
        formatter.color = may_color and is_terminal(getattr(handler, "stream", None))


def _handlers() -> Iterator[logging.Handler]:
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    seen: set[int] = set()
    for logger in loggers:
        if not isinstance(logger, logging.Logger):  # a gap in the tree of names
            continue
        for handler in logger.handlers:
            if id(handler) not in seen:
                seen.add(id(handler))
                yield handler
