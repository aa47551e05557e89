"""A connection that begins as HTTP/1 and may go on as a websocket.

Until the handshake it is an `HttpProtocol` like any other. From then on the transport belongs to the websocket's
channel; this object stays what the server knows the connection by: it has its place among the open connections and its
deadline, and is told when the server stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from sanic.exceptions import ServiceUnavailable
from sanic.http.constants import Stage
from sanic.response import HTTPResponse
from sanic.server.access import log_access
from sanic.server.protocols.http_protocol import HttpProtocol

if TYPE_CHECKING:
    from sanic.request import Request
    from sanic.server.websockets.channel import Channel
    from sanic.server.websockets.impl import WebsocketImplProtocol


class WebSocketProtocol(HttpProtocol):
    """A connection of HTTP/1 that can become a websocket; the arguments are those of `HttpProtocol`.

    Attributes:
        websocket: The websocket, once the handshake is done.
    """

    __slots__ = ("websocket",)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.websocket: WebsocketImplProtocol | None = None

    async def websocket_handshake(
        self, request: Request[Any, Any], subprotocols: Sequence[str] = ()
    ) -> WebsocketImplProtocol:
        """Accept a websocket; the task that calls this is its handler's.

        Args:
            request: What asks for it.
            subprotocols: Those of the server, in order of preference.

        Raises:
            SanicException: The handshake is refused; its status says why (RFC 6455 section 4.2.2).
        """
        from sanic.server.websockets.handshake import agree
        from sanic.server.websockets.impl import WebsocketImplProtocol

        config = self.app.config
        agreed = agree(
            request, subprotocols, max_size=config.WEBSOCKET_MAX_SIZE, compression=config.WEBSOCKET_COMPRESSION
        )
        if self.signal.stopped or self.is_lost:
            raise ServiceUnavailable("The server is stopping: no websocket is opened any more.", quiet=True)
        exchange = request.stream
        exchange.respond(HTTPResponse(status=101))
        exchange.head_sent = True
        exchange.stage = Stage.IDLE
        exchange.keep_alive = False
        if self.limits.access_log:
            log_access(exchange, perf_counter(), "OPEN")
        websocket = WebsocketImplProtocol(
            agreed.protocol,
            ping_interval=config.WEBSOCKET_PING_INTERVAL,
            ping_timeout=config.WEBSOCKET_PING_TIMEOUT,
        )
        self.write(agreed.response)
        websocket.channel.open(self, asyncio.current_task())
        self.websocket = websocket
        self._hand_over(websocket.channel)
        return websocket

    def _hand_over(self, channel: Channel) -> None:
        # The transport, what has come behind the request, and the pace of reading.
        unread, self._unparsed = self._unparsed, b""
        self._is_reading_over = True
        self.exchange = None
        self.transport.set_protocol(channel)
        self.release_reading()
        if unread:
            channel.data_received(unread)
        if self.is_half_closed:
            channel.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; it counts as open until the handler of its websocket has ended, too."""
        handler = self.websocket.channel.handler if self.websocket is not None else None
        if handler is None or handler.done():
            super().connection_lost(exc)
        else:
            self.is_lost = self.is_closing = True
            self.set_deadline(self.limits.close_timeout)
            handler.add_done_callback(lambda _: super(WebSocketProtocol, self).connection_lost(exc))

    def check_timeouts(self) -> None:
        """The deadline has passed."""
        if self.websocket is not None and self.is_lost:
            self.websocket.channel.end_handler()
        elif self.websocket is None or self.is_closing:
            super().check_timeouts()
        else:
            self.websocket.channel.check_timeouts()

    def close_if_idle(self) -> bool:
        """Close an idle connection; a websocket is told that the server goes away.

        Returns:
            Whether it was idle.
        """
        if self.websocket is None:
            return super().close_if_idle()
        self.is_closing_soon = True
        self.websocket.channel.close(1001, "", by_application=False)
        return False

    def close(self, timeout: float | None = None) -> None:
        """Close the connection once what is written has been sent.

        Args:
            timeout: Seconds to wait for that; default `GRACEFUL_TCP_CLOSE_TIMEOUT`.
        """
        if self.websocket is not None:
            self.websocket.channel.close(1001, "", by_application=False)
        super().close(timeout)
