"""Messages at which the parser stops although they can be read: unknown methods, and bodies behind `Upgrade`.

Each gets a parser that goes on where the first one stopped. What the parser refuses for good is put into words here,
too. Nothing here is on the way of an ordinary request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from httptools import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserInvalidURLError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from sanic.exceptions import BadRequest, BadURL, SanicException

if TYPE_CHECKING:
    from sanic.http.exchange import Exchange
    from sanic.server.protocols.http_protocol import HttpProtocol

#: Longer methods are not even looked up (RFC 9112 section 3).
MAX_METHOD_LENGTH = 32

# RFC 9112 section 2.2: empty lines before a message are skipped. RFC 9110 section 5.6.2: what a token is.
_METHOD = re.compile(rb"(?:\r\n)*([!#$%&'*+\-.^_`|~0-9A-Za-z]*)( ?)")


def explain(error: HttpParserError) -> SanicException:
    """What to answer when the parser refuses a message."""
    if isinstance(error, HttpParserInvalidURLError):
        return BadURL("Bad URL: the request target is no path, or holds characters that must be percent-encoded.")
    if isinstance(error, HttpParserInvalidMethodError):
        return _method_not_implemented("an unknown method cannot follow a message that has not been answered yet")
    return BadRequest(f"Bad Request: {error}")


def _method_not_implemented(reason: str) -> SanicException:
    return SanicException(f"Not Implemented: {reason}", status_code=501, quiet=True)


class UnknownMethodParser:
    """Reads a message whose method the parser does not know, and what follows it.

    The parser reads it as a GET; whoever asks is told the real method. Known or not, a method decides nothing about
    how a message is read (RFC 9112 section 6.3).

    Args:
        protocol: Whose callbacks are called. It is fed from the first byte of the message.
    """

    def __init__(self, protocol: HttpProtocol) -> None:
        self._parser = HttpRequestParser(protocol)
        self._start = b""
        self._method: bytes | None = None
        self.get_http_version = self._parser.get_http_version
        self.should_keep_alive = self._parser.should_keep_alive
        self.should_upgrade = self._parser.should_upgrade

    def feed_data(self, data: bytes) -> None:
        """Read on.

        Raises:
            SanicException: There is no method, or one that is too long.
            HttpParserUpgrade: As the parser does, with the offset in `data`.
        """
        surplus = 0
        if self._method is None:
            size = len(data)
            data = self._start + data
            match = _METHOD.match(data)
            token = match[1] if match else b""
            if len(token) > MAX_METHOD_LENGTH:
                raise _method_not_implemented(f"no method is longer than {MAX_METHOD_LENGTH} characters")
            if match is None or not match[2]:
                if match is None or match.end() < len(data):
                    raise BadRequest("Bad Request: malformed request line")
                self._start = data
                return
            self._method = token
            fed = b"GET" + data[match.end(1) :]
            surplus = len(fed) - size
            data = fed
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            # The offset is one in the bytes that came, not in those that the parser got instead.
            raise HttpParserUpgrade(upgrade.args[0] - surplus) from None

    def get_method(self) -> bytes:
        """The method of the message that has just been read."""
        method, self._method = self._method, b""
        return method or self._parser.get_method()


class _BehindHead:
    """Hands on all callbacks but those of the first head."""

    def __init__(self, protocol: HttpProtocol) -> None:
        self._protocol = protocol
        self._is_known = True
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete

    def on_message_begin(self) -> None:
        if not self._is_known:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._is_known:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_known:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self._is_known:
            self._protocol.on_headers_complete()
        self._is_known = False


def body_parser(protocol: HttpProtocol, exchange: Exchange) -> HttpRequestParser:
    """A parser that stands behind the head of an exchange, and reads its body and what follows.

    After a head with `Upgrade` the parser takes what comes for the other protocol. Yet a body comes first, if there is
    one, and a request whose upgrade is not granted is an ordinary one (RFC 9110 section 7.8).
    """
    parser = HttpRequestParser(_BehindHead(protocol))
    length = exchange.content_length
    framing = b"Transfer-Encoding: chunked" if length is None else b"Content-Length: %d" % length
    parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n\r\n" % framing)
    return parser
