"""One request and its response on a stream of HTTP/3.

What the application sees is the exchange of HTTP/1: the body in, deadlines, interruption, errors. What is told of the
response is framed by the stream: a head as fields, then data, then the end.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Protocol

from sanic.exceptions import ClientDisconnected, ServerError
from sanic.headers.outgoing import header_text
from sanic.http.constants import Stage
from sanic.http.exchange import Connection, Exchange
from sanic.http.framing import BODILESS
from sanic.http.http3.head import response_fields
from sanic.log import logger

if TYPE_CHECKING:
    from sanic.http.http3.frames import Fields
    from sanic.response import BaseHTTPResponse

# Bytes of a stream after which everything else has its turn; each piece counts as a few more than it has.
_LONGEST_BURST = 2**18
_PIECE = 2**12


class Stream(Connection, Protocol):
    """What an exchange needs of the stream that it takes place on."""

    def write_message(self, fields: Fields | None, data: bytes, is_end: bool) -> None: ...


class Http3Exchange(Exchange):
    """One request and its response; the arguments are those of `Exchange`, with a stream in place of the connection."""

    __slots__ = ()

    protocol: Stream

    def send_continue(self) -> None:
        """Tell the client to go on with the body (RFC 9110 section 10.1.1)."""
        self.expects_continue = False
        self.protocol.write_message([(b":status", b"100")], b"", False)
        self.protocol.body_expected()

    def send_whole(self, response: BaseHTTPResponse) -> Awaitable[None] | None:
        """Attach a response and send all of it; see `Exchange.send_whole`."""
        self.respond(response)
        return self.send(None, True)

    async def send(self, data: bytes | None = None, end_stream: bool | None = None) -> None:
        """Send a piece of the response; the head goes with the first one.

        Args:
            data: Bytes that follow what the response's `body` holds.
            end_stream: Whether this is the end.

        Raises:
            ServerError: Data after the end, or not as much as the `content-length` says.
            ClientDisconnected: The client has left.
        """
        stream = self.protocol
        if self.stage is not Stage.HANDLER and self.stage is not Stage.RESPONSE:
            if data:
                if stream.is_lost:
                    raise ClientDisconnected(f"The client of {self.request!r} has left.")
                raise ServerError("Response stream was ended, no more response data is allowed to be sent.")
            return
        body = data or b""
        is_end = bool(end_stream)
        fields: Fields | None = None
        if not self.head_sent:
            fields, body = self._head(body, is_end)
        body = self._body_bytes(body, is_end)
        if stream.is_lost:
            self.stage = Stage.FAILED
            raise ClientDisconnected(f"The client has left before the response to {self.request!r} was sent.")
        app = self.app
        if "http.lifecycle.send" in app.observed_signals:
            await app.dispatch("http.lifecycle.send", inline=True, context={"data": body}, fail_not_found=False)
        stream.write_message(fields, body, is_end)
        self.head_sent = True
        self.stage = Stage.IDLE if is_end else Stage.RESPONSE
        self._burst += len(body) + _PIECE
        if stream.is_write_paused:
            self._burst = 0
            await stream.drain()
        elif not is_end and self._burst > _LONGEST_BURST:
            await self._breathe()

    def _head(self, data: bytes, is_whole: bool) -> tuple[Fields, bytes]:
        # The fields of the response, and the first piece of its body.
        response = self._settle()
        body = (response.body or b"") + data
        length: int | None = None
        told = header_text(response.headers, "content-length")
        is_head = self.request.method == "HEAD"
        if response.status in BODILESS:
            if body and not is_head:
                logger.warning("The body of %r is dropped: status %d has none.", response, response.status)
        elif is_whole:
            known = is_head and not body and told is not None and told.isdecimal()
            length = int(told) if known and told is not None else len(body)
        elif told is not None:
            if not told.isdecimal():
                raise ServerError(f"content-length must be a number of bytes, not {told!r}.")
            length = self._remaining = int(told)
        self.is_streamed = not is_whole
        return response_fields(response, self.protocol.heads.date, length), body
