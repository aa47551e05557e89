"""A server of one application, on one address, in a running loop; who runs that loop it does not know."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sanic.application.constants import ServerStage
from sanic.exceptions import SanicException
from sanic.models.server_types import Signal
from sanic.server.drain import drain
from sanic.server.socket import check_listening, remove_unix_socket
from sanic.server.tasks import cancel_all

if TYPE_CHECKING:
    from socket import socket as SocketType

    from sanic.app import Sanic
    from sanic.application.state import ApplicationServerInfo
    from sanic.server.deadlines import Deadlines

_LAST_CONNECTIONS_SECONDS = 1.0


class AsyncioServer:
    """A server of one application, on one address, in a running loop.

    It is made by `Sanic.create_server`: `await server.startup()`, `await server.before_start()`, `await
    server.serve_forever()`, and at the end `await server.close()`. `Sanic.serving` does all of it.

    Args:
        app: The application.
        loop: The running loop.
        serve_coro: Makes the listening server of the loop; awaited when connections are to be accepted.
        connections: The open connections.
        signal: What they are told of the end through.
        settings: The address.
        sock: The socket, if it was made for this server, which closes it.
        starts_app: Whether awaiting it also starts the application, if nobody has, and closing it stops it again.
        accepts_early: Whether connections are accepted as soon as the application is started.
        info: The record of this address that the application keeps.
        clock: That of its connections.
    """

    __slots__ = (
        "_accepts_early",
        "_address",
        "_clock",
        "_closed",
        "_closing",
        "_has_started_app",
        "_info",
        "_is_app_up",
        "_signal",
        "_sock",
        "_starts_app",
        "abandoned",
        "app",
        "connections",
        "deadline",
        "is_replaced",
        "loop",
        "serve_coro",
        "server",
        "settings",
    )

    def __init__(
        self,
        app: Sanic[Any, Any],
        loop: asyncio.AbstractEventLoop,
        serve_coro: Coroutine[Any, Any, asyncio.AbstractServer],
        connections: set[Any],
        signal: Signal | None = None,
        settings: dict[str, Any] | None = None,
        sock: SocketType | None = None,
        starts_app: bool = False,
        accepts_early: bool = False,
        info: ApplicationServerInfo | None = None,
        clock: Deadlines | None = None,
    ) -> None:
        self.app = app
        self.loop = loop
        self.serve_coro = serve_coro
        self.connections = connections
        self.settings = settings or {}
        self.server: Any = None
        self._signal = signal or Signal()
        self._sock = sock
        self._starts_app = starts_app
        self._accepts_early = accepts_early
        self._info = info
        self._clock = clock
        self._has_started_app = False
        # Whether the stop listeners are to run, since those of the start have.
        self._is_app_up = False
        #: When the last connection must be closed, on the clock of the loop; default GRACEFUL_SHUTDOWN_TIMEOUT after
        #: the end began.
        self.deadline: float | None = None
        #: Whether others go on serving this address: then whoever asks this one is not told to go away.
        self.is_replaced = False
        #: Tasks of requests that refused to end, given up and reported when it was closed.
        self.abandoned: set[asyncio.Future[Any]] = set()
        self._closing: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()
        self._address: tuple[str | None, int | None]
        self._learn_address()

    def __await__(self) -> Generator[Any, None, AsyncioServer]:
        """Listen, and start the application if the server was made to do so."""
        return self._ready().__await__()

    async def _ready(self) -> AsyncioServer:
        if self._starts_app:
            await self._live_or_close()
        elif self._accepts_early and self.app.state.is_started:
            await self.start_serving()
        return self

    async def _live_or_close(self) -> None:
        try:
            await self._live()
        except BaseException:
            await self.close()
            raise

    async def _live(self) -> None:
        if self.server is not None:
            return
        if self.app.state.is_started:
            await self.start_serving()
            return
        self._has_started_app = True
        await self.startup()
        await self.before_start()
        self._is_app_up = True
        await self.start_serving()
        await self.after_start()

    async def __aenter__(self) -> AsyncioServer:
        """Start the application, if nobody has, with all its listeners, and accept connections.

        Raises:
            FinalizationError: The application has no routes.
            OSError: The address cannot be listened on.
            Exception: What a listener raised.
        """
        self._accepts_early = False
        await self._live_or_close()
        return self

    async def __aexit__(self, *raised: object) -> None:
        """Close the server, and stop the application with all its listeners, if this has started it."""
        await self.close()

    # -- The address -------------------------------------------------------------------------------------------------

    @property
    def sockets(self) -> tuple[Any, ...]:
        """The sockets it listens on."""
        return tuple(self.server.sockets) if self.server is not None else ()

    @property
    def signal(self) -> Signal:
        """What its connections are told of the end through."""
        return self._signal

    @property
    def requests(self) -> int:
        """How many requests have been answered."""
        return self._clock.requests if self._clock is not None else 0

    @property
    def url(self) -> str:
        """Where it is reached, such as `http://127.0.0.1:8000`; of a unix socket the path and the scheme."""
        host, port = self._address
        return self.app.get_server_location({**self.settings, "sock": None, "host": host, "port": port})

    @property
    def port(self) -> int | None:
        """The port, also when any was asked for; None for a unix socket."""
        return self._address[1]

    def _learn_address(self) -> None:
        # Now, since of a closed socket nothing is known, and the loop closes those that it was given.
        sock = self.settings.get("sock") or next(iter(self.sockets), None)
        name = sock.getsockname() if sock is not None else None
        self._address = name[:2] if isinstance(name, tuple) else (self.settings.get("host"), self.settings.get("port"))

    # -- The events of the application -------------------------------------------------------------------------------

    async def startup(self) -> None:
        """Freeze the application's routes and signals; connections are accepted from now on.

        Raises:
            FinalizationError: The application has no routes.
            OSError: The address cannot be listened on.
        """
        self.app.state.is_running = True
        if not self.app.state.is_started:
            await self.app._startup()
        if self._accepts_early:
            await self.start_serving()

    def before_start(self) -> Coroutine[Any, Any, None]:
        """Run the `before_server_start` listeners."""
        return self._event("init", "before")

    def after_start(self) -> Coroutine[Any, Any, None]:
        """Run the `after_server_start` listeners."""
        return self._event("init", "after")

    def before_stop(self) -> Coroutine[Any, Any, None]:
        """Run the `before_server_stop` listeners."""
        return self._event("shutdown", "before")

    def after_stop(self) -> Coroutine[Any, Any, None]:
        """Run the `after_server_stop` listeners."""
        return self._event("shutdown", "after")

    def _event(self, concern: str, action: str) -> Coroutine[Any, Any, None]:
        if not self.app.state.is_started:
            raise SanicException(
                f"Cannot dispatch server event without first running await server.startup(): server.{concern}.{action}"
            )
        return self.app._server_event(concern, action, loop=self.loop)

    # -- Serving -----------------------------------------------------------------------------------------------------

    def is_serving(self) -> bool:
        """Whether connections are accepted."""
        return self.server is not None and bool(self.server.is_serving())

    async def start_serving(self) -> None:
        """Accept connections.

        Raises:
            OSError: The address cannot be listened on.
            SanicException: The server is closed.
        """
        if self._closing is not None:
            raise SanicException(f"The server of {self.app.name} is closed: make another one with create_server.")
        if self.server is None:
            self.server = await self.serve_coro
            self._learn_address()
        try:
            await self.server.start_serving()
        except OSError:
            check_listening(self.settings.get("sock"))
            raise
        check_listening(self.settings.get("sock"))
        self._set_stage(ServerStage.SERVING)
        self.app.state.begin_serving(self)

    async def serve_forever(self) -> None:
        """Accept connections until the server is closed; cancelling this closes it."""
        await self.start_serving()
        try:
            await self._closed.wait()
        except asyncio.CancelledError:
            await self.close()
            raise

    def announce_end(self) -> None:
        """Be ready no more, and serve on: each answer from now on is the last one on its connection."""
        self.app.state.end_serving(self)
        self._signal.is_ending = True
        for connection in list(self.connections):
            connection.is_closing_soon = True

    def close(self) -> asyncio.Task[None]:
        """Stop accepting, finish what runs, close the connections.

        Returns:
            The task that does it; it need not be awaited.
        """
        if self._closing is None:
            if not self.is_replaced:
                self.app.state.end_serving(self)
            # Listeners of an application that this server stops may still want to be reached.
            if self.server is not None and not self._has_started_app:
                self.server.close()
            self._closing = self.loop.create_task(self._close(), name=f"close of the server of {self.app.name}")
        return self._closing

    async def _close(self) -> None:
        try:
            if self._has_started_app:
                self.app.state.is_stopping = True
            if self._is_app_up:
                await self.before_stop()
            if self.server is not None:
                self.server.close()
            now = self.loop.time()
            deadline = self.deadline or now + self.app.config.GRACEFUL_SHUTDOWN_TIMEOUT
            await drain(self.connections, self._signal, max(0.0, deadline - now))
            if self.server is not None:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.server.wait_closed(), _LAST_CONNECTIONS_SECONDS)
            self.abandoned |= await cancel_all(self._signal.left, _LAST_CONNECTIONS_SECONDS)
            if self._has_started_app:
                await self.app._tasks.shutdown(max(_LAST_CONNECTIONS_SECONDS, deadline - self.loop.time()))
            if self._is_app_up:
                await self.after_stop()
        finally:
            self.app.state.end_serving(self)
            if self.server is not None:
                self.server.close()
            self.serve_coro.close()
            if self._sock is not None:
                self._sock.close()
                remove_unix_socket(self.settings.get("unix"))
            self._set_stage(ServerStage.STOPPED)
            if self._has_started_app:
                forget_run(self.app)
            self._closed.set()

    async def wait_closed(self) -> None:
        """Wait until the server is closed."""
        if self._closing is not None:
            await asyncio.shield(self._closing)
        elif self.server is not None:
            await self._closed.wait()

    def _set_stage(self, stage: ServerStage) -> None:
        if self._info is not None:
            infos = [self._info]
        else:
            # Test packages record the address of a server that they make themselves.
            infos = [info for info in self.app.state.server_info if info.server in (None, self.server)]
        for info in infos:
            info.stage = stage
            info.server = self.server


def forget_run(app: Sanic[Any, Any]) -> None:
    """Let an application that has stopped be changed, and started again."""
    app.router.reset()
    app.signal_router.reset()
    app.state.is_started = app.state.is_running = app.state.is_stopping = False
