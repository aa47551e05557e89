"""From the settings of an address to a server that listens there."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import TYPE_CHECKING, Any

from sanic.models.server_types import Signal
from sanic.server.async_server import AsyncioServer
from sanic.server.deadlines import Deadlines
from sanic.server.limits import Limits

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.application.state import ApplicationServerInfo


def make_server(
    settings: dict[str, Any],
    loop: asyncio.AbstractEventLoop,
    *,
    connections: set[Any] | None = None,
    signal: Signal | None = None,
    state: dict[str, Any] | None = None,
    asyncio_server_kwargs: dict[str, Any] | None = None,
    sock: socket.socket | None = None,
    starts_app: bool = False,
    accepts_early: bool = False,
    info: ApplicationServerInfo | None = None,
) -> AsyncioServer:
    """Make the server of an address, which accepts no connections yet.

    Args:
        settings: The arguments of `serve` for it.
        loop: The running loop.
        connections: The set to keep the open connections in.
        signal: Tells connections that the server is stopping.
        state: Counters.
        asyncio_server_kwargs: Further arguments of `loop.create_server`.
        sock: The socket, if the server is to close it.
        starts_app: Whether the server starts and stops the application.
        accepts_early: Whether connections are accepted as soon as the application is started.
        info: The record of the address.
    """
    connections = connections if connections is not None else set()
    signal = signal or Signal()
    coroutine = _listen(settings, loop, connections, signal, state, asyncio_server_kwargs or {})
    return AsyncioServer(
        settings["app"], loop, coroutine, connections, signal, settings, sock, starts_app, accepts_early, info
    )


async def _listen(
    settings: dict[str, Any],
    loop: asyncio.AbstractEventLoop,
    connections: set[Any],
    signal: Signal,
    state: dict[str, Any] | None,
    asyncio_server_kwargs: dict[str, Any],
) -> asyncio.AbstractServer:
    # Not before connections are to be accepted: `before_server_start` listeners may still change the configuration.
    app: Sanic[Any, Any] = settings["app"]
    limits = Limits.from_config(app.config)
    factory = partial(
        settings["protocol"],
        loop=loop,
        app=app,
        signal=signal,
        connections=connections,
        state=state if state is not None else {},
        unix=settings.get("unix"),
        deadlines=Deadlines(loop, limits.shortest_timeout),
        limits=limits,
    )
    options = {"ssl": settings["ssl"], "backlog": settings["backlog"], **asyncio_server_kwargs, "start_serving": False}
    sock = settings.get("sock")
    if sock is None:
        options |= {"host": settings["host"], "port": settings["port"]}
        if settings.get("reuse_port"):
            options["reuse_port"] = True
    elif sock.family == getattr(socket, "AF_UNIX", None):
        return await loop.create_unix_server(factory, sock=sock, **options)
    else:
        options["sock"] = sock
    return await loop.create_server(factory, **options)
