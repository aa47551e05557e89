"""A websocket as a handler sees it: messages in, messages out, and one way to end.

The bytes are the business of its channel; this class knows messages, pings and closing.

How a websocket ends (RFC 6455 section 7.4.1):

    1000  the handler has returned, or called `close()`
    1001  the server stops, or the handler was cancelled
    1002  the client has broken the protocol
    1007  a text was not UTF-8
    1009  a message was larger than `WEBSOCKET_MAX_SIZE`
    1011  the handler has raised, or a ping was not answered in time
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sanic.exceptions import ServerError, WebsocketClosed
from sanic.server.websockets.channel import ABNORMAL, Channel
from sanic.server.websockets.fragments import send_fragments
from sanic.server.websockets.frames import BINARY, TEXT, whole_message
from sanic.server.websockets.inbox import Inbox

if TYPE_CHECKING:
    from sanic.server.protocols.websocket_protocol import WebSocketProtocol

Message = str | bytes | bytearray | memoryview

_LONGEST_CONTROL_PAYLOAD = 125
_LONGEST_REASON = _LONGEST_CONTROL_PAYLOAD - 2


class WebsocketImplProtocol:
    """A websocket; `sanic.Websocket` is its name in annotations.

    Several tasks may use it at the same time, but only one may receive.

    Args:
        ws_proto: The sans-I/O protocol of the library `websockets`, open.
        max_queue: Complete messages that may wait to be received; default 1.
        ping_interval: Seconds between two pings, None for none.
        ping_timeout: Seconds that the answer to a ping may take, None for ever.
        close_timeout: Seconds that the client may take to answer a close.
        loop: Not used; kept for compatibility.
    """

    __slots__ = ("_inbox", "channel", "ws_proto")

    def __init__(
        self,
        ws_proto: Any,
        max_queue: int | None = None,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float = 10,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.ws_proto = ws_proto
        self._inbox = Inbox(max_queue or 1)
        self.channel = Channel(ws_proto, self._inbox, ping_interval, ping_timeout, close_timeout)

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that client and server have agreed on."""
        agreed: str | None = self.ws_proto.subprotocol
        return agreed

    # -- Receiving ---------------------------------------------------------------------------------------------------

    async def recv(self, timeout: float | None = None) -> str | bytes | None:
        """Receive a message.

        Args:
            timeout: Seconds to wait.

        Returns:
            The message, None when none has come in time.

        Raises:
            WebsocketClosed: The connection is closed. A handler that waits here while the client closes is cancelled.
            ServerError: Another task is receiving.
        """
        inbox, channel = self._inbox, self.channel
        messages = inbox.messages
        if inbox.receiver is not None or inbox.is_streaming:
            raise _already_receiving()
        if channel.held and not messages:
            channel.go_on()
        if not messages:
            if channel.is_open:
                await inbox.wait(timeout)
            if not messages:
                if channel.is_open:
                    return None
                raise WebsocketClosed()
        message = messages.popleft()
        if channel.held:
            channel.look_soon()
        return message

    async def recv_burst(self, max_recv: int = 256) -> list[str | bytes]:
        """Receive the messages that have come already, perhaps none, without waiting.

        Args:
            max_recv: How many at most.

        Raises:
            WebsocketClosed: The connection is closed.
            ServerError: Another task is receiving.
        """
        inbox, channel = self._inbox, self.channel
        if inbox.receiver is not None or inbox.is_streaming:
            raise _already_receiving()
        burst: list[str | bytes] = []
        while len(burst) < max_recv:
            if channel.held and not inbox.messages:
                channel.go_on()
            if not inbox.messages:
                break
            burst.append(inbox.messages.popleft())
        if not burst and not channel.is_open:
            raise WebsocketClosed()
        if channel.held:
            channel.look_soon()
        return burst

    async def recv_streaming(self) -> AsyncIterator[str | bytes]:
        """Receive one message in parts, as its fragments come; what is not taken of it is thrown away.

        Raises:
            WebsocketClosed: The connection is closed, perhaps in the middle of the message.
            ServerError: Another task is receiving.
        """
        inbox, channel = self._inbox, self.channel
        if inbox.receiver is not None or inbox.is_streaming:
            raise _already_receiving()
        if channel.held and not inbox.messages:
            channel.go_on()
        if inbox.messages:
            yield inbox.messages.popleft()
            return
        inbox.begin_streaming()
        try:
            while True:
                if channel.held and not inbox.parts:
                    channel.go_on()
                if not inbox.parts:
                    if channel.is_open:
                        await inbox.wait(None)
                    if not inbox.parts:
                        raise WebsocketClosed()
                part = inbox.parts.popleft()
                is_end = inbox.is_last_part and not inbox.parts
                if is_end:
                    inbox.end_streaming()
                if part:
                    yield part
                if is_end:
                    return
        finally:
            if inbox.is_streaming:
                inbox.end_streaming()

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Receive messages until the connection is closed."""
        try:
            while True:
                message = await self.recv()
                if message is not None:
                    yield message
        except WebsocketClosed:
            return

    # -- Sending -----------------------------------------------------------------------------------------------------

    async def send(self, message: Message | Iterable[Message] | AsyncIterable[Message]) -> None:
        """Send a message, and wait until the client has taken enough of what was sent.

        Args:
            message: A text, or bytes; or an iterable, asynchronous or not, of texts or of bytes, whose items become
                the fragments of one message.

        Raises:
            WebsocketClosed: The connection is closed.
            TypeError: It is something else.
        """
        channel = self.channel
        # A transport that has failed takes everything and never pauses, until its loss is told.
        if not channel.is_open or channel.is_transport_closing():
            raise WebsocketClosed()
        if isinstance(message, str):
            opcode, payload = TEXT, message.encode()
        elif isinstance(message, (bytes, bytearray, memoryview)):
            opcode, payload = BINARY, bytes(message)
        elif isinstance(message, (Iterable, AsyncIterable)) and not isinstance(message, Mapping):
            await send_fragments(channel, message)
            return
        else:
            raise TypeError(f"A message is a text or bytes, not {message!r}. Make a text of it, as json.dumps() does.")
        if channel.fragments is not None:
            await channel.whole_message_may_begin()
        if channel.is_plain:
            channel.write(whole_message(opcode, payload))
        else:
            (self.ws_proto.send_text if opcode == TEXT else self.ws_proto.send_binary)(payload)
            channel.flush()
        if channel.is_write_paused:
            await channel.drain()

    async def ping(self, data: str | bytes | None = None) -> asyncio.Future[None]:
        """Send a ping.

        Args:
            data: At most 125 bytes that the pong brings back; default four random ones.

        Returns:
            What resolves when the pong comes.

        Raises:
            WebsocketClosed: The connection is closed.
            ValueError: A ping with the same data is on its way, or there is too much of it.
        """
        pings = self.channel.pings
        payload = pings.new_payload() if data is None else _control_payload(data)
        if not self.channel.is_open:
            raise WebsocketClosed()
        waiter = pings.add(payload)
        self.ws_proto.send_ping(payload)
        await self._flush()
        return waiter

    async def pong(self, data: str | bytes = b"") -> None:
        """Send a pong that nobody has asked for; those that answer pings are sent without being asked for.

        Args:
            data: At most 125 bytes.

        Raises:
            WebsocketClosed: The connection is closed.
            ValueError: There is too much data.
        """
        payload = _control_payload(data)
        if not self.channel.is_open:
            raise WebsocketClosed()
        self.ws_proto.send_pong(payload)
        await self._flush()

    async def _flush(self) -> None:
        self.channel.flush()
        if self.channel.is_write_paused:
            await self.channel.drain()

    # -- Closing -----------------------------------------------------------------------------------------------------

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close, and wait until the connection is gone; closing twice does no harm.

        Args:
            code: From 1000 to 4999; 1006 cuts the connection (RFC 6455 section 7.4).
            reason: At most 123 bytes.

        Raises:
            ValueError: Code or reason cannot be sent.
        """
        if code == ABNORMAL:
            self.fail_connection(code, reason)
        else:
            self.end_connection(code, reason)
        await self.wait_for_connection_lost()

    def end_connection(self, code: int = 1000, reason: str = "") -> None:
        """Begin to close, without waiting; the arguments are those of `close`.

        Raises:
            ValueError: Code or reason cannot be sent.
        """
        _check_close(code, reason)
        self.channel.close(code, reason, by_application=True)

    def fail_connection(self, code: int = 1006, reason: str = "") -> None:
        """Close without waiting for the client's answer; 1006 cuts the connection.

        Args:
            code: From 1000 to 4999.
            reason: At most 123 bytes.

        Raises:
            ValueError: Code or reason cannot be sent.
        """
        if code != ABNORMAL:
            _check_close(code, reason)
        self.channel.fail(code, reason, by_application=True)

    async def wait_for_connection_lost(self, timeout: float | None = None) -> bool:
        """Wait until the connection is gone.

        Args:
            timeout: Seconds to wait.

        Returns:
            Whether it is gone.
        """
        lost = self.channel.lost
        if not lost.done():
            await asyncio.wait({lost}, timeout=timeout)
        return lost.done()

    # -- For those who drive a websocket themselves ------------------------------------------------------------------

    async def connection_made(self, io_proto: WebSocketProtocol, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Begin, on a connection whose handshake is done; the task that calls this is the handler's."""
        self.channel.open(io_proto, asyncio.current_task())

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self.channel.data_received(data)

    def eof_received(self) -> None:
        """The client will send nothing more."""
        self.channel.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.channel.connection_lost(exc)

    def pause_frames(self) -> None:
        """Stop reading."""
        self.channel.pause_reading()

    def resume_frames(self) -> None:
        """Go on reading."""
        self.channel.resume_reading()

    async def keepalive_ping(self) -> None:
        """Send a ping and wait for its pong; end with 1011 when it does not come within the ping timeout."""
        waiter = await self.ping()
        await asyncio.wait({waiter}, timeout=self.channel.ping_timeout)
        if not waiter.done():
            self.fail_connection(1011, "keepalive ping timeout")

    def abort_pings(self) -> None:
        """Give up waiting for pongs."""
        self.channel.pings.abort()

    async def process_events(self, events: Sequence[Any]) -> None:
        """Handle frames that the sans-I/O protocol has received."""
        for frame in events:
            self.channel.take(frame)

    async def process_pong(self, frame: Any) -> None:
        """Handle a pong."""
        self.channel.take(frame)

    async def send_data(self, data_to_send: Sequence[bytes]) -> None:
        """Write what the sans-I/O protocol had to send."""
        self.channel.send(data_to_send)
        await self.channel.drain()

    async def async_data_received(self, data_to_send: Sequence[bytes], events_to_process: Sequence[Any]) -> None:
        """Handle what came of bytes that the sans-I/O protocol was given."""
        await self.send_data(data_to_send)
        await self.process_events(events_to_process)

    async def async_eof_received(self, data_to_send: Sequence[bytes], events_to_process: Sequence[Any]) -> None:
        """Handle what came of the end of what the client sends."""
        await self.async_data_received(data_to_send, events_to_process)

    async def close_connection(self) -> None:
        """Close because the server ends; test packages call this."""
        self.channel.close(1001, "", by_application=False)
        await self.wait_for_connection_lost()

    async def auto_close_connection(self) -> None:
        """Wait for the end of a connection that is closing."""
        await self.wait_for_connection_lost(self.channel.close_timeout)


def _already_receiving() -> ServerError:
    return ServerError("Another task is receiving from this websocket already: let one task receive for all.")


def _control_payload(data: str | bytes) -> bytes:
    payload = data.encode() if isinstance(data, str) else bytes(data)
    if len(payload) > _LONGEST_CONTROL_PAYLOAD:
        raise ValueError(f"A ping or pong carries at most 125 bytes, not {len(payload)} (RFC 6455 section 5.5).")
    return payload


def _check_close(code: int, reason: str) -> None:
    # RFC 6455 section 7.4: some codes are only spoken about, and those up to 2999 are the standard's own.
    if not (1000 <= code <= 1014 or 3000 <= code <= 4999) or code in (1004, 1005, 1006):
        raise ValueError(f"{code!r} cannot be sent as the code of a close: take 1000, or one from 4000 to 4999.")
    if len(reason.encode()) > _LONGEST_REASON:
        raise ValueError(f"The reason of a close is at most 123 bytes long (RFC 6455 section 5.5), not {reason!r}.")
