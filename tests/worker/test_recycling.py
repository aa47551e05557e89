"""When workers have done enough, and what everybody knows of their work; in a world of toys."""

from __future__ import annotations

from typing import Any

import pytest

from sanic.worker.messages import Beat, Failed, Scale, States
from sanic.worker.recycling import Recycling
from tests.worker.fleet import Fleet, Toy

MIB = 1 << 20


def works(fleet: Fleet, toy: Toy, requests: int = 0, mebibytes: int = 10) -> None:
    fleet.say(toy, Beat(requests, 1, mebibytes * MIB))


def test_a_worker_that_has_served_enough_is_replaced_by_one_that_has_started_before_it_stops(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    fleet = Fleet(2, recycling=Recycling(100)).started()
    first, second = fleet.toys
    works(fleet, first, 99)
    assert len(fleet.toys) == 2
    works(fleet, first, 100)
    assert [toy.name for toy in fleet.toys[2:]] == [first.name]
    assert fleet.alive == [first, second, fleet.toys[2]]
    fleet.ack()
    assert fleet.alive == [second, fleet.toys[2]]
    assert "Sanic-Server-0-0 (pid 100) has served 100 requests (WORKER_MAX_REQUESTS): it is replaced." in caplog.text


def test_workers_that_have_served_enough_at_the_same_time_are_replaced_one_after_the_other() -> None:
    fleet = Fleet(3, recycling=Recycling(100)).started()
    for toy in fleet.toys[:3]:
        works(fleet, toy, 200)
    for count in (4, 5, 6):
        assert len(fleet.toys) == count
        fleet.ack()
    assert len(fleet.alive) == 3
    assert fleet.alive == fleet.toys[3:]


def test_the_jitter_is_drawn_for_each_worker_anew() -> None:
    drawn = iter([0, 50, 7, 7])
    asked: list[tuple[int, int]] = []

    def draw(low: int, high: int) -> int:
        asked.append((low, high))
        return next(drawn)

    fleet = Fleet(2, recycling=Recycling(100, 50, draw=draw)).started()
    works(fleet, fleet.toys[0], 100)
    works(fleet, fleet.toys[1], 149)
    fleet.ack()
    assert [toy.name for toy in fleet.toys[2:]] == ["Sanic-Server-0-0"]
    works(fleet, fleet.toys[1], 150)
    fleet.ack()
    assert [toy.name for toy in fleet.toys[3:]] == ["Sanic-Server-1-0"]
    assert asked[0] == (0, 50)


def test_a_worker_that_grows_too_large_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    fleet = Fleet(1, recycling=Recycling(max_rss=50)).started()
    works(fleet, fleet.toys[0], 1, 40)
    fleet.pass_time(11)
    works(fleet, fleet.toys[0], 2, 50)
    assert len(fleet.toys) == 1
    works(fleet, fleet.toys[0], 3, 51)
    assert len(fleet.toys) == 2
    assert "occupies 51 MiB of memory (WORKER_MAX_RSS): it is replaced." in caplog.text


def test_a_limit_that_no_worker_can_keep_is_complained_of_and_replaces_one_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fleet = Fleet(1, recycling=Recycling(max_rss=5)).started()
    for _ in range(59):
        works(fleet, fleet.toys[0], 1, 40)
        fleet.pass_time(1)
    assert len(fleet.toys) == 1
    assert caplog.text.count("WORKER_MAX_RSS=5 may be too little") == 1
    fleet.pass_time(1)
    works(fleet, fleet.toys[0], 1, 40)
    assert len(fleet.toys) == 2


def test_a_replacement_that_cannot_start_is_tried_again_later_and_the_old_worker_goes_on() -> None:
    fleet = Fleet(1, recycling=Recycling(100)).started()
    works(fleet, fleet.toys[0], 100)
    fleet.say(fleet.toys[1], Failed("no database"))
    fleet.end(fleet.toys[1], 1)
    for _ in range(29):
        works(fleet, fleet.toys[0], 100)
        fleet.pass_time(1)
    assert len(fleet.toys) == 2
    fleet.pass_time(1)
    works(fleet, fleet.toys[0], 100)
    assert len(fleet.toys) == 3
    assert fleet.alive == [fleet.toys[0], fleet.toys[2]]


def test_a_worker_that_stops_anyway_is_not_replaced() -> None:
    fleet = Fleet(2, recycling=Recycling(100)).started()
    fleet.toys[1].is_obedient = False
    fleet.say(fleet.toys[0], Scale(1))
    works(fleet, fleet.toys[1], 1000)
    assert len(fleet.toys) == 2


# -- What is known ----------------------------------------------------------------------------------------------------


def told(toy: Toy) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for message in toy.told:
        assert isinstance(message, States)
        known.update(message.states)
    return known


def test_everybody_knows_what_each_worker_does_but_is_not_told_all_the_time() -> None:
    fleet = Fleet(2).started()
    fleet.pass_time(2)
    first, second = fleet.toys
    fleet.say(first, Beat(5, 3, 7 * MIB))
    state = told(second)[first.name]
    assert (state["requests"], state["connections"], state["rss"], state["restarts"]) == (5, 3, 7 * MIB, 0)
    count = len(second.told)
    for number in range(10):
        fleet.say(first, Beat(6 + number, 3, 7 * MIB))
    assert len(second.told) == count
    assert fleet.waits[-1] is not None
    assert 0 < fleet.waits[-1] <= 1
    fleet.pass_time(1)
    assert len(second.told) == count + 1
    assert told(second)[first.name]["requests"] == 15
    assert fleet.manager.worker_state[first.name]["requests"] == 15


def test_the_counters_of_a_new_worker_begin_at_nothing_and_its_restarts_are_counted() -> None:
    fleet = Fleet(1).started()
    fleet.say(fleet.toys[0], Beat(5, 3, 7 * MIB))
    fleet.manager.restart()
    fleet.turn()
    fleet.ack()
    state = fleet.manager.worker_state["Sanic-Server-0-0"]
    assert (state["requests"], state["connections"], state["rss"]) == (0, 0, 0)
    assert (state["starts"], state["restarts"]) == (2, 1)


def test_a_process_that_does_not_listen_is_told_the_latest_when_it_does() -> None:
    fleet = Fleet(2).started()
    first, second = fleet.toys
    second.is_behind = True
    count = len(second.told)
    for number in range(5):
        fleet.pass_time(2)
        fleet.say(first, Beat(number + 1, 1, 1))
    assert len(second.told) == count
    second.is_behind = False
    fleet.turn()
    assert len(second.told) == count + 1
    assert second.told[-1].is_complete
    assert second.told[-1].states[first.name]["requests"] == 5
