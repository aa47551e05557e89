"""A connection: what it has in common with every other, whatever is spoken on it.

Who it belongs to, flow control in both directions, its deadline, its end. It reads no bytes and knows no messages.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sanic.exceptions import ClientDisconnected
from sanic.models.server_types import ConnInfo, Signal
from sanic.server.deadlines import NEVER, Deadlines
from sanic.server.limits import Limits
from sanic.server.timeouts import BodyWatch

if TYPE_CHECKING:
    from sanic.app import Sanic


class Connection(asyncio.Protocol):
    """A connection of a server.

    Args:
        loop: The event loop.
        app: The application that handles the requests.
        signal: Tells that the server is stopping.
        connections: The open connections of the server; this one adds and removes itself.
        state: Of the server; for protocols that keep something there.
        unix: Path of the unix socket the connection came through.
        deadlines: The clock of the worker; a connection without one makes its own.
        limits: Timeouts and limits; default those of the application's configuration.
    """

    # fmt: off
    __slots__ = (
        "_conn_info", "_drain_waiters", "_unparsed", "app", "body_watch", "clock", "connections", "deadline", "heads",
        "is_closing", "is_closing_soon", "is_half_closed", "is_lost", "is_reading_paused", "is_write_paused", "limits",
        "loop", "request_max_size", "signal", "stage_deadline", "state", "transport", "unix", "unsent", "write",
    )
    # fmt: on

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
        self.request_max_size = self.limits.max_body
        # Of the connection.
        self.transport: Any = None
        self.write: Callable[[bytes], None]
        self._conn_info: ConnInfo | None = None
        self._drain_waiters: list[asyncio.Future[None]] | None = None
        self.unsent = 0
        self.is_reading_paused = self.is_write_paused = False
        #: What has come and must wait, although reading has been paused.
        self._unparsed = b""
        self.body_watch: BodyWatch | None = None
        self.is_half_closed = self.is_closing = self.is_lost = False
        self.is_closing_soon = self.signal.is_ending
        self.deadline = self.stage_deadline = NEVER

    @property
    def conn_info(self) -> ConnInfo:
        """What is known of the connection."""
        if self._conn_info is None:
            self._conn_info = ConnInfo(self.transport, self.unix)
        return self._conn_info

    def connection_made(self, transport: Any) -> None:
        """The connection is there."""
        self.transport = transport
        self.write = transport.write
        self.connections.add(self)
        self.set_deadline(self.limits.keep_alive_timeout)
        self.clock.watch(self)
        if "http.lifecycle.begin" in self.app.observed_signals:
            self.hold_reading()
            self.app.add_task(self._announce("http.lifecycle.begin"), register=False)
        else:
            self.begin()

    def begin(self) -> None:
        """Handle what comes; called once, when it has been announced that the connection is there."""
        self.release_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.is_lost = self.is_closing = True
        self.connections.discard(self)
        if sys.version_info < (3, 11):
            # That asyncio warns of a TLS transport that was not closed, even if the client has done so.
            self.transport.close()
        if self.signal.stopped and not self.connections:
            self.signal.all_closed()
        self.clock.forget(self)
        if self._conn_info is not None:
            self._conn_info.lost = True
        self._end_drain(ClientDisconnected("The client has left."))
        if "http.lifecycle.complete" in self.app.observed_signals:
            self.app.add_task(self._announce("http.lifecycle.complete"), register=False)

    async def _announce(self, event: str) -> None:
        try:
            context = {"conn_info": self.conn_info}
            await self.app.dispatch(event, inline=True, context=context, fail_not_found=False)
        finally:
            if event == "http.lifecycle.begin" and not self.is_closing:
                self.begin()

    # -- Flow control ------------------------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        """The client reads more slowly than the application writes."""
        self.is_write_paused = True

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.is_write_paused = False
        self._end_drain(None)

    async def send(self, data: bytes) -> None:
        """Write bytes and wait until the client has taken enough of them."""
        self.write(data)
        if self.is_write_paused:
            await self.drain()

    async def drain(self) -> None:
        """Wait until the client has taken enough of what was written.

        Raises:
            ClientDisconnected: It has left.
        """
        if self.is_lost:
            raise ClientDisconnected("The client has left.")
        if self.is_write_paused:
            self.unsent = self.transport.get_write_buffer_size()
            self.set_deadline(self.limits.response_timeout)
            waiter = self.loop.create_future()
            if self._drain_waiters is None:
                self._drain_waiters = []
            self._drain_waiters.append(waiter)
            await waiter
            self.set_deadline(self.limits.response_timeout)

    def _end_drain(self, error: Exception | None) -> None:
        waiters, self._drain_waiters = self._drain_waiters, None
        for waiter in waiters or ():
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)

    def hold_reading(self) -> None:
        """Read nothing more for the time being."""
        if not self.is_reading_paused and not self.is_closing:
            self.is_reading_paused = True
            self.transport.pause_reading()

    def release_reading(self) -> None:
        """Read on."""
        if self.is_reading_paused and not self.is_lost:
            self.is_reading_paused = False
            self.transport.resume_reading()

    def body_buffered(self, size: int, is_handled: bool) -> None:
        """`size` bytes of a body wait for the application.

        Args:
            size: So many.
            is_handled: Whether its request is being handled; else the deadline is that of one before it.
        """
        if size > self.limits.buffer_size and not self.is_reading_paused:
            self.hold_reading()
            if is_handled:
                self.set_deadline(self.limits.response_timeout)

    def body_taken(self, size: int) -> None:
        """The application has taken from the body; `size` bytes are left."""
        if self.is_reading_paused and size <= self.limits.buffer_size // 2 and not self._unparsed:
            self.release_reading()
            self.body_expected()

    def body_expected(self) -> None:
        """From now on it is up to the client that the body comes."""
        self.body_watch = BodyWatch(self.clock.now)
        self.set_deadline(self.limits.request_timeout)

    # -- Deadlines and the end ---------------------------------------------------------------------------------------

    def set_deadline(self, seconds: float) -> None:
        """Say when the current stage must be over, in seconds from now."""
        self.stage_deadline = self.clock.horizon + seconds
        # Whether the client of a half-closed connection is still there is looked at each time.
        self.deadline = 0.0 if self.is_half_closed and not self.is_closing else self.stage_deadline

    def check_timeouts(self) -> None:
        """The deadline has passed."""
        self.close()

    def is_more_coming(self) -> bool:
        """Whether the client may still be sending what will not be read."""
        return False

    def close(self, timeout: float | None = None) -> None:
        """Close the connection once what is written has been sent.

        Args:
            timeout: Seconds to wait for that; default `GRACEFUL_TCP_CLOSE_TIMEOUT`.
        """
        if not self.is_closing:
            self.is_closing = True
            self.set_deadline(self.limits.close_timeout)
            # Closing with bytes unread would reset the connection, and the client might lose the response on its way
            # (RFC 9112 section 9.6): so what still comes is read and thrown away until the client has closed, too.
            lingers = self.is_more_coming() and not self.is_half_closed
            if lingers and self.transport.can_write_eof():
                self.release_reading()
                self.transport.write_eof()
            elif self.transport.get_extra_info("sslcontext") is None:
                self.transport.close()
            elif lingers:
                # TLS does not end in one direction only: the response itself says that it was the last one.
                self.release_reading()
            else:
                # The client is told, and nobody has to wait until it answers (RFC 8446 section 6.1): from now on it is
                # looked at whether everything has been sent.
                self.transport.close()
                self.deadline = 0.0
        if timeout is not None:
            self.set_deadline(timeout)

    def abort(self) -> None:
        """Cut the connection at once."""
        self.is_closing = True
        # Also when the client has left: what it has not taken may still be waiting to be sent.
        if self.transport is not None:
            self.transport.abort()
