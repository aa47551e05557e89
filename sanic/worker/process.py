"""One process of a server, by name: a small state machine over the runs that take their turns under that name.

It starts nothing and decides nothing; that is for the manager.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from sanic.worker.constants import ProcessState as State
from sanic.worker.settings import Parcel

if TYPE_CHECKING:
    from sanic.worker.messages import Beat
    from sanic.worker.spawner import Handle


class Event(Enum):
    """What can happen to a process."""

    START = auto()
    LOADED = auto()
    ACK = auto()
    RESTART = auto()
    STOP = auto()
    ENDED_WELL = auto()
    ENDED_BADLY = auto()
    JOIN = auto()


_RUNNING = (State.STARTING, State.STARTED, State.ACKED, State.RESTARTING, State.TERMINATED)
_OVER = (State.NONE, State.IDLE, State.JOINED, State.TERMINATED, State.FAILED, State.COMPLETED)

#: What follows; an event that is not here changes nothing.
_NEXT: dict[tuple[State, Event], State] = {
    **{(state, Event.START): State.STARTING for state in (*_OVER, State.RESTARTING)},
    (State.STARTING, Event.LOADED): State.STARTED,
    (State.STARTING, Event.ACK): State.ACKED,
    (State.STARTED, Event.ACK): State.ACKED,
    (State.RESTARTING, Event.ACK): State.ACKED,
    **{(state, Event.RESTART): State.RESTARTING for state in (State.STARTING, State.STARTED, State.ACKED)},
    **{(state, Event.STOP): State.TERMINATED for state in _RUNNING},
    **{(state, Event.ENDED_WELL): State.COMPLETED for state in (State.STARTING, State.STARTED, State.ACKED)},
    **{(state, Event.ENDED_BADLY): State.FAILED for state in (State.STARTING, State.STARTED, State.ACKED)},
    **{(state, Event.JOIN): State.JOINED for state in (State.TERMINATED, State.FAILED, State.COMPLETED)},
}


#: What share of the time a process uses a processor that is busy, and does not just wait.
_BUSY_SHARE = 0.02
#: What is told of a worker's work.
COUNTERS = ("requests", "connections", "rss")


class Run:
    """One run of a process, from its start to its end.

    Args:
        handle: The process of the operating system.
        now: The time, in seconds of the manager's clock.
        max_requests: After how many requests it is to be replaced; 0 for never.
    """

    def __init__(self, handle: Handle, now: float, max_requests: int = 0) -> None:
        self.handle = handle
        self.started_at = self.last_sign = now
        self.acked_at: float | None = None
        self.is_loaded = False
        self.is_stopping = False
        self.kill_at: float | None = None
        #: Why it could not start, in its own words.
        self.reason = ""
        #: What it has told of its work, and from when on it may be replaced because of that.
        self.requests = self.connections = self.rss = 0
        self.max_requests = max_requests
        self.recycle_after = now
        #: Whether states of other processes could not be told, since it did not listen.
        self.has_missed = False
        self._used = 0.0

    def sign(self, now: float) -> None:
        """It has given a sign of life."""
        self.last_sign = now
        if self.acked_at is None:
            self._used = self.handle.processor_time()

    def computes(self, now: float) -> bool:
        """Whether it has been busy since its last sign, maybe with something that lets no thread of it tell so."""
        return self.handle.processor_time() - self._used > _BUSY_SHARE * (now - self.last_sign)

    def count(self, beat: Beat) -> None:
        """It has told how it does."""
        self.requests, self.connections, self.rss = beat.requests, beat.connections, beat.rss


class WorkerProcess:
    """One process, by name.

    Args:
        name: Its name.
        group: The name that it was managed under, which several processes may share.
        ident: What its log lines begin with.
        parcel: What it runs.
        transient: Whether it is replaced together with the workers.
        restartable: Whether it may be started again.
        tracked: Whether it is known of when it has ended.
        auto_start: Whether it starts with the server.
        is_server: Whether it is a worker that serves.
    """

    def __init__(
        self,
        name: str,
        group: str,
        ident: str,
        parcel: Parcel,
        *,
        transient: bool,
        restartable: bool,
        tracked: bool = True,
        auto_start: bool = True,
        is_server: bool = False,
    ) -> None:
        self.name = name
        self.group = group
        self.ident = ident
        self.parcel = parcel
        self.transient = transient
        self.restartable = restartable
        self.tracked = tracked
        self.auto_start = auto_start
        self.is_server = is_server
        self.state = State.NONE
        #: The run that counts, the one that is to take its place, and those that are on their way out.
        self.run: Run | None = None
        self.successor: Run | None = None
        self.retiring: list[Run] = []
        #: When it is to be started, and whether it is as soon as its run has ended.
        self.start_at: float | None = None
        self.is_restarting = False
        self.is_removed = False
        #: Whether it is started again when it ends by itself, though it is no worker.
        self.is_revived = False
        #: How often in a row it has ended soon after its start.
        self.failures = 0
        self._starts = 0
        self._start_time: datetime | None = None
        self._restart_time: datetime | None = None
        self._is_serving = False
        self._notes: dict[str, Any] = {}

    @property
    def pid(self) -> int | None:
        """Id of the process that runs, if one does."""
        return self.run.handle.pid if self.run is not None else None

    @property
    def runs(self) -> Iterator[Run]:
        """All runs that have not ended."""
        for run in (self.run, self.successor, *self.retiring):
            if run is not None:
                yield run

    @property
    def is_over(self) -> bool:
        """Whether nothing runs."""
        return self.run is None and self.successor is None and not self.retiring

    def advance(self, event: Event) -> None:
        """Something has happened."""
        self.state = _NEXT.get((self.state, event), self.state)

    def begin(self, run: Run) -> None:
        """A run has been started."""
        now = datetime.now(timezone.utc)
        if self._starts:
            self._restart_time = now
        else:
            self._start_time = now
        self._starts += 1
        self.start_at = None
        if self.run is None:
            self.run = run
            self.is_restarting = False
            self.advance(Event.START)
        else:
            self.successor = run
            self.advance(Event.RESTART)

    def promote(self) -> Run | None:
        """Let the successor take the place of the run; returns that."""
        previous, self.run, self.successor = self.run, self.successor, None
        if previous is not None:
            self.retiring.append(previous)
        return previous

    def end(self, run: Run, is_well: bool) -> None:
        """A run has ended."""
        if run is self.run:
            self.run = None
            self._is_serving = False
            self.advance(Event.ENDED_WELL if is_well else Event.ENDED_BADLY)
        elif run is self.successor:
            self.successor = None
            if self.state is State.RESTARTING and not self.is_restarting:
                self.advance(Event.ACK)
        elif run in self.retiring:
            self.retiring.remove(run)

    def note(self, run: Run, key: str, value: Any) -> None:
        """The process wants something to be known."""
        if run is self.run or run is self.successor:
            self._notes[key] = value

    def set_serving(self, run: Run, is_serving: bool) -> None:
        """The process has begun, or ceased, to accept connections."""
        if run is self.run:
            self._is_serving = is_serving

    def describe(self) -> dict[str, Any]:
        """What is told of it."""
        state: dict[str, Any] = {"restarts": max(0, self._starts - 1)}
        if self.is_server:
            state |= {key: getattr(self.run, key, 0) for key in COUNTERS}
        state |= {
            # What an application has kept under such a name it keeps.
            **self._notes,
            "server": self.is_server,
            "state": self.state.name,
            "pid": self.pid,
            "start_at": self._start_time,
            "starts": self._starts,
        }
        if self.is_server:
            state["serving"] = self._is_serving
        if self._restart_time is not None:
            state["restart_at"] = self._restart_time
        return state

    def __repr__(self) -> str:
        return f"<WorkerProcess {self.name} {self.state.name} pid={self.pid}>"
