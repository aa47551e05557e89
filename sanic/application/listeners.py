"""The listeners of one application: which there are, in what order they run, and how they are called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from inspect import isawaitable
from typing import Any

from sanic.log import deprecation

Listener = Callable[..., Any]

#: Listener events that are signals of the server, too.
SERVER_EVENTS = {
    "before_server_start": "server.init.before",
    "after_server_start": "server.init.after",
    "before_server_stop": "server.shutdown.before",
    "after_server_stop": "server.shutdown.after",
}


async def call_listener(
    listener: Listener, app: Any, loop: asyncio.AbstractEventLoop | None, *, is_deprecated: bool = False
) -> Any:
    """Call a listener with the application, or with application and loop if it wants both.

    Whether it does is found out by calling it, since wrappers hide what the function inside of them takes.

    Args:
        listener: The listener.
        app: The application.
        loop: The loop.
        is_deprecated: Whether those who want the loop are told not to.

    Raises:
        TypeError: It can be called neither way; the error of the first call.
    """
    try:
        result = listener(app)
    except TypeError as first:
        try:
            result = listener(app, loop)
        except TypeError:
            raise first from None
        if is_deprecated:
            name = getattr(listener, "__qualname__", repr(listener))
            deprecation(f"The listener {name} takes a loop: let it take the app only, which has it as app.loop.", 27.6)
    return await result if isawaitable(result) else result


class ServerListeners:
    """The listeners of the four events of a server's life, in a worker."""

    def __init__(self) -> None:
        self._by_event: dict[str, list[tuple[tuple[int, bool, int], Listener]]] = {name: [] for name in SERVER_EVENTS}

    def __contains__(self, event: object) -> bool:
        return event in self._by_event

    def add(self, listener: Listener, event: str, priority: int, from_blueprint: bool) -> None:
        """Add a listener; order is by priority, then application before blueprint, then registration."""
        listeners = self._by_event[event]
        listeners.append(((-priority, from_blueprint, len(listeners)), listener))
        listeners.sort(key=lambda item: item[0])

    def runner(self, event: str) -> Callable[..., Coroutine[Any, Any, None]]:
        """The signal handler that runs the listeners of an event; those of a stop run in reverse order."""

        async def run(app: Any, loop: asyncio.AbstractEventLoop) -> None:
            listeners = [listener for _, listener in self._by_event[event]]
            if event.endswith("_stop"):
                listeners.reverse()
            for listener in listeners:
                await call_listener(listener, app, loop, is_deprecated=True)

        run.__name__ = run.__qualname__ = event
        return run
