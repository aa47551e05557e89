"""The transport's side of a websocket: bytes in, frames in order, bytes out, and the end.

A `Channel` is the protocol of the transport once the handshake is done. It feeds the sans-I/O protocol of the library
`websockets`, which parses and checks frames, and puts what comes of them into an inbox. Frames are handled one at a
time: while the inbox is full, those behind it stay bytes, and reading pauses. What messages mean it does not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sanic.exceptions import WebsocketClosed
from sanic.server.deadlines import NEVER
from sanic.server.websockets.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    FrameCutter,
    TextChecker,
    new_text_decoder,
)
from sanic.server.websockets.inbox import Inbox
from sanic.server.websockets.pings import Keepalive, Pings

if TYPE_CHECKING:
    from sanic.server.protocols.websocket_protocol import WebSocketProtocol

#: The code of a connection that is cut; it never stands in a frame (RFC 6455 section 7.4.1).
ABNORMAL = 1006

_OPEN = 1  # `websockets.protocol.State.OPEN`
# The second byte of the header of a masked frame that holds the length itself: the mask bit, and 0 to 125.
_SHORTEST = 0x80
_LONGEST = 0x80 + 125
_SHORT_HEADER = 6
_CLOSE = 0x80 | CLOSE


class Channel:
    """A connection that speaks websocket.

    Args:
        proto: The sans-I/O protocol, open.
        inbox: Where frames with data go.
        ping_interval: Seconds between two pings, None for none.
        ping_timeout: Seconds that the answer to a ping may take, None for ever.
        close_timeout: Seconds that the client may take to answer a close.

    Attributes:
        fragments: Resolves when a message that is sent in fragments is complete; None while none is.
        handler: The task that is cancelled when the client has gone.
        has_cancelled: Whether the handler was cancelled because of the end.
        held: Bytes behind what the inbox could take.
        is_open: Whether messages can be sent.
        is_closed_here: Whether this side has asked for the end.
        is_plain: Whether messages go out as they are, with nothing that the library adds to them.
        is_write_paused: Whether the client reads more slowly than is sent.
        lost: Resolves when the connection is gone.
        pings: The pings on their way.
    """

    __slots__ = (
        "_checker",
        "_cutter",
        "_drain_waiters",
        "_is_closed_by_handler",
        "_is_reading_paused",
        "_keepalive",
        "_transport",
        "close_timeout",
        "connection",
        "fragments",
        "handler",
        "has_cancelled",
        "held",
        "inbox",
        "is_closed_here",
        "is_open",
        "is_plain",
        "is_transport_closing",
        "is_write_paused",
        "lost",
        "ping_interval",
        "ping_timeout",
        "pings",
        "proto",
        "write",
    )

    def __init__(
        self, proto: Any, inbox: Inbox, ping_interval: float | None, ping_timeout: float | None, close_timeout: float
    ) -> None:
        self.proto = proto
        self.ping_interval = ping_interval
        self.ping_timeout = ping_timeout
        self.close_timeout = close_timeout
        # Of the connection.
        self.connection: WebSocketProtocol
        self.write: Any
        self.is_transport_closing: Any
        self.lost: asyncio.Future[None]
        self._transport: Any = None
        self.handler: asyncio.Task[Any] | None = None
        self.is_open = False
        self.is_closed_here = False
        self.is_plain = False
        self._is_closed_by_handler = False
        self.has_cancelled = False
        # What comes.
        self.inbox = inbox
        self.held = b""
        self._cutter = FrameCutter()
        self._checker: TextChecker | None = None
        self._is_reading_paused = False
        # What goes.
        self.fragments: asyncio.Future[None] | None = None
        self.is_write_paused = False
        self._drain_waiters: list[asyncio.Future[None]] = []
        # Whether the client is still there.
        self.pings = Pings()
        self._keepalive: Keepalive

    def open(self, connection: WebSocketProtocol, handler: asyncio.Task[Any] | None) -> None:
        """Begin.

        Args:
            connection: The connection, whose transport is taken over and whose `deadline` is kept.
            handler: The task to cancel when the client has gone.
        """
        self.connection = connection
        self.handler = handler
        self._transport = connection.transport
        self.write = connection.transport.write
        self.is_transport_closing = connection.transport.is_closing
        self.is_plain = not self.proto.extensions and not self.proto.debug
        self.is_write_paused = connection.is_write_paused
        self.lost = asyncio.get_running_loop().create_future()
        self.is_open = True
        self._keepalive = Keepalive(self.pings, self.ping_interval, self.ping_timeout, connection.clock.horizon)
        connection.deadline = self._keepalive.deadline

    # -- Callbacks of the transport ----------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self.held:
            self.held += data
        elif (
            # One whole short frame, which is what most reads bring, and nothing that it would have to wait for.
            len(data) > 2
            and data[0] != _CLOSE
            and _SHORTEST <= data[1] <= _LONGEST
            and len(data) == data[1] - _SHORTEST + _SHORT_HEADER
            and self.is_open
            and self._cutter.is_between_frames
            and not self.inbox.is_full
        ):
            self._feed(data)
        else:
            self._feed_in_order(data)

    def eof_received(self) -> None:
        """The client will send nothing more; without a closing handshake that is the end, too."""
        if not self.proto.reader.eof:
            self.proto.receive_eof()
            self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.held = b""
        self.eof_received()
        if self.is_open:
            self._closing_began()
        resolve(self.lost)
        self.pings.abort()
        waiters, self._drain_waiters = self._drain_waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(WebsocketClosed())
        self.connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """The client reads more slowly than is sent."""
        self.is_write_paused = True

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.is_write_paused = False
        waiters, self._drain_waiters = self._drain_waiters, []
        for waiter in waiters:
            resolve(waiter)

    # -- Frames that come --------------------------------------------------------------------------------------------

    def _feed(self, data: bytes, checked: TextChecker | None = None) -> None:
        # At most one frame, or a part of one.
        proto = self.proto
        proto.receive_data(data)
        for frame in proto.events_received():
            self.take(frame, checked)
        if output := proto.data_to_send():
            self.send(output)

    def take(self, frame: Any, checked: TextChecker | None = None) -> None:
        """Handle a frame that the sans-I/O protocol has received.

        Args:
            frame: The frame.
            checked: What has decoded its text already.
        """
        if frame.opcode <= BINARY:
            if not self.is_open:
                return  # nobody will receive any more
            try:
                self.inbox.put(frame, checked)
            except UnicodeDecodeError as error:
                self._refuse_text(error)
        elif frame.opcode == PONG:
            self.pings.answered(bytes(frame.data))

    def _feed_in_order(self, data: bytes) -> None:
        cutter, position = self._cutter, 0
        while position < len(data):
            if cutter.is_between_frames and self.is_open and self.inbox.is_full:
                self.held = data[position:]
                self.pause_reading()
                return
            piece, position = cutter.cut(data, position)
            if cutter.opcode == CLOSE:
                self._forget_fragments()
            if self.is_open and (self._checker is not None or self._is_text_in_pieces()):
                self._feed_text(piece)
            elif piece and not self.proto.eof_sent and (self.is_open or cutter.opcode != PING):
                self._feed(piece)  # pings are not answered any more once a close has been sent

    def _forget_fragments(self) -> None:
        # A close may come amidst a message (RFC 6455 section 5.4); the library would call that an error.
        for name in ("current_size", "cur_size"):
            if hasattr(self.proto, name):
                setattr(self.proto, name, None)

    def _is_text_in_pieces(self) -> bool:
        cutter = self._cutter
        if cutter.is_between_frames or not cutter.is_header_complete or self.proto.extensions:
            return False
        return cutter.opcode == TEXT or (cutter.opcode == CONTINUATION and self.inbox.decoder is not None)

    def _feed_text(self, piece: bytes) -> None:
        # What has come of a text is looked at before the frame is complete.
        cutter, checker = self._cutter, self._checker
        is_end = cutter.is_between_frames
        if not is_end:
            self._feed(piece)
            if not self.is_open:
                return
        if checker is None:
            known = self.inbox.decoder if cutter.opcode == CONTINUATION else None
            checker = self._checker = TextChecker(cutter.header, known or new_text_decoder())
        try:
            checker.feed(cutter.payload, is_end)
        except UnicodeDecodeError as error:
            self._refuse_text(error)
            return
        if is_end:
            self._checker = None
            self._feed(piece, checker)

    def _refuse_text(self, error: UnicodeDecodeError) -> None:
        self.proto.fail(1007, f"{error.reason} at position {error.start}")
        self.flush()

    def go_on(self) -> None:
        """Handle what was held back, as far as the inbox takes it."""
        data, self.held = self.held, b""
        self._feed_in_order(data)
        if not self.held:
            self.resume_reading()

    def look_soon(self) -> None:
        """Handle what is held back within a second or so, even if nobody receives: it may be a close."""
        self.connection.deadline = 0.0

    def pause_reading(self) -> None:
        """Stop reading."""
        if not self._is_reading_paused and not self.lost.done():
            self._is_reading_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on reading."""
        if self._is_reading_paused and not self.lost.done():
            self._is_reading_paused = False
            self._transport.resume_reading()

    # -- Frames that go ----------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what the sans-I/O protocol has to send."""
        self.send(self.proto.data_to_send())

    def send(self, output: Iterable[bytes]) -> None:
        """Write what the sans-I/O protocol had to send; empty bytes are the end of the stream."""
        for data in output:
            if data:
                self.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()
        # The state changes with something to send, always.
        if self.is_open and self.proto.state != _OPEN:
            self._closing_began()

    async def whole_message_may_begin(self) -> None:
        """Wait until no message is being sent in fragments.

        Raises:
            WebsocketClosed: The connection was closed meanwhile.
        """
        while self.fragments is not None:
            await asyncio.shield(self.fragments)
        if not self.is_open:
            raise WebsocketClosed()

    async def drain(self) -> None:
        """Wait until the client has taken enough of what was sent.

        Raises:
            WebsocketClosed: It has gone.
        """
        if self.is_write_paused:
            if self.lost.done():
                raise WebsocketClosed()
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._drain_waiters.append(waiter)
            await waiter

    # -- The end -----------------------------------------------------------------------------------------------------

    def close(self, code: int, reason: str, *, by_application: bool) -> None:
        """Send a close, unless one has been sent.

        Args:
            code: Its code.
            reason: Its reason, at most 123 bytes.
            by_application: Whether the application asks for it; otherwise its handler is cancelled.
        """
        if self.fragments is not None:
            # The library closes in order only between messages.
            self.fail(code, reason, by_application=by_application)
        elif self.is_open:
            self._note_who_closes(by_application)
            self.proto.send_close(code, reason)
            self.flush()

    def fail(self, code: int, reason: str, *, by_application: bool) -> None:
        """End without waiting for the client's answer; 1006 cuts the connection. The arguments are those of `close`."""
        if self.is_open:
            self._note_who_closes(by_application)
            self.proto.fail(code, reason)
            self.flush()
        if code == ABNORMAL:
            self._transport.abort()

    def _note_who_closes(self, by_application: bool) -> None:
        self.is_closed_here = by_application
        self._is_closed_by_handler = by_application and asyncio.current_task() is self.handler

    def end_handler(self) -> None:
        """Cancel a handler that goes on without a connection, unless it has closed the connection itself."""
        self.connection.deadline = NEVER
        if self.handler is not None and not self._is_closed_by_handler:
            self.has_cancelled = self.handler.cancel()

    def _closing_began(self) -> None:
        # Whatever the reason is: from here on nothing is received, and there is a deadline.
        self.is_open = False
        self.connection.deadline = self.connection.clock.horizon + self.close_timeout
        if self.held:
            self.go_on()
        self.resume_reading()
        if self.handler is not None and not self.is_closed_here:
            self.has_cancelled = self.handler.cancel()
        self.inbox.wake()

    def check_timeouts(self) -> None:
        """A deadline has passed, or something is to be looked at."""
        if not self.is_open:
            self._transport.abort()
            return
        if self.held and not self.inbox.is_full:
            self.go_on()
        if self.is_open:
            self._keep_alive()
        if self.is_open:
            self.connection.deadline = self._keepalive.deadline

    def _keep_alive(self) -> None:
        clock = self.connection.clock
        if self._keepalive.is_client_gone(clock.now, is_blind=bool(self.held)):
            self.fail(1011, "keepalive ping timeout", by_application=False)
        elif (payload := self._keepalive.due(clock.now, clock.horizon)) is not None:
            self.proto.send_ping(payload)
            self.flush()


def resolve(waiter: asyncio.Future[None]) -> None:
    """Resolve a future, if it is not."""
    if not waiter.done():
        waiter.set_result(None)
