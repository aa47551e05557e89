"""What `app.m` refuses where it is asked, instead of leaving it to the log of another process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from sanic.worker.messages import Note, Restart, Scale
from sanic.worker.multiplexer import WorkerMultiplexer


class Pipe:
    """Takes what can be sent to another process."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def send(self, message: Any) -> None:
        from multiprocessing.reduction import ForkingPickler

        ForkingPickler.dumps(message)
        self.messages.append(message)


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


@pytest.fixture
def multiplexer(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> WorkerMultiplexer:
    monkeypatch.setenv("SANIC_WORKER_NAME", "Sanic-Server-3-0")
    return WorkerMultiplexer(pipe, {"Sanic-Server-3-0": {"pid": 7}})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.restart(" , "), ValueError, "' , ' names no process to restart"),
        (lambda m: m.restart("one", all_workers=True), ValueError, "not both"),
        (lambda m: m.scale(0), ValueError, "Cannot scale to 0 workers"),
        (lambda m: m.scale("3"), TypeError, "Cannot scale to '3' workers: give a whole number"),
        (lambda m: m.scale(2.5), TypeError, "whole number"),
        (lambda m: m.scale(True), TypeError, "whole number"),
        (lambda m: m.manage("job", lambda: None, {}), TypeError, "at the top of a module"),
        (lambda m: m.manage("job", print, {"end": threading.Lock()}), TypeError, "process 'job'"),
        (lambda m: m.state.update(pid=1), LookupError, "kept by the manager"),
        (lambda m: m.state.update(lock=threading.Lock()), TypeError, "cannot pickle"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_sent(
    multiplexer: WorkerMultiplexer,
    pipe: Pipe,
    call: Callable[[WorkerMultiplexer], object],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        call(multiplexer)
    assert pipe.messages == []
    assert dict(multiplexer.state) == {"pid": 7}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.restart(), Restart(("Sanic-Server-3-0",))),
        (lambda m: m.reload("one, two,", zero_downtime=True), Restart(("one", "two"), zero_downtime=True)),
        (lambda m: m.restart(all_workers=True), Restart()),
        (lambda m: m.scale(3), Scale(3)),
        (lambda m: m.state.update(colour="blue"), Note("colour", "blue")),
    ],
)
def test_what_is_asked_for_reaches_the_manager(
    multiplexer: WorkerMultiplexer, pipe: Pipe, call: Callable[[WorkerMultiplexer], object], message: object
) -> None:
    call(multiplexer)
    assert pipe.messages == [message]
