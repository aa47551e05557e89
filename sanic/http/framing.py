"""How responses are written: status line, header lines, lengths and chunks (RFC 9112).

Heads that differ in length alone are rendered once a second and kept, since that is what most responses need. This
module writes bytes; it does not know connections, and what it is told to write has been decided elsewhere.
"""

from __future__ import annotations

from email.utils import formatdate
from time import time
from typing import TYPE_CHECKING

from sanic.compat import Header
from sanic.exceptions import ServerError
from sanic.headers import clean_header, format_http1_response

if TYPE_CHECKING:
    from sanic.response import BaseHTTPResponse

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"

# The server alone decides about these: a handler's own values would contradict what is on the wire.
FRAMING_HEADERS = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
# The final statuses whose responses never have a body (RFC 9110 section 6.4.1).
BODILESS = frozenset({204, 304})

# Heads that are kept; where lengths vary without end, keeping them is of no use.
_MOST_USUAL = 1024


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body (RFC 9112 section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def refuse_status(status: object) -> ServerError:
    """What to raise for a status that is no number from 200 to 999.

    Those from 600 have no class of their own, but clients can read them (RFC 9110 section 15).
    """
    return ServerError(f"{status!r} cannot be the status of a response: it must be a number from 200 to 999.")


def clean_names(headers: Header) -> Header:
    """Headers by the names that will be written: with CR, LF or NUL in it, a name would not be known for what it is.

    Returns:
        The headers themselves, unless there are such names.

    Raises:
        ServerError: A name with such a character is no token without it (RFC 9110 section 5.1).
    """
    # What is not printable includes them.
    if all(map(str.isprintable, headers)):
        return headers
    return Header([clean_header(name, value) for name, value in headers.items()])


class HeadWriter:
    """Writes the heads of responses and remembers the usual ones until the next second.

    One per worker. `refresh` is to be called once a second.

    Attributes:
        usual: Heads of whole responses without headers of their own, by status, content type, keep-alive and length.
    """

    __slots__ = ("_date", "usual")

    def __init__(self) -> None:
        self.usual: dict[tuple[int, str | None, bool, int], bytes] = {}
        self._date = ""
        self.refresh()

    @property
    def date(self) -> str:
        """The value of the `date` header for this second."""
        return self._date

    def refresh(self) -> None:
        """Render the `date` header anew, for this second (RFC 9110 section 6.6.1)."""
        self._date = formatdate(time(), usegmt=True)
        self.usual.clear()

    def usual_head(self, response: BaseHTTPResponse, keep_alive: bool, content_length: int) -> bytes:
        """The head of a response without headers of its own, rendered once for all that are like it.

        The arguments are those of `head`.
        """
        key = (response.status, response.content_type, keep_alive, content_length)
        head = self.usual.get(key)
        if head is None:
            head = self.head(response, keep_alive, content_length=content_length)
            if len(self.usual) >= _MOST_USUAL:
                self.usual.clear()
            self.usual[key] = head
        return head

    def head(
        self,
        response: BaseHTTPResponse,
        keep_alive: bool,
        *,
        content_length: int | None = None,
        chunked: bool = False,
    ) -> bytes:
        """The head of a response: own headers, framing, `connection`, `content-type`, `date`.

        Args:
            response: Whose status and headers to write.
            keep_alive: Whether the connection stays open afterwards.
            content_length: Length of the body in bytes, None when it is not told.
            chunked: Whether the body is chunked.

        Raises:
            ServerError: A header name is not a token (RFC 9110 section 5.1).
        """
        own = clean_names(response.headers)
        lines: list[tuple[str, object]] = [item for item in own.items() if item[0].lower() not in FRAMING_HEADERS]
        if content_length is not None:
            lines.append(("content-length", content_length))
        elif chunked:
            lines.append(("transfer-encoding", "chunked"))
        lines.append(("connection", "keep-alive" if keep_alive else "close"))
        if response.content_type is not None and "content-type" not in own and response.status not in BODILESS:
            lines.append(("content-type", response.content_type))
        if "date" not in own:
            lines.append(("date", self._date))
        return format_http1_response(response.status, lines)


class AdvertisingHeadWriter(HeadWriter):
    """Tells in every head that the same can be had over HTTP/3 (RFC 7838 section 3).

    Args:
        port: The UDP port where.
    """

    __slots__ = ("_line",)

    def __init__(self, port: int) -> None:
        super().__init__()
        self._line = b'alt-svc: h3=":%d"\r\n\r\n' % port

    def head(
        self,
        response: BaseHTTPResponse,
        keep_alive: bool,
        *,
        content_length: int | None = None,
        chunked: bool = False,
    ) -> bytes:
        """The head of a response; see `HeadWriter.head`."""
        head = super().head(response, keep_alive, content_length=content_length, chunked=chunked)
        if "alt-svc" in response.headers:
            return head
        return head[:-2] + self._line
