"""The entry points to serving in one process, as functions; the life that follows stands in `server/life.py`."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

from sanic.application.constants import ServerStage
from sanic.application.loading import check_not_loading
from sanic.http.tls import settle
from sanic.log import error_logger, logger
from sanic.logging.color import is_terminal
from sanic.models.http_version import HTTP
from sanic.models.server_types import Signal
from sanic.server.async_server import AsyncioServer
from sanic.server.interrupts import Interrupts
from sanic.server.life import Address, StartupFailed, Worker, message_of
from sanic.server.listen import make_server
from sanic.server.protocols.http_protocol import HttpProtocol
from sanic.server.socket import configure_socket
from sanic.utils import str_to_bool

if TYPE_CHECKING:
    from socket import socket as SocketType

    from sanic.app import Sanic

_STARTUP_FAILURE = 1


def serve(
    host: str | None,
    port: int | None,
    app: Sanic[Any, Any],
    ssl: Any = None,
    sock: SocketType | None = None,
    unix: str | None = None,
    reuse_port: bool = False,
    loop: asyncio.AbstractEventLoop | None = None,
    protocol: type[asyncio.Protocol] = HttpProtocol,
    backlog: int = 100,
    register_sys_signals: bool = True,
    run_multiple: bool = False,
    run_async: bool = False,
    connections: set[Any] | None = None,
    signal: Signal | None = None,
    state: Any = None,
    asyncio_server_kwargs: dict[str, Any] | None = None,
    version: HTTP = HTTP.VERSION_1,
) -> AsyncioServer | None:
    """Serve an application on one address.

    Args:
        host: Address to listen on, None with `sock` or `unix`.
        port: Port, None with `sock` or `unix`.
        app: The application.
        ssl: The TLS context.
        sock: A bound socket.
        unix: Path of a unix socket.
        reuse_port: Whether several processes may bind the port.
        loop: The loop; default a new one.
        protocol: Class of the connections.
        backlog: Connections that may wait to be accepted.
        register_sys_signals: Whether SIGINT and SIGTERM stop the server.
        run_multiple: Whether this is one of several workers.
        run_async: Return a server to be awaited, instead of serving until the end.
        connections: The set to keep the open connections in.
        signal: Tells connections that the server is stopping.
        state: Counters.
        asyncio_server_kwargs: Further arguments of `loop.create_server`.
        version: Version of HTTP.

    Returns:
        With `run_async` the server: awaiting it listens, and starts the application if nobody has.

    Raises:
        OSError: The address cannot be used.
        StartupFailed: The application cannot be started.
    """
    settings = {
        "app": app,
        "host": host,
        "port": port,
        "ssl": ssl,
        "sock": sock,
        "unix": unix,
        "protocol": protocol,
        "backlog": backlog,
        "reuse_port": reuse_port,
        "register_sys_signals": register_sys_signals,
        "version": version,
    }
    options = {
        "connections": connections,
        "signal": signal,
        "state": state,
        "asyncio_server_kwargs": asyncio_server_kwargs,
    }
    if not run_async:
        with Interrupts(register_sys_signals) as interrupts:
            Worker([app], [Address(settings)], interrupts, loop, options).run()
        return None
    running = loop if loop is not None and loop.is_running() else asyncio.get_running_loop()
    return make_server(settings, running, starts_app=True, **options)


async def create_async_server(
    settings: dict[str, Any], asyncio_server_kwargs: dict[str, Any] | None = None
) -> AsyncioServer:
    """Bind an address and make its server in the running loop; see `Sanic.create_server`."""
    kwargs = dict(asyncio_server_kwargs or {})
    accepts_early = kwargs.pop("start_serving", True)
    settings["reuse_port"] = kwargs.pop("reuse_port", False)
    settings["ssl"] = settle(settings["ssl"], settings["app"])
    sock = None if settings["reuse_port"] else configure_socket(settings)
    return await make_server(
        settings,
        asyncio.get_running_loop(),
        asyncio_server_kwargs=kwargs,
        sock=sock,
        accepts_early=accepts_early,
    )


def run_server(primary: Sanic[Any, Any], secondary: list[Sanic[Any, Any]]) -> None:
    """Serve applications until they are stopped; see `Sanic.serve_single`.

    Raises:
        ServerError: The program is only being loaded, by somebody who will serve it.
        SystemExit: They could not be started; the reason has been logged in one line.
    """
    if not primary.state.server_info:
        return
    check_not_loading()
    apps = [primary, *secondary]
    addresses = [
        Address(info.settings, info, is_secondary=app is not primary)
        for app in apps
        for info in app.state.server_info
        # Test clients note addresses of their own there, which somebody else serves.
        if "app" in info.settings
    ]
    has_signals = all(address.settings.get("register_sys_signals", True) for address in addresses)
    try:
        with Interrupts(has_signals) as interrupts:
            worker = Worker(apps, addresses, interrupts)
            _bind(worker)
            primary.motd(primary.state.server_info[0].settings)
            warn(primary)
            if primary.auto_reload:
                logger.warning("Changed files are not reloaded: that needs the manager, which a single process lacks.")
            if primary.config.INSPECTOR:
                logger.warning("There is no inspector: it needs the manager, which a single process does not have.")
            worker.run()
    except StartupFailed as error:
        error_logger.error("Startup failed: %s", error)
        raise SystemExit(_STARTUP_FAILURE) from error
    finally:
        for app in apps:
            for info in app.state.server_info:
                info.stage = ServerStage.STOPPED
            app.state.end_run()


def _bind(worker: Worker) -> None:
    try:
        worker.bind()
    except (OSError, ValueError) as error:
        raise StartupFailed(message_of(error)) from error


def warn(primary: Sanic[Any, Any]) -> None:
    """Say on a terminal that this is no mode to develop in."""
    is_silent = str_to_bool(os.environ.get("SANIC_IGNORE_PRODUCTION_WARNING", "no"))
    if not primary.debug and not is_silent and is_terminal(sys.stdout):
        logger.warning("Sanic is running in PRODUCTION mode. While you develop, debug=True shows more.")
