"""A server in a loop that somebody else runs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any

from sanic.application.constants import ServerStage
from sanic.exceptions import SanicException
from sanic.models.server_types import Signal
from sanic.server.drain import drain
from sanic.server.socket import remove_unix_socket

if TYPE_CHECKING:
    from sanic.app import Sanic


class AsyncioServer:
    """A server of one application, on one address, in a running loop.

    It is made by `Sanic.create_server`: `await server.startup()`, `await server.before_start()`, `await
    server.serve_forever()`, and at the end `await server.close()`.

    Args:
        app: The application.
        loop: The running loop.
        serve_coro: Makes the listening server.
        connections: The open connections.
        signal: What they are told of the end through.
        unix: Path of the unix socket, removed when the server is closed.
        starts_app: Whether awaiting it also starts the application, if nobody has, and closing it stops it again.
    """

    __slots__ = (
        "_closing",
        "_has_started_app",
        "_signal",
        "_starts_app",
        "_unix",
        "app",
        "connections",
        "loop",
        "serve_coro",
        "server",
    )

    def __init__(
        self,
        app: Sanic[Any, Any],
        loop: asyncio.AbstractEventLoop,
        serve_coro: Coroutine[Any, Any, asyncio.AbstractServer],
        connections: set[Any],
        signal: Signal | None = None,
        unix: str | None = None,
        starts_app: bool = False,
    ) -> None:
        self.app = app
        self.loop = loop
        self.serve_coro = serve_coro
        self.connections = connections
        self.server: Any = None
        self._signal = signal or Signal()
        self._unix = unix
        self._starts_app = starts_app
        self._has_started_app = False
        self._closing: asyncio.Task[None] | None = None

    def __await__(self) -> Generator[Any, None, AsyncioServer]:
        """Listen."""
        return self._listen().__await__()

    async def _listen(self) -> AsyncioServer:
        if self.server is not None:
            return self
        if self._starts_app and not self.app.state.is_started:
            self._has_started_app = True
            await self.startup()
            await self.before_start()
        self.server = await self.serve_coro
        if self._has_started_app:
            await self.after_start()
        return self

    @property
    def sockets(self) -> tuple[Any, ...]:
        """The sockets it listens on."""
        return tuple(self.server.sockets) if self.server is not None else ()

    async def startup(self) -> None:
        """Freeze the application's routes and signals, so that it can be served."""
        self.app.state.is_running = True
        if not self.app.state.is_started:
            await self.app._startup()

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

    def is_serving(self) -> bool:
        """Whether connections are accepted."""
        return self.server is not None and bool(self.server.is_serving())

    async def start_serving(self) -> None:
        """Accept connections."""
        await self._listen()
        await self.server.start_serving()
        self._set_stage(ServerStage.SERVING)

    async def serve_forever(self) -> None:
        """Accept connections until the server is closed."""
        await self._listen()
        self._set_stage(ServerStage.SERVING)
        await self.server.serve_forever()

    def close(self) -> asyncio.Task[None]:
        """Stop accepting, finish what runs, close the connections.

        Returns:
            The task that does it; it need not be awaited.
        """
        if self._closing is None:
            if self.server is not None:
                self.server.close()
            self._closing = self.loop.create_task(self._close(), name="close of the server")
        return self._closing

    async def _close(self) -> None:
        if self._has_started_app:
            await self.before_stop()
        await drain(self.connections, self._signal, self.app.config.GRACEFUL_SHUTDOWN_TIMEOUT)
        if self.server is not None:
            await self.server.wait_closed()
        else:
            self.serve_coro.close()
        remove_unix_socket(self._unix)
        self._set_stage(ServerStage.STOPPED)
        if self._has_started_app:
            await self.after_stop()
            self.app.router.reset()
            self.app.signal_router.reset()
            self.app.state.is_started = self.app.state.is_running = False

    async def wait_closed(self) -> None:
        """Wait until the server is closed."""
        if self._closing is not None:
            await self._closing
        elif self.server is not None:
            await self.server.wait_closed()

    def _set_stage(self, stage: ServerStage) -> None:
        for info in self.app.state.server_info:
            if info.server in (None, self.server):
                info.stage = stage
                info.server = self.server
