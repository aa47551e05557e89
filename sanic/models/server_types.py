"""A connection as requests see it.

Asks the transport, when it is asked, and remembers the answer; opens, reads and closes nothing.
"""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import BaseTransport
    from collections.abc import Mapping

    from sanic.models.protocol_types import TransportProtocol

_DEFAULT_PORTS = {False: 80, True: 443}


class Signal:
    """Tells the connections of a server that it is stopping, and the server that all of them are closed."""

    stopped = False
    #: Whether it has been told to stop, and serves on for a while.
    is_ending = False
    #: Seconds that idle connections are kept for one more request when the server stops.
    linger = 0.0

    def __init__(self) -> None:
        self._closed: asyncio.Event | None = None
        #: Tasks of requests whose connections are gone, and which have not ended yet.
        self.left: set[asyncio.Task[Any]] = set()

    def all_closed(self) -> None:
        """The last connection is closed."""
        if self._closed is not None:
            self._closed.set()

    async def wait_closed(self, timeout: float) -> bool:
        """Wait until the last connection is closed.

        Args:
            timeout: Seconds to wait.

        Returns:
            Whether it is.
        """
        self._closed = asyncio.Event()
        try:
            await asyncio.wait_for(self._closed.wait(), timeout)
        except asyncio.TimeoutError:
            return False
        return True


class ConnInfo:
    """What is known of a connection; shared by all its requests.

    Everything is asked for once, when first needed, since most requests never do. What the transport does not know,
    because it is closed or is no socket, is `None`, `""`, 0 or empty.

    Args:
        transport: the connection.
        unix: path of the unix socket that the server listens on.
    """

    __slots__ = (
        "_cert",
        "_client_cert",
        "_ctx",
        "_peername",
        "_sockname",
        "_ssl_object",
        "_transport",
        "_unix",
        "lost",
    )

    def __init__(self, transport: TransportProtocol | BaseTransport, unix: str | None = None) -> None:
        self._transport = transport
        self._unix = unix
        #: Set by the server when the client has gone.
        self.lost = False
        # `_UNKNOWN` stands for "not asked yet", because `None` is an answer.
        self._ctx: SimpleNamespace | None = None
        self._peername: Any = _UNKNOWN
        self._sockname: Any = _UNKNOWN
        self._ssl_object: Any = _UNKNOWN
        self._cert: dict[str, Any] | None = None
        self._client_cert: dict[str, Any] | None = None

    @property
    def ctx(self) -> SimpleNamespace:
        """A namespace of the application's own, shared by the requests of this connection."""
        if self._ctx is None:
            self._ctx = SimpleNamespace()
        return self._ctx

    @ctx.setter
    def ctx(self, ctx: SimpleNamespace) -> None:
        self._ctx = ctx

    @property
    def peername(self) -> tuple[Any, ...] | None:
        """The socket address of the client: `(address, port)`, for IPv6 with two more; `None` for unix sockets."""
        if self._peername is _UNKNOWN:
            address = self._ask("peername")
            self._peername = tuple(address) if isinstance(address, (tuple, list)) else None
        return self._peername  # type: ignore[no-any-return]

    @property
    def sockname(self) -> tuple[Any, ...] | str | None:
        """The socket address of the server, or the path of its unix socket."""
        if self._sockname is _UNKNOWN:
            address = self._ask("sockname")
            if isinstance(address, bytes):
                # Abstract unix sockets.
                address = os.fsdecode(address)
            self._sockname = tuple(address) if isinstance(address, (tuple, list)) else address or self._unix
        return self._sockname  # type: ignore[no-any-return]

    @property
    def client_ip(self) -> str:
        """The address of the client, `""` for unix sockets."""
        return str(self.peername[0]) if self.peername else ""

    @property
    def is_unix(self) -> bool:
        """Whether the client has come through a unix socket; False when that is not known."""
        if self.peername is not None:
            return False
        return self._unix is not None or isinstance(self.sockname, str) or self._ask("is_unix") is True

    @property
    def client_port(self) -> int:
        """The port of the client, 0 for unix sockets."""
        return _port(self.peername)

    @property
    def client(self) -> str:
        """The address of the client, an IPv6 address in brackets."""
        return _bracketed(self.client_ip)

    @property
    def server_port(self) -> int:
        """The port that the client has reached, 0 for unix sockets."""
        return _port(self.sockname)

    @property
    def server(self) -> str:
        """The address that the client has reached, with the port unless it is the usual one; or the unix socket."""
        address = self.sockname
        if self._unix is not None:
            return self._unix
        if not isinstance(address, tuple):
            return address or ""
        host = _bracketed(str(address[0]))
        port = self.server_port
        return host if port in (0, _DEFAULT_PORTS[self.ssl]) else f"{host}:{port}"

    @property
    def ssl(self) -> bool:
        """Whether the connection is encrypted by TLS."""
        return self._tls is not None

    @property
    def server_name(self) -> str:
        """The host name that the client asked for in the TLS handshake (RFC 6066 section 3), else `""`."""
        return getattr(self._tls, "sanic_server_name", None) or ""

    @property
    def cert(self) -> dict[str, Any]:
        """What the configuration says of the certificate in use: its subject, `cert`, `key`, `names` and other keys.

        Never the password of the key.
        """
        if self._cert is None:
            context = getattr(self._tls, "context", None)
            known: Mapping[str, Any] = getattr(context, "sanic", None) or {}
            self._cert = {name: value for name, value in known.items() if name != "password"}
        return self._cert

    @property
    def client_cert(self) -> dict[str, Any]:
        """The certificate that the client has shown, as `ssl.SSLSocket.getpeercert` tells it; empty without one.

        It was verified: only what comes from the configured `client_ca` is accepted.
        """
        if self._client_cert is None:
            tell = getattr(self._tls, "getpeercert", None)
            self._client_cert = (tell() if tell is not None else None) or {}
        return self._client_cert

    @property
    def network_paths(self) -> list[Any] | None:
        """The paths that a QUIC connection takes, `None` where the transport knows of none."""
        return self._ask("network_paths")  # type: ignore[no-any-return]

    @property
    def _tls(self) -> Any:
        if self._ssl_object is _UNKNOWN:
            self._ssl_object = self._ask("ssl_object")
        return self._ssl_object

    def _ask(self, name: str) -> Any:
        try:
            return self._transport.get_extra_info(name)
        except OSError:
            # The socket is closed.
            return None

    def __repr__(self) -> str:
        return f"<ConnInfo: {self.client or 'unknown'} to {self.server or 'unknown'}>"


_UNKNOWN: Any = object()


def _port(address: object) -> int:
    return int(address[1]) if isinstance(address, tuple) and len(address) > 1 else 0


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
