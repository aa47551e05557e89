"""The listeners of one application: which there are, in what order they run, and how they are called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

Listener = Callable[..., Any]

#: Listener events that are signals of the server, too.
SERVER_EVENTS = {
    "before_server_start": "server.init.before",
    "after_server_start": "server.init.after",
    "before_server_stop": "server.shutdown.before",
    "after_server_stop": "server.shutdown.after",
}


async def call_listener(listener: Listener, app: Any, loop: asyncio.AbstractEventLoop | None) -> Any:
    """Call a listener with the application, or with application and loop if it wants both.

    Whether it does is found out by calling it, since wrappers hide what the function inside of them takes.

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
    return await result if isawaitable(result) else result


class ServerListeners:
    """The listeners of the four events of a server's life, in a worker."""

    def __init__(self) -> None:
        self._by_event: dict[str, list[tuple[tuple[int, bool, int], Listener]]] = {name: [] for name in SERVER_EVENTS}

    def add(self, listener: Listener, event: str, priority: int, from_blueprint: bool) -> None:
        """Add a listener; order is by priority, then application before blueprint, then registration."""
        listeners = self._by_event[event]
        listeners.append(((-priority, from_blueprint, len(listeners)), listener))
        listeners.sort(key=lambda item: item[0])

    async def run(self, event: str, app: Any, loop: asyncio.AbstractEventLoop) -> None:
        """Run the listeners of an event; those of a stop run in the reverse order of a start."""
        listeners = [listener for _, listener in self._by_event[event]]
        if event.endswith("_stop"):
            listeners.reverse()
        for listener in listeners:
            await call_listener(listener, app, loop)
