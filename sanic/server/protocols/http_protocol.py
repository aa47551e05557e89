"""A connection of HTTP/1: from bytes to exchanges, and back.

The protocol feeds httptools, builds one exchange for each message and runs them one after another, in order. It owns
what belongs to a connection: flow control, the queue of pipelined messages, the deadline of the current stage, and the
end. What a request means, and how a response is framed, it does not know.

A connection is in one of these states:

    idle        no `exchange`; `deadline` is that of the keep-alive, or of the head once its first byte has come
    busy        `exchange` is handled, others may wait in the queue; `deadline` is that of the body or of the handler
    discarding  the response is out, the rest of the request's body is read and thrown away
    closing     nothing more is handled; what is unsent is flushed, what still comes is thrown away
"""

from __future__ import annotations

from asyncio import Task
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, Any

from httptools import HttpParserError, HttpParserInvalidMethodError, HttpParserUpgrade, HttpRequestParser

from sanic.exceptions import (
    BadRequest,
    RequestCancelled,
    RequestHeaderFieldsTooLarge,
    SanicException,
    URITooLong,
)
from sanic.http.constants import Stage
from sanic.http.exchange import Exchange
from sanic.http.head import check_head
from sanic.request.factory import request_factory
from sanic.server.access import log_access
from sanic.server.deadlines import NEVER
from sanic.server.peer import reset_on_close
from sanic.server.protocols.connection import Connection
from sanic.server.protocols.irregular import UnknownMethodParser, body_parser, explain
from sanic.server.protocols.known_body import BodyEnd, KnownBody
from sanic.server.protocols.request_line import ANYWHERE, AT_START, begin_of_rest, find_in_parts, find_in_piece
from sanic.server.timeouts import act_on_timeout, is_client_waiting

if TYPE_CHECKING:
    from sanic.request import Request

# Pipelined messages are parsed in slices, so that the queue can be full before everything that came has been parsed.
_SLICE = 4096
_BODY_SLICE = 65536

# Members of an enumeration are slow to look up.
_IDLE = Stage.IDLE

# Headers that decide how a message is read; all others are left to the application.
_DECISIVE_HEADERS = frozenset(
    {b"connection", b"content-length", b"expect", b"host", b"proxy-connection", b"transfer-encoding"}
)
# Instead of a host: none of them can come in a message.
_REPEATED = b"\0"
_UNKNOWN = b"\0\0"


class HttpProtocol(Connection):
    """A connection of HTTP/1; its arguments are those of `Connection`."""

    # fmt: off
    __slots__ = (
        "_begins_piece", "_begun", "_decisive", "_headers", "_host", "_is_begin_known", "_is_input_left",
        "_is_reading_over", "_known_host", "_make_request", "_names_connection", "_names_tasks", "_parser", "_piece",
        "_position", "_queue", "_refusal", "_unread", "exchange", "incoming", "is_discarding", "is_head_begun",
        "probe_at", "request_class", "url",
    )
    # fmt: on

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        # Of the connection.
        self.request_class: type[Request[Any, Any]] = self.app.request_class
        self._make_request = request_factory(self.request_class)
        self._parser: HttpRequestParser | UnknownMethodParser | KnownBody | None = None
        self._queue: deque[Exchange] | None = None
        self._names_tasks = self.loop.get_task_factory() is None
        self._is_reading_over = self._is_input_left = False
        self.probe_at = NEVER
        # Of the message that is being read.
        self.incoming: Exchange | None = None
        self.is_head_begun = False
        self.url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._host: bytes | None = None
        self._known_host = _UNKNOWN
        self._names_connection = False
        self._decisive: list[tuple[bytes, bytes]] | None = None
        self._refusal: Exception | None = None
        # What is being parsed; before that, what has come of a head that is not complete, and whether it began there.
        self._piece = b""
        self._position = AT_START
        self._begun: bytearray | None = None
        self._begins_piece = self._is_begin_known = False
        self._unread = 0
        # Of the message that is being answered.
        self.exchange: Exchange | None = None
        self.is_discarding = False

    # -- Callbacks of the transport ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Handle what comes, and what has come in the meantime."""
        self._parse_rest()
        if self.is_half_closed and self.exchange is None:
            self.close()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._is_reading_over:
            self._is_input_left = True
        elif self._unparsed or self._parser is None:
            self._unparsed += data
        elif len(data) > _SLICE or self._queue:
            self._parse_in_slices(data)
        else:
            # What `_parse` does, which would be one more call for each request.
            self._piece = data
            self._position = AT_START
            try:
                self._parser.feed_data(data)
            except Exception as error:
                self._parsing_stopped(data, error)
            else:
                self._piece = b""
                if self.is_head_begun or self.incoming is not None:
                    self._await_rest(data)

    def eof_received(self) -> bool:
        """The client will send nothing more; what it sent in full is answered all the same."""
        self.is_half_closed = True
        if self.incoming is not None and self.incoming is not self.exchange and self._queue:
            self._queue.pop()
            self.incoming = None
        is_idle = self.exchange is None and not self._unparsed
        if self.is_closing or self.incoming is not None or is_idle or not is_client_waiting(self):
            self.leave()
            return False
        self.stage_deadline, self.deadline = self.deadline, 0.0
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._is_reading_over = True
        self._queue = self._parser = None
        self._unparsed = b""
        super().connection_lost(exc)
        if self.incoming is not None:
            self.incoming.wake_reader()
        if self.exchange is not None:
            self.exchange.interrupt(RequestCancelled())
            task = self.exchange.task
            if task is not None:
                # Who stops the server has to know of it: a handler may take its time, or refuse to be cancelled.
                self.signal.left.add(task)
                task.add_done_callback(self.signal.left.discard)

    # -- Parsing -----------------------------------------------------------------------------------------------------

    def _parse(self, data: bytes) -> None:
        self._piece = data
        self._position = AT_START
        try:
            self._parser.feed_data(data)  # type: ignore[union-attr]
        except Exception as error:
            self._parsing_stopped(data, error)
        else:
            self._piece = b""
            if self.is_head_begun or self.incoming is not None:
                self._await_rest(data)

    def _parsing_stopped(self, data: bytes, error: Exception) -> None:
        # Where a body of known length ends, where another protocol begins, or where something is wrong.
        self._piece = b""
        if isinstance(error, BodyEnd):
            self._parser = HttpRequestParser(self)
            self._names_connection = False
            if self.incoming is not None:
                exchange, self.incoming = self.incoming, None
                self._end_body(exchange)
            if error.position < len(data) and not self._is_reading_over:
                self._parse(data[error.position :])
            else:
                self._is_input_left = self._is_input_left or error.position < len(data)
            return
        if isinstance(error, HttpParserUpgrade):
            rest = data[error.args[0] :]
            if self.incoming is not None:
                self._parser = body_parser(self, self.incoming)
                self._parse(rest)
                return
            # What follows belongs to the other protocol if the upgrade is granted, else to the next message.
            self._parser = None
            self._unparsed = rest
            self.hold_reading()
        elif isinstance(error, HttpParserError):
            if self._is_reading_over:
                self._is_input_left = True
            elif isinstance(error, HttpParserInvalidMethodError) and (
                # The message is the only one in what has come since the connection was idle.
                self.exchange is None and (self._begun is None or self._begins_piece)
            ):
                start = bytes(self._begun or b"") + data
                self._begun = None
                self._parser = UnknownMethodParser(self)
                self._parse(start)
                return
            else:
                self.refuse(self._refusal or explain(error))
        elif isinstance(error, SanicException):
            self.refuse(error)
        else:
            raise error
        if self.is_head_begun or self.incoming is not None:
            self._await_rest(data)

    def _parse_in_slices(self, data: bytes) -> None:
        position = 0
        while position < len(data) and not self._is_reading_over:
            if self._parser is None or (self._queue and len(self._queue) >= self.limits.max_queued):
                self._unparsed += data[position:]
                self.hold_reading()
                return
            if type(self._parser) is KnownBody:
                size = self._parser.left
            else:
                size = _SLICE if self.incoming is None else _BODY_SLICE
            self._parse(data[position : position + size])
            position += size
        self._is_input_left = self._is_input_left or position < len(data)

    def _parse_rest(self) -> None:
        # What came while the queue was full, or after a request that asked for an upgrade.
        if self._parser is None:
            self._parser = HttpRequestParser(self)
        data, self._unparsed = self._unparsed, b""
        self._parse_in_slices(data)
        if not self._unparsed:
            self._read_on()

    def on_message_begin(self) -> None:
        """The first byte of a head has been parsed."""
        self.is_head_begun = True
        self._headers = []
        self.url = b""
        self._host = self._decisive = None

    def on_url(self, url: bytes) -> None:
        """The request target, or a part of it."""
        self.url = url = self.url + url if self.url else url
        if len(url) > self.limits.max_target:
            self._stop(URITooLong(f"The request target is longer than {self.limits.max_target} bytes."))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field, or a field of the trailer, which nobody asked for."""
        self._headers.append((name, value))
        name = name.lower()
        if name in _DECISIVE_HEADERS:
            if name == b"host":
                self._host = value if self._host is None else _REPEATED
            elif name[-10:] == b"connection":
                self._names_connection = True
            elif self._decisive is None:
                self._decisive = [(name, value)]
            else:
                self._decisive.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is complete: a request is there."""
        parser: Any = self._parser
        self.is_head_begun = False
        limits = self.limits
        if len(self._headers) > limits.max_headers or len(self._piece) > limits.max_head or self._begun is not None:
            self._check_size()
        method = parser.get_method()
        # The parser speaks RTSP and ICE, too, and is generous with blanks (RFC 9112 section 3).
        if (
            self._begun is None
            and self._position == AT_START
            and self._piece.startswith(b" HTTP/1.1\r\n", len(method) + len(self.url) + 1)
        ):
            self._position = 0
            version = "1.1"
            # Only a field can end what HTTP/1.1 keeps (RFC 9112 section 9.3).
            is_kept = not self._names_connection or parser.should_keep_alive()
        else:
            self._check_line(method)
            version = parser.get_http_version()
            is_kept = parser.should_keep_alive()
        self._names_connection = False
        make_request = self._make_request
        try:
            request = make_request(self.url, self._headers, version, method.decode(), self.transport, self.app)
        except Exception as error:  # a bad target, or what a request class of the application raises
            self._refusal = error
            raise
        self.incoming = exchange = Exchange(self, request, is_kept and limits.keep_alive)
        if self._host != self._known_host or self._decisive is not None or self._begun is not None or version != "1.1":
            self._check_head(exchange)
            if exchange.has_body:
                # What further fields come are those of the trailer.
                self._headers = []
                self._unread = 0
                self._take(exchange)

    def _check_line(self, method: bytes) -> None:
        # It came in several pieces, or behind other messages, empty lines or a body; or it is a bad one.
        line = b"%b %b HTTP/" % (method, self.url)
        if self._begun is not None:
            position = find_in_parts(self._begun, self._piece, line, self._is_begin_known)
        else:
            position = find_in_piece(self._piece, line, self._position)
        if position is None:
            self._stop(BadRequest("Bad Request: malformed request line"))
        else:
            self._position = position

    def _check_head(self, exchange: Exchange) -> None:
        refusal = check_head(exchange, self._host, self._decisive or ())
        self._begun = None
        if refusal is not None:
            self.incoming = None
            self._stop(refusal)
        self._known_host = self._host or _UNKNOWN

    def _check_size(self) -> None:
        # Of the fields of a head, or of a trailer.
        if self.limits.are_too_large(self._headers):
            self._stop(RequestHeaderFieldsTooLarge("Request header exceeds the size limit"))

    def _stop(self, error: Exception) -> None:
        # Out of the parser, which remembers nothing but that there was an error.
        self._refusal = error
        raise error

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        exchange = self.incoming
        self._unread = 0
        if exchange is not None:
            watch = self.body_watch
            if watch is not None:
                watch.last = self.clock.now
                watch.size += len(data)
            exchange.feed(data)
            if self.is_discarding and exchange.body_received > self.limits.max_body:
                self.close()

    def on_message_complete(self) -> None:
        """The message is complete."""
        exchange = self.incoming
        if exchange is None:
            return
        if not exchange.has_body:
            self.incoming = None
            exchange.is_body_complete = True
            if not exchange.keep_alive:
                self._is_reading_over = True
            if self.exchange is None:
                self._begin(exchange)
            else:
                self._take(exchange)
        elif not self._parser.should_upgrade():  # type: ignore[union-attr]
            if self._headers:
                self._check_size()
            self._names_connection = False
            self.incoming = None
            self._position = ANYWHERE
            self._end_body(exchange)

    def _await_rest(self, data: bytes) -> None:
        # A message is not complete. The parser tells of a field when it has all of it; until then, and while it skips
        # something, it must not go on without bounds either.
        limits = self.limits
        if self.incoming is not None:
            if type(self._parser) is KnownBody:
                return
            left = (self.incoming.content_length or 0) - self.incoming.body_received
            if left > _BODY_SLICE and type(self._parser) is HttpRequestParser and not self._parser.should_upgrade():
                self._parser = KnownBody(self.on_body, left)
                return
            self._unread += len(data)
            is_too_large = self._unread > limits.max_head + 2 * _BODY_SLICE
        elif self._begun is None:
            begin = begin_of_rest(data, self._position)
            self._begun = bytearray(data[begin or 0 :])
            self._is_begin_known = begin is not None
            self._begins_piece = self.exchange is None
            if self.exchange is None:
                # This deadline counts from the first byte: no later one pushes it back.
                self.set_deadline(limits.request_timeout)
            return
        else:
            self._begun += data
            size = len(self._begun)
            is_too_large = size > limits.max_head + limits.max_target + _BODY_SLICE
            is_too_large = is_too_large or (size > limits.max_head and limits.are_too_large(self._headers))
        if is_too_large:
            self.refuse(RequestHeaderFieldsTooLarge("Request header exceeds the size limit"))

    def refuse(self, error: Exception) -> None:
        """Answer `error`, in its turn, to bytes that make no message; nothing is read after them."""
        self._is_reading_over = self._is_input_left = True
        self.is_head_begun = False
        self._unparsed = b""
        self._begun = None
        exchange, self.incoming = self.incoming, None
        if exchange is None:
            request = self._make_request(b"/", self._headers, "1.1", "NONE", self.transport, self.app)
            exchange = Exchange(self, request, False)
            exchange.is_body_complete = True
            exchange.failure = error
            self._take(exchange)
        elif self.is_discarding:
            self.close()  # its response has been sent already
        elif exchange is self.exchange:
            exchange.interrupt(error)
        else:
            exchange.keep_alive = False
            exchange.is_body_complete = True
            exchange.failure = error

    # -- One exchange after another ----------------------------------------------------------------------------------

    def _take(self, exchange: Exchange) -> None:
        if self.exchange is None:
            self._begin(exchange)
        elif self._queue is None:
            self._queue = deque((exchange,))
        else:
            self._queue.append(exchange)

    def _begin(self, exchange: Exchange) -> None:
        self.exchange = exchange
        limits = self.limits
        if not exchange.is_body_complete and not exchange.expects_continue and not self.is_reading_paused:
            self.body_expected()
        elif self.is_half_closed:
            self.set_deadline(limits.response_timeout)
        else:
            self.deadline = self.clock.horizon + limits.response_timeout
        if limits.access_log:
            exchange.started = perf_counter()
        if self._names_tasks:
            # A name spares the task to make one up.
            exchange.task = Task(exchange.run(), loop=self.loop, name="request")
        else:
            exchange.task = self.loop.create_task(exchange.run())

    def _end_body(self, exchange: Exchange) -> None:
        exchange.feed_eof()
        if not exchange.keep_alive:
            self._is_reading_over = True
        if self.is_discarding:
            # Not at once: until all that came with the end of this body has been parsed, the connection is not idle.
            self.loop.call_soon(self._end_discarding)
        elif exchange is self.exchange:
            self.body_watch = None
            self.set_deadline(self.limits.response_timeout)

    def exchange_ended(self, exchange: Exchange) -> None:
        """The task of an exchange is over."""
        self.exchange = None
        limits = self.limits
        clock = self.clock
        clock.requests += 1
        if limits.access_log:
            log_access(exchange, perf_counter())
        if exchange.stage is not _IDLE:
            # A broken message must look broken, even where nothing but the end of the connection ends it.
            if exchange.is_ended_by_close:
                reset_on_close(self.transport.get_extra_info("socket"))
            self.abort()
        elif not exchange.keep_alive:
            self.close()
        elif not exchange.is_body_complete:
            self._discard_body(exchange)
        elif (
            self._queue
            or self._unparsed
            or self._parser is None
            or self.is_head_begun
            or self.is_reading_paused
            or self.is_half_closed
            or self.is_closing_soon
            or self.is_closing
        ):
            self._continue()
        else:
            # Usually there is nothing else: the connection is idle.
            self.deadline = clock.horizon + limits.keep_alive_timeout

    def _discard_body(self, exchange: Exchange) -> None:
        left = (exchange.content_length or 0) - exchange.body_received
        if left > self.limits.max_body or self.is_closing:
            self.close()
            return
        self.exchange = exchange
        self.is_discarding = True
        self.set_deadline(self.limits.request_timeout)
        if not self._unparsed:
            self.release_reading()

    def _end_discarding(self) -> None:
        self.is_discarding = False
        self.exchange = None
        self._continue()

    def _continue(self) -> None:
        # The exchange before is over: go on with the next one, or be idle.
        if self.is_closing:
            return
        if self._queue:
            self._begin(self._queue.popleft())
        if self._unparsed or self._parser is None:
            if not self._queue or len(self._queue) < self.limits.max_queued:
                self._parse_rest()
        elif self.is_reading_paused:
            self._read_on()
        if self.exchange is not None:
            return
        if self.is_half_closed or (self.is_closing_soon and not self.is_head_begun):
            self.close()
        else:
            limits = self.limits
            timeout = limits.request_timeout if self.is_head_begun else limits.keep_alive_timeout
            self.deadline = self.clock.horizon + timeout

    def _read_on(self) -> None:
        if not self.is_reading_paused:
            return
        self.release_reading()
        exchange = self.exchange
        if exchange is not None and exchange is self.incoming and not (exchange.expects_continue or self.is_discarding):
            # It has begun while nothing was read: not until now could the client be waited for.
            self.body_expected()

    # -- The end -----------------------------------------------------------------------------------------------------

    def check_timeouts(self) -> None:
        """The deadline has passed."""
        act_on_timeout(self)

    def close_if_idle(self) -> bool:
        """Close an idle connection; a busy one closes after its current exchange.

        Returns:
            Whether it was idle.
        """
        self.is_closing_soon = True
        if self.exchange is None and not self.is_head_begun:
            self.close()
            return True
        return False

    def is_more_coming(self) -> bool:
        """Whether the client may still be sending what will not be read."""
        return bool(self.incoming is not None or self._is_input_left or self._unparsed or self._queue)

    def close(self, timeout: float | None = None) -> None:
        """Close the connection once what is written has been sent; what has not been handled is forgotten."""
        super().close(timeout)
        self._is_reading_over = True
        self._queue = None
        self._unparsed = b""

    def leave(self) -> None:
        """Close because the client has closed: nobody waits for what is being done."""
        if self.exchange is not None:
            self.exchange.interrupt(RequestCancelled())
        self.is_lost = self.is_closing = self._is_reading_over = True
        self._queue = None
        self.transport.close()
