"""What is different for the manager while somebody writes the program: versions that cannot be started are expected.

Such a version is told of, and the next change is waited for. How changes are seen this module does not know.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sanic.log import error_logger, logger
from sanic.worker.process import Event
from sanic.worker.terminal import TerminalSettings
from sanic.worker.watch import MAX_FAILURES, how_it_ended

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.worker.manager import WorkerManager
    from sanic.worker.process import Run, WorkerProcess

#: Seconds that requests have to finish when a worker ends: who develops waits for the new version.
PATIENCE_SECONDS = 1.0
#: So many files are named.
_MOST_NAMES = 3


class Development:
    """Replaces versions of a program.

    Args:
        manager: Stops and starts its processes.
        is_active: Whether there will be changes to wait for.
    """

    def __init__(self, manager: WorkerManager, is_active: bool) -> None:
        self._manager = manager
        self._is_active = is_active
        self._terminal = TerminalSettings() if is_active else None
        self._told = ""
        self._is_waiting = False

    def reload(self, changed: Sequence[str]) -> None:
        """Files have changed: replace all that runs their earlier version."""
        count = len(changed) - _MOST_NAMES
        names = [_short(path) for path in changed[:_MOST_NAMES]]
        more = [f"{count} more"] if count > 0 else []
        logger.info("Reloading: %s changed.", ", ".join([*names, *more]))
        self._told = ""
        self._is_waiting = False
        for process in self._manager.processes:
            if process.transient:
                process.failures = 0
        self._manager.restart()

    def ended(self, process: WorkerProcess, code: int) -> None:
        """A process has ended: one that was killed may have been in a debugger."""
        if self._terminal is not None and process.is_server and code < 0:
            self._terminal.restore()

    def takes(self, process: WorkerProcess, run: Run, code: int) -> bool:
        """A process has ended by itself: returns whether nothing is done about it until there is a change."""
        if not self._is_active:
            return False
        if process.is_server:
            # One that has served is worth to be started again, even this version of it.
            has_served = self._manager.is_complete and run.acked_at is not None
            if has_served and process.failures + 1 < MAX_FAILURES:
                return False
        elif not process.transient or not code:
            return False
        self._manager.restarter.forget(process)
        if process.successor is not None:
            process.promote()
            process.advance(Event.START)
            return True
        self._tell(process, run, code)
        return True

    def _tell(self, process: WorkerProcess, run: Run, code: int) -> None:
        # All of them run the same files, and fail for the same reason.
        reason = run.reason or how_it_ended(code)
        if reason == self._told:
            logger.debug("%s (pid %s) could not be started either.", process.name, run.handle.pid)
        else:
            self._told = reason
            what = f"could not be started: {run.reason}" if run.reason else f"{reason}."
            error_logger.error("%s (pid %s) %s", process.name, run.handle.pid, what)
        if not self._is_waiting:
            self._is_waiting = True
            logger.info("Waiting for a change of the files.")


def is_developed(app: Sanic[Any, Any]) -> bool:
    """Whether somebody is writing the application, and nobody but them uses it."""
    return app.debug and app.auto_reload


def _short(path: str) -> str:
    try:
        short = os.path.relpath(path)
    except ValueError:
        return path
    return path if short.startswith(os.pardir) else short
