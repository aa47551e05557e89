"""A UDP port that HTTP/3 is served on: which connection a datagram belongs to, and which datagrams begin one.

It knows connections by their ids (RFC 9000 section 5.1), whatever address a client comes from. What they carry it does
not know.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aioquic.buffer import Buffer  # type: ignore[attr-defined,unused-ignore]
from aioquic.quic.configuration import SMALLEST_MAX_DATAGRAM_SIZE, QuicConfiguration
from aioquic.quic.packet import (
    QuicPacketType,
    encode_quic_retry,
    encode_quic_version_negotiation,
    pull_quic_header,
)

from sanic.log import error_logger
from sanic.server.protocols.http3.connection import Http3Connection
from sanic.server.protocols.http3.quic import MeteredQuic
from sanic.server.protocols.http3.retry import RetryTokens

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.models.server_types import Signal
    from sanic.server.deadlines import Deadlines
    from sanic.server.limits import Limits
    from sanic.server.protocols.http3.certificate import QuicCertificate

_RETRY_ID_SIZE = 8
# What a client must choose at least for its first datagram (RFC 9000 section 7.2).
_SHORTEST_ID = 8


class Endpoint(asyncio.DatagramProtocol):
    """A UDP port of a server.

    Args:
        sock: The socket that datagrams are sent on.
        loop: The event loop.
        app: The application that handles the requests.
        configuration: Timeouts and windows of QUIC.
        certificate: The certificate that it shows.
        signal: Tells that the server is stopping.
        connections: The open connections of the server, which add and remove themselves.
        clock: The clock of the worker.
        limits: Timeouts and limits.
        backlog: Handshakes in progress from which on clients have to prove their address first.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        loop: asyncio.AbstractEventLoop,
        app: Sanic[Any, Any],
        configuration: QuicConfiguration,
        certificate: QuicCertificate,
        signal: Signal,
        connections: set[Any],
        clock: Deadlines,
        limits: Limits,
        backlog: int,
    ) -> None:
        self.loop = loop
        self.app = app
        self.signal = signal
        self.connections = connections
        self.clock = clock
        self.limits = limits
        certificate.load(configuration)
        #: What stands in place of the TLS object of new connections.
        self.tls = certificate.tls
        self.address: Any = sock.getsockname()
        self.is_accepting = True
        #: Called with datagrams that belong to no connection, once none is accepted any more.
        self.on_stranger: Callable[[bytes, Any], object] | None = None
        #: Called when the last connection is gone, once none is accepted any more.
        self.on_empty: Callable[[], object] | None = None
        self._socket = sock
        self._configuration = configuration
        self._certificate = certificate
        self._backlog = backlog
        self._tokens = RetryTokens()
        self._routes: dict[bytes, Http3Connection] = {}
        self._routes_of: dict[Http3Connection, set[bytes]] = {}
        self._handshakes: set[Http3Connection] = set()
        self._transport: asyncio.DatagramTransport | None = None
        self._is_closed = False

    async def open(self) -> None:
        """Read from the port."""
        await self.loop.create_datagram_endpoint(lambda: self, sock=self._socket.dup())

    def close(self) -> None:
        """Read from the port no more."""
        if self._transport is not None:
            self._transport.close()
        self._is_closed = True

    # -- Callbacks of the transport ----------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """Datagrams can be read."""
        self._transport = transport
        if self._is_closed:
            transport.close()

    def error_received(self, exc: Exception) -> None:
        """A datagram could not be delivered: whoever misses it asks again."""

    def datagram_received(self, data: bytes, address: Any) -> None:
        """A datagram has come."""
        try:
            header = pull_quic_header(Buffer(data=data), host_cid_length=self._configuration.connection_id_length)
        except ValueError:
            return  # no packet of QUIC
        connection = self._routes.get(header.destination_cid)
        if connection is None and not self.is_accepting:
            if self.on_stranger is not None:
                self.on_stranger(data, address)
        elif connection is None:
            connection = self._accept(header, data, address)
        if connection is not None:
            try:
                connection.datagram_received(data, address)
            except Exception:
                # One that fails must not keep the others from being served.
                error_logger.exception("A datagram from %s could not be handled; its connection is cut.", address)
                connection.abort()

    def _accept(self, header: Any, data: bytes, address: Any) -> Http3Connection | None:
        # The new connection that a datagram begins, if any.
        if len(data) < SMALLEST_MAX_DATAGRAM_SIZE:
            return None
        versions = self._configuration.supported_versions
        if header.version is not None and header.version not in versions:
            if header.packet_type is not QuicPacketType.VERSION_NEGOTIATION:
                self.send(
                    encode_quic_version_negotiation(
                        source_cid=header.destination_cid,
                        destination_cid=header.source_cid,
                        supported_versions=versions,
                    ),
                    address,
                )
            return None
        if header.packet_type is not QuicPacketType.INITIAL or len(header.destination_cid) < _SHORTEST_ID:
            return None
        original_id, retry_id = header.destination_cid, None
        if header.token:
            known = self._tokens.check(address, header.destination_cid, header.token, self.loop.time())
            if known is not None:
                original_id, retry_id = known, header.destination_cid
        if retry_id is None and len(self._handshakes) >= self._backlog:
            self._ask_again(header, address)
            return None
        if self._certificate.renew(self._configuration):
            self.tls = self._certificate.tls
        quic = MeteredQuic(
            configuration=self._configuration,
            original_destination_connection_id=original_id,
            retry_source_connection_id=retry_id,
        )
        connection = Http3Connection(self, quic, address)
        self._handshakes.add(connection)
        self._routes_of[connection] = set()
        self.add_route(header.destination_cid, connection)
        self.add_route(quic.host_cid, connection)
        return connection

    def _ask_again(self, header: Any, address: Any) -> None:
        # RFC 9000 section 8.1.2.
        retry_id = os.urandom(_RETRY_ID_SIZE)
        token = self._tokens.make(address, header.destination_cid, retry_id, self.loop.time())
        self.send(
            encode_quic_retry(
                version=header.version,
                source_cid=retry_id,
                destination_cid=header.source_cid,
                original_destination_cid=header.destination_cid,
                retry_token=token,
            ),
            address,
        )

    # -- For connections ---------------------------------------------------------------------------------------------

    def send(self, data: bytes, address: Any) -> None:
        """Send a datagram; one that is lost because the kernel's buffer is full is asked for again."""
        with suppress(OSError):
            self._socket.sendto(data, address)

    def add_route(self, connection_id: bytes, connection: Http3Connection) -> None:
        """A connection is known by one more id."""
        self._routes[connection_id] = connection
        self._routes_of[connection].add(connection_id)

    def remove_route(self, connection_id: bytes) -> None:
        """A connection is known by an id no longer."""
        connection = self._routes.pop(connection_id, None)
        if connection is not None:
            self._routes_of[connection].discard(connection_id)

    def established(self, connection: Http3Connection) -> None:
        """The handshake of a connection is over."""
        self._handshakes.discard(connection)

    def forget(self, connection: Http3Connection) -> None:
        """A connection is gone."""
        for connection_id in self._routes_of.pop(connection, ()):
            self._routes.pop(connection_id, None)
        self._handshakes.discard(connection)
        self.connections.discard(connection)
        if not self.connections and self.signal.stopped:
            self.signal.all_closed()
        self._close_if_empty()

    def stop_accepting(self) -> None:
        """Begin no further connection."""
        self.is_accepting = False
        self._close_if_empty()

    def _close_if_empty(self) -> None:
        if not self.is_accepting and not self._routes_of and self.on_empty is not None:
            self.on_empty()
