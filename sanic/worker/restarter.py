"""Which processes are replaced, and in what order; how one is stopped or started it leaves to the manager."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sanic.log import error_logger, logger
from sanic.worker.constants import ProcessState, RestartOrder

if TYPE_CHECKING:
    from sanic.worker.manager import WorkerManager
    from sanic.worker.process import Run, WorkerProcess

_FINISHED = (ProcessState.NONE, ProcessState.COMPLETED, ProcessState.FAILED, ProcessState.JOINED)


class Restarter:
    """Replaces processes.

    Args:
        manager: Stops and starts them.
    """

    def __init__(self, manager: WorkerManager) -> None:
        self._manager = manager
        # Those that are replaced by starting first, one after the other; the first of them is at it.
        self._rolling: deque[WorkerProcess] = deque()

    def restart(self, names: Iterable[str], order: RestartOrder) -> None:
        """Replace processes.

        Args:
            names: Names of processes; none for all that are transient.
            order: Whether a worker is stopped before, or after, the other one has started. A process that is no worker
                is always stopped first.
        """
        for process in self._chosen(tuple(names)):
            if process.run is None:
                self._manager.start_process(process)
            elif order is RestartOrder.SHUTDOWN_FIRST:
                self._replace(process)
            elif process not in self._rolling:
                self._rolling.append(process)
                if len(self._rolling) == 1:
                    self._begin()

    def _replace(self, process: WorkerProcess) -> None:
        if not process.is_restarting:
            self._manager.replace(process)

    def _chosen(self, names: tuple[str, ...]) -> list[WorkerProcess]:
        processes = [process for process in self._manager.processes if not process.is_removed]
        if not names:
            return [process for process in processes if process.transient]
        chosen = []
        for name in names:
            found = [process for process in processes if name in (process.name, process.group)]
            if not found:
                known = ", ".join(process.name for process in processes)
                error_logger.error("There is no process %s to restart. There are: %s.", name, known)
            chosen += [process for process in found if self._may_restart(process)]
        return chosen

    @staticmethod
    def _may_restart(process: WorkerProcess) -> bool:
        if process.transient or (process.restartable and process.state in _FINISHED):
            return True
        if process.restartable:
            error_logger.error("Cannot restart %s while it runs (%s).", process.name, process.state.name)
        else:
            error_logger.error("Cannot restart %s: it is not restartable.", process.name)
        return False

    def _begin(self) -> None:
        while self._rolling:
            process = self._rolling[0]
            if process.run is not None and not process.is_removed and not process.is_restarting:
                if not process.is_server:
                    # It never tells that it has started, and two of a kind may be one too many.
                    self._replace(process)
                elif self._manager.start_process(process):
                    return
            self._rolling.popleft()

    def started(self, process: WorkerProcess) -> None:
        """The successor of a process has started: the process may go, and the next one is replaced."""
        previous = process.promote()
        if previous is not None:
            logger.debug("%s is replaced by pid %s.", process.name, process.pid)
            self._manager.retire(process, previous)
        self._go_on(process)

    def failed(self, process: WorkerProcess, run: Run, reason: str) -> None:
        """The successor of a process could not start: nothing more is replaced, all others go on."""
        error_logger.error(
            "%s (pid %s) could not be started, so the ones that run are kept: %s",
            process.name,
            run.handle.pid,
            reason,
        )
        self._rolling.clear()

    def forget(self, process: WorkerProcess) -> None:
        """A process has ended by itself, or is not wanted any more."""
        self._go_on(process)

    def _go_on(self, process: WorkerProcess) -> None:
        if process in self._rolling:
            is_first = self._rolling[0] is process
            self._rolling.remove(process)
            if is_first:
                self._begin()
