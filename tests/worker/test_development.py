"""What the manager does with versions of a program that cannot be started, in the world of toys."""

from __future__ import annotations

import signal

import pytest

from sanic.worker.messages import Ack, Failed, Loaded, Reload, Stop
from sanic.worker.watch import MAX_FAILURES
from tests.worker.fleet import Fleet, Toy


def fail(fleet: Fleet, toy: Toy, reason: str = "Traceback: bad") -> None:
    toy.messages.append(Failed(reason))
    fleet.end(toy, 1)


def test_a_change_replaces_all_that_is_transient_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "sanic.root")
    fleet = Fleet(2, is_developed=True)
    fleet.manager.manage("durable", print, {})
    fleet.manager.manage("transient", print, {}, transient=True)
    fleet.started()
    durable = next(toy for toy in fleet.toys if toy.name == "Sanic-durable-0")
    fleet.say(durable, Reload(("/srv/a.py", "/srv/b.py", "/srv/c.py", "/srv/d.py")))
    assert "Reloading: /srv/a.py, /srv/b.py, /srv/c.py, 1 more changed." in caplog.messages
    fleet.turn()
    assert len(fleet.toys) == 4 + 3
    assert durable in fleet.alive
    assert [toy.code for toy in fleet.toys[:2]] == [0, 0]
    assert all(any(isinstance(message, Stop) for message in toy.told) for toy in fleet.toys[:2])


def test_a_version_that_cannot_be_started_is_told_of_once_and_the_next_change_is_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "sanic.root")
    fleet = Fleet(2, is_developed=True)
    fleet.manager.start()
    for toy in fleet.alive:
        fail(fleet, toy)
    fleet.pass_time(100)
    assert fleet.alive == []
    assert not fleet.manager.is_stopping
    assert sum("Traceback: bad" in message for message in caplog.messages) == 1
    assert caplog.messages.count("Waiting for a change of the files.") == 1
    fleet.manager.development.reload(["/srv/a.py"])
    for toy in fleet.alive:
        fail(fleet, toy)
    assert sum("Traceback: bad" in message for message in caplog.messages) == 2
    fleet.manager.development.reload(["/srv/a.py"])
    fleet.ack()
    assert set(fleet.states().values()) == {"ACKED"}
    assert fleet.manager.is_complete


def test_without_reloading_the_same_ends_the_server() -> None:
    fleet = Fleet(1)
    fleet.manager.start()
    fail(fleet, fleet.toys[0])
    assert fleet.manager.is_stopping
    assert fleet.manager.exit_code == 1


def test_a_worker_that_has_served_is_started_again_but_not_for_ever() -> None:
    fleet = Fleet(1, is_developed=True).started()
    for number in range(1, MAX_FAILURES):
        fleet.end(fleet.alive[0], 7)
        while not fleet.alive:
            fleet.pass_time(1)
        assert len(fleet.toys) == 1 + number
        fleet.say(fleet.alive[0], Loaded(), Ack())
    fleet.end(fleet.alive[0], 7)
    fleet.pass_time(100)
    assert fleet.alive == []
    assert not fleet.manager.is_stopping
    fleet.manager.development.reload(["/srv/a.py"])
    assert len(fleet.alive) == 1


def test_changes_while_a_worker_is_being_imported_start_it_anew_at_once() -> None:
    fleet = Fleet(1, is_developed=True)
    fleet.manager.start()
    first = fleet.toys[0]
    fleet.manager.development.reload(["/srv/a.py"])
    fleet.turn()
    assert first.signals == [signal.SIGKILL]
    assert len(fleet.alive) == 1
    fleet.ack()
    assert fleet.states() == {"Sanic-Server-0-0": "ACKED"}


def test_the_end_is_not_kept_waiting_by_a_version_that_could_not_be_started() -> None:
    fleet = Fleet(1, is_developed=True)
    fleet.manager.start()
    fail(fleet, fleet.toys[0])
    fleet.inbox.numbers.append(signal.SIGINT)
    fleet.manager.monitor()
    assert fleet.manager.exit_code == 0
