"""Listeners: how they are attached and called, and in which order."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from sanic import Blueprint, Sanic
from sanic.application.listeners import call_listener
from sanic.exceptions import BadRequest, SanicException
from sanic.response import text
from sanic.signals import Event
from tests.harness import serving

SERVER_EVENTS = ["before_server_start", "after_server_start", "before_server_stop", "after_server_stop"]
PROCESS_EVENTS = [
    "main_process_start",
    "main_process_ready",
    "main_process_stop",
    "reload_process_start",
    "reload_process_stop",
    "before_reload_trigger",
    "after_reload_trigger",
]
Log = list[Any]


@pytest.fixture
def log(app: Any) -> Log:
    app.add_route(lambda request: text(""), "/", name="index")
    return []


def note(log: Log, name: Any) -> Any:
    async def listener(app: Any) -> None:
        log.append(name)

    return listener


async def run(app: Any) -> None:
    async with serving(app):
        pass


@pytest.mark.parametrize("event", SERVER_EVENTS)
@pytest.mark.parametrize("owner", [lambda app: app, lambda app: Blueprint("bp")])
async def test_ways_to_attach(app: Any, log: Log, event: str, owner: Any) -> None:
    attached = owner(app)
    getattr(attached, event)(note(log, 1))
    getattr(attached, event)()(note(log, 2))
    getattr(attached, event)(priority=0)(note(log, 3))
    getattr(attached, event)(note(log, 4), priority=0)
    attached.listener(event)(note(log, 5))
    attached.listener(event, priority=0)(note(log, 6))
    attached.listener(note(log, 7), event)
    if attached is app:
        app.register_listener(note(log, 8), event, priority=0)
    else:
        attached.add_route(lambda request: text(""), "/bp", name="bp")
        app.blueprint(attached)
    await run(app)
    assert sorted(log) == list(range(1, 9 if attached is app else 8))


@pytest.mark.parametrize("event", PROCESS_EVENTS)
def test_every_shortcut_takes_every_form(app: Any, event: str) -> None:
    functions = [note([], number) for number in range(3)]
    getattr(app, event)(functions[0])
    getattr(app, event)()(functions[1])
    app.listener(event)(functions[2])
    assert app.listeners[event] == functions


def test_an_unknown_event_is_refused_with_the_known_ones(app: Any) -> None:
    with pytest.raises(BadRequest, match="before_server_start"):
        app.listener("before_tea")(lambda app: None)
    with pytest.raises(BadRequest):
        app.register_listener(lambda app: None, "before_tea")
    with pytest.raises(BadRequest, match="missing"):
        app.listener(lambda app: None)


async def test_listeners_run_in_the_order_of_a_servers_life(app: Any, log: Log) -> None:
    for event in reversed(SERVER_EVENTS):
        app.listener(event)(note(log, event))
    await run(app)
    assert log == SERVER_EVENTS


async def test_start_order_is_by_priority_then_app_before_blueprint_and_stop_order_its_reverse(
    app: Any, log: Log
) -> None:
    bp = Blueprint("bp")
    bp.add_route(lambda request: text(""), "/bp", name="bp")
    for event in SERVER_EVENTS:
        bp.listener(event, priority=0)(note(log, (event, "bp", 0)))
        bp.listener(event, priority=5)(note(log, (event, "bp", 5)))
    app.blueprint(bp)
    for event in SERVER_EVENTS:
        app.listener(event, priority=0)(note(log, (event, "app", 0)))
        app.listener(event, priority=0)(note(log, (event, "app", 0, "second")))
        app.listener(event, priority=5)(note(log, (event, "app", 5)))
    await run(app)
    order = [("app", 5), ("bp", 5), ("app", 0), ("app", 0, "second"), ("bp", 0)]
    assert log == [
        (event, *rest) for event in SERVER_EVENTS for rest in (reversed(order) if event.endswith("stop") else order)
    ]


@pytest.mark.parametrize("event", PROCESS_EVENTS)
def test_other_listeners_have_no_priority(app: Any, event: str, caplog: pytest.LogCaptureFixture) -> None:
    getattr(app, event)(note([], 1), priority=3)
    assert f"Priority is not supported for {event}" in caplog.text


async def test_sync_functions_are_listeners_too(app: Any, log: Log) -> None:
    app.before_server_start(lambda app: log.append(app))
    await run(app)
    assert log == [app]


async def test_who_wants_the_loop_gets_it_and_a_warning(app: Any, log: Log) -> None:
    @app.before_server_start
    async def both(app: Any, loop: Any) -> None:
        log.append((app, loop))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await run(app)
        import asyncio

        loop = asyncio.get_running_loop()
    assert log == [(app, loop)]
    assert any("takes a loop" in str(warning.message) for warning in caught)


async def test_a_wrapper_around_a_function_with_two_arguments_is_called_with_both(app: Any, log: Log) -> None:
    def inner(app: Any, loop: Any) -> None:
        log.append(loop)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return inner(*args, **kwargs)

    assert await call_listener(wrapper, app, None) is None
    assert log == [None]


async def test_when_neither_way_works_the_first_error_is_told() -> None:
    def listener(app: Any) -> None:
        raise TypeError("a mistake of its own")

    with pytest.raises(TypeError, match="a mistake of its own"):
        await call_listener(listener, None, None)


async def test_a_listener_that_fails_stops_the_start(app: Any, log: Log) -> None:
    @app.before_server_start
    async def fail(app: Any) -> None:
        raise SanicException("not today")

    app.after_server_start(note(log, "started"))
    with pytest.raises(SanicException, match="not today"):
        await run(app)
    assert log == []


async def test_the_four_are_handlers_of_signals(app: Any, log: Log) -> None:
    for event, signal in zip(
        SERVER_EVENTS,
        (
            Event.SERVER_INIT_BEFORE,
            Event.SERVER_INIT_AFTER,
            Event.SERVER_SHUTDOWN_BEFORE,
            Event.SERVER_SHUTDOWN_AFTER,
        ),
        strict=True,
    ):
        app.listener(event)(note(log, event))

        async def heard(app: Any, loop: Any, signal: Any = signal) -> None:
            log.append(signal.value)

        app.add_signal(heard, signal)
    await run(app)
    assert log == [
        "before_server_start",
        "server.init.before",
        "after_server_start",
        "server.init.after",
        "server.shutdown.before",
        "before_server_stop",
        "server.shutdown.after",
        "after_server_stop",
    ]


async def test_create_server_tells_which_listeners_it_does_not_run(
    app: Any, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    app.main_process_start(note(log, "main"))
    await run(app)
    assert log == []
    assert "main_process_start is ignored" in caplog.text


async def test_listeners_of_a_blueprint_that_is_registered_twice_run_once(app: Any, log: Log) -> None:
    bp = Blueprint("bp", url_prefix="/bp")
    bp.add_route(lambda request: text(""), "/", name="x")
    bp.before_server_start(note(log, "start"))
    app.blueprint(bp)
    app.blueprint(bp, url_prefix="/other", name_prefix="other")
    await run(app)
    assert log == ["start"]


async def test_a_listener_added_late_to_a_registered_blueprint_runs(app: Any, log: Log) -> None:
    bp = Blueprint("bp", url_prefix="/bp")
    bp.add_route(lambda request: text(""), "/", name="x")
    app.blueprint(bp)
    bp.before_server_start(note(log, "start"))
    await run(app)
    assert log == ["start"]
    assert isinstance(app, Sanic)
