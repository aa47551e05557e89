"""The end of a server's connections; what comes before and after it is in the server's life."""

from __future__ import annotations

import asyncio
from typing import Any

from sanic.log import error_logger
from sanic.models.server_types import Signal

#: Seconds that connections which have been cut have to end.
_CUT_SECONDS = 1.0


async def drain(connections: set[Any], signal: Signal, timeout: float) -> None:
    """Close connections: idle ones at once, busy ones when they have answered, all of them in the end.

    Args:
        connections: The open connections.
        signal: Tells them that the server is stopping, and is told when the last of them is gone.
        timeout: Seconds after which those that are left are cut.
    """
    signal.stopped = True
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    if signal.linger and connections:
        # A client may be sending a request this very moment, on a connection that is idle as yet. It is answered, and
        # told that it was the last one.
        for connection in list(connections):
            connection.is_closing_soon = True
        if await signal.wait_closed(signal.linger):
            return
        # That time is the idle ones', not that of who waits for an answer.
        deadline += signal.linger
    for connection in list(connections):
        connection.close_if_idle()
    if connections and not await signal.wait_closed(max(0.0, deadline - loop.time())):
        number = len(connections)
        error_logger.warning(
            "%d connection%s did not end within %g seconds, and %s cut. GRACEFUL_SHUTDOWN_TIMEOUT bounds that time; in "
            "debug mode it is a second at most.",
            number,
            "" if number == 1 else "s",
            timeout,
            "is" if number == 1 else "are",
        )
        for connection in list(connections):
            connection.abort()
        await signal.wait_closed(_CUT_SECONDS)
