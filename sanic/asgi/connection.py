"""What takes the place of transport and protocol where another server owns the socket.

It knows the connection scope and hands its addresses on. What is sent and received goes past it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from sanic.models.http_version import HTTP
from sanic.models.protocol_types import TransportProtocol
from sanic.models.server_types import ConnInfo

if TYPE_CHECKING:
    from sanic.asgi.messages import Receive, Scope, Send
    from sanic.asgi.websocket import ASGIWebsocket

# What may stand in a path as it is (RFC 3986 section 3.3).
_PATH_CHARACTERS = "/:@!$&'()*+,;=-._~"
_SECURE_SCHEMES = ("https", "wss")


class ASGIConnection(TransportProtocol):
    """The transport of a request, and its protocol, under an ASGI server.

    Args:
        scope: The connection scope.
        receive: Receives a message from the server.
        send: Sends one to it.
    """

    __slots__ = ("conn_info", "is_lost", "receive", "scope", "send_message", "version", "websocket")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(
            {
                "peername": _address(scope.get("client")),
                "sockname": _address(scope.get("server")),
                # Some servers tell nothing at all of a unix socket, and all of them both ends of anything else.
                "is_unix": not scope.get("client") and not scope.get("server"),
                # Nothing is known of the encryption but that there is one.
                "ssl_object": SimpleNamespace() if scope.get("scheme") in _SECURE_SCHEMES else None,
            }
        )
        self.scope = dict(scope)
        self.receive = receive
        self.send_message = send
        self.version = HTTP.VERSION_3 if scope.get("http_version") == "3" else HTTP.VERSION_1
        self.conn_info = ConnInfo(self)
        self.is_lost = False
        self.websocket: ASGIWebsocket | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.scope['type']} {self.scope.get('path', '')}>"

    def get_protocol(self) -> ASGIConnection:  # type: ignore[override]
        """The protocol: the connection itself."""
        return self

    def is_closing(self) -> bool:
        """Whether the client has left."""
        return self.is_lost

    async def websocket_handshake(self, request: Any, subprotocols: Any = None) -> ASGIWebsocket:
        """Accept a websocket.

        Args:
            request: The request that asks for it.
            subprotocols: Subprotocols of the route, in order of preference; the first one that the client offers is
                taken.

        Raises:
            SanicException: The request asks for no websocket.
        """
        from sanic.asgi.websocket import ASGIWebsocket
        from sanic.exceptions import SanicException

        if self.scope["type"] != "websocket":
            raise SanicException(
                "This route serves websockets: ask with an upgrade.", 426, headers={"Upgrade": "websocket"}
            )
        websocket = ASGIWebsocket(self.receive, self.send_message, self.scope.get("subprotocols") or ())
        await websocket.accept(subprotocols)
        self.websocket = websocket
        return websocket


def request_target(scope: Scope) -> bytes:
    """The request target that the scope stands for, without the path that the application is mounted under."""
    path: str = scope["path"]
    raw: bytes = (scope.get("raw_path") or b"").partition(b"?")[0]
    if not raw.isascii() or unquote_to_bytes(raw).decode("utf-8", "replace") != path:
        # The server does not tell it, or a router in front of the application has changed the path alone.
        raw = quote(path, safe=_PATH_CHARACTERS).encode("ascii")
    mount = quote(scope.get("root_path", "").rstrip("/"), safe=_PATH_CHARACTERS + "%").encode("ascii")
    if mount and (raw == mount or raw.startswith(mount + b"/")):
        raw = raw[len(mount) :]
    query: bytes = scope.get("query_string") or b""
    target = raw or b"/"
    if target[:1] != b"/" and target != b"*":
        target = b"/" + target
    return target + b"?" + query if query else target


def _address(address: Any) -> tuple[Any, ...] | str | None:
    # The server's own may be the path of a unix socket, without a port.
    if not address or not address[0]:
        return None
    host, port = address[0], address[1] if len(address) > 1 else None
    # Granian gives a unix socket a port, too: 0.
    return str(host) if port is None or str(host).startswith("/") else (host, port)
