"""What all processes are told of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sanic.worker.messages import States
from sanic.worker.process import COUNTERS

if TYPE_CHECKING:
    from sanic.worker.process import Run, WorkerProcess

#: Counters change all the time: of these alone processes are told no more often than every so many seconds.
_COUNTERS_SECONDS = 1.0

_States = dict[str, dict[str, Any]]


class Bulletin:
    """Tells every process the states of all, as soon as they change.

    Args:
        clock: Tells the time, in seconds.
        main: The state of the main process, as a mapping from its name.
    """

    def __init__(self, clock: Callable[[], float], main: _States) -> None:
        self._clock = clock
        self._told: _States = {}
        self._counters_at = clock()
        #: The states of all processes, by name.
        self.states: _States = dict(main)
        self._due: float | None = None

    def deadlines(self) -> Iterator[float]:
        """When there is something to tell."""
        if self._due is not None:
            yield self._due

    def tell(self, processes: Iterable[WorkerProcess]) -> None:
        """Tell what has changed."""
        processes = tuple(processes)
        now = self._clock()
        states = {process.name: process.describe() for process in processes}
        changes: dict[str, dict[str, Any] | None] = {
            name: state for name, state in states.items() if _differ(self._told.get(name), state)
        }
        changes.update({name: None for name in self._told if name not in states})
        self._due = None
        if changes and now < self._counters_at and self._are_counters(changes):
            self._due = self._counters_at
            changes = {}
        if changes:
            self._told = states
            self._counters_at = now + _COUNTERS_SECONDS
            # Others look at it, in threads of their own: at no time it is empty.
            self.states.update(states)
            for name in [name for name in changes if name not in states]:
                del self.states[name]
        message = States(changes)
        for process in processes:
            for run in process.runs:
                self._tell(run, message)

    def _tell(self, run: Run, message: States) -> None:
        if run.handle.is_behind:
            # It does not listen at the moment. When it does again, the latest states will do.
            run.has_missed = run.has_missed or bool(message.states)
        elif run.has_missed:
            self.tell_all(run)
        elif message.states:
            run.handle.send(message)

    def tell_all(self, run: Run) -> None:
        """Tell one run everything."""
        run.has_missed = False
        run.handle.send(States(dict(self.states), is_complete=True))

    def _are_counters(self, changes: dict[str, dict[str, Any] | None]) -> bool:
        return all(
            state is not None
            and name in self._told
            and not _differ(_without_counters(state), _without_counters(self._told[name]))
            for name, state in changes.items()
        )


def _without_counters(state: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key not in COUNTERS}


def _differ(one: object, other: object) -> bool:
    try:
        return bool(one != other)
    except Exception:
        # An application has put something there that cannot be compared, such as an array.
        return True
