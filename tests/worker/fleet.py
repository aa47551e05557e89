"""A manager without processes: its spawner, signals, clock and waiting are toys that a test moves by hand."""

from __future__ import annotations

import signal
from typing import Any

from sanic.worker.manager import WorkerManager
from sanic.worker.messages import Ack, Beat, Loaded
from sanic.worker.settings import Parcel


class Toy:
    """A process that exists only in the test."""

    def __init__(self, name: str, pid: int) -> None:
        self.name = name
        self.pid = pid
        self.sentinel = ("sentinel", pid)
        self.mailbox: Any = ("mailbox", pid)
        self.signals: list[int] = []
        self.told: list[Any] = []
        self.messages: list[Any] = []
        self.code: int | None = None
        self.is_obedient = True
        self.used = 0.0

    def processor_time(self) -> float:
        return self.used

    def receive(self) -> list[Any]:
        messages, self.messages = self.messages, []
        return messages

    def send(self, message: Any) -> None:
        self.told.append(message)
        if type(message).__name__ == "Stop" and self.is_obedient:
            self.code = 0

    is_behind = False

    def flush(self) -> None:
        return None

    def signal(self, number: int) -> None:
        self.signals.append(number)
        if self.code is None and (self.is_obedient or number == signal.SIGKILL):
            self.code = 0 if number == signal.SIGINT else -number

    def reap(self) -> int | None:
        return self.code

    def trace(self) -> str:
        return ""

    def close(self) -> None:
        self.mailbox = None


class Signals:
    """The signals of the main process."""

    waitable = ("signals",)

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def take(self) -> list[int]:
        numbers, self.numbers = self.numbers, []
        return numbers


class Fleet:
    """A manager and its toys."""

    def __init__(self, workers: int = 2, **options: Any) -> None:
        self.now = 1000.0
        self.toys: list[Toy] = []
        self.waits: list[float | None] = []
        self.inbox = Signals()
        self.manager = WorkerManager(
            workers, Parcel(b""), self, self.inbox, clock=lambda: self.now, wait=self._wait, grace=20.0, **options
        )

    def spawn(self, name: str, parcel: Parcel, environment: dict[str, str], **options: Any) -> Toy:
        toy = Toy(name, 100 + len(self.toys))
        self.toys.append(toy)
        return toy

    def _wait(self, waited_for: list[Any], timeout: float | None) -> list[Any]:
        self.waits.append(timeout)
        ready: list[Any] = [self.inbox.waitable] if self.inbox.numbers else []
        for toy in self.toys:
            ready += [toy.mailbox] if toy.messages and toy.mailbox is not None else []
            ready += [toy.sentinel] if toy.code is not None else []
        return [thing for thing in ready if thing in waited_for]

    # -- What a test does --------------------------------------------------------------------------------------------

    def turn(self, count: int = 3) -> None:
        """Let the manager do what there is to do."""
        for _ in range(count):
            self.manager._turn()

    def pass_time(self, seconds: float, step: float = 1.0) -> None:
        while seconds > 0:
            self.now += min(step, seconds)
            seconds -= step
            self.turn()

    def started(self) -> Fleet:
        """All workers have been started, and have said so."""
        self.manager.start()
        self.ack()
        return self

    def ack(self) -> None:
        for toy in self.alive:
            if not any(isinstance(message, Ack) for message in toy.messages):
                toy.messages += [Loaded(), Ack()]
        self.turn()

    def beat(self) -> None:
        for toy in self.alive:
            toy.messages.append(Beat())

    def say(self, toy: Toy, *messages: Any) -> None:
        toy.messages += messages
        self.turn()

    def end(self, toy: Toy, code: int) -> None:
        toy.code = code
        self.turn()

    def signal(self, number: int) -> None:
        self.inbox.numbers.append(number)
        self.turn()

    # -- What it sees ------------------------------------------------------------------------------------------------

    @property
    def alive(self) -> list[Toy]:
        return [toy for toy in self.toys if toy.code is None]

    @property
    def names(self) -> list[str]:
        return sorted(toy.name for toy in self.alive)

    def states(self) -> dict[str, str]:
        return {process.name: process.state.name for process in self.manager.processes}
