"""A worker that serves: finds the applications, makes them what the main process says, lives the life of a server.

That life stands in `sanic.server.life`; how the process was started this module does not know.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sanic.application.settings import apply_mode
from sanic.application.state import ApplicationServerInfo
from sanic.exceptions import SanicException
from sanic.log import error_logger
from sanic.server.life import Address, StartupFailed, Worker
from sanic.worker.child import Link, Requests, StartRefused
from sanic.worker.development import PATIENCE_SECONDS, is_developed
from sanic.worker.loader import TargetError
from sanic.worker.memory import Memory
from sanic.worker.messages import Beat
from sanic.worker.multiplexer import WorkerMultiplexer
from sanic.worker.settings import AppSettings, WorkerSettings
from sanic.worker.terminal import read_from_terminal

_BEAT_SECONDS = 1.0


class Pulse:
    """Sees that the loop turns, and tells whether it has since it was last asked, and what the worker does.

    Args:
        worker: The worker.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._memory = Memory()
        self._has_turned = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to count, within the loop."""
        self._has_turned = True
        loop.call_later(_BEAT_SECONDS, self.start, loop)

    def take(self) -> Beat | None:
        """What is to be told, None if the loop stands."""
        if self._has_turned:
            self._has_turned = False
            return self.count()
        return None

    def count(self) -> Beat:
        """What the worker does."""
        return Beat(self._worker.requests, self._worker.connections, self._memory.resident())


def serve_worker(link: Link, requests: Requests, settings: WorkerSettings) -> None:
    """Serve the applications until this process is told to stop.

    Args:
        link: The link to the manager.
        requests: Tells that the worker is to stop.
        settings: What is to be served.

    Raises:
        StartRefused: It could not be started; the message says why.
        SystemExit: It failed after the start, and has said so.
        Exception: What a listener raised at the start.
    """
    multiplexer = WorkerMultiplexer(link, link.states)
    apps = find_apps(settings)
    addresses = []
    for app, known in zip(apps, settings.apps, strict=True):
        infos = apply_settings(app, known, is_primary=app is apps[0])
        app._multiplexer = multiplexer
        addresses += [Address(info.settings, info, is_secondary=app is not apps[0]) for info in infos]
    worker = Worker(apps, addresses, requests)
    pulse = Pulse(worker)
    has_started = False

    def on_serving(is_serving: bool) -> None:
        nonlocal has_started
        if is_serving and not has_started:
            has_started = True
            # Two that read from one terminal would each get half of what is typed.
            has_console = any(name.startswith("Sanic-Console") for name in tuple(link.states))
            if is_developed(apps[0]) and apps[0].state.workers <= 1 and not has_console:
                read_from_terminal()
            pulse.start(asyncio.get_running_loop())
            link.beat = pulse.take
            multiplexer.ack()
            link.send(pulse.count())
        multiplexer.set_serving(is_serving)
        worker.linger = link.linger
        if not is_serving and is_developed(apps[0]):
            config = apps[0].config
            config.GRACEFUL_SHUTDOWN_TIMEOUT = min(config.GRACEFUL_SHUTDOWN_TIMEOUT, PATIENCE_SECONDS)

    def on_stop() -> None:
        worker.is_replaced = link.is_replaced
        # Whoever starts the server anew wants its port.
        worker.is_urgent = link.is_orphaned

    worker.on_serving = on_serving
    worker.on_stop = on_stop
    try:
        worker.run()
    except Exception as error:
        if has_started:
            error_logger.exception("The worker failed after its start.")
            raise SystemExit(1) from error
        if isinstance(error, StartupFailed):
            raise StartRefused(str(error)) from error
        raise


def find_apps(settings: WorkerSettings) -> list[Any]:
    """The applications, in this process.

    Raises:
        StartRefused: One of them is not there.
        Exception: What the module, or the factory, of the primary one raised.
    """
    from sanic.app import Sanic

    apps: list[Any] = []
    try:
        # In a process that was forked it is there already, and a factory could not make another one of its name.
        if settings.loader is not None and settings.apps[0].name not in Sanic._app_registry:
            apps.append(settings.loader.load())
        apps += [Sanic.get_app(known.name) for known in settings.apps[len(apps) :]]
    except (TargetError, SanicException) as error:
        raise StartRefused(str(error)) from error
    return apps


def apply_settings(app: Any, known: AppSettings, *, is_primary: bool) -> list[ApplicationServerInfo]:
    """Make an application what the main process says; returns its addresses."""
    app.config.update(known.config)
    for name, value in known.state.items():
        setattr(app.state, name, value)
    app.state.primary = is_primary
    apply_mode(app, known.is_debug, known.verbosity)
    vars(app.shared_ctx).update(known.shared)
    app.shared_ctx.lock()
    app.state.server_info[:] = [ApplicationServerInfo(settings={"app": app, **address}) for address in known.addresses]
    return list(app.state.server_info)
