"""What the manager does for processes that are wanted although they serve nothing, as the inspector is."""

from __future__ import annotations

from sanic.worker.watch import MAX_FAILURES
from tests.worker.fleet import Fleet, Toy


def wanted() -> tuple[Fleet, str]:
    fleet = Fleet(workers=1)
    fleet.manager.manage("Inspector", print, {}, restartable=True)
    for process in fleet.manager.processes:
        process.is_revived = process.group == "Inspector"
    return fleet.started(), "Sanic-Inspector-0"


def runs_of(fleet: Fleet, name: str) -> list[Toy]:
    return [toy for toy in fleet.toys if toy.name == name]


def test_it_is_started_again_later_and_later_and_never_given_up() -> None:
    fleet, name = wanted()

    for count in range(1, MAX_FAILURES * 2):
        fleet.end(runs_of(fleet, name)[-1], 1)
        fleet.beat()
        fleet.pass_time(35)
        assert len(runs_of(fleet, name)) == count + 1

    assert fleet.manager.exit_code == 0
    assert not fleet.manager.is_stopping


def test_it_is_started_again_when_it_ends_in_order_by_itself() -> None:
    fleet, name = wanted()

    fleet.end(runs_of(fleet, name)[-1], 0)
    fleet.pass_time(2)

    assert len(runs_of(fleet, name)) == 2


def test_it_ends_with_the_server() -> None:
    fleet, name = wanted()

    fleet.manager.shutdown()
    fleet.pass_time(60)

    assert len(runs_of(fleet, name)) == 1
    assert fleet.names == []


def test_it_is_not_replaced_together_with_the_workers() -> None:
    fleet, name = wanted()

    fleet.manager.restart()
    fleet.turn()

    assert len(runs_of(fleet, name)) == 1
