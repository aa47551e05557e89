"""When a worker has done enough, and makes room for a new one; how it is replaced this does not know."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from sanic.log import error_logger

if TYPE_CHECKING:
    from sanic.worker.process import Run, WorkerProcess

_MEBIBYTE = 1 << 20
#: Seconds in which a worker that is too large is so because of the application, and the least that it serves then.
_YOUNG_SECONDS = 10.0
_LEAST_SECONDS = 60.0
#: Seconds until one that could not be replaced is tried again.
_AGAIN_SECONDS = 30.0


class Recycling:
    """The limits of a worker's life.

    Args:
        max_requests: Requests after which it is replaced; 0 for never.
        jitter: Up to so many more, drawn for each worker.
        max_rss: MiB of memory beyond which it is replaced; 0 for never.
        draw: Draws a whole number between two others, both included.
    """

    def __init__(
        self,
        max_requests: int = 0,
        jitter: int = 0,
        max_rss: float = 0,
        draw: Callable[[int, int], int] = random.randint,
    ) -> None:
        self._max_requests = int(max_requests)
        self._jitter = int(jitter)
        self._max_rss = max_rss
        self._draw = draw

    def limit(self) -> int:
        """After how many requests a worker that starts now is to be replaced; 0 for never."""
        if not self._max_requests:
            return 0
        return self._max_requests + (self._draw(0, self._jitter) if self._jitter else 0)

    def reason(self, process: WorkerProcess, run: Run, now: float) -> str:
        """Why a worker that has just told how it does is to be replaced; empty if it is not."""
        if run.is_stopping or run.acked_at is None or run is not process.run or now < run.recycle_after:
            return ""
        reason = ""
        if run.max_requests and run.requests >= run.max_requests:
            reason = f"has served {run.requests} requests (WORKER_MAX_REQUESTS)"
        elif self._max_rss and run.rss > self._max_rss * _MEBIBYTE:
            if now - run.acked_at < _YOUNG_SECONDS:
                self._complain(process, run)
                run.recycle_after = run.acked_at + _LEAST_SECONDS
                return ""
            reason = f"occupies {run.rss / _MEBIBYTE:.0f} MiB of memory (WORKER_MAX_RSS)"
        if reason:
            run.recycle_after = now + _AGAIN_SECONDS
        return reason

    def _complain(self, process: WorkerProcess, run: Run) -> None:
        # The next one would soon be no smaller.
        error_logger.error(
            "%s (pid %s) occupies %.0f MiB of memory soon after its start: WORKER_MAX_RSS=%g may be too little for "
            "this application. Workers are replaced for it no more often than every %g s.",
            process.name,
            run.handle.pid,
            run.rss / _MEBIBYTE,
            self._max_rss,
            _LEAST_SECONDS,
        )
