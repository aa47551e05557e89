"""Dates in header fields (RFC 9110 section 5.6.7): written in the one form, read in all of them."""

from __future__ import annotations

from datetime import datetime
from time import gmtime
from typing import Final

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# The form has four digits for the year. File systems know times beyond both ends.
_LATEST: Final = 253402300799


def format_http_date(timestamp: float) -> str:
    """Write a time as `Sun, 06 Nov 1994 08:49:37 GMT`.

    Args:
        timestamp: seconds since 1970; what lies before, or after the year 9999, is written as the nearest time within.
    """
    year, month, day, hour, minute, second, weekday, _, _ = gmtime(min(max(timestamp, 0), _LATEST))
    return f"{_DAYS[weekday]}, {day:02} {_MONTHS[month]} {year:04} {hour:02}:{minute:02}:{second:02} GMT"


def parse_http_date(text: str) -> int | None:
    """Read a date, also in the two obsolete forms.

    Returns:
        seconds since 1970, None for what is no date.
    """
    from email.utils import mktime_tz, parsedate_tz

    try:
        parts = parsedate_tz(text)
        if parts is None:
            return None
        datetime(*parts[:6])  # refuses a 31st of February, which would otherwise be read as some day of March
        return int(mktime_tz(parts))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
