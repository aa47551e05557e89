"""The patience of the manager: when a process must have given a sign, must have ended, is started again, and when
it is enough. It waits for nothing itself.
"""

from __future__ import annotations

import signal as signals
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sanic.log import error_logger
from sanic.worker.constants import ProcessState
from sanic.worker.process import Event, Run, WorkerProcess

if TYPE_CHECKING:
    from sanic.worker.manager import WorkerManager

#: Seconds until a process is started again, by how often in a row it has ended soon after its start.
BACK_OFF = (0.0, 0.1, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
#: So often, and while no worker serves, that is enough.
MAX_FAILURES = 6
#: A worker that has served for so many seconds has started well.
SETTLED_SECONDS = 10.0
#: Seconds that a process has to write down its stacks in.
_DUMP_SECONDS = 2.0
#: Seconds until a process that does not listen is told again what it is to know.
_RETRY_SECONDS = 0.2
#: When the manager itself has overslept by so much, the machine was suspended, and silence means nothing.
_OVERSLEPT_SECONDS = 5.0


class Watch:
    """Looks at the time.

    Args:
        manager: Has the processes, starts and stops them.
        clock: Tells the time, in seconds.
        hang_timeout: Seconds without a sign of its loop, after which a worker is replaced; 0 for never.
    """

    def __init__(self, manager: WorkerManager, clock: Callable[[], float], hang_timeout: float) -> None:
        self._manager = manager
        self._clock = clock
        self._hang_timeout = hang_timeout
        self._looked_at = clock()

    def forgive(self, due: float | None) -> None:
        """Begin to count anew, if the time since has not passed in an ordinary way."""
        now = self._clock()
        if due is not None and now > max(self._looked_at, due) + _OVERSLEPT_SECONDS:
            for process in self._manager.processes:
                for run in process.runs:
                    run.sign(now)

    def start_later(self, process: WorkerProcess) -> None:
        """Start a process again, the later the more often it has ended."""
        process.start_at = self._clock() + BACK_OFF[min(process.failures, len(BACK_OFF) - 1)]

    def ended(self, process: WorkerProcess, run: Run, code: int) -> None:
        """A worker has ended by itself: replace it, later if it ends again and again, or give up."""
        self._manager.restarter.forget(process)
        now = self._clock()
        if not self._manager.is_complete and (code or run.acked_at is None):
            self._manager.fail(f"{process.name} could not be started: {run.reason or how_it_ended(code)}")
            return
        if run.acked_at is not None and now - run.acked_at >= SETTLED_SECONDS:
            process.failures = 0
        else:
            process.failures += 1
        if process.failures >= MAX_FAILURES and not any(
            worker.state is ProcessState.ACKED for worker in self._manager.workers
        ):
            self._manager.exit_code = 1
            reason = run.reason or how_it_ended(code)
            error_logger.error("%s has ended %s times soon after its start: %s", process.name, process.failures, reason)
            error_logger.error("Workers keep dying at start. Giving up: see above for what they died of.")
            self._manager.kill()
            return
        if process.successor is not None:
            # The one that was to take its place has only to come up.
            process.promote()
            process.advance(Event.START)
            return
        self._start_again(process, run, code)

    def revive(self, process: WorkerProcess, run: Run, code: int) -> None:
        """A process that is no worker has ended by itself, and is wanted: start it again, but never give up for it."""
        has_settled = self._clock() - run.started_at >= SETTLED_SECONDS
        process.failures = 0 if has_settled else process.failures + 1
        self._start_again(process, run, code)

    def _start_again(self, process: WorkerProcess, run: Run, code: int) -> None:
        self.start_later(process)
        delay = (process.start_at or 0.0) - self._clock()
        when = f"in {round(delay, 1):g} s" if delay > 0 else "now"
        what = f"could not be started: {run.reason}" if run.reason else how_it_ended(code)
        error_logger.error("%s (pid %s) %s. It is replaced %s.", process.name, run.handle.pid, what, when)

    def _sign_due(self, process: WorkerProcess, run: Run) -> float | None:
        # When there must be a sign of life.
        if not process.is_server or run.is_stopping:
            return None
        if run.acked_at is not None and run.handle.mailbox is None:
            # It has said that it will say no more.
            return None
        if run.acked_at is None:
            return run.last_sign + self._manager.THRESHOLD / 10
        return run.last_sign + self._hang_timeout if self._hang_timeout else None

    def deadlines(self) -> Iterator[float]:
        """When something has to be done, whatever happens until then."""
        for process in self._manager.processes:
            if process.start_at is not None:
                yield process.start_at
            for run in process.runs:
                if run.handle.is_behind:
                    yield self._looked_at + _RETRY_SECONDS
                if run.kill_at is not None:
                    yield run.kill_at
                elif (due := self._sign_due(process, run)) is not None:
                    yield due

    def act(self) -> None:
        """Do what is due."""
        now = self._looked_at = self._clock()
        for process in self._manager.processes:
            if process.start_at is not None and now >= process.start_at:
                self._manager.start_process(process)
            for run in tuple(process.runs):
                if run.handle.is_behind:
                    run.handle.flush()
                due = self._sign_due(process, run)
                if run.kill_at is not None and now >= run.kill_at:
                    run.kill_at = None
                    error_logger.error("%s (pid %s) did not end in time, and is killed.", process.name, run.handle.pid)
                    run.handle.signal(signals.SIGKILL)
                elif due is not None and now >= due:
                    self._silent(process, run, now)

    def _silent(self, process: WorkerProcess, run: Run, now: float) -> None:
        if run.acked_at is None and run.computes(now):
            run.sign(now)
            return
        pid = run.handle.pid
        if run.acked_at is not None:
            seconds = self._hang_timeout
            error_logger.error("%s (pid %s) hangs: its loop stood for %g s. Replacing it.", process.name, pid, seconds)
        else:
            run.reason = f"it did not acknowledge its start within {self._manager.THRESHOLD / 10:g} s."
        # It writes its stacks and ends; if it cannot even do that, it is killed.
        run.is_stopping = True
        run.kill_at = now + _DUMP_SECONDS
        run.handle.signal(signals.SIGABRT)


def how_it_ended(code: int) -> str:
    """What an exit code means."""
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was ended by {signals.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
