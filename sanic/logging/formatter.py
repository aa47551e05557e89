"""The shapes of log lines: production, debug, legacy and JSON, each for messages and for access lines.

A formatter never changes the record it is given, because other handlers format the same one. It does not know
the run's mode; `sanic.logging.setup` replaces the Auto formatters and sets `color` and `log_extra`.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from sanic.logging.color import LEVEL_CODES, Ansi, is_color_wanted

__all__ = (
    "AutoAccessFormatter",
    "AutoFormatter",
    "DebugAccessFormatter",
    "DebugFormatter",
    "JSONAccessFormatter",
    "JSONFormatter",
    "LegacyAccessFormatter",
    "LegacyFormatter",
    "ProdAccessFormatter",
    "ProdFormatter",
)

_Style = Literal["%", "{", "$"]

_FULL_TIME: Final = "%Y-%m-%d %H:%M:%S %z"
_SHORT_TIME: Final = "%H:%M:%S"
_ACCESS_FIELDS: Final = ("host", "request", "status", "byte", "duration")

_ACCESS_FIELD_SET: Final = frozenset(_ACCESS_FIELDS)

# What every record has by itself; anything else in it was given by the caller as extra.
_OWN_FIELDS: Final = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "asctime",
    "ident",
    "message",
    "taskName",
    "verbosity",
}

_FILE_LINE: Final = re.compile(r'^(\s*File "[^"]*", line )(\d+)(?:(, in )(.+))?$')
_EXCEPTION_LINE: Final = re.compile(r"^((?:\w+\.)*\w+)(: .*)?$")


def _identifier() -> str:
    # Workers are called "Srv  0" to "Srv 10", so that their names sort; lines begin with five columns.
    return f"{' '.join(os.environ.get('SANIC_WORKER_IDENTIFIER', '').split()) or 'Main':<5}"


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _OWN_FIELDS}


class AutoFormatter(logging.Formatter):
    """Placeholder that becomes a `DebugFormatter` or a `ProdFormatter` when the mode of the run is known.

    Until then it writes production lines. A format given in a logging configuration is kept; besides the usual
    fields it may use ``%(ident)s``, the name of the process.

    :param fmt: format of a line; the default depends on the class.
    :param datefmt: format of the time.
    :param style: of ``fmt``, see `logging.Formatter`.
    :param validate: see `logging.Formatter`.
    :param defaults: see `logging.Formatter`.
    """

    LINE: ClassVar[str] = "%(ident)s %(asctime)s %(levelname)s: %(message)s"
    TIME: ClassVar[str] = _FULL_TIME
    HAS_EXTRA: ClassVar[bool] = False

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: _Style = "%",
        validate: bool = True,
        *,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            self.LINE if fmt is None else fmt,
            self.TIME if datefmt is None else datefmt,
            "%" if fmt is None else style,
            validate,
            defaults=defaults,
        )
        #: What was given, for the formatter that may take this one's place.
        self.arguments: Final = (fmt, datefmt, style, validate)
        #: Whether this formatter is for `sanic.logging.setup` to replace.
        self.is_placeholder: bool = type(self) in (AutoFormatter, AutoAccessFormatter)
        #: Whether lines are coloured.
        self.color: bool = is_color_wanted()
        #: Whether fields given as extra are appended to the line.
        self.log_extra: bool = self.HAS_EXTRA

    def for_mode(self, debug: bool) -> AutoFormatter:
        """Return the formatter that takes this placeholder's place."""
        replacement = (DebugFormatter if debug else ProdFormatter)(*self.arguments)
        replacement.is_placeholder = True
        return replacement

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or lines, for a record."""
        copy = logging.LogRecord.__new__(type(record))
        vars(copy).update(vars(record))
        self.prepare(copy)
        text = super().format(copy)
        return text + self.format_extras(_extras(record)) if self.log_extra else text

    def prepare(self, record: logging.LogRecord) -> None:
        """Add what the format needs to a record of which this formatter is the only owner."""
        ident = _identifier()
        if self.color:
            # A traceback that another handler has rendered is plain, and this one's may not be.
            record.exc_text = None
            ident = f"{Ansi.GREY}{ident}{Ansi.END}"
            code = LEVEL_CODES.get(record.levelno)
            if code:
                record.levelname = f"{code}{record.levelname}{Ansi.END}"
        vars(record)["ident"] = ident

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """Return the time of a record, grey where colours are wanted."""
        time = super().formatTime(record, datefmt)
        return f"{Ansi.GREY}{time}{Ansi.END}" if self.color else time

    def format_extras(self, extras: dict[str, Any]) -> str:
        """Return extra fields as ``key=value``, each on a line of its own."""
        if self.color:
            return "".join(f"\n  {Ansi.YELLOW}{key}{Ansi.END}={value}" for key, value in extras.items())
        return "".join(f"\n{key}={value}" for key, value in extras.items())


class ProdFormatter(AutoFormatter):
    """Lines for production: process, date and time with zone, level, message."""


class DebugFormatter(AutoFormatter):
    """Lines for development: a short time, extra fields, tracebacks coloured on a terminal."""

    TIME: ClassVar[str] = _SHORT_TIME
    HAS_EXTRA: ClassVar[bool] = True

    def formatException(self, ei: Any) -> str:
        """Return a traceback, coloured where colours are wanted."""
        text = super().formatException(ei)
        if not self.color:
            return text
        return "\n".join(map(_color_traceback_line, text.splitlines()))


class LegacyFormatter(AutoFormatter):
    """Lines as they were before 24.12: time, process number and level, each in brackets."""

    LINE: ClassVar[str] = "[%(asctime)s] [%(process)s] [%(levelname)s] %(message)s"


class AutoAccessFormatter(AutoFormatter):
    """Placeholder that becomes a `DebugAccessFormatter` or a `ProdAccessFormatter`.

    Access records carry ``host``, ``request``, ``status``, ``byte`` and ``duration``. A record without them is
    written as an ordinary message.
    """

    LINE: ClassVar[str] = "%(ident)s|%(asctime)s %(levelname)s: %(host)s %(request)s %(status)s %(byte)s %(duration)s"
    PLAIN_LINE: ClassVar[str] = AutoFormatter.LINE

    def for_mode(self, debug: bool) -> AutoFormatter:
        """Return the formatter that takes this placeholder's place."""
        replacement = (DebugAccessFormatter if debug else ProdAccessFormatter)(*self.arguments)
        replacement.is_placeholder = True
        return replacement

    def prepare(self, record: logging.LogRecord) -> None:
        """Add colours to the parts of an access line."""
        super().prepare(record)
        if not self.color or not _is_access_record(record):
            return
        fields = vars(record)
        status = fields["status"]
        code = Ansi.GREEN
        if isinstance(status, int) and status >= 300:
            code = Ansi.RED if status >= 500 else Ansi.YELLOW if status >= 400 else Ansi.CYAN
        fields["host"] = f"{Ansi.PURPLE}{fields['host']}{Ansi.END}"
        fields["request"] = f"{Ansi.BLUE}{Ansi.BOLD}{fields['request']}{Ansi.END}"
        fields["status"] = f"{code}{status}{Ansi.END}"
        fields["duration"] = f"{Ansi.GREY}{fields['duration']}{Ansi.END}"

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line without traceback and extra fields."""
        if self.arguments[0] is None and not _is_access_record(record):
            return self.PLAIN_LINE % vars(record)
        return super().formatMessage(record)

    def format_extras(self, extras: dict[str, Any]) -> str:
        """Return nothing: an access line has all its fields."""
        return ""


class ProdAccessFormatter(AutoAccessFormatter):
    """Access lines for production."""


class DebugAccessFormatter(AutoAccessFormatter):
    """Access lines for development."""

    LINE: ClassVar[str] = "%(ident)s %(asctime)s %(levelname)s: %(host)s %(request)s %(status)s %(byte)s %(duration)s"
    TIME: ClassVar[str] = _SHORT_TIME


class LegacyAccessFormatter(AutoAccessFormatter):
    """Access lines as they were before 24.12."""

    LINE: ClassVar[str] = "%(asctime)s - (%(name)s)[%(levelname)s][%(host)s]: %(request)s  %(status)s %(byte)s"
    PLAIN_LINE: ClassVar[str] = "%(asctime)s - (%(name)s)[%(levelname)s]: %(message)s"


class JSONFormatter(AutoFormatter):
    """One JSON object per line, with all extra fields; a value that JSON cannot hold is written as its text."""

    FIELDS: ClassVar[tuple[str, ...]] = ("name", "levelno", "pathname", "module", "filename", "lineno")

    def format(self, record: logging.LogRecord) -> str:
        """Return the JSON object for a record."""
        return self.dumps(self.to_dict(record))

    def to_dict(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return what is written for a record."""
        fields = self.base_fields(record)
        # Extra fields come before what must not be overwritten by them.
        fields.update({key: value for key, value in _extras(record).items() if key not in fields})
        if record.exc_info and record.exc_info[0]:
            fields["exc_info"] = self.formatException(record.exc_info)
        return fields

    def base_fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return the fields that every line has."""
        fields = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": record.levelname,
            "message": record.getMessage(),
        }
        fields.update({key: getattr(record, key) for key in self.FIELDS})
        return fields

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """Return the time of a record, never coloured."""
        return logging.Formatter.formatTime(self, record, datefmt)

    def dumps(self, fields: dict[str, Any]) -> str:
        """Return the fields as JSON on one line."""
        from json import dumps

        return dumps(fields, separators=(",", ":"), default=str)


class JSONAccessFormatter(JSONFormatter):
    """One JSON object per access line."""

    FIELDS: ClassVar[tuple[str, ...]] = ()

    def to_dict(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return what is written for a record."""
        fields = self.base_fields(record)
        fields.update({key: getattr(record, key) for key in _ACCESS_FIELDS if hasattr(record, key)})
        return fields


def _is_access_record(record: logging.LogRecord) -> bool:
    return vars(record).keys() >= _ACCESS_FIELD_SET


def _color_traceback_line(line: str) -> str:
    place = _FILE_LINE.match(line)
    if place:
        head, number, between, name = place.groups()
        tail = f"{between}{Ansi.BLUE}{Ansi.BOLD}{name}{Ansi.END}" if name else ""
        return f"{head}{Ansi.CYAN}{Ansi.BOLD}{number}{Ansi.END}{tail}"
    if line.startswith(" "):
        return f"{Ansi.YELLOW}{line}{Ansi.END}"
    exception = _EXCEPTION_LINE.match(line)
    if exception:
        return f"{Ansi.SANIC}{Ansi.BOLD}{exception[1]}{Ansi.END}{exception[2] or ''}"
    return line
