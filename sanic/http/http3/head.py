"""The fields of HTTP/3 messages (RFC 9114 sections 4.2 and 4.3): what a request's must be, what a response's are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sanic.headers import encode_headers
from sanic.http.framing import BODILESS, FRAMING_HEADERS, clean_names
from sanic.http.http3.errors import malformed
from sanic.request.target import HOST

if TYPE_CHECKING:
    from sanic.http.http3.frames import Fields
    from sanic.response import BaseHTTPResponse

# Fields of HTTP/1.1 that speak of a connection (RFC 9114 section 4.2).
_CONNECTION_SPECIFIC = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})
_NEVER_SENT = FRAMING_HEADERS | {name.decode() for name in _CONNECTION_SPECIFIC}
_PSEUDO = (b":method", b":scheme", b":authority", b":path")

# RFC 9110 section 5.6.2, without capitals; RFC 9114 section 4.2 for values.
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# What RFC 3986 allows, and what clients send beside it, but nothing that would end a request line of HTTP/1.
_PATH = re.compile(rb"/[^\0-\x20\x7f]*")
_VALUE = re.compile(rb"(?:[^\0\r\n \t](?:[^\0\r\n]*[^\0\r\n \t])?)?")


@dataclass(slots=True)
class RequestHead:
    """The head of a request, as HTTP/1.1 would have it.

    Attributes:
        method: The method.
        target: The request target.
        headers: The header fields, with `host`.
        content_length: Length of the body in bytes, None when it is not told.
        expects_continue: Whether the client waits to be told to send the body.
    """

    method: str
    target: bytes
    headers: Fields
    content_length: int | None
    expects_continue: bool


def read_head(fields: Fields) -> RequestHead:
    """Check the fields of a request and put its head together.

    Raises:
        StreamError: The message is malformed (RFC 9114 section 4.1.2).
    """
    pseudo: dict[bytes, bytes] = {}
    headers: Fields = []
    cookies: list[bytes] = []
    host: bytes | None = None
    length: int | None = None
    expects_continue = False
    for name, value in fields:
        if not _VALUE.fullmatch(value):
            raise malformed(f"the value of {name!r} holds NUL, CR or LF, or blanks around it")
        if name[:1] == b":":
            _add_pseudo(pseudo, name, value, headers or cookies)
            continue
        if not _NAME.fullmatch(name):
            raise malformed(f"{name!r} is no name of a field")
        if name in _CONNECTION_SPECIFIC or (name == b"te" and value.lower() != b"trailers"):
            raise malformed(f"field {name!r} speaks of the connection")
        if name == b"cookie":
            cookies.append(value)
            continue
        if name == b"host":
            if host is not None:
                raise malformed("the host is told twice")
            host = value
        elif name == b"content-length":
            if length is not None or not value.isdigit() or len(value) > 18:
                raise malformed(f"content-length {value!r} is no number, or comes twice")
            length = int(value)
        elif name == b"expect":
            expects_continue = value.lower() == b"100-continue"
        headers.append((name, value))
    if cookies:
        # RFC 9114 section 4.2.1: they may have come apart, for the sake of compression.
        headers.append((b"cookie", b"; ".join(cookies)))
    authority = _authority(pseudo, host)
    if host is None:
        headers.insert(0, (b"host", authority))
    method, target = _method_and_target(pseudo, authority)
    return RequestHead(method, target, headers, length, expects_continue)


def _add_pseudo(pseudo: dict[bytes, bytes], name: bytes, value: bytes, preceding: object) -> None:
    if name not in _PSEUDO:
        raise malformed(f"pseudo-header field {name!r} is unknown")
    if name in pseudo:
        raise malformed(f"pseudo-header field {name!r} comes twice")
    if preceding:
        raise malformed(f"pseudo-header field {name!r} comes behind other fields")
    pseudo[name] = value


def _authority(pseudo: dict[bytes, bytes], host: bytes | None) -> bytes:
    # RFC 9114 section 4.3.1: one of the two; if both, then the same.
    authority = pseudo.get(b":authority", host)
    if authority is None:
        raise malformed("neither :authority nor host")
    if host is not None and host != authority:
        raise malformed(f":authority {authority!r} contradicts host {host!r}")
    if not HOST.fullmatch(authority):
        raise malformed(f"{authority!r} is no host with an optional port")
    return authority


def _method_and_target(pseudo: dict[bytes, bytes], authority: bytes) -> tuple[str, bytes]:
    method = pseudo.get(b":method", b"")
    if not _TOKEN.fullmatch(method):
        raise malformed(f"{method!r} is no method")
    if method == b"CONNECT":
        # RFC 9114 section 4.4.
        if b":authority" not in pseudo or b":scheme" in pseudo or b":path" in pseudo:
            raise malformed("CONNECT has :authority, and neither :scheme nor :path")
        return "CONNECT", authority
    if not pseudo.get(b":scheme"):
        raise malformed("the pseudo-header field :scheme is missing")
    path = pseudo.get(b":path", b"")
    if not _PATH.fullmatch(path) and not (path == b"*" and method == b"OPTIONS"):
        raise malformed(f":path {path!r} does not begin with a slash, or holds blanks or control characters")
    return method.decode(), path


def response_fields(response: BaseHTTPResponse, date: str, content_length: int | None) -> Fields:
    """The fields of a response: status, own headers, length, type and date.

    Args:
        response: Whose status and headers to write.
        date: The date.
        content_length: Length of the body in bytes, None when it is not told.

    Raises:
        ServerError: A header name is not a token (RFC 9110 section 5.1).
    """
    own = clean_names(response.headers)
    lines: list[tuple[object, object]] = [item for item in own.items() if item[0].lower() not in _NEVER_SENT]
    if content_length is not None:
        lines.append(("content-length", content_length))
    if response.content_type is not None and "content-type" not in own and response.status not in BODILESS:
        lines.append(("content-type", response.content_type))
    if "date" not in own:
        lines.append(("date", date))
    fields = [(name, value.strip(b" \t")) for name, value in encode_headers(lines)]
    return [(b":status", b"%d" % response.status), *fields]
