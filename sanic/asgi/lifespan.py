"""Start and stop of the application, as an ASGI server asks for them.

The two events of a start, and those of a stop, run in a row: what lies between them belongs to the server.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sanic.application.extension import auto_extend
from sanic.application.settings import apply_mode
from sanic.helpers import Default
from sanic.log import error_logger, logger

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.asgi.messages import Receive, Scope, Send


class Lifespan:
    """The life of an application under an ASGI server.

    Args:
        sanic_app: The application.
        scope: The lifespan scope.
        receive: Receives a message from the server.
        send: Sends one to it.
    """

    __slots__ = ("receive", "sanic_app", "scope", "send")

    def __init__(self, sanic_app: Sanic[Any, Any], scope: Scope, receive: Receive, send: Send) -> None:
        self.sanic_app = sanic_app
        self.scope = scope
        self.receive = receive
        self.send = send

    async def __call__(self) -> None:
        """Start and stop when the server says so, and tell it how that went."""
        while True:
            message = await self.receive()
            phase = message["type"]
            if phase not in ("lifespan.startup", "lifespan.shutdown"):
                continue
            try:
                await (self.startup() if phase == "lifespan.startup" else self.shutdown())
            except Exception as error:
                error_logger.exception("The application failed at %s.", phase)
                await self.send({"type": f"{phase}.failed", "message": f"{type(error).__name__}: {error}"})
                return
            await self.send({"type": f"{phase}.complete"})
            if phase == "lifespan.shutdown":
                return

    async def startup(self) -> None:
        """Freeze the application and run the listeners of its start.

        Raises:
            Exception: Whatever a listener raises.
        """
        await start(self.sanic_app)

    async def shutdown(self) -> None:
        """Run the listeners of the end, and end the background tasks between them.

        Raises:
            Exception: What a listener raised; the others have run all the same.
        """
        await stop(self.sanic_app)


async def start(app: Sanic[Any, Any]) -> None:
    """Start an application without a server of its own."""
    if not isinstance(app.config.get("USE_UVLOOP"), (Default, type(None))):
        error_logger.warning("USE_UVLOOP has no effect under an ASGI server: the loop is that server's choice.")
    for event, listeners in app.listeners.items():
        if listeners:
            error_logger.warning("Listener %s is ignored under an ASGI server: there is no main process.", event)
    apply_mode(app, app.debug, 0)
    app.state.is_running = True
    app.state.is_stopping = False
    auto_extend(app)
    try:
        await app._startup()
        await app._server_event("init", "before")
        await app._server_event("init", "after")
    except BaseException:
        _unfreeze(app)
        raise
    app.state.begin_serving(app)


async def start_late(app: Sanic[Any, Any]) -> None:
    """Start an application at its first request, under a server that has no lifespan; requests meanwhile wait."""
    starting: asyncio.Task[None] | None = app._late_start
    if starting is None:
        logger.warning(
            "The ASGI server does not speak lifespan: %r starts at its first request, and its listeners of the end "
            "will not run.",
            app,
        )
        starting = app._late_start = asyncio.ensure_future(start(app))
    try:
        await asyncio.shield(starting)
    finally:
        if starting.done():
            app._late_start = None


async def stop(app: Sanic[Any, Any]) -> None:
    """Stop an application without a server of its own; see `Lifespan.shutdown`."""
    deadline = asyncio.get_running_loop().time() + app.config.GRACEFUL_SHUTDOWN_TIMEOUT
    app.state.end_serving(app)
    app.state.is_stopping = True
    failure: Exception | None = None
    try:
        await app._server_event("shutdown", "before")
    except Exception as error:
        failure = error
    for shutdown in (app._tasks.shutdown, app.signal_router.shutdown):
        await shutdown(max(deadline - asyncio.get_running_loop().time(), 0.1))
    try:
        await app._server_event("shutdown", "after")
    except Exception as error:
        failure = failure or error
    _unfreeze(app)
    if failure is not None:
        raise failure


def _unfreeze(app: Sanic[Any, Any]) -> None:
    app.router.reset()
    app.signal_router.reset()
    app.state.is_started = app.state.is_running = app.state.is_stopping = False
