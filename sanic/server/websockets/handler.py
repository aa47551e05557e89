"""The life of a websocket's handler: handshake, signals, the handler, and the close that says how it went.

It serves every server that offers `websocket_handshake` on the protocol of a request: this project's own, and ASGI's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from sanic.exceptions import ServerError, WebsocketClosed
from sanic.response import HTTPResponse
from sanic.server.websockets.handshake import allowed_origins, check_origin

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.request import Request

_NORMAL = 1000
_GOING_AWAY = 1001
_INTERNAL_ERROR = 1011


async def handle_websocket(
    app: Sanic[Any, Any],
    handler: Callable[..., Any],
    request: Request[Any, Any],
    arguments: dict[str, Any],
    subprotocols: Sequence[str] = (),
    origins: Iterable[str] | None = None,
) -> None:
    """Do the handshake, run the handler, close.

    Args:
        app: The application.
        handler: Takes the request, the websocket and the path parameters.
        request: What asks for the websocket.
        arguments: The path parameters.
        subprotocols: Those of the route, in order of preference.
        origins: Origins whose pages may connect; default those of the configuration.

    Raises:
        SanicException: The handshake is refused; its status says why.
    """
    check_origin(request, allowed_origins(origins, app.config.WEBSOCKET_ORIGINS))
    handshake = getattr(request.stream.protocol, "websocket_handshake", None)
    if handshake is None:
        raise ServerError(
            f"Connections of {type(request.stream.protocol).__name__} have no websockets: serve the application with "
            "the protocol sanic.server.protocols.websocket_protocol.WebSocketProtocol, or a subclass of it."
        )
    websocket = await handshake(request, subprotocols)
    if not request.responded:
        # Nothing more can be answered.
        request.stream.respond(HTTPResponse(status=101))
    task = asyncio.current_task()
    app.websocket_tasks.add(task)
    try:
        await websocket.close(await _run(app, handler, request, websocket, arguments))
    except asyncio.CancelledError:
        if _was_told_to_end(websocket):
            await websocket.close(_GOING_AWAY)
        elif hasattr(websocket, "end_connection"):
            # Somebody else wants the task to end, soon: the close goes out, and nobody waits for its answer.
            websocket.end_connection(_GOING_AWAY)
        else:
            raise
    finally:
        app.websocket_tasks.discard(task)


async def _run(
    app: Sanic[Any, Any],
    handler: Callable[..., Any],
    request: Request[Any, Any],
    websocket: Any,
    arguments: dict[str, Any],
) -> int:
    # The code to close with.
    try:
        await _announce(app, "before", request, websocket)
        result = handler(request, websocket, **arguments)
        if isawaitable(result):
            await result
        await _announce(app, "after", request, websocket)
    except Exception as error:
        await _report(app, request, websocket, error)
        return _INTERNAL_ERROR
    return _NORMAL


def _was_told_to_end(websocket: Any) -> bool:
    # The client has gone, or the server stops, and the handler was cancelled for that.
    channel = getattr(websocket, "channel", None)
    if channel is None or not channel.has_cancelled:
        return False
    uncancel = getattr(asyncio.current_task(), "uncancel", None)
    if uncancel is not None:
        uncancel()
    return True


async def _announce(app: Sanic[Any, Any], action: str, request: Any, websocket: Any, **context: Any) -> None:
    event = f"websocket.handler.{action}"
    if app.signal_router.has_listeners(event):
        await app.dispatch(
            event,
            inline=True,
            reverse=action == "after",
            context={"request": request, "websocket": websocket, **context},
            fail_not_found=False,
        )


async def _report(app: Sanic[Any, Any], request: Any, websocket: Any, error: Exception) -> None:
    # There is no response to make of it any more: one record in the log, unless it only says that the client has gone.
    if not isinstance(error, WebsocketClosed):
        app.signal_router.report(error)
        app.error_handler.log(request, error)
    try:
        await _announce(app, "exception", request, websocket, exception=error)
    except Exception as failure:
        app.error_handler.log(request, failure)
