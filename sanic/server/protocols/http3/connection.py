"""A connection of HTTP/3: what has come over QUIC goes to its streams, and what they have written goes out.

It owns what all requests of a client share: the handshake, the control streams, the idle time, the end in order
(GOAWAY, RFC 9114 section 5.2). A request is the stream's; which connection a datagram belongs to the endpoint knows.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aioquic.quic import events

from sanic.http.http3.errors import BrokenConnection, ErrorCode
from sanic.http.http3.frames import FieldCoder, PeerStreams, control_stream, goaway
from sanic.models.server_types import ConnInfo
from sanic.request.factory import request_factory
from sanic.server.deadlines import NEVER
from sanic.server.protocols.http3.stream import Http3Stream

if TYPE_CHECKING:
    from sanic.server.protocols.http3.endpoint import Endpoint
    from sanic.server.protocols.http3.quic import MeteredQuic

# RFC 9114 section 4.2.2: what a field counts for beyond its bytes.
_FIELD_OVERHEAD = 32
# An encoded field is longer than its bytes by no more than this, which are the lengths.
_ENCODED_OVERHEAD = 8
# Requests at the same time: what QUIC grants a client at first. Some versions of aioquic grant ever more.
_MOST_REQUESTS = 128
# Streams that are open, or not confirmed to be over yet, those without a request included.
_MOST_STREAMS = 8 * _MOST_REQUESTS
# Events that wait until the application knows of the connection.
_MOST_HELD = 2**15
# Requests that a client may cancel, beside half of those that it has made.
_MOST_CANCELLED = 200


class Http3Connection:
    """A connection of HTTP/3.

    Args:
        endpoint: Where its datagrams come from and go to.
        quic: The QUIC connection.
        address: The address of the client.
    """

    # fmt: off
    __slots__ = (
        "_address", "_cancelled", "_control_id", "_endpoint", "_first_refused", "_held", "_ignored", "_is_lost",
        "_next_request", "_peer_streams", "_timer", "_timer_at", "_tls", "_transmission", "app", "clock", "coder",
        "conn_info", "deadline", "is_closing_soon", "is_established", "limits", "loop", "make_request", "max_section",
        "open_streams", "paused", "quic", "signal", "streams",
    )
    # fmt: on

    def __init__(self, endpoint: Endpoint, quic: MeteredQuic, address: Any) -> None:
        # Of the server.
        self._endpoint = endpoint
        self.loop = endpoint.loop
        self.app = endpoint.app
        self.signal = endpoint.signal
        self.clock = endpoint.clock
        self.limits = limits = endpoint.limits
        self.make_request = request_factory(self.app.request_class)
        self.max_section = limits.max_head + limits.max_target + _ENCODED_OVERHEAD * limits.max_headers
        # Of the connection.
        self.quic = quic
        self._address = address
        self._tls = endpoint.tls
        self.conn_info = ConnInfo(self)  # type: ignore[arg-type]
        self.coder = FieldCoder()
        self._peer_streams = PeerStreams(self.coder)
        self._control_id: int | None = None
        self.is_established = False
        self.is_closing_soon = self.signal.is_ending
        self._is_lost = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: float | None = None
        self._transmission: asyncio.Handle | None = None
        #: What must wait until the application knows of the connection.
        self._held: list[events.QuicEvent] | None = None
        # Of its requests.
        self.streams: dict[int, Http3Stream] = {}
        self.open_streams: set[Any] = set()
        self.paused: set[Http3Stream] = set()
        #: Streams that are over, although the client has not ended its side yet.
        self._ignored: set[int] = set()
        self._next_request = 0
        self._cancelled = 0
        #: The first stream that is not handled any more, once that has been said.
        self._first_refused: int | None = None
        # For the handshake.
        self.deadline = self.clock.after(limits.request_timeout)
        endpoint.connections.add(self)
        self.clock.watch(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.conn_info.client}:{self.conn_info.client_port}>"

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What is known of the connection; see `asyncio.BaseTransport`."""
        if name == "peername":
            return self._address
        if name == "sockname":
            return self._endpoint.address
        if name == "ssl_object":
            return self._tls
        if name == "network_paths":
            return self.quic.network_paths
        return default

    # -- Datagrams ---------------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, address: Any) -> None:
        """A datagram of this connection has come."""
        self.quic.receive_datagram(data, address, now=self.loop.time())
        self._handle_events()
        if self.quic.stream_count > _MOST_STREAMS:
            self._fail(BrokenConnection(ErrorCode.EXCESSIVE_LOAD, "too many streams are open"))
        self.transmit()
        if self.quic.is_over:
            # Whoever has closed it: what follows would only be repetitions of that.
            self._lose()

    def transmit_soon(self) -> None:
        """Send what is to be sent, when everything else has had its turn."""
        if self._transmission is None and not self._is_lost:
            self._transmission = self.loop.call_soon(self.transmit)

    def transmit(self) -> None:
        """Send what may be sent now."""
        if self._transmission is not None:
            self._transmission.cancel()
            self._transmission = None
        if self._is_lost or not self._send_datagrams():
            return
        self._set_timer()
        for stream in list(self.paused):
            stream.look_at_buffer()
        if self._first_refused is not None:
            self._close_if_done()

    def _send_datagrams(self) -> bool:
        # Whether that is possible: before anything could be read, there is nobody to send to.
        if not self.quic.network_paths:
            return False
        for data, address in self.quic.datagrams_to_send(now=self.loop.time()):
            self._endpoint.send(data, address)
        return True

    def _set_timer(self) -> None:
        due = self.quic.get_timer()
        if due == self._timer_at and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_at = due
        if due is not None:
            self._timer = self.loop.call_at(due, self._handle_timer)

    def _handle_timer(self) -> None:
        now = max(self._timer_at or 0.0, self.loop.time())
        self._timer = self._timer_at = None
        self.quic.handle_timer(now=now)
        self._handle_events()
        self.transmit()

    # -- What has come -----------------------------------------------------------------------------------------------

    def _handle_events(self) -> None:
        while not self._is_lost and (event := self.quic.next_event()) is not None:
            if isinstance(event, events.ConnectionIdIssued):
                self._endpoint.add_route(event.connection_id, self)
            elif isinstance(event, events.ConnectionIdRetired):
                self._endpoint.remove_route(event.connection_id)
            elif isinstance(event, events.ConnectionTerminated):
                self._lose()
            elif self._held is not None:
                self._hold(self._held, event)
            else:
                self._handle(event)

    def _hold(self, held: list[events.QuicEvent], event: events.QuicEvent) -> None:
        held.append(event)
        if isinstance(event, events.StreamDataReceived):
            unread = self.quic.unread
            unread[event.stream_id] = unread.get(event.stream_id, 0) + len(event.data)
        if len(held) > _MOST_HELD:
            self._fail(BrokenConnection(ErrorCode.EXCESSIVE_LOAD, "too much comes before anything is handled"))

    def _handle(self, event: events.QuicEvent) -> None:
        try:
            if isinstance(event, events.StreamDataReceived):
                self._receive(event.stream_id, event.data, event.end_stream)
            elif isinstance(event, events.StreamReset):
                self._reset(event.stream_id)
            elif isinstance(event, events.StopSendingReceived):
                self._stop_sending(event.stream_id)
            elif isinstance(event, events.ProtocolNegotiated):
                self._open_control_stream()
            elif isinstance(event, events.HandshakeCompleted):
                self._establish()
        except BrokenConnection as error:
            self._fail(error)

    def _open_control_stream(self) -> None:
        # Those of QPACK would have nothing to say (RFC 9204 section 4.2).
        limits = self.limits
        size = limits.max_head + limits.max_target + _FIELD_OVERHEAD * limits.max_headers
        self._control_id = self.quic.get_next_available_stream_id(is_unidirectional=True)
        self.quic.send_stream_data(self._control_id, control_stream(size))

    def _establish(self) -> None:
        self.is_established = True
        self._endpoint.established(self)
        self.deadline = self.clock.after(self.limits.keep_alive_timeout)
        if "http.lifecycle.begin" in self.app.observed_signals:
            self._held = []
            self.app.add_task(self._announce("http.lifecycle.begin"), register=False)

    async def _announce(self, event: str) -> None:
        try:
            context = {"conn_info": self.conn_info}
            await self.app.dispatch(event, inline=True, context=context, fail_not_found=False)
        finally:
            held, self._held = self._held, None
            if held:
                # From now on the streams say what is unread.
                self.quic.unread.clear()
            for known in held or ():
                if not self._is_lost:
                    self._handle(known)
            self.transmit_soon()

    def _receive(self, stream_id: int, data: bytes, is_end: bool) -> None:
        if stream_id % 4:
            self._peer_streams.feed(stream_id, data, is_end)
            return
        if stream_id in self._ignored:
            if is_end:
                self._ignored.discard(stream_id)
            return
        stream = self.streams.get(stream_id)
        if stream is None:
            if len(self.streams) >= _MOST_REQUESTS or (
                self._first_refused is not None and stream_id >= self._first_refused
            ):
                # RFC 9114 section 4.1.1: nothing of it has been handled, so that the client may ask again.
                self.quic.reset(stream_id, ErrorCode.REQUEST_REJECTED)
                self.quic.stop(stream_id, ErrorCode.REQUEST_REJECTED)
                if not is_end:
                    self._ignored.add(stream_id)
                return
            self._next_request = max(self._next_request, stream_id + 4)
            if self.quic.peer not in (self._address, None):
                self._follow_client()
            stream = self.streams[stream_id] = Http3Stream(self, stream_id)
            self._keep_alive()
        stream.is_input_over = is_end
        stream.receive(data, is_end)

    def _follow_client(self) -> None:
        # Requests from now on come from another address, but over the same connection.
        self._address = self.quic.peer
        known, self.conn_info = self.conn_info, ConnInfo(self)  # type: ignore[arg-type]
        self.conn_info.ctx = known.ctx

    def _reset(self, stream_id: int) -> None:
        self._ignored.discard(stream_id)
        if stream_id % 4:
            self._peer_streams.ended(stream_id)
            return
        stream = self.streams.get(stream_id)
        if stream is not None:
            stream.is_input_over = True
            self._cancel(stream)

    def _stop_sending(self, stream_id: int) -> None:
        if stream_id == self._control_id:
            raise BrokenConnection(ErrorCode.CLOSED_CRITICAL_STREAM, "the control stream must stay open")
        stream = self.streams.get(stream_id)
        if stream is not None:
            self._cancel(stream)

    def _cancel(self, stream: Http3Stream) -> None:
        # Requests that are taken back at once cost a client nothing, and the server a task each.
        self._cancelled += 1
        if self._cancelled > _MOST_CANCELLED + self._next_request // 8:
            raise BrokenConnection(ErrorCode.EXCESSIVE_LOAD, "too many requests were cancelled")
        stream.cut(ErrorCode.REQUEST_CANCELLED)

    def stream_ended(self, stream: Http3Stream) -> None:
        """A request has been answered, or is over."""
        stream_id = stream.stream_id
        if self.streams.pop(stream_id, None) is None:
            return
        self.paused.discard(stream)
        self.quic.unread.pop(stream_id, None)
        if self._is_lost:
            return
        if not stream.is_input_over:
            self._ignored.add(stream_id)
        if not self.streams:
            self.deadline = self.clock.after(self.limits.keep_alive_timeout)
        if self.is_closing_soon or not (self.streams or self.limits.keep_alive):
            # As `connection: close` does, but what has been begun at the same time is finished.
            self._say_goodbye()
        self.transmit_soon()

    # -- Time and the end --------------------------------------------------------------------------------------------

    def _keep_alive(self) -> None:
        # A request may take longer than the time after which a silent connection counts as gone (RFC 9000 section
        # 10.1.2).
        self.deadline = self.clock.after(self.quic.configuration.idle_timeout / 3)

    def check_timeouts(self) -> None:
        """The deadline has passed."""
        if not self.is_established:
            self.abort()
        elif self.streams:
            self.quic.send_ping(0)
            self._keep_alive()
            self.transmit_soon()
        elif self._first_refused is not None:
            self.close()
        else:
            self.close_if_idle()

    def close_if_idle(self) -> bool:
        """Handle no further request, and close the connection when the others have been answered.

        Returns:
            Whether there are none.
        """
        if not self.is_established:
            self.abort()
            return True
        self.is_closing_soon = True
        for stream in self.streams.values():
            stream.is_closing_soon = True
        self._say_goodbye()
        is_idle = not self.streams
        self.transmit()
        return is_idle

    def _say_goodbye(self) -> None:
        if self._control_id is None or self._is_lost or self._first_refused is not None:
            return
        self._first_refused = self._next_request
        self.quic.send_stream_data(self._control_id, goaway(self._first_refused))
        self.transmit_soon()

    def _close_if_done(self) -> None:
        if self.streams:
            return
        if self.quic.has_undelivered():
            if self.deadline > self.clock.after(self.limits.close_timeout):
                self.deadline = self.clock.after(self.limits.close_timeout)
            return
        self.close()

    def close(self) -> None:
        """Close the connection now; what has not been answered never will be."""
        self._end(ErrorCode.NO_ERROR, "")

    def abort(self) -> None:
        """Cut the connection at once; what has not been answered looks broken."""
        self._end(ErrorCode.INTERNAL_ERROR if self.streams else ErrorCode.NO_ERROR, "")

    def _fail(self, error: BrokenConnection) -> None:
        self._end(error.code, error.reason)

    def _end(self, code: ErrorCode, reason: str) -> None:
        if self._is_lost:
            return
        try:
            self.quic.close(error_code=code, reason_phrase=reason)
            self._send_datagrams()
        finally:
            self._lose()

    def _lose(self) -> None:
        # The connection is gone.
        if self._is_lost:
            return
        self._is_lost = True
        self.deadline = NEVER
        self.conn_info.lost = True
        for handle in (self._timer, self._transmission):
            if handle is not None:
                handle.cancel()
        self._timer = self._transmission = None
        for stream in list(self.streams.values()):
            stream.lose()
        self.clock.forget(self)
        self._endpoint.forget(self)
        if self.is_established and "http.lifecycle.complete" in self.app.observed_signals:
            self.app.add_task(self._announce("http.lifecycle.complete"), register=False)
