"""From the settings of an address to a server that listens there."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import TYPE_CHECKING, Any

from sanic.http.framing import AdvertisingHeadWriter
from sanic.http.tls import load
from sanic.models.http_version import HTTP
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
    clock = Deadlines(loop)
    coroutine = _listen(settings, loop, connections, signal, state, clock, asyncio_server_kwargs or {})
    return AsyncioServer(
        settings["app"], loop, coroutine, connections, signal, settings, sock, starts_app, accepts_early, info, clock
    )


async def _listen(
    settings: dict[str, Any],
    loop: asyncio.AbstractEventLoop,
    connections: set[Any],
    signal: Signal,
    state: dict[str, Any] | None,
    clock: Deadlines,
    asyncio_server_kwargs: dict[str, Any],
) -> asyncio.AbstractServer:
    # Not before connections are to be accepted: `before_server_start` listeners may still change the configuration.
    app: Sanic[Any, Any] = settings["app"]
    limits = Limits.from_config(app.config)
    clock.look_for(limits.shortest_timeout)
    if settings.get("version") is HTTP.VERSION_3:
        from sanic.server.protocols.http3.server import Http3Server

        return Http3Server(settings, loop, connections=connections, signal=signal, clock=clock, limits=limits)
    if (port := _http3_port(app)) is not None:
        clock.heads = AdvertisingHeadWriter(port)
    factory = partial(
        settings["protocol"],
        loop=loop,
        app=app,
        signal=signal,
        connections=connections,
        state=state if state is not None else {},
        unix=settings.get("unix"),
        deadlines=clock,
        limits=limits,
    )
    options = {"backlog": settings["backlog"], **asyncio_server_kwargs, "start_serving": False}
    if (context := options.get("ssl") or load(settings["ssl"], app)) is not None:
        # A handshake comes before the head of a request, and has as much time.
        options = {"ssl_handshake_timeout": limits.request_timeout, **options, "ssl": context}
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


def _http3_port(app: Sanic[Any, Any]) -> int | None:
    # Where the application is served with HTTP/3, too.
    for info in app.state.server_info:
        settings = info.settings
        if settings.get("version") is HTTP.VERSION_3:
            sock = settings.get("sock")
            return int(sock.getsockname()[1]) if sock is not None else settings.get("port")
    return None
