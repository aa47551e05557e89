"""Serving in one process: bind, start, serve, drain, stop.

The order of a worker's life stands here, for every way to run one. It does not know how many workers there are.
"""

from __future__ import annotations

import asyncio
import os
import signal as signals
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from sanic.application.constants import ServerStage
from sanic.application.extension import auto_extend
from sanic.compat import OS_IS_WINDOWS
from sanic.log import error_logger, server_logger
from sanic.models.http_version import HTTP
from sanic.models.server_types import Signal
from sanic.server.async_server import AsyncioServer
from sanic.server.deadlines import Deadlines
from sanic.server.limits import Limits
from sanic.server.loop import new_loop
from sanic.server.protocols.http_protocol import HttpProtocol
from sanic.server.socket import configure_socket, remove_unix_socket

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
    if not run_async:
        Worker(app, [settings], loop=loop).run()
        return None
    running = loop if loop is not None and loop.is_running() else asyncio.get_running_loop()
    return _make_server(settings, running, connections, signal, state, asyncio_server_kwargs, starts_app=True)


def _make_server(
    settings: dict[str, Any],
    loop: asyncio.AbstractEventLoop,
    connections: set[Any] | None = None,
    signal: Signal | None = None,
    state: Any = None,
    asyncio_server_kwargs: dict[str, Any] | None = None,
    starts_app: bool = False,
) -> AsyncioServer:
    app: Sanic[Any, Any] = settings["app"]
    open_connections = connections if connections is not None else set()
    limits = Limits.from_config(app.config)
    signal = signal or Signal()
    factory = partial(
        settings["protocol"],
        loop=loop,
        app=app,
        signal=signal,
        connections=open_connections,
        state=state if state is not None else {},
        unix=settings.get("unix"),
        deadlines=Deadlines(loop, limits.shortest_timeout),
        limits=limits,
    )
    options = {"ssl": settings["ssl"], "backlog": settings["backlog"], **(asyncio_server_kwargs or {})}
    if settings.get("sock") is not None:
        options["sock"] = settings["sock"]
    else:
        options |= {"host": settings["host"], "port": settings["port"]}
        if settings.get("reuse_port"):
            options["reuse_port"] = True
    coroutine = loop.create_server(factory, **options)
    return AsyncioServer(app, loop, coroutine, open_connections, signal, settings.get("unix"), starts_app)


async def create_async_server(
    settings: dict[str, Any], asyncio_server_kwargs: dict[str, Any] | None = None
) -> AsyncioServer:
    """Bind an address and make its server in the running loop; see `Sanic.create_server`."""
    configure_socket(settings)
    return await _make_server(settings, asyncio.get_running_loop(), asyncio_server_kwargs=asyncio_server_kwargs)


class Worker:
    """The life of one or more applications in this process.

    Args:
        app: The application whose settings count.
        addresses: The settings of its addresses.
        secondary: Further applications, whose own addresses are served beside.
        loop: The loop; default a new one.
    """

    def __init__(
        self,
        app: Sanic[Any, Any],
        addresses: list[dict[str, Any]],
        secondary: list[Sanic[Any, Any]] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.app = app
        self.addresses = addresses
        self.secondary = secondary or []
        self._given_loop = loop
        self._stopping = asyncio.Event()
        self._servers: list[AsyncioServer] = []
        self._signals: list[int] = []

    def run(self) -> None:
        """Serve until stopped.

        Raises:
            OSError: An address cannot be used.
        """
        use_uvloop = self.app.config.get("USE_UVLOOP")
        loop = self._given_loop or new_loop(use_uvloop is not False)
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._live(loop))
        finally:
            try:
                _cancel_remaining(loop)
                loop.run_until_complete(loop.shutdown_asyncgens())
            finally:
                if self._given_loop is None:
                    asyncio.set_event_loop(None)
                    loop.close()

    async def _live(self, loop: asyncio.AbstractEventLoop) -> None:
        apps = [self.app, *self.secondary]
        for app in apps:
            app._stop_requested = self.stop
            app.state.is_running = True
            app.state.is_stopping = False
        self._listen_for_signals(loop)
        server_logger.info("Starting worker [%s]", os.getpid())
        started: list[Sanic[Any, Any]] = []
        try:
            for app in apps:
                auto_extend(app)
                await app._startup()
            for app in apps:
                started.append(app)
                await app._server_event("init", "before", loop=loop)
            await self._listen(loop)
            for app in apps:
                await app._server_event("init", "after", loop=loop)
            server_logger.info("Worker ready [%s]", os.getpid())
            await self._wait()
        finally:
            await self._end(loop, started)
            for app in apps:
                app._stop_requested = None

    async def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        for settings in self.addresses:
            configure_socket(settings)
            await self._add(_make_server(settings, loop))
        for app in self.secondary:
            for info in app.state.server_info:
                await self._listen_beside(app, info.settings, loop)

    async def _listen_beside(
        self, app: Sanic[Any, Any], settings: dict[str, Any], loop: asyncio.AbstractEventLoop
    ) -> None:
        try:
            configure_socket(settings)
            await self._add(_make_server(settings, loop))
        except OSError as error:
            error_logger.warning("%s is not served: %s", app.get_server_location(settings), error)

    async def _add(self, server: AsyncioServer) -> None:
        self._servers.append(server)
        await server.start_serving()

    async def _wait(self) -> None:
        await self._stopping.wait()

    def stop(self) -> None:
        """Begin to stop."""
        self._stopping.set()

    async def _end(self, loop: asyncio.AbstractEventLoop, started: list[Sanic[Any, Any]]) -> None:
        server_logger.info("Stopping worker [%s]", os.getpid())
        deadline = loop.time() + self.app.config.GRACEFUL_SHUTDOWN_TIMEOUT
        for app in reversed(started):
            app.state.is_stopping = True
            await _logged(app._server_event("shutdown", "before", loop=loop))
        await asyncio.gather(*(server.close() for server in self._servers), return_exceptions=True)
        for app in reversed(started):
            await app._tasks.shutdown(max(deadline - loop.time(), 0.1))
            await app.signal_router.shutdown(max(deadline - loop.time(), 0.1))
            await _logged(app._server_event("shutdown", "after", loop=loop))
        for app in [self.app, *self.secondary]:
            app.router.reset()
            app.signal_router.reset()
            app.state.is_started = app.state.is_running = app.state.is_stopping = False
        self._forget_signals(loop)
        server_logger.info("Worker complete [%s]", os.getpid())

    # -- Signals of the system ---------------------------------------------------------------------------------------

    def _listen_for_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        if not all(settings.get("register_sys_signals", True) for settings in self.addresses):
            return
        for number in (signals.SIGINT, signals.SIGTERM):
            if OS_IS_WINDOWS:
                signals.signal(number, lambda *_: loop.call_soon_threadsafe(self._stop_by_signal, loop))
                self._signals.append(number)
                continue
            with suppress(ValueError, RuntimeError):  # not in the main thread: somebody else decides about the end
                loop.add_signal_handler(number, self._stop_by_signal, loop)
                self._signals.append(number)

    def _stop_by_signal(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._stopping.is_set():
            # Asked a second time: nothing is waited for any more.
            for server in self._servers:
                for connection in list(server.connections):
                    connection.abort()
            return
        self.stop()

    def _forget_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        for number in self._signals:
            if OS_IS_WINDOWS:
                signals.signal(number, signals.SIG_DFL)
            else:
                loop.remove_signal_handler(number)
        self._signals.clear()


def run_server(primary: Sanic[Any, Any], secondary: list[Sanic[Any, Any]]) -> None:
    """Serve applications until they are stopped; see `Sanic.serve_single`.

    Raises:
        SystemExit: They could not be started; the reason has been logged in one line.
    """
    infos = list(primary.state.server_info)
    if not infos:
        return
    primary.motd(infos[0].settings)
    addresses = [info.settings for info in infos]
    try:
        Worker(primary, addresses, secondary).run()
    except OSError as error:
        error_logger.error("Startup failed: %s", _explain(error, addresses))
        raise SystemExit(_STARTUP_FAILURE) from error
    finally:
        for app in (primary, *secondary):
            for info in app.state.server_info:
                info.stage = ServerStage.STOPPED
                remove_unix_socket(info.settings.get("unix"))
            app.state.server_info.clear()


def _explain(error: OSError, addresses: list[dict[str, Any]]) -> str:
    where = ", ".join(
        settings.get("unix") or f"{settings.get('host')}:{settings.get('port')}" for settings in addresses
    )
    return f"{error.strerror or error} ({where}). Choose another address, or stop what uses this one."


async def _logged(coroutine: Any) -> None:
    try:
        await coroutine
    except Exception:
        error_logger.exception("A listener failed while the server was stopping.")


def _cancel_remaining(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=1.0))
