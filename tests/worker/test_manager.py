"""What the manager does, in a world of toys: no process is started, and no time passes but what the test lets pass."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from sanic.worker.constants import ProcessState, RestartOrder
from sanic.worker.manager import WorkerManager
from sanic.worker.messages import (
    Ack,
    Beat,
    Failed,
    Loaded,
    Manage,
    Note,
    Progress,
    Restart,
    Scale,
    Serving,
    States,
    Terminate,
)
from sanic.worker.process import Event, WorkerProcess
from sanic.worker.settings import Parcel
from tests.worker.fleet import Fleet

SERVERS = ["Sanic-Server-0-0", "Sanic-Server-1-0"]


def test_workers_are_named_by_number_and_acknowledge_their_start() -> None:
    fleet = Fleet(2)
    fleet.manager.start()
    assert fleet.names == SERVERS
    assert set(fleet.states().values()) == {"STARTING"}
    fleet.say(fleet.toys[0], Loaded())
    assert fleet.states()[SERVERS[0]] == "STARTED"
    fleet.ack()
    assert set(fleet.states().values()) == {"ACKED"}
    fleet.manager.wait_for_ack()


def test_the_manager_sleeps_until_the_next_deadline_and_for_ever_if_there_is_none() -> None:
    fleet = Fleet(1)
    fleet.manager.start()
    fleet.turn(1)
    assert fleet.waits[-1] == WorkerManager.THRESHOLD / 10
    fleet.ack()
    assert fleet.waits[-1] is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_workers_in_order_and_the_status_is_0(number: int) -> None:
    fleet = Fleet(2).started()
    fleet.inbox.numbers.append(number)
    fleet.manager.monitor()
    assert fleet.manager.exit_code == 0
    assert [toy.signals for toy in fleet.toys] == [[signal.SIGINT], [signal.SIGINT]]


def test_a_second_signal_kills() -> None:
    fleet = Fleet(2).started()
    for toy in fleet.toys:
        toy.is_obedient = False
    fleet.signal(signal.SIGINT)
    assert len(fleet.alive) == 2
    fleet.now += 1
    fleet.signal(signal.SIGINT)
    assert not fleet.alive
    assert fleet.manager.exit_code == 1


def test_the_same_wish_told_twice_at_once_is_one() -> None:
    fleet = Fleet(1).started()
    fleet.toys[0].is_obedient = False
    fleet.signal(signal.SIGTERM)
    fleet.now += 0.01
    fleet.signal(signal.SIGTERM)
    assert fleet.alive


def test_what_does_not_end_in_time_is_killed() -> None:
    fleet = Fleet(1).started()
    fleet.toys[0].is_obedient = False
    fleet.signal(signal.SIGTERM)
    fleet.pass_time(19)
    assert fleet.alive
    fleet.pass_time(2)
    assert not fleet.alive


def test_a_worker_that_is_still_importing_is_not_waited_for() -> None:
    fleet = Fleet(1)
    fleet.manager.start()
    fleet.signal(signal.SIGTERM)
    assert fleet.toys[0].signals == [signal.SIGKILL]
    assert fleet.manager.exit_code == 0


def test_a_worker_that_has_just_been_loaded_may_end_in_order() -> None:
    fleet = Fleet(1)
    fleet.manager.start()
    fleet.toys[0].messages.append(Loaded())
    fleet.signal(signal.SIGTERM)
    assert fleet.toys[0].signals == [signal.SIGINT]


def test_a_worker_that_ended_of_the_same_signal_is_no_failed_start() -> None:
    fleet = Fleet(1)
    fleet.manager.start()
    fleet.toys[0].code = 0
    fleet.signal(signal.SIGINT)
    assert fleet.manager.exit_code == 0


# -- The start --------------------------------------------------------------------------------------------------------


def test_a_worker_that_fails_first_ends_everything_with_status_1_and_its_reason_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fleet = Fleet(2)
    fleet.manager.start()
    for toy in fleet.toys:
        toy.messages.append(Failed("no such table"))
    fleet.end(fleet.toys[0], 1)
    assert not fleet.alive
    assert fleet.manager.exit_code == 1
    assert caplog.text.count("no such table") == 1
    assert "Not all workers acknowledged a successful startup. Shutting down." in caplog.text


def test_a_worker_that_makes_no_progress_trips_the_threshold(caplog: pytest.LogCaptureFixture) -> None:
    fleet = Fleet(1)
    fleet.manager.start()
    fleet.pass_time(29)
    assert fleet.alive
    fleet.pass_time(2)
    assert not fleet.alive
    assert fleet.manager.exit_code == 1
    assert "did not acknowledge its start within 30 s" in caplog.text


def test_a_slow_import_does_not_trip_the_threshold_while_it_makes_progress() -> None:
    fleet = Fleet(1)
    fleet.manager.start()
    for _ in range(10):
        fleet.pass_time(20)
        fleet.say(fleet.toys[0], Progress())
    assert fleet.alive
    fleet.ack()
    assert fleet.states() == {SERVERS[0]: "ACKED"}


def test_a_start_that_computes_without_a_chance_to_tell_so_is_waited_for_until_it_only_waits() -> None:
    fleet = Fleet(1)
    fleet.manager.start()
    for _ in range(120):
        fleet.toys[0].used += 0.9
        fleet.pass_time(1)
    assert fleet.alive
    fleet.pass_time(65)
    assert not fleet.alive
    assert fleet.manager.exit_code == 1


def test_what_cannot_be_started_at_all_ends_everything(caplog: pytest.LogCaptureFixture) -> None:
    fleet = Fleet(2)

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise TypeError("cannot pickle 'generator' object")

    fleet.spawn = refuse  # type: ignore[method-assign]
    assert fleet.manager.run() == 1
    assert "cannot pickle 'generator' object" in caplog.text


# -- Deaths -----------------------------------------------------------------------------------------------------------


def test_a_worker_that_dies_is_replaced_at_once_when_it_had_served_for_a_while() -> None:
    fleet = Fleet(2).started()
    fleet.pass_time(60)
    fleet.end(fleet.toys[0], -signal.SIGKILL)
    assert fleet.names == SERVERS
    assert fleet.toys[2].name == SERVERS[0]


def test_a_worker_that_dies_again_and_again_is_replaced_later_each_time() -> None:
    fleet = Fleet(2).started()
    delays = []
    for _ in range(7):
        before = fleet.now
        fleet.end(next(toy for toy in fleet.alive if toy.name == SERVERS[0]), 1)
        while len(fleet.alive) < 2:
            fleet.pass_time(0.05)
        delays.append(round(fleet.now - before, 1))
        fleet.ack()
    assert delays == [0.1, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]


def test_the_manager_gives_up_when_no_worker_serves_and_they_keep_dying(caplog: pytest.LogCaptureFixture) -> None:
    fleet = Fleet(1).started()
    for _ in range(20):
        if fleet.alive:
            fleet.say(fleet.alive[0], Failed("no database"))
            fleet.end(fleet.alive[0], 1)
        fleet.pass_time(20)
    assert fleet.manager.exit_code == 1
    assert not fleet.alive
    assert "Workers keep dying at start. Giving up" in caplog.text


def test_a_worker_whose_loop_stands_is_made_to_show_its_stacks_and_replaced(caplog: pytest.LogCaptureFixture) -> None:
    fleet = Fleet(2, hang_timeout=10.0).started()
    hanging, turning = fleet.toys
    for _ in range(12):
        turning.messages.append(Beat())
        fleet.pass_time(1)
    assert hanging.signals == [signal.SIGABRT]
    assert not turning.signals
    assert "hangs: its loop stood for 10 s" in caplog.text
    fleet.pass_time(1)
    assert fleet.names == SERVERS


def test_a_hanging_worker_that_cannot_even_show_its_stacks_is_killed() -> None:
    fleet = Fleet(1, hang_timeout=10.0).started()
    fleet.toys[0].is_obedient = False
    fleet.pass_time(13)
    assert fleet.toys[0].signals == [signal.SIGABRT, signal.SIGKILL]


def test_a_worker_that_has_said_that_it_says_no_more_is_not_taken_for_one_that_hangs() -> None:
    fleet = Fleet(1, hang_timeout=10.0).started()
    fleet.toys[0].mailbox = None
    fleet.pass_time(60)
    assert fleet.toys[0].signals == []
    fleet.end(fleet.toys[0], -signal.SIGKILL)
    assert fleet.names == SERVERS[:1]


def test_no_worker_is_blamed_when_the_whole_machine_slept() -> None:
    fleet = Fleet(1, hang_timeout=10.0).started()
    fleet.now += 3600
    fleet.turn()
    assert fleet.toys[0].signals == []


# -- Restarts ---------------------------------------------------------------------------------------------------------


def test_a_hangup_replaces_one_worker_after_the_other_and_starts_before_it_stops() -> None:
    fleet = Fleet(2).started()
    first, second = fleet.toys
    fleet.signal(signal.SIGHUP)
    assert len(fleet.alive) == 3
    assert first.code is None
    fleet.ack()
    assert first.code == 0
    assert second.code is None
    fleet.ack()
    assert second.code == 0
    assert fleet.names == SERVERS
    assert set(fleet.states().values()) == {"ACKED"}


def test_a_roll_whose_new_worker_cannot_start_leaves_the_old_ones_alone(caplog: pytest.LogCaptureFixture) -> None:
    fleet = Fleet(2).started()
    first, second = fleet.toys
    fleet.signal(signal.SIGHUP)
    fleet.say(fleet.toys[2], Failed("SyntaxError"))
    fleet.end(fleet.toys[2], 1)
    assert fleet.alive == [first, second]
    assert set(fleet.states().values()) == {"ACKED"}
    assert "the ones that run are kept: SyntaxError" in caplog.text
    fleet.signal(signal.SIGHUP)
    assert len(fleet.alive) == 3


def test_a_worker_that_dies_while_its_successor_starts_is_followed_by_it() -> None:
    fleet = Fleet(1).started()
    fleet.signal(signal.SIGHUP)
    fleet.end(fleet.toys[0], -9)
    fleet.ack()
    fleet.pass_time(40)
    assert len(fleet.toys) == 2
    assert fleet.states() == {SERVERS[0]: "ACKED"}


def test_a_restart_that_stops_first_starts_when_the_old_one_has_ended() -> None:
    fleet = Fleet(2).started()
    fleet.toys[0].is_obedient = False
    fleet.say(fleet.toys[1], Restart((SERVERS[0],)))
    assert len(fleet.toys) == 2
    fleet.end(fleet.toys[0], 0)
    assert fleet.toys[2].name == SERVERS[0]


def test_the_publisher_of_the_main_process_takes_the_name_of_a_process() -> None:
    from multiprocessing import Pipe

    reader, writer = Pipe(duplex=False)
    fleet = Fleet(2, commands=(reader, writer)).started()
    fleet.manager.monitor_publisher.send(SERVERS[1])
    fleet.manager._take_commands()
    fleet.turn()
    assert fleet.toys[1].code == 0
    assert fleet.toys[2].name == SERVERS[1]
    reader.close()
    writer.close()


def test_a_restart_that_stops_first_takes_the_place_of_one_that_is_under_way(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fleet = Fleet(1).started()
    fleet.toys[0].is_obedient = False
    fleet.signal(signal.SIGHUP)
    fleet.say(fleet.toys[0], Restart((SERVERS[0],)))
    assert fleet.alive == [fleet.toys[0]]
    fleet.end(fleet.toys[0], 0)
    fleet.ack()
    assert len(fleet.toys) == 3
    assert fleet.states() == {SERVERS[0]: "ACKED"}
    assert "could not be started" not in caplog.text
    fleet.signal(signal.SIGHUP)
    fleet.ack()
    assert len(fleet.toys) == 4
    assert fleet.alive == [fleet.toys[3]]


def test_a_worker_that_is_taken_away_while_it_is_replaced_goes_with_its_successor() -> None:
    fleet = Fleet(2).started()
    fleet.signal(signal.SIGHUP)
    fleet.signal(signal.SIGHUP)
    assert len(fleet.toys) == 3
    fleet.manager.shutdown_server(SERVERS[0])
    fleet.turn()
    fleet.ack()
    assert fleet.names == [SERVERS[1]]
    assert list(fleet.states()) == [SERVERS[1]]
    assert len(fleet.alive) == 1
    assert fleet.alive[0] is not fleet.toys[1]


# -- Numbers ----------------------------------------------------------------------------------------------------------


def test_workers_are_added_and_taken_away_by_signals() -> None:
    fleet = Fleet(1).started()
    fleet.signal(signal.SIGTTIN)
    assert fleet.names == SERVERS
    fleet.ack()
    fleet.signal(signal.SIGTTOU)
    assert fleet.names == SERVERS[:1]
    fleet.signal(signal.SIGTTOU)
    assert fleet.names == SERVERS[:1]
    assert list(fleet.states()) == SERVERS[:1]


def test_scaling_up_uses_free_numbers_and_down_stops_what_is_too_much() -> None:
    fleet = Fleet(1).started()
    fleet.say(fleet.toys[0], Scale(4))
    assert len(fleet.names) == 4
    fleet.ack()
    fleet.say(fleet.toys[0], Scale(2))
    assert fleet.names == SERVERS
    with pytest.raises(ValueError, match="at least one"):
        fleet.manager.scale(0)


# -- Processes of the application -------------------------------------------------------------------------------------


def work() -> None:
    return None


def test_a_process_of_the_application_has_a_name_of_its_own_and_its_rules() -> None:
    fleet = Fleet(1)
    fleet.manager.manage("clock", work, {})
    fleet.manager.manage("cache", work, {}, transient=True, workers=2)
    with pytest.raises(ValueError, match="already"):
        fleet.manager.manage("clock", work, {})
    with pytest.raises(ValueError, match="already"):
        # It would be called as the worker is.
        fleet.manager.manage("Server-0", work, {})
    with pytest.raises(ValueError, match="transient"):
        fleet.manager.manage("other", work, {}, transient=True, restartable=False)
    fleet.started()
    assert fleet.names == ["Sanic-Server-0-0", "Sanic-cache-0", "Sanic-cache-1", "Sanic-clock-0"]
    assert [process.name for process in fleet.manager.durable_processes] == ["Sanic-clock-0"]


@pytest.mark.parametrize(
    ("options", "is_replaced"), [({"transient": True}, True), ({"restartable": True}, False), ({}, False)]
)
def test_restarting_all_replaces_what_is_transient(options: dict[str, Any], is_replaced: bool) -> None:
    fleet = Fleet(1)
    fleet.manager.manage("extra", work, {}, **options)
    fleet.started()
    fleet.manager.restart(restart_order=RestartOrder.SHUTDOWN_FIRST)
    fleet.turn()
    assert [toy.name for toy in fleet.toys].count("Sanic-extra-0") == (2 if is_replaced else 1)


def test_a_durable_process_is_restarted_by_name_when_it_has_ended(caplog: pytest.LogCaptureFixture) -> None:
    fleet = Fleet(1)
    fleet.manager.manage("job", work, {}, restartable=True)
    fleet.started()
    job = fleet.toys[1]
    fleet.manager.restart(["Sanic-job-0"])
    assert "Cannot restart Sanic-job-0 while it runs" in caplog.text
    fleet.end(job, 0)
    assert fleet.states()["Sanic-job-0"] == "COMPLETED"
    fleet.manager.restart(["Sanic-job-0"])
    assert len(fleet.toys) == 3


@pytest.mark.parametrize(("code", "state"), [(0, "COMPLETED"), (1, "FAILED"), (-9, "FAILED")])
def test_a_process_of_the_application_is_not_replaced_when_it_ends(code: int, state: str) -> None:
    fleet = Fleet(1)
    fleet.manager.manage("job", work, {})
    fleet.started()
    fleet.end(fleet.toys[1], code)
    fleet.pass_time(60)
    assert fleet.states()["Sanic-job-0"] == state
    assert len(fleet.toys) == 2


def test_what_is_not_tracked_is_forgotten_at_its_end_and_what_does_not_start_by_itself_waits() -> None:
    fleet = Fleet(1)
    fleet.manager.manage("gone", work, {}, tracked=False)
    fleet.manager.manage("later", work, {}, auto_start=False, restartable=True)
    fleet.started()
    assert fleet.states()["Sanic-later-0"] == "NONE"
    fleet.end(fleet.toys[1], 0)
    assert "Sanic-gone-0" not in fleet.states()
    fleet.manager.restart(["later"])
    assert "Sanic-later-0" in fleet.names


def test_a_worker_starts_a_process_at_run_time() -> None:
    fleet = Fleet(1).started()
    fleet.say(fleet.toys[0], Manage("extra", b"", False, None, False, True, 1))
    assert fleet.names == ["Sanic-Server-0-0", "Sanic-extra-0"]
    fleet.say(fleet.toys[0], Manage("extra", b"", False, None, False, True, 1))
    assert len(fleet.toys) == 2


# -- What is known ----------------------------------------------------------------------------------------------------


def test_every_process_is_told_the_states_of_all() -> None:
    fleet = Fleet(2).started()
    fleet.say(fleet.toys[0], Serving(True), Note("colour", "blue"))
    known: dict[str, Any] = {}
    for message in fleet.toys[1].told:
        assert isinstance(message, States)
        known.update(message.states)
    assert known["Sanic-Main"]["pid"]
    state = known[SERVERS[0]]
    assert (state["state"], state["serving"], state["colour"], state["starts"]) == ("ACKED", True, "blue", 1)
    assert state["start_at"].utcoffset().total_seconds() == 0
    assert fleet.manager.worker_state[SERVERS[0]] == state


def test_termination_asked_for_by_a_worker_ends_everything_with_status_0() -> None:
    fleet = Fleet(2).started()
    fleet.say(fleet.toys[0], Terminate())
    assert not fleet.alive
    assert fleet.manager.exit_code == 0


STATES = [
    (ProcessState.NONE, Event.START, ProcessState.STARTING),
    (ProcessState.STARTING, Event.LOADED, ProcessState.STARTED),
    (ProcessState.STARTED, Event.ACK, ProcessState.ACKED),
    (ProcessState.ACKED, Event.LOADED, ProcessState.ACKED),
    (ProcessState.ACKED, Event.RESTART, ProcessState.RESTARTING),
    (ProcessState.RESTARTING, Event.START, ProcessState.STARTING),
    (ProcessState.ACKED, Event.STOP, ProcessState.TERMINATED),
    (ProcessState.ACKED, Event.ENDED_WELL, ProcessState.COMPLETED),
    (ProcessState.STARTING, Event.ENDED_BADLY, ProcessState.FAILED),
    (ProcessState.TERMINATED, Event.ENDED_BADLY, ProcessState.TERMINATED),
    (ProcessState.TERMINATED, Event.JOIN, ProcessState.JOINED),
    (ProcessState.FAILED, Event.START, ProcessState.STARTING),
]


@pytest.mark.parametrize(("state", "event", "next_state"), STATES)
def test_the_state_of_a_process_follows_from_what_happens(
    state: ProcessState, event: Event, next_state: ProcessState
) -> None:
    process = WorkerProcess("a", "a", "a", Parcel(b""), transient=False, restartable=False)
    process.state = state
    process.advance(event)
    assert process.state is next_state


# -- What must not bring it down --------------------------------------------------------------------------------------


def test_a_worker_that_is_taken_away_before_it_has_started_does_not_keep_the_start_from_being_complete() -> None:
    fleet = Fleet(2)
    fleet.manager.start()
    fleet.say(fleet.toys[0], Loaded(), Ack())
    fleet.signal(signal.SIGTTOU)
    fleet.manager.wait_for_ack()
    fleet.end(fleet.toys[0], 1)
    fleet.pass_time(1)
    assert fleet.names == SERVERS[:1]
    assert fleet.manager.exit_code == 0


def test_a_machine_without_room_for_another_process_is_asked_again_later_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fleet = Fleet(2).started()
    fleet.pass_time(60)
    attempts = []
    spawn = fleet.spawn

    def refuse(*args: Any, **kwargs: Any) -> Any:
        attempts.append(fleet.now)
        raise OSError(24, "Too many open files")

    fleet.spawn = refuse  # type: ignore[method-assign]
    fleet.end(fleet.toys[0], -9)
    fleet.pass_time(60, step=0.5)
    assert 3 <= len(attempts) <= 8
    assert "Too many open files" in caplog.text
    fleet.spawn = spawn  # type: ignore[method-assign]
    fleet.pass_time(31)
    assert fleet.names == SERVERS


def test_a_process_that_is_wanted_is_tried_again_until_the_machine_has_room_for_it() -> None:
    fleet = Fleet(1)
    fleet.manager.manage("revived", work, {}, restartable=True)
    fleet.manager.manage("replaced", work, {}, transient=True)
    for process in fleet.manager.processes:
        process.is_revived = process.group == "revived"
    fleet.started()
    spawn = fleet.spawn

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise OSError(11, "Resource temporarily unavailable")

    fleet.spawn = refuse  # type: ignore[method-assign]
    fleet.end(fleet.toys[1], -9)
    fleet.manager.restart(["replaced"])
    fleet.pass_time(5)
    assert fleet.names == SERVERS[:1]
    fleet.spawn = spawn  # type: ignore[method-assign]
    fleet.pass_time(31)
    assert fleet.names == ["Sanic-Server-0-0", "Sanic-replaced-0", "Sanic-revived-0"]


class Vague:
    """Like an array: compared with another one, it is neither equal nor different."""

    def __eq__(self, other: object) -> Any:
        raise ValueError("ambiguous")

    __hash__ = None  # type: ignore[assignment]


def test_states_that_cannot_be_compared_are_told_all_the_same() -> None:
    fleet = Fleet(2).started()
    for _ in range(2):
        fleet.say(fleet.toys[0], Note("table", Vague()))
    assert isinstance(fleet.manager.worker_state[SERVERS[0]]["table"], Vague)
    assert fleet.names == SERVERS


def test_a_message_that_cannot_be_handled_is_logged_and_nothing_more(caplog: pytest.LogCaptureFixture) -> None:
    fleet = Fleet(1).started()
    fleet.say(fleet.toys[0], Note(["not", "hashable"], 1), Scale("many"), Manage("x", b"", 1, 2, 3, 4, "five"))  # type: ignore[arg-type]
    assert fleet.names == SERVERS[:1]
    assert caplog.text.count("cannot be handled") == 3
