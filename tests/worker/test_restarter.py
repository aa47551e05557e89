"""Replacements that cross each other, and processes that are no workers among those that are replaced."""

from __future__ import annotations

import signal

from sanic.worker.constants import RestartOrder
from sanic.worker.messages import Ack, Loaded
from tests.worker.fleet import Fleet, Toy


def work() -> None:
    return None


def called(fleet: Fleet, name: str) -> list[Toy]:
    return [toy for toy in fleet.toys if toy.name == name]


def answer_stop(toy: Toy) -> None:
    """What was told to stop does so, late."""
    assert any(type(message).__name__ == "Stop" for message in toy.told)
    toy.code = 0


def test_a_process_that_is_no_worker_is_replaced_in_a_roll_without_a_second_one_beside_it() -> None:
    fleet = Fleet(1)
    fleet.manager.manage("extra", work, {}, transient=True)
    fleet.manager.start()
    server, extra = fleet.toys
    fleet.say(server, Loaded(), Ack())
    fleet.say(extra, Loaded())
    for _ in range(2):
        before = called(fleet, "Sanic-Server-0-0")[-1], called(fleet, "Sanic-extra-0")[-1]
        fleet.signal(signal.SIGHUP)
        assert before[1].code is None
        fleet.say(called(fleet, "Sanic-Server-0-0")[-1], Loaded(), Ack())
        fleet.say(called(fleet, "Sanic-extra-0")[-1], Loaded())
        assert [toy.code for toy in before] == [0, 0]
        assert fleet.names == ["Sanic-Server-0-0", "Sanic-extra-0"]
        assert fleet.states() == {"Sanic-Server-0-0": "ACKED", "Sanic-extra-0": "STARTED"}


def test_a_roll_that_fails_leaves_processes_that_are_no_workers_alone() -> None:
    fleet = Fleet(1)
    fleet.manager.manage("extra", work, {}, transient=True)
    fleet.started()
    fleet.signal(signal.SIGHUP)
    fleet.end(called(fleet, "Sanic-Server-0-0")[-1], 1)
    assert called(fleet, "Sanic-extra-0")[0].code is None
    assert fleet.names == ["Sanic-Server-0-0", "Sanic-extra-0"]


def test_a_worker_that_was_taken_away_is_not_started_again_while_its_predecessor_still_drains() -> None:
    fleet = Fleet(2).started()
    draining = fleet.toys[0]
    draining.is_obedient = False
    fleet.signal(signal.SIGHUP)
    fleet.ack()
    fleet.ack()
    fleet.manager.shutdown_server("Sanic-Server-0-0")
    fleet.turn()
    fleet.manager.restart()
    fleet.turn()
    assert called(fleet, "Sanic-Server-0-0") == [draining, fleet.toys[2]]
    answer_stop(draining)
    fleet.turn()
    fleet.ack()
    assert fleet.states() == {"Sanic-Server-1-0": "ACKED"}


def test_a_roll_does_not_begin_anew_what_stops_to_be_started_again() -> None:
    fleet = Fleet(2).started()
    first, second = fleet.toys
    second.is_obedient = False
    fleet.signal(signal.SIGHUP)
    # The second one waits for its turn, and is to be stopped first instead.
    fleet.manager.restart()
    fleet.turn()
    fleet.say(next(toy for toy in fleet.alive if toy is not second), Loaded(), Ack())
    assert first.code == 0
    assert called(fleet, "Sanic-Server-1-0") == [second]
    answer_stop(second)
    fleet.turn()
    fleet.ack()
    assert fleet.states() == dict.fromkeys(("Sanic-Server-0-0", "Sanic-Server-1-0"), "ACKED")
    before = fleet.alive
    fleet.manager.restart(restart_order=RestartOrder.SHUTDOWN_FIRST)
    fleet.turn()
    assert [toy.code for toy in before] == [0, 0]
    assert len(fleet.alive) == 2
