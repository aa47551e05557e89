"""The reloader: a process that watches the files of a program, and has its workers replaced when they change.

How changes are found stands in `watching.py`, which files there are in `sources.py`. What becomes of a version that
cannot be started is for the manager.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from sanic.application.listeners import call_listener
from sanic.log import error_logger, logger
from sanic.worker.child import Link, Linked, Requests
from sanic.worker.logs import Logging
from sanic.worker.messages import Reload
from sanic.worker.serve import apply_settings, find_apps
from sanic.worker.settings import AppSettings, MainModule, Parcel, WorkerSettings
from sanic.worker.sources import SourceReporter, forget_compiled, module_files, read_message
from sanic.worker.watching import Events, Polling, WatchedFiles, Watcher, best_way, look_at

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.worker.loader import AppLoader
    from sanic.worker.manager import WorkerManager

#: The process is called `Sanic-Reloader-0`.
_NAME = "Reloader"
_LISTENERS = ("reload_process_start", "before_reload_trigger", "after_reload_trigger", "reload_process_stop")
_LONGEST_MESSAGE = 1 << 16


# -- In the main process ----------------------------------------------------------------------------------------------


class Reloading:
    """A reloader that is to be started, and what it is told through.

    Args:
        apps: The applications, the primary one first.
        is_forked: Whether processes begin with all that the main process has imported.
    """

    def __init__(self, apps: list[Sanic[Any, Any]], is_forked: bool) -> None:
        self._apps = apps
        self._is_forked = is_forked
        # Of messages, which stay whole however many processes write, and whenever one of them is killed.
        self._inlet, self._outlet = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        #: For the processes whose files are watched.
        self.reporter = SourceReporter(self._outlet)

    @classmethod
    def prepare(cls, apps: list[Sanic[Any, Any]], start_method: str) -> Reloading | None:
        """Prepare to reload, if that is wanted.

        Args:
            apps: The applications, the primary one first.
            start_method: How processes are started.
        """
        if not any(app.auto_reload for app in apps):
            return None
        if start_method == "fork":
            error_logger.warning(
                "With the start method 'fork', a worker begins with all that the main process has imported: changes of "
                "these files have no effect. Use 'spawn' while you develop."
            )
        return cls(apps, start_method == "fork")

    def add_to(self, manager: WorkerManager, main: MainModule, loader: AppLoader | None) -> None:
        """Have the manager start it.

        Args:
            manager: The manager.
            main: The main module, which workers import.
            loader: Loads the primary application.
        """
        primary = self._apps[0]
        settings = None
        if any(primary.listeners.get(event) for event in _LISTENERS):
            # Without addresses: a socket that another process holds open takes connections that nobody answers.
            known = replace(AppSettings.of(primary), addresses=())
            settings = Parcel(WorkerSettings((known,), loader))
        files = WatchedFiles()
        # From here on, a change is seen even if the reloader is not there yet.
        files.add_files({path: look_at(path) for path in module_files() | _config_files(self._apps)})
        for app in self._apps:
            for directory in app.state.reload_dirs:
                files.add_directory(os.fspath(directory))
        plan = Plan(
            files=files,
            main=MainModule({}) if self._is_forked else main,
            settings=settings,
            logging=Parcel(Logging.of(primary)),
        )
        manager.manage(_NAME, Linked(run_reloader), {"inlet": self._inlet, "plan": plan}, restartable=True)
        for process in manager.processes:
            if process.group == _NAME:
                process.ident = _NAME
                process.is_revived = True
                # A program that cannot be imported is what it is there for.
                process.parcel.imports_main = False

    def close(self) -> None:
        """Forget about it."""
        self._inlet.close()
        self._outlet.close()


def _config_files(apps: list[Sanic[Any, Any]]) -> set[str]:
    return {path for app in apps for path in vars(app.config).get("_files", ())}


# -- In its own process -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """What the reloader has to know.

    Args:
        files: The files that the main process consists of, and the directories that are to be watched.
        main: The main module, which is imported only for the listeners in it.
        settings: How the application is found that has listeners of the reloader, None if it has none.
        logging: How lines are logged.

    Both may refer to what stands in the main module, or in one that cannot be imported at the moment.
    """

    files: WatchedFiles
    main: MainModule
    settings: Parcel | None
    logging: Parcel


def run_reloader(link: Link, requests: Requests, inlet: Any, plan: Plan) -> None:
    """Watch files until this process is told to stop.

    Args:
        link: The link to the manager.
        requests: Tells that the process is to end.
        inlet: Takes messages of the processes whose files are watched.
        plan: What is watched, and how.
    """
    os.environ["SANIC_RELOADER_PROCESS"] = "true"
    _set_up_logging(plan)
    requests.on_signal = _interrupt
    reloader = Reloader(link.send, inlet, plan, best_way())
    try:
        if not requests.count:
            reloader.run()
    except KeyboardInterrupt:
        pass
    finally:
        reloader.close()


def _set_up_logging(plan: Plan) -> None:
    try:
        plan.logging.open().set_up()
    except Exception:
        from sanic.logging.setup import apply_log_config, setup_logging

        apply_log_config()
        setup_logging(debug=True)


def _interrupt() -> None:
    raise KeyboardInterrupt


class Reloader:
    """Watches the files of a program, and asks for its workers to be replaced when they change.

    Args:
        send: Sends a message to the manager.
        inlet: Takes messages of the processes whose files are watched.
        plan: What is watched, and how.
        way: How it is known when to look.
    """

    def __init__(self, send: Callable[[Any], None], inlet: Any, plan: Plan, way: Events | Polling) -> None:
        self._send = send
        self._inlet = inlet
        self._files = plan.files
        self._watcher = Watcher(self._files, way)
        self._told: SimpleQueue[bytes] = SimpleQueue()
        self._listeners = ReloadListeners(plan) if plan.settings is not None else None

    def run(self) -> None:
        """Watch until interrupted.

        Raises:
            KeyboardInterrupt: The process is to end.
        """
        threading.Thread(target=self._receive, name="files of other processes", daemon=True).start()
        if self._listeners is not None:
            self._listeners.load()
        while True:
            self._take_told()
            changed = self._watcher.turn()
            if changed:
                self._reload(changed)

    def close(self) -> None:
        """The end has come."""
        if self._listeners is not None:
            self._listeners.close()

    def _receive(self) -> None:
        with suppress(OSError):
            while True:
                self._told.put(self._inlet.recv(_LONGEST_MESSAGE))

    def _take_told(self) -> None:
        with suppress(Empty):
            while True:
                loaded_after, paths = read_message(self._told.get_nowait())
                for path in paths:
                    if path.endswith(os.sep):
                        self._files.add_directory(path)
                    else:
                        self._files.add_file(path, loaded_after)

    def _reload(self, changed: set[str]) -> None:
        forget_compiled(changed)
        if self._listeners is not None:
            self._listeners.load()
            self._listeners.call("before_reload_trigger")
        self._send(Reload(tuple(sorted(changed))))
        if self._listeners is not None:
            self._listeners.call("after_reload_trigger", changed)


class ReloadListeners:
    """The listeners of the reloader, of the application as it was when it could first be imported.

    Args:
        plan: How it is found.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._app: Any = None
        self._is_repeated = False
        self._loop = asyncio.SelectorEventLoop()

    def load(self) -> None:
        """Import the application, unless that has been done, and run the listeners of the start."""
        if self._app is not None or self._plan.settings is None:
            return
        from sanic.app import Sanic

        try:
            if self._is_repeated:
                # What the earlier attempt has left behind.
                Sanic._app_registry.clear()
            self._is_repeated = True
            self._plan.main.load()
            settings = self._plan.settings.open()
            self._app = find_apps(settings)[0]
            apply_settings(self._app, settings.apps[0], is_primary=True)
        except Exception as error:
            # Workers fail in the same way, and tell it in full.
            logger.debug("The listeners of the reloader cannot be loaded yet: %s", error)
            return
        except SystemExit:
            return
        self.call("reload_process_start")

    def call(self, event: str, changed: set[str] | None = None) -> None:
        """Run the listeners of an event.

        Args:
            event: Its name.
            changed: The paths of the files that have changed, for those that want to know.
        """
        for listener in self._app.listeners.get(event, ()) if self._app is not None else ():
            if changed is not None and _takes_changed(listener):
                listener = partial(listener, changed=set(changed))
            try:
                self._run(call_listener(listener, self._app, self._loop))
            except Exception:
                error_logger.exception("A listener of %s failed.", event)

    def _run(self, coroutine: Any) -> None:
        asyncio.set_event_loop(self._loop)
        task = self._loop.create_task(coroutine)
        try:
            self._loop.run_until_complete(task)
        except KeyboardInterrupt:
            task.cancel()
            with suppress(asyncio.CancelledError, KeyboardInterrupt):
                self._loop.run_until_complete(task)
            raise

    def close(self) -> None:
        """Run the listeners of the end."""
        self.call("reload_process_stop")
        self._loop.close()


def _takes_changed(listener: Any) -> bool:
    try:
        parameters = signature(listener).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(parameter.name == "changed" or parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
