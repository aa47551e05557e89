"""The main process of a server: binds the sockets, runs the listeners of the main process, and has the manager serve.

It serves nothing itself, and knows nothing of single processes.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sanic.application.extension import auto_extend
from sanic.application.listeners import call_listener
from sanic.application.loading import check_not_loading
from sanic.exceptions import ServerError
from sanic.helpers import Default
from sanic.http.tls import check_sendable, settle
from sanic.log import error_logger, logger, server_logger
from sanic.server.life import LAST_LISTENERS_SECONDS, message_of
from sanic.server.runner import warn
from sanic.server.socket import configure_socket, publish_unix_socket, remove_unix_socket
from sanic.server.tasks import report_threads
from sanic.worker.constants import ProcessState
from sanic.worker.development import PATIENCE_SECONDS, is_developed
from sanic.worker.inbox import SignalInbox
from sanic.worker.inspector.process import Inspection
from sanic.worker.logs import Logging
from sanic.worker.manager import WorkerManager
from sanic.worker.progress import Progress
from sanic.worker.recycling import Recycling
from sanic.worker.reloader import Reloading
from sanic.worker.serve import serve_worker
from sanic.worker.settings import AppSettings, MainModule, Parcel, WorkerSettings
from sanic.worker.spawner import Spawner

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.worker.loader import AppLoader

#: Seconds that a worker has to end in, beyond those that its stop may take by the configuration.
_REST_SECONDS = 5.0
#: Seconds that clients which keep connections open have to send a last request to a worker that is replaced.
_LINGER_SECONDS = 1.0
#: The same in debug mode: they are near, and who develops waits for the new version.
_SHORT_LINGER_SECONDS = 0.1
#: Variables of the environment that are set while a server runs.
_RUNNING = "SANIC_SERVER_RUNNING"
_BANNER_SHOWN = "SANIC_MOTD_OUTPUT"


class _Interrupted(Exception):
    """The server was told to end before it had started."""


def serve_apps(primary: Sanic[Any, Any], secondary: list[Sanic[Any, Any]], loader: AppLoader | None) -> None:
    """Serve applications with worker processes until they are stopped; see `Sanic.serve`.

    Args:
        primary: The application whose settings count.
        secondary: The other ones.
        loader: Loads the primary application in a worker.

    Raises:
        ServerError: This is a worker itself, or the program is only being loaded.
        RuntimeError: Processes are started in another way already.
        ValueError: The start method is none.
        SystemExit: They could not be started, or were ended otherwise than in order.
    """
    if not primary.state.server_info:
        return
    _check_main_process()
    context = _start_context(type(primary))
    threads = threading.enumerate()
    with SignalInbox() as inbox, _environment():
        main = MainProcess(primary, secondary, loader, context, inbox)
        try:
            code = main.run()
        finally:
            main.close()
    if main.has_served:
        server_logger.info("Server Stopped")
    report_threads(threads)
    if code:
        raise SystemExit(code)


def _check_main_process() -> None:
    from multiprocessing import parent_process

    if parent_process() is not None and "SANIC_WORKER_PROCESS" in os.environ:
        raise ServerError(
            "A worker must not start a server of its own. A program that calls app.run() is imported again by each "
            'worker: put that call under `if __name__ == "__main__":`.'
        )
    check_not_loading()


def _start_context(cls: type[Sanic[Any, Any]]) -> Any:
    import multiprocessing

    wanted: Any = cls.start_method
    method: str = "spawn" if isinstance(wanted, Default) else wanted
    if method not in (known := multiprocessing.get_all_start_methods()):
        raise ValueError(f"Start method {method!r} is none: set Sanic.start_method to one of {', '.join(known)}.")
    if cls.START_METHOD_SET:
        return multiprocessing.get_context(multiprocessing.get_start_method(allow_none=True) or method)
    actual = multiprocessing.get_start_method(allow_none=True)
    if actual is None or cls.test_mode:
        multiprocessing.set_start_method(method, force=cls.test_mode)
    elif actual != method:
        raise RuntimeError(
            f"Start method '{method}' was requested, but '{actual}' was already set. Set Sanic.start_method = "
            f"'{actual}', or make the objects of multiprocessing in main_process_start."
        )
    return multiprocessing.get_context(method)


@contextmanager
def _environment() -> Iterator[None]:
    os.environ[_RUNNING] = "true"
    try:
        yield
    finally:
        for name in (_RUNNING, _BANNER_SHOWN):
            os.environ.pop(name, None)


class MainProcess:
    """One run of a server, as the main process sees it.

    Args:
        primary: The application whose settings count.
        secondary: The other ones.
        loader: Loads the primary application in a worker.
        context: A context of `multiprocessing`.
        inbox: The signals of this process.
    """

    def __init__(
        self,
        primary: Sanic[Any, Any],
        secondary: list[Sanic[Any, Any]],
        loader: AppLoader | None,
        context: Any,
        inbox: SignalInbox,
    ) -> None:
        self._primary = primary
        self._apps = [primary, *secondary]
        self._loader = loader
        self._context = context
        self._inbox = inbox
        # Not uvloop's: that would take the signals away from the inbox.
        self._loop = asyncio.SelectorEventLoop()
        #: Whether workers have been started.
        self.has_served = False
        self._sockets: list[Any] = []
        #: Those of them that workers serve.
        self._listeners: list[Any] = []
        self._paths: list[str] = []
        #: Unix sockets that nobody finds yet, and where they will be.
        self._unpublished: dict[str, str] = {}
        self._inspection: Inspection | None = None
        self._reloading: Reloading | None = None

    def run(self) -> int:
        """Serve until the end; returns the exit status."""
        self._complete_state()
        try:
            for app in self._apps:
                # Extensions have listeners of the main process, too.
                auto_extend(app)
        except ServerError as error:
            error_logger.error("Startup failed: %s", error)
            return 1
        try:
            return self._run()
        except _Interrupted:
            self._inbox.take()
            logger.info("Stopped before the start was complete.")
            return 0
        except Exception as error:
            if isinstance(error, (OSError, ValueError)):
                error_logger.error("Startup failed: %s", message_of(error))
            else:
                error_logger.exception("The main process failed.")
            return 1
        finally:
            self._close_sockets()
            try:
                self._run_listeners("main_process_stop")
            except Exception:
                error_logger.exception("A listener of main_process_stop failed.")

    def _run(self) -> int:
        self._run_listeners("main_process_start")
        self._bind()
        self._show()
        manager = self._make_manager()
        inspector = self._inspection.add_to(manager) if self._inspection is not None else None
        for app in self._apps:
            app._manager = manager
            app._inspector = inspector
        if any(
            hasattr(listener, "ends_privileges") for listener in self._primary.listeners.get("main_process_ready", ())
        ):
            self._publish()
        self._run_listeners("main_process_ready")
        self.has_served = True
        progress = Progress(manager)

        def turn() -> None:
            progress.show()
            if self._unpublished and any(worker.state is ProcessState.ACKED for worker in manager.workers):
                self._publish()

        manager.on_turn = turn
        progress.show()
        try:
            return manager.run()
        finally:
            progress.close()

    def close(self) -> None:
        """Forget the run."""
        self._loop.close()
        if self._reloading is not None:
            self._reloading.close()
        for app in self._apps:
            app._manager = app._inspector = None
            app.state.end_run()

    def _complete_state(self) -> None:
        primary = self._primary
        if primary.state.fast:
            affinity = getattr(os, "sched_getaffinity", None)
            primary.state.workers = len(affinity(0)) if affinity else os.cpu_count() or 1
        count = primary.state.workers = max(1, primary.state.workers)
        for app in self._apps[1:]:
            app.state.primary = False
            if app.state.workers not in (0, 1, count):
                error_logger.warning("%s is served by the %s workers of %s.", app.name, count, primary.name)
            for event in [name for name, listeners in app.listeners.items() if listeners]:
                error_logger.warning("Listener %s of %s is ignored: only those of %s run.", event, app.name, primary)

    # -- Listeners ---------------------------------------------------------------------------------------------------

    def _run_listeners(self, event: str) -> None:
        listeners = list(self._primary.listeners.get(event, ()))
        is_stop = event == "main_process_stop"
        if is_stop:
            listeners.reverse()
        asyncio.set_event_loop(self._loop)
        try:
            # A listener that blocks the loop is not reached by a cancellation.
            with self._inbox.breakable():
                end = self._loop.run_until_complete(self._call(listeners))
        except KeyboardInterrupt as error:
            end = error
        finally:
            asyncio.set_event_loop(None)
        if isinstance(end, SystemExit):
            raise end
        if (end is not None or self._inbox.is_interrupted) and not is_stop:
            raise _Interrupted

    async def _call(self, listeners: list[Any]) -> BaseException | None:
        async def call() -> BaseException | None:
            for listener in listeners:
                if self._inbox.is_interrupted:
                    break
                try:
                    await call_listener(listener, self._primary, self._loop)
                except (SystemExit, KeyboardInterrupt) as error:
                    # Raised out of a task it would tear the loop, which the last listeners need, too.
                    return error
            return None

        task = self._loop.create_task(call(), name="listeners of the main process")
        self._loop.add_reader(self._inbox.waitable, self._cancel_if_interrupted, task)
        try:
            await asyncio.wait([task])
        finally:
            self._loop.remove_reader(self._inbox.waitable)
        return None if task.cancelled() else task.result()

    def _cancel_if_interrupted(self, task: asyncio.Task[Any]) -> None:
        self._inbox.drain()
        if self._inbox.is_interrupted:
            task.cancel()

    # -- Addresses ---------------------------------------------------------------------------------------------------

    def _bind(self) -> None:
        for app in self._apps:
            for info in list(app.state.server_info):
                try:
                    self._settle_protection(app, info.settings)
                    sock = configure_socket(info.settings, is_published=False)
                except (OSError, ValueError) as error:
                    if app is self._primary:
                        raise
                    error_logger.warning("%s is not served: %s", app.name, message_of(error))
                    app.state.server_info.remove(info)
                    continue
                if sock is not None:
                    self._sockets.append(sock)
                    self._listeners.append(sock)
                    if info.settings.get("unix"):
                        self._unpublished[sock.getsockname()] = info.settings["unix"]
        self._inspection = Inspection.prepare(self._apps)
        if self._inspection is not None:
            self._sockets.append(self._inspection.sock)

    def _settle_protection(self, app: Sanic[Any, Any], settings: dict[str, Any]) -> None:
        settings["ssl"] = settle(settings.get("ssl"), app)
        if self._context.get_start_method() != "fork":
            check_sendable(settings["ssl"])

    def _close_sockets(self) -> None:
        # When the end begins: as soon as no worker accepts connections any more, nobody may wait for one.
        while self._sockets:
            self._sockets.pop().close()
        while self._paths:
            remove_unix_socket(self._paths.pop())
        while self._unpublished:
            with suppress(FileNotFoundError):
                os.unlink(self._unpublished.popitem()[0])

    def _publish(self) -> None:
        # Not before somebody serves there: until then an older server keeps its place, and for good if this one fails.
        while self._unpublished:
            temporary, path = self._unpublished.popitem()
            try:
                publish_unix_socket(temporary, path)
            except OSError as error:
                error_logger.error("Nobody can reach the server: %s", message_of(error))
            else:
                self._paths.append(path)

    def _show(self) -> None:
        primary = self._primary
        primary.motd(primary.state.server_info[0].settings)
        os.environ[_BANNER_SHOWN] = "true"
        warn(primary)

    def _make_manager(self) -> WorkerManager:
        primary = self._primary
        config = primary.config
        seconds, rest = config.GRACEFUL_SHUTDOWN_TIMEOUT, _REST_SECONDS
        if is_developed(primary):
            seconds, rest = min(seconds, PATIENCE_SECONDS), 2 * PATIENCE_SECONDS
        seconds += config.DRAIN_SECONDS + LAST_LISTENERS_SECONDS + rest
        # In debug mode somebody may have stopped a worker with a debugger.
        hang_timeout = 0.0 if primary.debug else config.WORKER_HANG_TIMEOUT or 0.0
        main = MainModule({}) if self._loader is not None and self._loader.module_input else MainModule.current()
        reloading = self._reloading = Reloading.prepare(self._apps, self._context.get_start_method())
        manager = WorkerManager(
            primary.state.workers,
            Parcel(_Serving(self._apps, self._loader)),
            Spawner(
                self._context,
                main,
                reloading.reporter if reloading is not None else None,
                Parcel(Logging.of(primary)),
                self._listeners,
            ),
            self._inbox,
            commands=self._context.Pipe(duplex=False),
            grace=seconds,
            linger=_SHORT_LINGER_SECONDS if primary.debug else _LINGER_SECONDS,
            hang_timeout=hang_timeout,
            recycling=Recycling(config.WORKER_MAX_REQUESTS, config.WORKER_MAX_REQUESTS_JITTER, config.WORKER_MAX_RSS),
            is_developed=reloading is not None,
            on_stop=self._close_listeners,
        )
        if reloading is not None:
            reloading.add_to(manager, main, self._loader)
        return manager

    def _close_listeners(self) -> None:
        while self._sockets:
            self._sockets.pop().close()


class _Serving:
    """What a worker runs, put together each time that one is started: `shared_ctx` may have been filled since."""

    def __init__(self, apps: list[Sanic[Any, Any]], loader: AppLoader | None) -> None:
        self._apps = apps
        self._loader = loader

    def __iter__(self) -> Iterator[Any]:
        settings = WorkerSettings(tuple(AppSettings.of(app) for app in self._apps), self._loader)
        return iter((serve_worker, {"settings": settings}))

    def __reduce__(self) -> Any:
        return tuple, (list(self),)
