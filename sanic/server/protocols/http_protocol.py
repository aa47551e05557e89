"""A connection of HTTP/1: from bytes to exchanges, and back.

The protocol feeds httptools, builds one exchange for each message and runs them one after another, in order. It owns
what belongs to a connection: flow control, the queue of pipelined messages, the deadline of the current stage, and the
end. What a request means, and how a response is framed, it does not know.

A connection is in one of these states:

    idle      no exchange; `deadline` is that of the keep-alive, or of the head once its first byte has come
    busy      `exchange` is handled, others may wait in `queue`; `deadline` is that of the body or of the handler
    discarding  the response is out, the rest of the request's body is read and thrown away
    closing   nothing more is handled; what is unsent is flushed, what still comes is thrown away
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from httptools import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserInvalidURLError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from sanic.exceptions import (
    BadRequest,
    BadURL,
    RequestCancelled,
    RequestHeaderFieldsTooLarge,
    RequestTimeout,
    SanicException,
    ServiceUnavailable,
    URITooLong,
)
from sanic.http.constants import Stage
from sanic.http.exchange import Exchange
from sanic.http.head import check_head
from sanic.models.server_types import ConnInfo, Signal
from sanic.server.access import log_access
from sanic.server.deadlines import NEVER, Deadlines
from sanic.server.limits import Limits
from sanic.server.peer import is_peer_gone, watch_peer

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.request import Request

# Pipelined messages are parsed in slices, so that the queue can be full before everything that came has been parsed.
_SLICE = 4096
_BODY_SLICE = 65536

# Headers that decide how a message is read; all others are left to the application.
_CHECKED_HEADERS = frozenset({b"content-length", b"expect", b"transfer-encoding"})
_REPEATED = b"\0"


class HttpProtocol(asyncio.Protocol):
    """A connection of HTTP/1.

    Args:
        loop: The event loop.
        app: The application that handles the requests.
        signal: Tells that the server is stopping.
        connections: The open connections of the server; this one adds and removes itself.
        state: Counters of the server: `requests_count` is kept.
        unix: Path of the unix socket the connection came through.
        deadlines: The clock of the worker; a connection without one makes its own.
        limits: Timeouts and limits; default those of the application's configuration.
    """

    __slots__ = (
        "_checked",
        "_conn_info",
        "_drain_waiters",
        "_head_size",
        "_head_waiting",
        "_headers",
        "_host",
        "_is_head_begun",
        "_is_input_left",
        "_is_reading_over",
        "_is_reading_paused",
        "_known_host",
        "_last_byte",
        "_parser",
        "_queue",
        "_refusal",
        "_stage_deadline",
        "_unparsed",
        "_window_bytes",
        "_window_start",
        "app",
        "clock",
        "connections",
        "deadline",
        "exchange",
        "heads",
        "incoming",
        "is_closing",
        "is_closing_soon",
        "is_half_closed",
        "is_lost",
        "is_write_paused",
        "limits",
        "loop",
        "request_class",
        "request_max_size",
        "signal",
        "state",
        "transport",
        "unix",
        "url",
        "write",
    )

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        app: Sanic[Any, Any],
        signal: Signal | None = None,
        connections: set[Any] | None = None,
        state: dict[str, Any] | None = None,
        unix: str | None = None,
        deadlines: Deadlines | None = None,
        limits: Limits | None = None,
        **kwargs: Any,
    ) -> None:
        # Of the server.
        self.loop = loop
        self.app = app
        self.signal = signal or Signal()
        self.connections = connections if connections is not None else set()
        self.state = state if state is not None else {}
        self.unix = unix
        self.limits = limits or Limits.from_config(app.config)
        self.clock = deadlines or Deadlines(loop, self.limits.shortest_timeout)
        self.heads = self.clock.heads
        self.request_class: type[Request[Any, Any]] = app.request_class
        self.request_max_size = self.limits.max_body
        # Of the connection.
        self.transport: Any = None
        self.write: Callable[[bytes], None]
        self._conn_info: ConnInfo | None = None
        self._parser: HttpRequestParser | None = None
        self._queue: deque[Exchange] = deque()
        self._unparsed = b""
        self._is_reading_paused = False
        self._is_reading_over = False
        self._is_input_left = False
        self._drain_waiters: list[asyncio.Future[None]] = []
        self.is_write_paused = False
        self.is_half_closed = False
        self.is_closing_soon = False
        self.is_closing = False
        self.is_lost = False
        self.deadline = self._stage_deadline = NEVER
        # Of the message that is being read.
        self.incoming: Exchange | None = None
        self.url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_size = 0
        self._head_waiting: int | None = None
        self._is_head_begun = False
        self._host: bytes | None = None
        self._known_host = b""
        self._checked: list[tuple[bytes, bytes]] | None = None
        self._refusal: SanicException | None = None
        self._last_byte = self._window_start = 0.0
        self._window_bytes = 0
        # Of the message that is being answered.
        self.exchange: Exchange | None = None

    @property
    def conn_info(self) -> ConnInfo:
        """What is known of the connection."""
        if self._conn_info is None:
            self._conn_info = ConnInfo(self.transport, self.unix)
        return self._conn_info

    # -- Callbacks of the transport ----------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """The connection is there."""
        self.transport = transport
        self.write = transport.write
        self._parser = HttpRequestParser(self)
        self.connections.add(self)
        self._set_deadline(self.limits.keep_alive_timeout)
        self.clock.watch(self)
        if "http.lifecycle.begin" in self.app.observed_signals:
            self._hold_reading()
            self.app.add_task(self._announce_begin(), register=False)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._unparsed:
            self._unparsed += data
        elif self._is_reading_over:
            self._is_input_left = True
        elif len(data) > _SLICE:
            self._parse_in_slices(data)
        else:
            self._parse(data)
        if self._is_head_begun:
            self._await_head(len(data))

    def eof_received(self) -> bool:
        """The client will send nothing more; what it sent in full is answered all the same."""
        self.is_half_closed = True
        if self.is_closing or self._is_head_begun or (self.exchange is None and not self._queue):
            self._leave()
            return False
        if self.incoming is not None:
            self._is_reading_over = True
            if self.incoming is self.exchange or not self._queue:
                self._leave()
                return False
            self._queue.pop()
            self.incoming = None
        if self.transport.get_extra_info("sslcontext") is not None:
            return False
        watch_peer(self.transport.get_extra_info("socket"))
        self.deadline = 0.0
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.is_lost = self.is_closing = self._is_reading_over = True
        self.connections.discard(self)
        if self.signal.stopped and not self.connections:
            self.signal.all_closed()
        self.clock.forget(self)
        self._queue.clear()
        self._unparsed = b""
        self._parser = None
        if self._conn_info is not None:
            self._conn_info.lost = True
        for waiter in self._drain_waiters:
            if not waiter.done():
                waiter.set_exception(ConnectionResetError("The client has left."))
        if self.exchange is not None:
            self.exchange.interrupt(RequestCancelled())
        if "http.lifecycle.complete" in self.app.observed_signals:
            self.app.add_task(self._announce_complete(), register=False)

    def pause_writing(self) -> None:
        """The client reads more slowly than the application writes."""
        self.is_write_paused = True

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.is_write_paused = False
        for waiter in self._drain_waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._drain_waiters.clear()

    # -- Parsing -----------------------------------------------------------------------------------------------------

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)  # type: ignore[union-attr]
        except HttpParserUpgrade as upgrade:
            # What follows belongs to the other protocol if the upgrade is granted, else to the next message.
            self._parser = None
            self._unparsed = data[upgrade.args[0] :]
            self._hold_reading()
        except HttpParserError as error:
            if not self._is_reading_over:
                self._refuse(self._refusal or _explain(error))

    def _parse_in_slices(self, data: bytes) -> None:
        position = 0
        while position < len(data) and not self._is_reading_over:
            if self._parser is None or len(self._queue) >= self.limits.max_queued:
                self._unparsed += data[position:]
                self._hold_reading()
                return
            size = _SLICE if self.incoming is None else _BODY_SLICE
            self._parse(data[position : position + size])
            position += size

    def _parse_rest(self) -> None:
        # What came while the queue was full, or after a request that asked for an upgrade.
        if self._parser is None:
            self._parser = HttpRequestParser(self)
        data, self._unparsed = self._unparsed, b""
        self._parse_in_slices(data)
        if not self._unparsed:
            self._release_reading()

    def on_message_begin(self) -> None:
        """The first byte of a head has been parsed."""
        self._is_head_begun = True
        self._head_size = 0
        self._head_waiting = None
        self._headers = []
        self.url = b""
        self._host = self._checked = None

    def on_url(self, url: bytes) -> None:
        """The request target, or a part of it."""
        self.url += url
        if len(self.url) > self.limits.max_target:
            self._refusal = URITooLong(f"The request target is longer than {self.limits.max_target} bytes.")
            raise self._refusal

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field, or a field of the trailer, which nobody asked for."""
        self._head_size += len(name) + len(value) + 4
        if self._head_size > self.limits.max_head or len(self._headers) >= self.limits.max_headers:
            self._refusal = self._head_too_large()
            raise self._refusal
        if self.incoming is not None:
            return
        self._headers.append((name, value))
        name = name.lower()
        if name == b"host":
            self._host = value if self._host is None else _REPEATED
        elif name in _CHECKED_HEADERS:
            if self._checked is None:
                self._checked = []
            self._checked.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is complete: a request is there."""
        parser = self._parser
        self._is_head_begun = False
        method = parser.get_method().decode()  # type: ignore[union-attr]
        version = parser.get_http_version()  # type: ignore[union-attr]
        try:
            request = self.request_class(self.url, self._headers, version, method, self.transport, self.app)
        except BadURL as error:
            self._refusal = error
            raise
        exchange = Exchange(self, request, parser.should_keep_alive() and self.limits.keep_alive)  # type: ignore[union-attr]
        if self._checked is not None or self._host != self._known_host or version != "1.1":
            self._refusal = check_head(exchange, version, self._host, self._checked)
            if self._refusal is not None:
                raise self._refusal
            self._known_host = self._host or b""
        self.incoming = exchange
        self._head_size = 0
        if self.exchange is None:
            self._begin(exchange)
        else:
            self._queue.append(exchange)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        exchange = self.incoming
        if exchange is not None:
            self._last_byte = self.clock.now
            self._window_bytes += len(data)
            exchange.feed(data)
            if self.exchange is None and exchange.body_received > self.limits.max_body:
                self._close()  # only what is left of a body that nobody read, and too much of it

    def on_message_complete(self) -> None:
        """The message is complete."""
        exchange = self.incoming
        self.incoming = None
        if exchange is not None:
            exchange.feed_eof()
            if not exchange.keep_alive:
                self._is_reading_over = True
            if exchange is self.exchange:
                clock = self.clock
                self.deadline = self._stage_deadline = clock.now + clock.interval + self.limits.response_timeout
            elif self.exchange is None:
                self._continue()

    def _await_head(self, size: int) -> None:
        # A head has begun and is not complete. Its deadline counts from its first byte: no later one pushes it back.
        if self._head_waiting is None:
            self._head_waiting = 0
            if self.exchange is None:
                self._set_deadline(self.limits.request_timeout)
            return
        # A field is told of when it is complete; until then it must not grow without bounds either.
        self._head_waiting += size
        if self._head_waiting > self.limits.max_head:
            self._refuse(self._head_too_large())

    def _head_too_large(self) -> RequestHeaderFieldsTooLarge:
        return RequestHeaderFieldsTooLarge("Request header exceeds the size limit")

    def _refuse(self, error: SanicException) -> None:
        # The bytes that come make no message. They are answered in turn, and nothing is read after them.
        self._is_reading_over = self._is_input_left = True
        self._is_head_begun = False
        self._unparsed = b""
        exchange, self.incoming = self.incoming, None
        if exchange is not None:
            exchange.keep_alive = False
            if exchange is self.exchange:
                exchange.interrupt(error)
            elif self.exchange is None:
                self._close()  # its response has been sent already
            else:
                exchange.failure = error
            return
        request = self.request_class(b"*", self._headers, "1.1", "NONE", self.transport, self.app)
        exchange = Exchange(self, request, False)
        exchange.failure = error
        if self.exchange is None:
            self._begin(exchange)
        else:
            self._queue.append(exchange)

    # -- One exchange after another ----------------------------------------------------------------------------------

    def _begin(self, exchange: Exchange) -> None:
        self.exchange = exchange
        clock = self.clock
        self._last_byte = self._window_start = clock.now
        self._window_bytes = 0
        timeout = self.limits.response_timeout if exchange.is_body_complete else self.limits.request_timeout
        self.deadline = self._stage_deadline = clock.now + clock.interval + timeout
        if self.is_half_closed:
            self.deadline = 0.0
        if self.limits.access_log:
            exchange.started = self.loop.time()
        exchange.task = self.loop.create_task(exchange.run())

    def exchange_ended(self, exchange: Exchange) -> None:
        """The task of an exchange is over."""
        self.exchange = None
        self.state["requests_count"] = self.state.get("requests_count", 0) + 1
        if self.limits.access_log:
            log_access(exchange, self.loop.time())
        if self.is_lost:
            return
        if exchange.stage is not Stage.IDLE:
            self.abort()  # a broken message must look broken
        elif not exchange.keep_alive:
            self._close()
        elif exchange.is_body_complete:
            self._continue()
        else:
            self._discard_body(exchange)

    def _discard_body(self, exchange: Exchange) -> None:
        left = (exchange.content_length or 0) - exchange.body_received
        if left > self.limits.max_body:
            self._close()
            return
        self._set_deadline(self.limits.request_timeout)
        self._release_reading()

    def _continue(self) -> None:
        # The exchange before is over: go on with the next one, or be idle.
        if self._queue:
            self._begin(self._queue.popleft())
        if self._unparsed or (self._parser is None and not self.is_closing):
            if len(self._queue) < self.limits.max_queued:
                self._parse_rest()
        elif self._is_reading_paused:
            self._release_reading()
        if self.exchange is not None:
            return
        if self.is_half_closed or (self.is_closing_soon and not self._is_head_begun):
            self._close()
        else:
            limits = self.limits
            timeout = limits.request_timeout if self._is_head_begun else limits.keep_alive_timeout
            self.deadline = self._stage_deadline = self.clock.now + self.clock.interval + timeout

    # -- Flow control ------------------------------------------------------------------------------------------------

    async def send(self, data: bytes) -> None:
        """Write bytes and wait until the client has taken enough of them."""
        self.write(data)
        if self.is_write_paused:
            await self.drain()

    async def drain(self) -> None:
        """Wait until the client has taken enough of what was written.

        Raises:
            ConnectionResetError: It has left.
        """
        if self.is_lost:
            raise ConnectionResetError("The client has left.")
        if self.is_write_paused:
            self._set_deadline(self.limits.response_timeout)
            waiter = self.loop.create_future()
            self._drain_waiters.append(waiter)
            await waiter
            self._set_deadline(self.limits.response_timeout)

    def body_buffered(self, size: int) -> None:
        """`size` bytes of the body wait for the application."""
        if size > self.limits.buffer_size and not self._is_reading_paused:
            self._hold_reading()
            self._set_deadline(self.limits.response_timeout)

    def body_taken(self, size: int) -> None:
        """The application has taken from the body; `size` bytes are left."""
        if self._is_reading_paused and size <= self.limits.buffer_size // 2 and not self._unparsed:
            self._release_reading()
            self._last_byte = self._window_start = self.clock.now
            self._window_bytes = 0
            self._set_deadline(self.limits.request_timeout)

    def _hold_reading(self) -> None:
        if not self._is_reading_paused and not self.is_closing:
            self._is_reading_paused = True
            self.transport.pause_reading()

    def _release_reading(self) -> None:
        if self._is_reading_paused and not self.is_lost:
            self._is_reading_paused = False
            self.transport.resume_reading()

    # -- Deadlines ---------------------------------------------------------------------------------------------------

    def _set_deadline(self, seconds: float) -> None:
        self._stage_deadline = self.clock.after(seconds)
        self.deadline = 0.0 if self.is_half_closed and not self.is_closing else self._stage_deadline

    def check_timeouts(self) -> None:
        """The deadline has passed."""
        if self.is_closing:
            self.abort()
            return
        if self.is_half_closed:
            if is_peer_gone(self.transport.get_extra_info("socket")):
                self._leave()
                return
            if self.clock.now < self._stage_deadline:
                return
        exchange = self.exchange
        if exchange is None:
            if self._is_head_begun:
                self._refuse(RequestTimeout("Request Timeout"))
            else:
                self._close()
        elif self.is_write_paused:
            self.abort()
        elif exchange.is_body_complete or self._is_reading_paused:
            self._set_deadline(self.limits.close_timeout)
            if exchange.head_sent or exchange.interruption is not None:
                self.abort()
            else:
                exchange.interrupt(ServiceUnavailable("Response Timeout"))
        else:
            self._check_body(exchange)

    def _check_body(self, exchange: Exchange) -> None:
        now, limits = self.clock.now, self.limits
        silence = now - self._last_byte
        rate = self._window_bytes / max(now - self._window_start, 0.001)
        if silence < limits.request_timeout and rate >= limits.min_body_rate:
            self._set_deadline(limits.request_timeout - silence)
        elif exchange.head_sent or exchange.interruption is not None:
            self.abort()
        else:
            self._is_reading_over = True
            self._set_deadline(limits.close_timeout)
            exchange.interrupt(RequestTimeout("Request Timeout"))

    # -- The end -----------------------------------------------------------------------------------------------------

    def close_if_idle(self) -> bool:
        """Close an idle connection; a busy one closes after its current exchange.

        Returns:
            Whether it was idle.
        """
        self.is_closing_soon = True
        if self.exchange is None and self.incoming is None and not self._is_head_begun:
            self._close()
            return True
        return False

    def close(self, timeout: float | None = None) -> None:
        """Close the connection once what is written has been sent.

        Args:
            timeout: Seconds to wait for that; default `GRACEFUL_TCP_CLOSE_TIMEOUT`.
        """
        self._close()
        if timeout is not None:
            self._set_deadline(timeout)

    def abort(self) -> None:
        """Cut the connection at once."""
        self.is_closing = self._is_reading_over = True
        if self.transport is not None and not self.is_lost:
            self.transport.abort()

    def _close(self) -> None:
        if self.is_closing:
            return
        # Closing with bytes unread would reset the connection, and the client might lose the response on its way
        # (RFC 9112 section 9.6): so what still comes is read and thrown away until the client has closed, too.
        linger = (self.incoming is not None or self._is_input_left or self._unparsed) and not self.is_half_closed
        self.is_closing = self._is_reading_over = True
        self._queue.clear()
        self._unparsed = b""
        self._set_deadline(self.limits.close_timeout)
        if linger and self.transport.can_write_eof():
            self._release_reading()
            self.transport.write_eof()
        else:
            self.transport.close()

    def _leave(self) -> None:
        # The client has closed: nobody waits for what is being done.
        if self.exchange is not None:
            self.exchange.interrupt(RequestCancelled())
        self.is_closing = self._is_reading_over = True
        self._queue.clear()
        self.transport.close()

    # -- Signals -----------------------------------------------------------------------------------------------------

    async def _announce_begin(self) -> None:
        context = {"conn_info": self.conn_info}
        await self.app.dispatch("http.lifecycle.begin", inline=True, context=context, fail_not_found=False)
        self._release_reading()

    async def _announce_complete(self) -> None:
        context = {"conn_info": self.conn_info}
        await self.app.dispatch("http.lifecycle.complete", inline=True, context=context, fail_not_found=False)


def _explain(error: HttpParserError) -> SanicException:
    if isinstance(error, HttpParserInvalidURLError):
        return BadURL("Bad URL: the request target holds characters that must be percent-encoded.")
    if isinstance(error, HttpParserInvalidMethodError):
        return BadRequest("Bad Request: unknown method")
    return BadRequest(f"Bad Request: {error}")
