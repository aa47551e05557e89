"""Header fields on their way to the wire: the one place where names and values are validated before framing.

Framing itself (content-length, transfer-encoding, keep-alive) is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, overload

from sanic.exceptions import ServerError
from sanic.helpers import STATUS_CODES

if TYPE_CHECKING:
    from sanic.compat import Header

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
#: Deletes the characters that end a header line, or a string in C (RFC 9110 section 5.5).
_UNSAFE = {0: None, 10: None, 13: None}


def clean_header(name: object, value: object) -> tuple[str, str]:
    """Make one header safe to write.

    Args:
        name: the name; bytes are read as UTF-8.
        value: the value; bytes are read as UTF-8 with surrogate escapes, so that any bytes come out unchanged, and
            everything else is turned into text with `str()`.

    Returns:
        name and value without CR, LF and NUL.

    Raises:
        ServerError: the name is then no token, as RFC 9110 section 5.1 demands.
    """
    name = _text(name).translate(_UNSAFE)
    if not _TOKEN.fullmatch(name):
        raise ServerError(
            f"The response header name {name!r} is not allowed. Use ASCII letters, digits and any of "
            "!#$%&'*+-.^_`|~ only (RFC 9110 section 5.6.2)."
        )
    return name, _text(value).translate(_UNSAFE)


@overload
def header_text(headers: Header, name: str) -> str | None: ...
@overload
def header_text(headers: Header, name: str, default: str) -> str: ...
def header_text(headers: Header, name: str, default: str | None = None) -> str | None:
    """The first value of a header as the text that will be written, whatever the application has put there.

    Args:
        headers: the headers.
        name: the name.
        default: what to return when the header is absent.
    """
    value: object = headers.get(name)
    return default if value is None else _text(value)


def encode_headers(headers: Iterable[tuple[object, object]]) -> list[tuple[bytes, bytes]]:
    """Validate headers for protocols that take pairs of bytes with names in lower case: ASGI, HTTP/2 and HTTP/3.

    Raises:
        ServerError: a name or value that cannot be written; see `clean_header`.
    """
    pairs = []
    for header in headers:
        name, value = clean_header(*header)
        pairs.append((name.lower().encode("ascii"), _encode(value, name)))
    return pairs


def format_http1_response(status: int, headers: Iterable[tuple[str, object]]) -> bytes:
    """Write the head of an HTTP/1.1 response: status line, headers in the given order and case, and the empty line.

    Values are turned into text with `str()`, except bytes, and encoded in UTF-8; surrogate escapes become the bytes
    they stand for. CR, LF and NUL are removed from names and values.

    Args:
        status: the status code; an unknown one gets the reason `UNKNOWN`.
        headers: names and values. Nothing is added.

    Returns:
        the bytes up to and with the empty line.

    Raises:
        ServerError: a name is no token (RFC 9110 section 5.1), or a value holds lone surrogates.
    """
    is_token = _TOKEN.fullmatch
    lines = []
    for name, value in headers:
        # Not `type(name) is str`: what a header container hands out is a subclass.
        if not isinstance(name, str) or not is_token(name):
            name, value = clean_header(name, value)
        elif type(value) is not str:
            value = _text(value)
        lines.append(f"{name}: {value}\r\n")
    text = "".join(lines)
    # Every line has just one CR LF of ours. More of them than lines, or a NUL, means that a value brought its own.
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
        lines = [line[:-2].translate(_UNSAFE) + "\r\n" for line in lines]
        text = "".join(lines)
    try:
        body = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        for line in lines:
            _encode(line, line.partition(":")[0])
        raise
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, STATUS_CODES.get(status, b"UNKNOWN"), body)


def _text(value: object) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _encode(text: str, name: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ServerError(
            f"The response header {name!r} holds lone surrogates, which no encoding can write. "
            "Encode the value to bytes first."
        ) from None
