"""ANSI colours, and whether to use them.

Colours are for people at a terminal: never in files or pipes, and not for who set ``SANIC_NO_COLOR`` or ``NO_COLOR``.
"""

from __future__ import annotations

import logging
import os
from enum import Enum
from typing import Any, Final

from sanic.helpers import is_atty
from sanic.utils import str_to_bool

__all__ = ("LEVEL_CODES", "Ansi", "Colors", "is_color_allowed", "is_color_wanted", "is_terminal")


class Ansi:
    """The control sequences themselves, for callers that have made sure that they are wanted."""

    END: Final = "\033[0m"
    BOLD: Final = "\033[1m"
    RED: Final = "\033[31m"
    GREEN: Final = "\033[32m"
    YELLOW: Final = "\033[33m"
    BLUE: Final = "\033[34m"
    PURPLE: Final = "\033[35m"
    CYAN: Final = "\033[36m"
    GREY: Final = "\033[38;5;240m"
    SANIC: Final = "\033[38;2;255;13;104m"


LEVEL_CODES: Final[dict[int, str]] = {
    logging.DEBUG: Ansi.BLUE,
    logging.WARNING: Ansi.YELLOW,
    logging.ERROR: Ansi.RED,
    logging.CRITICAL: Ansi.RED + Ansi.BOLD,
}


def is_color_allowed() -> bool:
    """Tell whether the environment permits colours: neither ``SANIC_NO_COLOR`` nor ``NO_COLOR`` is set.

    ``NO_COLOR`` counts with any text but an empty one, see https://no-color.org.
    """
    if os.environ.get("NO_COLOR"):
        return False
    try:
        return not str_to_bool(os.environ.get("SANIC_NO_COLOR", "false"))
    except ValueError:
        return True


def is_color_wanted() -> bool:
    """Tell whether colours are permitted and standard output is a terminal."""
    return is_color_allowed() and is_atty()


def is_terminal(stream: Any) -> bool:
    """Tell whether a stream, which may be closed or no stream at all, is a terminal."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


_IS_COLOR_WANTED: Final = is_color_wanted()


class Colors(str, Enum):
    """Colours to put into text that is printed; all are empty where colours are not wanted."""

    END = Ansi.END if _IS_COLOR_WANTED else ""
    BOLD = Ansi.BOLD if _IS_COLOR_WANTED else ""
    BLUE = Ansi.BLUE if _IS_COLOR_WANTED else ""
    GREEN = Ansi.GREEN if _IS_COLOR_WANTED else ""
    PURPLE = Ansi.PURPLE if _IS_COLOR_WANTED else ""
    CYAN = Ansi.CYAN if _IS_COLOR_WANTED else ""
    RED = Ansi.RED if _IS_COLOR_WANTED else ""
    YELLOW = Ansi.YELLOW if _IS_COLOR_WANTED else ""
    GREY = Ansi.GREY if _IS_COLOR_WANTED else ""
    SANIC = Ansi.SANIC if _IS_COLOR_WANTED else ""

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, specification: str) -> str:
        return str.__format__(self, specification)
