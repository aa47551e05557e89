"""The life of applications in this process: bind, start, listen, serve, drain, stop.

The order of it stands here once, for every way to run it. How many processes do the same it does not know.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sanic_routing.exceptions import FinalizationError

from sanic.application.extension import auto_extend
from sanic.exceptions import SanicException
from sanic.http.tls import settle
from sanic.log import error_logger, server_logger
from sanic.server.async_server import AsyncioServer, forget_run
from sanic.server.descriptors import DescriptorWatch
from sanic.server.interrupts import Interrupts
from sanic.server.listen import make_server
from sanic.server.loop import new_loop
from sanic.server.socket import check_unix_path, configure_socket, explained
from sanic.server.tasks import abandon, end_generators, end_tasks, report_threads

if TYPE_CHECKING:
    from socket import socket as SocketType

    from sanic.app import Sanic
    from sanic.application.state import ApplicationServerInfo

#: Seconds that the last listeners have, at least.
LAST_LISTENERS_SECONDS = 2.0
#: Seconds that what was cancelled has to end.
_CANCELLED_SECONDS = 0.5


class StartupFailed(Exception):
    """A start failed for a reason that one line explains; nobody needs a traceback."""


@dataclass(slots=True)
class Address:
    """One address that is served.

    Args:
        settings: The arguments of `serve` for it.
        info: The record that its application keeps.
        is_secondary: Whether the others are served when this one cannot be.
        sock: The socket, if it was made here.
    """

    settings: dict[str, Any]
    info: ApplicationServerInfo | None = None
    is_secondary: bool = False
    sock: SocketType | None = None

    @property
    def app(self) -> Sanic[Any, Any]:
        """The application that is served there."""
        app: Sanic[Any, Any] = self.settings["app"]
        return app


class Worker:
    """The life of one or more applications in this process; it is lived once.

    Args:
        apps: The applications; the first one's configuration counts.
        addresses: Where they are served.
        interrupts: Tells of signals.
        loop: The loop; default a new one.
        options: Further arguments of `make_server`.
    """

    def __init__(
        self,
        apps: list[Sanic[Any, Any]],
        addresses: list[Address],
        interrupts: Interrupts,
        loop: asyncio.AbstractEventLoop | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.apps = apps
        self.addresses = addresses
        self._interrupts = interrupts
        self._given_loop = loop
        self._options = options or {}
        self._servers: list[AsyncioServer] = []
        #: Those whose stop listeners are to run, since all of their start listeners have.
        self._started: list[Sanic[Any, Any]] = []
        self._abandoned: set[asyncio.Future[Any]] = set()
        self._context: Context | None = None
        self._startup: asyncio.Task[None] | None = None
        self._is_complete = False
        #: Called when this has been told to stop.
        self.on_stop: Callable[[], object] | None = None
        #: Called when connections are accepted, and when that is about to end.
        self.on_serving: Callable[[bool], object] | None = None
        #: Seconds that idle clients have for one more request when the server stops.
        self.linger = 0.0
        #: Whether others go on serving when this one stops: then the server as a whole is as ready as before.
        self.is_replaced = False
        #: Whether nobody can wait for load balancers to notice.
        self.is_urgent = False
        # Set when the loop runs.
        self._loop: asyncio.AbstractEventLoop
        self._descriptors: DescriptorWatch
        self._stopping: asyncio.Event
        self._interrupted: asyncio.Future[None]
        self._hurry: asyncio.Future[None]

    # -- Before there is a loop --------------------------------------------------------------------------------------

    def bind(self) -> None:
        """Make the sockets, so that an address that cannot be used is known before anything is started.

        Raises:
            OSError: An address cannot be used; of a secondary one it is only logged.
            ValueError: What was given is no address.
        """
        for address in list(self.addresses):
            self._bind(address)

    def _bind(self, address: Address) -> None:
        try:
            self._prepare_socket(address)
        except (OSError, ValueError) as error:
            if not address.is_secondary:
                self._close_sockets()
                raise
            self._give_up(address, error)

    def _prepare_socket(self, address: Address) -> None:
        settings = address.settings
        settings["ssl"] = settle(settings.get("ssl"), address.app)
        if settings.get("unix") and settings.get("sock") is None:
            # A unix socket takes the place of an older server's at once, so it is made when this one is ready.
            settings["unix"] = check_unix_path(settings["unix"])
        elif address.sock is None and not settings.get("reuse_port"):
            address.sock = configure_socket(settings)

    def _give_up(self, address: Address, error: Exception) -> None:
        error_logger.warning("%s is not served: %s", address.app.name, message_of(error))
        self.addresses.remove(address)
        if address.sock is not None:
            address.sock.close()

    def _close_sockets(self) -> None:
        for address in self.addresses:
            if address.sock is not None:
                address.sock.close()

    def run(self) -> None:
        """Serve until stopped.

        Raises:
            OSError: An address cannot be used.
            StartupFailed: An application cannot be started; the message says why.
            Exception: What a listener raised at the start.
        """
        self.bind()
        threads = threading.enumerate()
        loop = self._given_loop or new_loop(self.apps[0].config.get("USE_UVLOOP") is not False)
        asyncio.set_event_loop(loop)
        try:
            self._run_to_the_end(loop)
        finally:
            self._interrupts.on_signal = None
            end_tasks(loop, self._abandoned)
            end_generators(loop)
            self._close_sockets()
            if self._given_loop is None:
                asyncio.set_event_loop(None)
                loop.close()
                report_threads(threads)

    def _run_to_the_end(self, loop: asyncio.AbstractEventLoop) -> None:
        life = loop.create_task(self._live(loop), name="worker")
        try:
            loop.run_until_complete(life)
        except (KeyboardInterrupt, SystemExit):
            # Raised by a handler of somebody else, or by `sys.exit()` in a task: the end is in order nevertheless.
            if not life.done():
                self._notice()
                loop.run_until_complete(asyncio.wait([life]))
                if not life.cancelled():
                    life.exception()
            raise

    # -- Start, wait, end --------------------------------------------------------------------------------------------

    async def _live(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._descriptors = DescriptorWatch(loop)
        self._stopping = asyncio.Event()
        self._interrupted = loop.create_future()
        self._hurry = loop.create_future()
        for app in self.apps:
            app._stop_requested = self.stop
        server_logger.info("Starting worker [%s]", os.getpid())
        self._startup = loop.create_task(self._start(), name="start of the server")
        self._interrupts.on_signal = lambda: loop.call_soon_threadsafe(self._notice)
        if self._interrupts.count:
            self._notice()
        try:
            await self._until_started(self._startup)
            await self._stopping.wait()
        finally:
            await self._end()

    async def _until_started(self, startup: asyncio.Task[None]) -> None:
        await asyncio.wait([startup, self._interrupted], return_when=asyncio.FIRST_COMPLETED)
        if not self._interrupted.done():
            if startup.cancelled():
                raise StartupFailed("a listener was cancelled while the server was starting.")
            startup.result()
            return
        if not startup.done():
            startup.cancel()
            await asyncio.wait([startup], timeout=_CANCELLED_SECONDS)
        if startup.done() and not startup.cancelled() and isinstance(error := startup.exception(), Exception):
            error_logger.error("The start failed while it was being interrupted.", exc_info=error)

    async def _start(self) -> None:
        for app in self.apps:
            app.state.is_running = True
            app.state.is_stopping = False
            try:
                auto_extend(app)
                await app._startup()
            except (FinalizationError, SanicException) as error:
                raise StartupFailed(f"{app.name} cannot be served: {error}") from error
        for app in self.apps:
            await app._server_event("init", "before", loop=self._loop)
            self._started.append(app)
        self._context = copy_context()
        if self._stopping.is_set():
            return
        await self._listen()
        self._descriptors.start()
        self._tell(True)
        for app in self.apps:
            await app._server_event("init", "after", loop=self._loop)
        self._is_complete = True
        server_logger.info("Worker ready [%s]", os.getpid())

    def _tell(self, is_serving: bool) -> None:
        if self.on_serving is not None:
            self.on_serving(is_serving)

    async def _listen(self) -> None:
        for address in list(self.addresses):
            try:
                await self._listen_on(address)
            except (OSError, ValueError) as error:  # noqa: PERF203
                if not address.is_secondary:
                    raise StartupFailed(message_of(error)) from error
                self._give_up(address, error)

    async def _listen_on(self, address: Address) -> None:
        settings = address.settings
        if address.sock is None and not settings.get("reuse_port"):
            address.sock = configure_socket(settings)
        server = make_server(settings, self._loop, sock=address.sock, info=address.info, **self._options)
        self._servers.append(server)
        try:
            await server.start_serving()
        except OSError as error:
            raise explained(error, settings.get("unix") or f"{settings['host']}:{settings['port']}") from error

    @property
    def requests(self) -> int:
        """How many requests have been answered."""
        return sum(server.requests for server in self._servers)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return sum(len(server.connections) for server in self._servers)

    async def _end(self) -> None:
        server_logger.info("Stopping worker [%s]", os.getpid())
        self._descriptors.stop()
        if self.on_stop is not None:
            self.on_stop()
        await self._serve_on()
        self._tell(False)
        seconds = self.apps[0].config.GRACEFUL_SHUTDOWN_TIMEOUT
        # One deadline bounds all that follows.
        deadline = self._loop.time() + seconds
        for app in reversed(self._started):
            app.state.is_stopping = True
            stopping = app._server_event("shutdown", "before", loop=self._loop)
            await self._within(deadline, stopping, "before_server_stop")
        await self._close_servers(deadline)
        for app in self.apps:
            self._abandoned.update(await app._tasks.shutdown(max(deadline - self._loop.time(), _CANCELLED_SECONDS)))
            await app.signal_router.shutdown(max(deadline - self._loop.time(), _CANCELLED_SECONDS))
        # Whatever took all of the time, what listeners are to close and to save has a little.
        deadline = max(deadline, self._loop.time() + min(seconds, LAST_LISTENERS_SECONDS))
        for app in reversed(self._started):
            stopped = app._server_event("shutdown", "after", loop=self._loop)
            await self._within(deadline, stopped, "after_server_stop")
        for app in self.apps:
            app._stop_requested = None
            forget_run(app)
        server_logger.info("Worker complete [%s]", os.getpid())

    async def _serve_on(self) -> None:
        # Load balancers learn some time later that nothing more should be sent here, and what they send until then is
        # answered. Others that go on serving spare all that.
        if self.is_replaced:
            return
        for server in self._servers:
            server.announce_end()
        seconds = self.apps[0].config.DRAIN_SECONDS
        if seconds and self._is_complete and not self.is_urgent:
            server_logger.info("Not ready any more: the end begins in %g s (DRAIN_SECONDS).", seconds)
            await asyncio.wait([self._hurry], timeout=seconds)

    async def _close_servers(self, deadline: float) -> None:
        for server in self._servers:
            server.signal.linger = self.linger
            server.deadline = deadline
            server.is_replaced = self.is_replaced
        closing = [server.close() for server in self._servers]
        if not closing:
            return
        closed = self._loop.create_task(_all_done(closing), name="close of all servers")
        await asyncio.wait([closed, self._hurry], return_when=asyncio.FIRST_COMPLETED)
        if not closed.done():
            # Asked a second time: nothing is waited for any more.
            for server in self._servers:
                for connection in list(server.connections):
                    connection.abort()
        await closed
        for server in self._servers:
            self._abandoned |= server.abandoned
        for task in closing:
            if (error := task.exception()) is not None:
                error_logger.error("A server was not closed in order.", exc_info=error)

    async def _within(self, deadline: float, coroutine: Coroutine[Any, Any, None], name: str) -> None:
        # In a task, so that a listener that never returns cannot keep the process from ending; in the context of the
        # start, so that it sees the context variables that were set there.
        context = self._context or copy_context()
        task = context.run(self._loop.create_task, coroutine, name=f"{name} listeners")
        graceful = self.apps[0].config.GRACEFUL_SHUTDOWN_TIMEOUT
        # One application must not take all of the time from the listeners of the next.
        seconds = max(deadline - self._loop.time(), min(graceful, _CANCELLED_SECONDS))
        await asyncio.wait([task, self._hurry], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            abandon(task, "did not end within the %s s of GRACEFUL_SHUTDOWN_TIMEOUT, and is abandoned.", graceful)
            self._abandoned.add(task)
            task.cancel()
            await asyncio.wait([task], timeout=_CANCELLED_SECONDS)
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, Exception):
                error_logger.error("A listener of %s failed.", name, exc_info=error)
            else:
                raise error

    # -- Asked to stop -----------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Begin to stop, once the start is over; may be called from any thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    def _notice(self) -> None:
        # A signal, unlike `app.stop()`, interrupts the start.
        self._interrupts.noticed += 1
        self._stopping.set()
        if not self._interrupted.done():
            self._interrupted.set_result(None)
        elif not self._hurry.done():
            self._hurry.set_result(None)


async def _all_done(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.wait(tasks)


def message_of(error: Exception) -> str:
    """What an error says, without its number."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
