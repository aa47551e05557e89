"""A request stream: to its exchange a connection of its own, to the QUIC connection one stream of many.

Flow control, deadlines and the end of a request are here, as for a connection of HTTP/1. Datagrams are not.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from sanic.exceptions import (
    ClientDisconnected,
    RequestCancelled,
    RequestHeaderFieldsTooLarge,
    SanicException,
    URITooLong,
)
from sanic.http.constants import Stage
from sanic.http.http3.errors import ErrorCode, StreamError, malformed
from sanic.http.http3.exchange import Http3Exchange
from sanic.http.http3.frames import DATA, Fields, RequestReader, varint
from sanic.http.http3.head import read_head
from sanic.models.http_version import HTTP
from sanic.models.protocol_types import TransportProtocol
from sanic.request.factory import REFUSED
from sanic.server.access import log_access
from sanic.server.protocols.connection import Connection
from sanic.server.timeouts import act_on_timeout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sanic.http.exchange import Exchange
    from sanic.request import Request
    from sanic.server.protocols.http3.connection import Http3Connection
    from sanic.server.protocols.http_protocol import HttpProtocol

# Unsent bytes at which writing pauses, and goes on again.
_HIGH_WATER = 2**16
_LOW_WATER = 2**14

# Cookies may come one by one (RFC 9114 section 4.2.1), so there may be more fields than are counted in the end.
_FIELDS_PER_HEADER = 4
_PSEUDO_FIELDS = 8


class StreamTransport(TransportProtocol):
    """The transport of a request: one stream of a QUIC connection.

    Args:
        connection: The connection.
        stream_id: Number of the stream.
    """

    __slots__ = ("_connection", "_stream_id", "protocol")

    version = HTTP.VERSION_3

    def __init__(self, connection: Http3Connection, stream_id: int, protocol: Http3Stream) -> None:
        super().__init__()
        self._connection = connection
        self._stream_id = stream_id
        self.protocol = protocol

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: stream {self._stream_id} of {self._connection!r}>"

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What is known of the connection; see `asyncio.BaseTransport`."""
        return self._connection.get_extra_info(name, default)

    def get_protocol(self) -> Any:
        """The stream, as the requests know it."""
        return self.protocol

    def get_write_buffer_size(self) -> int:
        """Bytes that have not been sent."""
        return self._connection.quic.unsent(self._stream_id)

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self.protocol.is_closing

    def pause_reading(self) -> None:
        """Nothing is to be done: what the client may send follows what is taken."""

    def resume_reading(self) -> None:
        """Nothing is to be done: what the client may send follows what is taken."""

    def abort(self) -> None:
        """End the stream in both directions, so that the response looks broken."""
        self.protocol.cut(ErrorCode.INTERNAL_ERROR)


class Http3Stream(Connection):
    """A request stream.

    Args:
        connection: The connection it is part of.
        stream_id: Its number.
    """

    # fmt: off
    __slots__ = (
        "_connection", "_reader", "_received", "exchange", "is_discarding", "is_head_begun", "is_input_over",
        "stream_id",
    )
    # fmt: on

    def __init__(self, connection: Http3Connection, stream_id: int) -> None:
        super().__init__(
            loop=connection.loop,
            app=connection.app,
            signal=connection.signal,
            connections=connection.open_streams,
            deadlines=connection.clock,
            limits=connection.limits,
        )
        self._connection = connection
        self.stream_id = stream_id
        self.transport = StreamTransport(connection, stream_id, self)
        self._conn_info = connection.conn_info
        self._reader = RequestReader(stream_id, connection.coder, self, connection.max_section)
        self._received = 0
        self.exchange: Http3Exchange | None = None
        self.is_head_begun = True
        # Of HTTP/1, where what is not wanted has to be read all the same.
        self.is_discarding = False
        #: Whether nothing more can come.
        self.is_input_over = False
        self.is_closing_soon = connection.is_closing_soon
        self.connections.add(self)
        self.set_deadline(self.limits.request_timeout)
        self.clock.watch(self)

    # -- What comes in -----------------------------------------------------------------------------------------------

    def receive(self, data: bytes, is_end: bool) -> None:
        """Read what has come.

        Raises:
            BrokenConnection: The client does not speak HTTP/3 properly.
        """
        try:
            self._reader.feed(data, is_end)
        except StreamError as error:
            self.cut(error.code)

    def on_head(self, fields: Fields) -> None:
        """The head of the request is complete."""
        self.is_head_begun = False
        if len(fields) > _FIELDS_PER_HEADER * self.limits.max_headers + _PSEUDO_FIELDS:
            self.on_oversize()
            return
        head = read_head(fields)
        if self.limits.are_too_large(head.headers):
            self.on_oversize()
            return
        if len(head.target) > self.limits.max_target:
            self.refuse(URITooLong(f"The request target is longer than {self.limits.max_target} bytes."))
            return
        make = self._connection.make_request
        try:
            request = make(head.target, head.headers, "3", head.method, self.transport, self.app)
        except Exception as error:  # a bad target, or what a request class of the application raises
            self.refuse(error)
            return
        exchange = Http3Exchange(self, request, True)
        exchange.content_length = head.content_length
        exchange.has_body = head.content_length != 0
        exchange.expects_continue = head.expects_continue
        self._begin(exchange, request)

    def on_oversize(self) -> None:
        """The head of the request is larger than any that is read."""
        self.refuse(RequestHeaderFieldsTooLarge("Request header exceeds the size limit"))

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        exchange = self.exchange
        self._received += len(data)
        if exchange is None:
            return
        if exchange.content_length is not None and self._received > exchange.content_length:
            raise malformed("the body is longer than content-length")
        watch = self.body_watch
        if watch is not None:
            watch.last = self.clock.now
            watch.size += len(data)
        exchange.feed(data)

    def on_end(self) -> None:
        """The request is complete."""
        exchange = self.exchange
        if exchange is None:
            return
        if exchange.content_length is not None and self._received != exchange.content_length:
            raise malformed("the body is shorter than content-length")
        exchange.expects_continue = False
        exchange.feed_eof()
        self.body_watch = None
        self.set_deadline(self.limits.response_timeout)

    def refuse(self, error: Exception) -> None:
        """Answer `error`, and read nothing more."""
        self._reader.stop()
        self.is_head_begun = False
        if self.exchange is not None:
            self.exchange.interrupt(error)
            return
        request = self._connection.make_request(b"/", [], "3", REFUSED, self.transport, self.app)
        exchange = Http3Exchange(self, request, True)
        exchange.failure = error
        # Nobody reads it: whatever comes is not wanted.
        exchange.is_body_complete = True
        self._connection.quic.stop(self.stream_id, ErrorCode.NO_ERROR)
        self._begin(exchange, request)

    def _begin(self, exchange: Http3Exchange, request: Request[Any, Any]) -> None:
        request._stream_id = self.stream_id
        self.exchange = exchange
        if exchange.is_body_complete or exchange.expects_continue:
            self.set_deadline(self.limits.response_timeout)
        else:
            self.body_expected()
        if self.limits.access_log:
            exchange.started = perf_counter()
        exchange.task = self.loop.create_task(exchange.run(), name="request")

    # -- What goes out -----------------------------------------------------------------------------------------------

    def write_message(self, fields: Fields | None, data: bytes, is_end: bool) -> None:
        """Write a part of the response.

        Args:
            fields: Its head, if that comes first.
            data: A piece of its body.
            is_end: Whether that is all.
        """
        if self.is_lost:
            return
        head = self._connection.coder.encode(self.stream_id, fields) if fields is not None else b""
        output = b"".join((head, varint(DATA), varint(len(data)), data)) if data else head
        quic = self._connection.quic
        quic.send_stream_data(self.stream_id, output, is_end)
        self._connection.transmit_soon()
        if quic.unsent(self.stream_id) > _HIGH_WATER:
            self.pause_writing()
            self._connection.paused.add(self)

    def look_at_buffer(self) -> None:
        """Go on with writing if most has been sent."""
        if self._connection.quic.unsent(self.stream_id) <= _LOW_WATER:
            self._connection.paused.discard(self)
            self.resume_writing()

    def body_buffered(self, size: int, is_handled: bool) -> None:
        """`size` bytes of the body wait for the application."""
        self._connection.quic.unread[self.stream_id] = size
        super().body_buffered(size, is_handled)

    def body_taken(self, size: int) -> None:
        """The application has taken from the body; `size` bytes are left."""
        unread = self._connection.quic.unread
        if size != unread.get(self.stream_id, 0):
            unread[self.stream_id] = size
            # The client may send that much more, and has to be told.
            self._connection.transmit_soon()
        super().body_taken(size)

    async def websocket_handshake(self, request: Request[Any, Any], subprotocols: Sequence[str] = ()) -> Any:
        """Refuse a websocket.

        Raises:
            SanicException: Websockets are spoken over HTTP/1.1.
        """
        raise SanicException("This route serves websockets, over HTTP/1.1: ask there with an upgrade.", 426, quiet=True)

    # -- The end -----------------------------------------------------------------------------------------------------

    def exchange_ended(self, exchange: Exchange) -> None:
        """The task of the exchange is over."""
        self.clock.requests += 1
        if self.limits.access_log:
            log_access(exchange, perf_counter())
        self.exchange = None
        if exchange.stage is not Stage.IDLE:
            # A broken message must look broken; what has been written of it is sent as far as it may be.
            self._connection.transmit()
            self._connection.quic.reset(self.stream_id, ErrorCode.INTERNAL_ERROR)
        is_complete = exchange.is_body_complete or self.is_lost
        if not is_complete:
            # RFC 9114 section 4.1: the response does not depend on the rest of the request.
            self._connection.quic.stop(self.stream_id, ErrorCode.NO_ERROR)
        self._finish()

    def check_timeouts(self) -> None:
        """The deadline has passed."""
        act_on_timeout(cast("HttpProtocol", self))

    def close(self, timeout: float | None = None) -> None:
        """End the stream, on which nothing is being answered."""
        self.cut(ErrorCode.REQUEST_REJECTED)

    def abort(self) -> None:
        """End the stream at once, so that the response looks broken."""
        self.cut(ErrorCode.INTERNAL_ERROR)

    def cut(self, code: ErrorCode) -> None:
        """End the stream in both directions.

        Args:
            code: What the client is told.
        """
        quic = self._connection.quic
        quic.reset(self.stream_id, code)
        quic.stop(self.stream_id, code)
        self._connection.transmit_soon()
        self.lose()

    def lose(self) -> None:
        """Nobody waits for the response any more."""
        if self.is_lost:
            return
        self.is_lost = self.is_closing = True
        self._reader.stop()
        self._end_drain(ClientDisconnected("The client has left."))
        if self.exchange is None:
            self._finish()
        else:
            task = self.exchange.task
            if task is not None:
                # Who stops the server has to know of it: a handler may take its time, or refuse to be cancelled.
                self.signal.left.add(task)
                task.add_done_callback(self.signal.left.discard)
            self.exchange.wake_reader()
            self.exchange.interrupt(RequestCancelled())
            self.set_deadline(self.limits.close_timeout)

    def _finish(self) -> None:
        self._reader.stop()
        self.is_closing = True
        # The transport refers to the stream, and what refers to itself waits for the garbage collector.
        self.transport = None
        self.clock.forget(self)
        self.connections.discard(self)
        self._connection.stream_ended(self)
