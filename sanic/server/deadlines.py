"""One timer per worker.

Every connection writes down the time by which its current stage must be over; this timer looks at all of them at fixed
intervals and tells those that are late. Writing a deadline down costs nothing: it is the time of the last look plus a
timeout, and no timer is set or cancelled.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from sanic.http.framing import HeadWriter
from sanic.logging.loggers import error_logger

#: What a connection's deadline is while none applies.
NEVER = float("inf")

_SHORTEST_INTERVAL = 0.1
_LONGEST_INTERVAL = 1.0


class Timed(Protocol):
    """A connection with a deadline."""

    deadline: float

    def check_timeouts(self) -> None: ...

    def abort(self) -> None: ...


class Deadlines:
    """The clock of a worker.

    It stops by itself when there is nothing left to look at, and starts again with the next connection.

    Args:
        loop: The event loop.
        shortest_timeout: The shortest timeout in use, in seconds; see `look_for`.

    Attributes:
        now: Time of the last look, on the clock of the loop, in seconds.
        horizon: One interval after it. A deadline is this plus a timeout: a look may come one interval late, never
            early.
        heads: The writer of response heads, whose date is kept right.
        requests: How many requests have been answered.
    """

    __slots__ = ("_handle", "_loop", "_timed", "heads", "horizon", "interval", "now", "requests")

    def __init__(self, loop: asyncio.AbstractEventLoop, shortest_timeout: float = 0.0) -> None:
        self._loop = loop
        self._timed: set[Timed] = set()
        self._handle: asyncio.TimerHandle | None = None
        self.heads = HeadWriter()
        self.requests = 0
        self.look_for(shortest_timeout)

    def look_for(self, shortest_timeout: float) -> None:
        """Look as often as timeouts need that last so many seconds: after half of them, from 0.1 to 1 second."""
        self.interval = min(max(shortest_timeout / 2, _SHORTEST_INTERVAL), _LONGEST_INTERVAL)
        self.now = self._loop.time()
        self.horizon = self.now + self.interval

    def watch(self, timed: Timed) -> None:
        """Look at a connection from now on."""
        self._timed.add(timed)
        if self._handle is None:
            self._look()

    def forget(self, timed: Timed) -> None:
        """Look at a connection no longer."""
        self._timed.discard(timed)

    def after(self, seconds: float) -> float:
        """The deadline that lies `seconds` ahead."""
        return self.horizon + seconds

    def _look(self) -> None:
        self.now = now = self._loop.time()
        self.horizon = now + self.interval
        self.heads.refresh()
        if not self._timed:
            self._handle = None
            return
        self._handle = self._loop.call_later(self.interval, self._look)
        for timed in [timed for timed in self._timed if timed.deadline <= now]:
            self._tell(timed)

    def _tell(self, timed: Timed) -> None:
        # One that fails must not keep the others from being looked at.
        try:
            timed.check_timeouts()
        except Exception:
            error_logger.exception("The deadline of a connection could not be acted on; the connection is cut.")
            self._cut(timed)

    def _cut(self, timed: Timed) -> None:
        try:
            timed.abort()
        except Exception:
            error_logger.exception("A connection could not be cut; it is watched no longer.")
            self.forget(timed)
