"""The opening handshake of a websocket (RFC 6455 section 4.2): what is required, what is agreed on, what is answered.

Nothing here does I/O: a request goes in, and an agreement or an exception with the status of the refusal comes out. The
library `websockets` is imported when the first handshake is made.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sanic.exceptions import BadRequest, Forbidden, MethodNotAllowed, SanicException
from sanic.log import websockets_logger

if TYPE_CHECKING:
    from sanic.request import Request

_VERSION = "13"
# What `permessage-deflate` may use: windows of 4 KiB, so that a connection needs some 64 KiB instead of 300.
_WINDOW_BITS = 12
_MEMORY_LEVEL = 5


@dataclass(frozen=True)
class Handshake:
    """What client and server have agreed on.

    Attributes:
        protocol: The sans-I/O protocol of the connection, open.
        response: The bytes of the response that accepts.
        subprotocol: The subprotocol, if any.
    """

    protocol: Any
    response: bytes
    subprotocol: str | None


def agree(
    request: Request[Any, Any],
    subprotocols: Sequence[str] = (),
    *,
    max_size: int | None = None,
    compression: bool = False,
) -> Handshake:
    """Check the handshake of a client and agree on extensions and a subprotocol.

    Args:
        request: What the client asks for.
        subprotocols: Those of the server, in order of preference; without any the client's are ignored.
        max_size: Size of a message in bytes, None without limit.
        compression: Whether `permessage-deflate` is accepted (RFC 7692).

    Raises:
        MethodNotAllowed: 405, the method is not GET.
        SanicException: 426, it is an ordinary request.
        BadRequest: 400, version, key or another part is wrong, or no subprotocol fits.
    """
    _require_upgrade(request)
    key = _checked_key(request)
    subprotocol = _choose_subprotocol(request, subprotocols)
    protocol = _new_protocol(max_size)
    extensions = _agree_on_extensions(request, protocol) if compression else None
    protocol.subprotocol = subprotocol

    from websockets.utils import accept_key

    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "upgrade: websocket",
        "connection: Upgrade",
        f"sec-websocket-accept: {accept_key(key)}",
    ]
    if extensions is not None:
        lines.append(f"sec-websocket-extensions: {extensions}")
    if subprotocol is not None:
        lines.append(f"sec-websocket-protocol: {subprotocol}")
    return Handshake(protocol, "\r\n".join([*lines, "\r\n"]).encode("latin-1"), subprotocol)


def allowed_origins(origins: Iterable[str] | str | None, default: Iterable[str] | str | None) -> frozenset[str] | None:
    """The origins of a route, else the default ones, in the form in which browsers send them; None for all of them."""
    chosen = default if origins is None else origins
    if chosen is None:
        return None
    if isinstance(chosen, str):
        chosen = chosen.split(",")
    allowed = frozenset(origin.strip().rstrip("/").lower() for origin in chosen)
    return None if "*" in allowed else allowed


def _tokens(request: Request[Any, Any], name: str) -> list[str]:
    values = request.headers.getall(name, ())
    return [token for value in values for part in value.split(",") if (token := part.strip(" \t"))]


def _require_upgrade(request: Request[Any, Any]) -> None:
    if request.method != "GET":
        raise MethodNotAllowed(f"A websocket is opened with GET, not with {request.method}.", request.method, ("GET",))
    # An Upgrade field in a request of HTTP/1.0 must be ignored (RFC 9110 section 7.8).
    upgrades = [token.lower() for token in _tokens(request, "upgrade")] if request.version == "1.1" else []
    connection = [token.lower() for token in _tokens(request, "connection")]
    if "websocket" not in upgrades or "upgrade" not in connection:
        raise SanicException(
            "This address speaks websocket: connect with a websocket client, which sends the headers "
            "Upgrade: websocket and Connection: Upgrade.",
            status_code=426,
            quiet=True,
            headers={"Upgrade": "websocket"},
        )


def _only(request: Request[Any, Any], name: str) -> str:
    values = request.headers.getall(name, ())
    if len(values) != 1:
        raise BadRequest(f"A websocket handshake has one {name} header, not {len(values)}.")
    return str(values[0]).strip(" \t")


def _checked_key(request: Request[Any, Any]) -> str:
    version = _only(request, "Sec-WebSocket-Version")
    if version != _VERSION:
        raise BadRequest(
            f"Version {version!r} of the websocket protocol is not supported, only {_VERSION}.",
            headers={"Sec-WebSocket-Version": _VERSION},
        )
    key = _only(request, "Sec-WebSocket-Key")
    try:
        size = len(base64.b64decode(key.encode("ascii"), validate=True))
    except (UnicodeEncodeError, binascii.Error):
        size = -1
    if size != 16:
        raise BadRequest(f"Sec-WebSocket-Key must be 16 bytes in base64, not {key!r}.")
    if request.body or _tokens(request, "transfer-encoding"):
        raise BadRequest("A websocket handshake has no body.")
    return key


def check_origin(request: Request[Any, Any], origins: Iterable[str] | None) -> None:
    """Refuse pages of strangers (RFC 6455 section 10.2).

    Args:
        request: What the client asks for.
        origins: Origins whose pages may connect; None for all of them.

    Raises:
        BadRequest: 400, there are several origins.
        Forbidden: 403, it is another origin.
    """
    given = request.headers.getall("origin", ())
    if len(given) > 1:
        raise BadRequest(f"A websocket handshake has at most one Origin header, not {len(given)}.")
    # Browsers always tell the origin of a page; what comes without is no page of a stranger.
    if given and origins is not None and str(given[0]).strip().lower() not in origins:
        raise Forbidden(f"Pages of {given[0]!r} may not open this websocket.", quiet=True)


def _choose_subprotocol(request: Request[Any, Any], subprotocols: Sequence[str]) -> str | None:
    if not subprotocols:
        return None
    offered = _tokens(request, "sec-websocket-protocol")
    for subprotocol in subprotocols:
        if subprotocol in offered:
            return subprotocol
    raise BadRequest(
        f"None of the subprotocols {', '.join(offered) or '(none offered)'} is known here; "
        f"known are: {', '.join(subprotocols)}."
    )


def _new_protocol(max_size: int | None) -> Any:
    import websockets.server

    # Until version 11 the class had the other name.
    server: Any = websockets.server
    protocol_class = server.ServerProtocol if hasattr(server, "ServerProtocol") else server.ServerConnection
    return protocol_class(max_size=max_size, logger=_frames_logger(), state=server.OPEN)


def _frames_logger() -> logging.Logger:
    # The library tells of each frame at DEBUG and of each connection at INFO: more than a server's log should hold.
    logger = websockets_logger.getChild("frames")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.WARNING)
    return logger


def _agree_on_extensions(request: Request[Any, Any], protocol: Any) -> str | None:
    values = request.headers.getall("sec-websocket-extensions", ())
    if not values:
        return None
    from websockets.datastructures import Headers
    from websockets.exceptions import InvalidHandshake
    from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

    protocol.available_extensions = [
        ServerPerMessageDeflateFactory(
            server_max_window_bits=_WINDOW_BITS,
            client_max_window_bits=_WINDOW_BITS,
            compress_settings={"memLevel": _MEMORY_LEVEL},
        )
    ]
    offered = Headers([("Sec-WebSocket-Extensions", str(value)) for value in values])
    try:
        header, protocol.extensions = protocol.process_extensions(offered)
    except InvalidHandshake as error:
        raise BadRequest(f"Sec-WebSocket-Extensions cannot be read: {error}") from error
    return None if header is None else str(header)
