"""A server that listens for HTTP/3, with the methods of asyncio's servers; one process follows another."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from aioquic.quic.configuration import QuicConfiguration

from sanic.server.protocols.http3.certificate import QuicCertificate
from sanic.server.protocols.http3.endpoint import Endpoint
from sanic.server.socket import bind_socket
from sanic.server.succession import ACCEPTANCE, PORT, Succession

if TYPE_CHECKING:
    from sanic.models.server_types import Signal
    from sanic.server.deadlines import Deadlines
    from sanic.server.limits import Limits

# Buffers of unread bytes that a client may fill ahead of the application, on each stream, and on all of them at first.
_BUFFERS_PER_STREAM = 4
_STREAMS_AT_FIRST = 8
# Seconds after which a client that is not heard of counts as gone, at least, and beyond the time that it may be idle.
_SHORTEST_SILENCE = 30.0
_MARGIN = 5.0
# The kernel's buffer: datagrams that come while the loop is busy. It grants what it is set to allow.
_RECEIVE_BUFFER = 2**21


class Http3Server(asyncio.AbstractServer):
    """A server of one application on one UDP port.

    Args:
        settings: The arguments of `serve`.
        loop: The running loop.
        connections: The open connections.
        signal: Tells that the server is stopping.
        clock: The clock of the worker.
        limits: Timeouts and limits.

    Raises:
        OSError: The address cannot be used.
        ValueError: There is no certificate that could be used.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
        *,
        connections: set[Any],
        signal: Signal,
        clock: Deadlines,
        limits: Limits,
    ) -> None:
        _quieten()
        self._loop = loop
        self._succession: Succession = settings.get("succession") or Succession()
        given = settings.get("sock")
        self._socket: socket.socket = (
            bind_socket(settings["host"], settings["port"], kind=socket.SOCK_DGRAM) if given is None else given.dup()
        )
        try:
            self._socket.setblocking(False)
            with suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            app = settings["app"]
            self._endpoint = Endpoint(
                self._socket,
                loop=loop,
                app=app,
                configuration=quic_configuration(limits),
                certificate=QuicCertificate(settings["ssl"], app.config.TLS_CERT_PASSWORD),
                signal=signal,
                connections=connections,
                clock=clock,
                limits=limits,
                backlog=settings["backlog"],
            )
        except BaseException:
            self._socket.close()
            raise
        self._endpoint.on_empty = self._end
        self._is_serving = self._is_closing = False
        # Whether this process has what others may have; see `Succession`.
        self._has_acceptance = self._has_port = self._is_successor = False
        self._opening: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[None] = loop.create_future()

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The socket, as long as it is open."""
        return () if self._ended.done() else (self._socket,)

    def is_serving(self) -> bool:
        """Whether connections are accepted, or will be when it is this process's turn."""
        return self._is_serving and not self._is_closing

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        return self._loop

    # -- One process after another -----------------------------------------------------------------------------------

    async def start_serving(self) -> None:
        """Accept connections, as soon as no other process does."""
        if self._is_serving:
            return
        self._is_serving = True
        if self._succession.take(ACCEPTANCE):
            self._accept()
            if self._opening is not None:
                await self._opening
        else:
            self._succession.wait(ACCEPTANCE, partial(self._tell, ACCEPTANCE, self._accept))

    def _tell(self, what: int, begin: Callable[[], None]) -> None:
        # In the thread that has waited; the loop may be closed by now.
        try:
            self._loop.call_soon_threadsafe(begin)
        except RuntimeError:
            self._succession.give_up(what)

    def _accept(self) -> None:
        self._has_acceptance = True
        if self._ended.done():
            self._succession.give_up(ACCEPTANCE)
        elif self._succession.take(PORT):
            self._open()
        else:
            # Another process finishes what it has begun, and forwards what is not its own.
            self._is_successor = True
            self._loop.add_reader(self._succession.inlet, self._take_forwarded)
            self._succession.wait(PORT, partial(self._tell, PORT, self._open))

    def _open(self) -> None:
        self._has_port = True
        if self._ended.done():
            self._succession.give_up(PORT)
            return
        self._stop_forwarded()
        # Not before: a successor would forward to itself.
        self._endpoint.on_stranger = self._succession.forward
        if self._is_closing:
            self._succession.give_up(ACCEPTANCE)
        self._opening = self._loop.create_task(self._endpoint.open(), name="opening of HTTP/3")

    def _take_forwarded(self) -> None:
        while (forwarded := self._succession.receive()) is not None:
            self._endpoint.datagram_received(*forwarded)

    def _stop_forwarded(self) -> None:
        if self._is_successor:
            self._is_successor = False
            self._loop.remove_reader(self._succession.inlet)
            self._take_forwarded()

    # -- The end -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Accept no further connection; the port is closed when the last one is gone."""
        if self._is_closing:
            return
        self._is_closing = True
        if self._has_port:
            # From now on there may be a successor, whose datagrams come here as long as this process has the port.
            self._succession.give_up(ACCEPTANCE)
        self._endpoint.stop_accepting()

    def _end(self) -> None:
        # The last connection is gone.
        if self._ended.done():
            return
        self._ended.set_result(None)
        self._stop_forwarded()
        self._endpoint.close()
        self._socket.close()
        if self._has_port:
            self._succession.give_up(PORT)
        if self._has_acceptance:
            self._succession.give_up(ACCEPTANCE)

    async def serve_forever(self) -> None:
        """Accept connections until the server is closed."""
        await self.start_serving()
        await asyncio.shield(self._ended)

    async def wait_closed(self) -> None:
        """Wait until the last connection is gone, and the port is closed."""
        await asyncio.shield(self._ended)


def _quieten() -> None:
    # aioquic logs a line for each mistake of a peer, so that anybody could fill the log. Who wants them sets a level.
    quic = logging.getLogger("quic")
    if quic.level == logging.NOTSET:
        quic.setLevel(logging.ERROR)


def quic_configuration(limits: Limits) -> QuicConfiguration:
    """How QUIC is spoken, but for the certificate."""
    # A head must fit into what is granted before anything has been read.
    window = max(_BUFFERS_PER_STREAM * limits.buffer_size, 2 * (limits.max_head + limits.max_target), 2**16)
    return QuicConfiguration(
        alpn_protocols=["h3"],
        is_client=False,
        idle_timeout=max(limits.keep_alive_timeout + _MARGIN, _SHORTEST_SILENCE),
        max_data=_STREAMS_AT_FIRST * window,
        max_stream_data=window,
    )
