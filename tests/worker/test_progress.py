"""The line that shows how far a server has come."""

from __future__ import annotations

import io
import signal

import pytest

from sanic.worker.progress import Progress
from tests.worker.fleet import Fleet


class Terminal(io.StringIO):
    """What a stream to a terminal says of itself."""

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        return [line for line in self.getvalue().replace("\033[K", "").split("\r") if line]


def shown(fleet: Fleet, stream: io.StringIO) -> Progress:
    progress = Progress(fleet.manager, stream)
    fleet.manager.on_turn = progress.show
    progress.show()
    return progress


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


def test_start_and_stop_are_counted_on_a_line_that_changes_in_place() -> None:
    fleet, stream = Fleet(2), Terminal()
    progress = shown(fleet, stream)
    fleet.started()
    fleet.turn()
    assert stream.lines == ["Starting workers, 0 of 2 ready"]
    assert stream.getvalue().endswith("\r\033[K")
    fleet.toys[0].is_obedient = False
    fleet.signal(signal.SIGTERM)
    fleet.turn()
    assert stream.lines[-1] == "Stopping, 1 process left"
    fleet.end(fleet.toys[0], 0)
    progress.close()
    assert "\n" not in stream.getvalue()
    assert stream.getvalue().endswith("\r\033[K")


def test_workers_that_are_ready_are_counted_one_by_one() -> None:
    from sanic.worker.messages import Ack, Loaded

    fleet, stream = Fleet(2), Terminal()
    shown(fleet, stream)
    fleet.manager.start()
    fleet.say(fleet.toys[1], Loaded(), Ack())
    assert stream.lines == ["Starting workers, 0 of 2 ready", "Starting workers, 1 of 2 ready"]


def test_nothing_is_written_where_there_is_no_terminal() -> None:
    fleet, stream = Fleet(2), io.StringIO()
    progress = shown(fleet, stream)
    fleet.started()
    progress.close()
    assert stream.getvalue() == ""


def test_a_terminal_that_cannot_move_its_cursor_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    fleet, stream = Fleet(2), Terminal()
    shown(fleet, stream)
    assert stream.getvalue() == ""
