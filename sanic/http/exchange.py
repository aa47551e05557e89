"""One request and its response on a connection of HTTP/1.

The exchange hands the body in to the application and frames what comes out: lengths, chunks, `100 Continue`, whether
the connection stays open. It does not parse and owns no socket; the protocol of the connection does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any, Protocol

from sanic.context import current_request
from sanic.exceptions import ClientDisconnected, PayloadTooLarge, RequestCancelled, SanicException, ServerError
from sanic.headers.outgoing import header_text
from sanic.http.body import add_piece, take_piece
from sanic.http.constants import Stage
from sanic.http.framing import BODILESS, CONTINUE, LAST_CHUNK, HeadWriter, chunk, refuse_status
from sanic.log import error_logger, logger

if TYPE_CHECKING:
    from sanic.models.server_types import ConnInfo
    from sanic.request import Request
    from sanic.response import BaseHTTPResponse

# Bytes of a stream after which everything else has its turn; each piece counts as a few more than it has.
_LONGEST_BURST = 2**18
_PIECE = 2**12

_set_current_request = current_request.set
# Members of an enumeration are slow to look up.
_FAILED = Stage.FAILED
_HANDLER = Stage.HANDLER
_IDLE = Stage.IDLE
_REQUEST = Stage.REQUEST
_RESPONSE = Stage.RESPONSE


class Connection(Protocol):
    """What an exchange needs of the connection that it is part of."""

    heads: HeadWriter
    is_lost: bool
    is_closing_soon: bool
    is_write_paused: bool
    request_max_size: int

    @property
    def conn_info(self) -> ConnInfo: ...
    def write(self, data: bytes) -> None: ...
    async def drain(self) -> None: ...
    def body_buffered(self, size: int, is_handled: bool) -> None: ...
    def body_taken(self, size: int) -> None: ...
    def body_expected(self) -> None: ...
    def exchange_ended(self, exchange: Exchange) -> None: ...


class _Answered:
    """Stands for a request whose exchange is over."""

    def __repr__(self) -> str:
        return "a request that has been answered"


_ANSWERED: Any = _Answered()


class Exchange:
    """One request and its response.

    Args:
        protocol: The connection.
        request: The request, whose `stream` this becomes.
        keep_alive: Whether the client and the server want the connection to stay open.
    """

    __slots__ = (
        "_body",
        "_body_buffered",
        "_body_waiter",
        "_burst",
        "_remaining",
        "_sends_chunks",
        "app",
        "body_received",
        "bytes_sent",
        "content_length",
        "expects_continue",
        "failure",
        "has_body",
        "head_sent",
        "interruption",
        "is_body_complete",
        "is_chunked",
        "is_ended_by_close",
        "is_streamed",
        "keep_alive",
        "protocol",
        "request",
        "response",
        "stage",
        "started",
        "task",
    )

    is_asgi = False

    def __init__(self, protocol: Connection, request: Request[Any, Any], keep_alive: bool) -> None:
        self.protocol = protocol
        self.request = request
        self.app = request.app
        self.keep_alive = keep_alive
        self.stage = _REQUEST
        self.started = 0.0
        self.task: asyncio.Task[None] | None = None
        # Why there is nothing to handle (a message that cannot be read), or why handling was broken off.
        self.failure: BaseException | None = None
        self.interruption: BaseException | None = None
        # The body of the request.
        self._body: deque[bytes | bytearray] | None = None
        self._body_buffered = 0
        self._body_waiter: asyncio.Future[None] | None = None
        self.body_received = 0
        self.content_length: int | None = None
        self.expects_continue = False
        self.has_body = self.is_body_complete = False
        # The response.
        self.response: BaseHTTPResponse | None = None
        self.head_sent = False
        self.bytes_sent = 0
        self.is_chunked = self._sends_chunks = False
        self.is_streamed = self.is_ended_by_close = False
        self._remaining: int | None = None
        self._burst = 0
        request.stream = self

    @property
    def conn_info(self) -> ConnInfo:
        """What is known of the connection."""
        return self.protocol.conn_info

    # -- From the first byte to the last -----------------------------------------------------------------------------

    async def run(self) -> None:
        """Have the request handled; the body of the one task that each request has."""
        request = self.request
        _set_current_request(request)
        self.stage = _HANDLER
        app = request.app
        try:
            if app.observed_signals:
                await self._announce()
            if self.failure is None:
                await app.handle_request(request)
                if self._body_buffered or not self.is_body_complete:
                    self._note_unread_body()
            else:
                await app.handle_exception(request, self.failure, self.interruption is None)
        except asyncio.CancelledError:
            await self._answer_interruption()
        except Exception:
            self._broken_off()
        finally:
            self.protocol.exchange_ended(self)
            # What refers to itself waits for the garbage collector, which costs more than all the rest.
            self.task = None
            self.request = _ANSWERED
            if self.response is not None and not self.is_streamed:
                self.response.stream = None

    def _note_unread_body(self) -> None:
        route, response = self.request.route, self.response
        if route is not None and route.extra.stream and response is not None and response.status < 300:
            logger.warning("%r: body not consumed.", self.request)

    async def _announce(self) -> None:
        app, request = self.request.app, self.request
        for event, context in (
            ("http.lifecycle.read_head", {"head": request.head}),
            ("http.lifecycle.request", {"request": request}),
        ):
            if event in app.observed_signals:
                try:
                    await app.dispatch(event, inline=True, context=context, fail_not_found=False)
                except Exception as error:
                    self.failure = self.failure or error

    def interrupt(self, reason: BaseException) -> None:
        """Cancel the handler and answer with `reason` instead, if nothing has been sent yet."""
        if self.interruption is None:
            self.interruption = reason
            self.keep_alive = False
            if self.stage is _REQUEST:
                # A task that is cancelled before its first step never takes it.
                self.failure = reason
            elif self.task is not None:
                self.task.cancel()
        elif self.protocol.is_lost and self.task is not None:
            # Nobody waits any more for what has been done since the first time.
            self.task.cancel()

    async def _answer_interruption(self) -> None:
        reason = self.interruption
        if reason is None:
            # Somebody else cancelled the task: the handler itself, or the end of the worker.
            reason = self.interruption = RequestCancelled()
        uncancel = getattr(self.task, "uncancel", None)
        if uncancel is not None:
            uncancel()
        try:
            await self.request.app.handle_exception(self.request, reason, False)
        except Exception:
            self._broken_off()

    def _broken_off(self) -> None:
        if not self.protocol.is_lost:
            error_logger.exception("The response to %r could not be sent.", self.request)
        self.fail()

    # -- The body of the request -------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take a piece of the body from the connection."""
        self.body_received += len(data)
        if self.stage is _IDLE or self.stage is _FAILED:
            return  # answered already: what still comes is not wanted
        if self._body is None:
            self._body = deque()
        add_piece(self._body, data)
        self._body_buffered += len(data)
        self.protocol.body_buffered(self._body_buffered, self.stage is not _REQUEST)
        waiter = self._body_waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def feed_eof(self) -> None:
        """The body is complete."""
        self.is_body_complete = True
        self.wake_reader()

    def wake_reader(self) -> None:
        """Have whoever waits for the body look again."""
        waiter = self._body_waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def read(self) -> bytes | None:
        """The next piece of the body, None at its end.

        Raises:
            SanicException: Somebody else is reading.
            ClientDisconnected: The client has left before the end of the body.
        """
        while not self._body:
            if self.is_body_complete:
                return None
            if self.protocol.is_lost:
                raise ClientDisconnected(f"The client has left before the body of {self.request!r} was complete.")
            if self.expects_continue:
                self.send_continue()
            if self._body_waiter is not None:
                raise SanicException("Another task is reading the body of this request already.")
            self.protocol.body_taken(0)
            self._body_waiter = asyncio.get_running_loop().create_future()
            try:
                await self._body_waiter
            finally:
                self._body_waiter = None
        data = self._take(self._body)
        app = self.app
        if "http.lifecycle.read_body" in app.observed_signals:
            await app.dispatch("http.lifecycle.read_body", inline=True, context={"body": data}, fail_not_found=False)
        return data

    def _take(self, pieces: deque[bytes | bytearray]) -> bytes:
        data = take_piece(pieces)
        self._body_buffered -= len(data)
        self.protocol.body_taken(self._body_buffered)
        return data

    async def read_all(self) -> bytes:
        """The rest of the body.

        Raises:
            PayloadTooLarge: It is larger than `REQUEST_MAX_SIZE` allows.
        """
        limit = self.protocol.request_max_size
        if self.content_length is not None and self.content_length > limit:
            raise self._too_large(limit)
        is_observed = "http.lifecycle.read_body" in self.app.observed_signals
        first: bytes | None = None
        body = bytearray()
        size = 0
        while self._body or not self.is_body_complete:
            # What is there need not be waited for.
            data = self._take(self._body) if self._body and not is_observed else await self.read()
            if data is None:
                break
            size += len(data)
            if size > limit:
                raise self._too_large(limit)
            if first is None:
                first = data
            else:
                body += data if body else first + data
        return bytes(body) if body else first or b""

    def _too_large(self, limit: int) -> PayloadTooLarge:
        self.keep_alive = False
        return PayloadTooLarge("Request body exceeds the size limit", extra={"limit": limit})

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (data := await self.read()) is not None:
            yield data

    def send_continue(self) -> None:
        """Tell the client to go on with the body (RFC 9110 section 10.1.1)."""
        self.expects_continue = False
        self.protocol.write(CONTINUE)
        self.protocol.body_expected()

    # -- The response ------------------------------------------------------------------------------------------------

    def respond(self, response: BaseHTTPResponse) -> BaseHTTPResponse:
        """Attach a response, in place of one that is attached but not sent.

        Raises:
            ServerError: A response is on its way already.
        """
        if self.head_sent:
            raise ServerError("A response has been sent already; it cannot be replaced.")
        if self.response is not None and self.response is not response:
            self.response.stream = None
        response.stream = self
        self.response = response
        return response

    def fail(self) -> bool:
        """The response cannot be completed: the connection will be cut, so that it looks broken to the client.

        Returns:
            Whether that is so: a response that is complete stays so, and its connection is left alone.
        """
        if self.stage is _IDLE:
            return False
        self.stage = _FAILED
        return True

    def send_whole(self, response: BaseHTTPResponse) -> Awaitable[None] | None:
        """Attach a response and send all of it: the way that most of them take.

        Nobody may have attached one before, or wait for the signal `http.lifecycle.send`.

        Returns:
            What has to be awaited; None where everything has been sent.

        Raises:
            ServerError: A response has been sent already.
        """
        protocol = self.protocol
        if (
            self.stage is _HANDLER
            and not response.headers
            and not self.expects_continue
            and not protocol.is_closing_soon
            and not protocol.is_lost
            and self.request.method != "HEAD"
        ):
            body = response.body or b""
            size = len(body)
            # A head that is known has been found fit to send.
            head = protocol.heads.usual.get((response.status, response.content_type, self.keep_alive, size))
            if head is not None:
                self.response = response
                self.bytes_sent = size
                self.head_sent = True
                self.stage = _IDLE
                write = protocol.write
                write(head + body)
                return protocol.drain() if protocol.is_write_paused else None
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
        protocol = self.protocol
        if self._sends_chunks and data and not end_stream and self.stage is _RESPONSE and not protocol.is_lost:
            # One more chunk of many.
            self.bytes_sent += len(data)
            protocol.write(b"%x\r\n%b\r\n" % (len(data), data))
            self._burst += len(data) + _PIECE
            if protocol.is_write_paused or self._burst > _LONGEST_BURST:
                await self._breathe()
            return
        if self.stage is not _HANDLER and self.stage is not _RESPONSE:
            if data:
                if protocol.is_lost:
                    raise ClientDisconnected(f"The client of {self.request!r} has left.")
                raise ServerError("Response stream was ended, no more response data is allowed to be sent.")
            return
        if self.head_sent:
            output = self._body_bytes(data or b"", bool(end_stream))
        elif not end_stream:
            output = self._first_piece(data or b"")
        else:
            output = self._whole_response(data)
        if protocol.is_lost:
            self.stage = _FAILED
            raise ClientDisconnected(f"The client has left before the response to {self.request!r} was sent.")
        app = self.app
        if app.observed_signals and "http.lifecycle.send" in app.observed_signals:
            await app.dispatch("http.lifecycle.send", inline=True, context={"data": output}, fail_not_found=False)
        self.head_sent = True
        self.stage = _IDLE if end_stream else _RESPONSE
        if output:
            protocol.write(output)
        if end_stream:
            if protocol.is_write_paused:
                await protocol.drain()
            return
        self._burst += len(output) + _PIECE
        if protocol.is_write_paused or self._burst > _LONGEST_BURST:
            await self._breathe()

    async def _breathe(self) -> None:
        # While the client takes everything at once, or is gone, writing never waits: then nothing else would have its
        # turn, not even the news that it is gone.
        self._burst = 0
        if self.protocol.is_write_paused:
            await self.protocol.drain()
        else:
            await asyncio.sleep(0)

    def _settle(self) -> BaseHTTPResponse:
        # What must be certain before the head is written.
        response = self.response
        if response is None:
            raise ServerError("There is no response to send: call request.respond() first.")
        status = response.status
        if not isinstance(status, int) or not 200 <= status <= 999:
            raise refuse_status(status)
        if self.expects_continue:
            if status < 400 and not self.is_body_complete:
                self.send_continue()
            else:
                # The client may or may not send the body now, so nothing can follow it (RFC 9110 section 10.1.1).
                self.keep_alive = self.keep_alive and self.is_body_complete
        if self.keep_alive and (
            self.protocol.is_closing_soon or "close" in header_text(response.headers, "connection", "").lower()
        ):
            self.keep_alive = False
        return response

    def _whole_response(self, data: bytes | None) -> bytes:
        response = self._settle()
        body = response.body or b""
        if data:
            body += data
        if self.request.method == "HEAD":
            length = header_text(response.headers, "content-length")
            known = int(length) if not body and length is not None and length.isdecimal() else len(body)
            no_length = response.status in BODILESS
            return self.protocol.heads.head(response, self.keep_alive, content_length=None if no_length else known)
        if response.status in BODILESS:
            if body:
                logger.warning("The body of %r is dropped: status %d has none.", response, response.status)
            return self.protocol.heads.head(response, self.keep_alive)
        size = self.bytes_sent = len(body)
        if not response.headers:
            return self.protocol.heads.usual_head(response, self.keep_alive, size) + body
        return self.protocol.heads.head(response, self.keep_alive, content_length=size) + body

    def _first_piece(self, data: bytes) -> bytes:
        self.is_streamed = True
        response = self._settle()
        data = (response.body or b"") + data
        length = header_text(response.headers, "content-length")
        bodiless = response.status in BODILESS
        if length is not None and not bodiless:
            if not length.isdecimal():
                raise ServerError(f"content-length must be a number of bytes, not {length!r}.")
            self._remaining = int(length)
        elif not bodiless and self.request.version == "1.0":
            # The end of the body is the end of the connection (RFC 9112 section 6.3).
            self.is_ended_by_close = True
            self.keep_alive = False
        elif not bodiless:
            self.is_chunked = True
        head: bytes = self.protocol.heads.head(
            response, self.keep_alive, content_length=self._remaining, chunked=self.is_chunked
        )
        self._sends_chunks = (
            self.is_chunked
            and self.request.method != "HEAD"
            and "http.lifecycle.send" not in self.request.app.observed_signals
        )
        return head + self._body_bytes(data, False)

    def _body_bytes(self, data: bytes, end_stream: bool) -> bytes:
        response = self.response
        if self.request.method == "HEAD" or (response is not None and response.status in BODILESS):
            return b""
        self.bytes_sent += len(data)
        if self.is_chunked:
            output = chunk(data) if data else b""
            return output + LAST_CHUNK if end_stream else output
        if self._remaining is not None:
            self._remaining -= len(data)
            if self._remaining < 0:
                raise ServerError("Response was bigger than content-length")
            if end_stream and self._remaining:
                raise ServerError(f"Response was smaller than content-length, by {self._remaining} bytes")
        return data
