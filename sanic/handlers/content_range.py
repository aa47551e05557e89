"""Range requests (RFC 9110 section 14): which part of a file a client asks for.

One range only. Lists of them are refused whatever they hold, so that none can make the server work.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from sanic.exceptions import HeaderNotFound, InvalidRangeType, RangeNotSatisfiable

if TYPE_CHECKING:
    from sanic.request import Request

_RANGE: Final = re.compile(r"([0-9]*)[ \t]*-[ \t]*([0-9]*)")
#: No file is as large as a number of so many digits; a longer one is as good as this many nines.
_MOST_DIGITS: Final = 18


class HasSize(Protocol):
    """What is known of a file, such as an `os.stat_result`."""

    @property
    def st_size(self) -> int: ...


class ContentRangeHandler:
    """The part of a file that a request asks for with `Range: bytes=…`.

    Args:
        request: The request.
        stats: The file's size in bytes is its `st_size`.

    Raises:
        HeaderNotFound: The request asks for no part.
        InvalidRangeType: It asks in another unit than bytes.
        RangeNotSatisfiable: The file has no such part, the range is malformed, or there are several.

    Attributes:
        start: First byte of the part.
        end: Last byte of the part; it belongs to it.
        size: Bytes in the part.
        total: Bytes in the file.
        headers: `Content-Range`, for the response.
    """

    __slots__ = ("end", "headers", "size", "start", "total")

    start: int | None
    end: int | None
    size: int | None
    total: int | None

    def __init__(self, request: Request[Any, Any], stats: HasSize) -> None:
        self.start = self.end = self.size = None
        self.total = total = stats.st_size
        field = request.headers.get("range")
        if field is None:
            raise HeaderNotFound("Range Header Not Found")
        unit, equals, ranges = field.partition("=")
        if not equals or unit.strip().lower() != "bytes":
            raise InvalidRangeType(f"{unit.strip()} is not a valid Range Type: ranges are in bytes.", self)
        # Empty elements of a list do not count (section 5.6.1).
        match = _RANGE.fullmatch(ranges.strip(", \t"))
        if match is None:
            raise RangeNotSatisfiable("The Range must be one of the forms first-last, first- and -length.", self)
        first, last = (_number(digits) for digits in match.groups())
        if first is None and last is None:
            raise RangeNotSatisfiable("The Range has neither a beginning nor an end.", self)
        if first is None:
            start, end = max(0, total - (last or 0)), total - 1  # the last so many bytes
        else:
            start, end = first, total - 1 if last is None else min(last, total - 1)
        if start > end:
            raise RangeNotSatisfiable(f"The file has no such part: it has {total} bytes.", self)
        self.start, self.end = start, end
        self.size = end - start + 1
        self.headers = {"Content-Range": f"bytes {start}-{end}/{total}"}

    def __bool__(self) -> bool:
        return bool(self.size)


def _number(digits: str) -> int | None:
    if not digits:
        return None
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS
