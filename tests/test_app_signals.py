"""Signals of an application: declaring, dispatching and waiting through its own methods."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sanic_routing.exceptions import NotFound

from sanic import Blueprint
from sanic.exceptions import InvalidSignal
from sanic.response import text
from sanic.signals import Event
from tests.harness import serving


async def test_handlers_get_parameter_and_context(app: Any) -> None:
    seen: list[Any] = []

    @app.signal("shop.stock.<article:int>")
    async def changed(article: int, **context: Any) -> None:
        seen.append((article, context))

    await app.dispatch("shop.stock.42", context={"left": 3}, inline=True)
    assert seen == [(42, {"left": 3})]


async def test_an_inline_dispatch_returns_the_first_true_result_and_stops(app: Any) -> None:
    seen: list[int] = []
    for number in range(3):

        async def hear(number: int = number) -> int:
            seen.append(number)
            return number

        app.signal("a.b.c")(hear)
    assert await app.dispatch("a.b.c", inline=True) == 1
    assert seen == [0, 1]


async def test_handlers_run_by_priority(app: Any) -> None:
    seen: list[int] = []
    for priority in (0, 5, -1):
        app.signal("a.b.c", priority=priority)(lambda priority=priority: seen.append(priority))
    await app.dispatch("a.b.c", inline=True)
    await app.dispatch("a.b.c", inline=True, reverse=True)
    assert seen == [5, 0, -1, -1, 0, 5]


@pytest.mark.parametrize(
    ("declared", "dispatched", "runs"),
    [
        ({}, {}, True),
        ({}, {"condition": {"x": 1}}, False),
        ({"condition": {"x": 1}}, {}, False),
        ({"condition": {"x": 1}}, {"condition": {"x": 1}}, True),
        ({"condition": {"x": 1}}, {"condition": {"x": 2}}, False),
        ({"condition": {"x": 1}, "exclusive": False}, {}, True),
        ({"condition": {"x": 1}, "exclusive": False}, {"condition": {"x": 2}}, False),
    ],
)
async def test_conditions(app: Any, declared: Any, dispatched: Any, runs: bool) -> None:
    seen: list[int] = []
    app.signal("a.b.c", **declared)(lambda: seen.append(1))
    await app.dispatch("a.b.c", inline=True, **dispatched)
    assert bool(seen) is runs


async def test_an_unknown_signal(app: Any) -> None:
    with pytest.raises(NotFound, match="Could not find signal"):
        await app.dispatch("a.b.c", inline=True)
    assert await app.dispatch("a.b.c", inline=True, fail_not_found=False) is None
    assert await (await app.dispatch("a.b.c")) is None
    with pytest.raises(NotFound, match=r"Could not find signal a\.b\.c"):
        await app.event("a.b.c")
    app.config.EVENT_AUTOREGISTER = True
    with pytest.raises(asyncio.TimeoutError):
        await app.event("a.b.c", timeout=0.01)


async def test_waiting_returns_the_context(app: Any) -> None:
    assert callable(app.add_signal(None, "a.b.<what>"))
    waiting = [asyncio.ensure_future(app.event(name, timeout=5)) for name in ("a.b.c", "a.b.*")]
    await asyncio.sleep(0)
    await app.dispatch("a.b.c", context={"x": 1})
    assert [await task for task in waiting] == [{"x": 1, "what": "c"}] * 2


@pytest.mark.parametrize("event", ["a.b", "a.b.c.d", "<a>.b.c", "http.own.event", "server.init.other", 7])
def test_names_that_cannot_be(app: Any, event: Any) -> None:
    with pytest.raises(InvalidSignal):
        app.signal(event)(lambda: None)


async def test_members_of_the_enum_are_names(app: Any) -> None:
    seen: list[str] = []
    app.add_route(lambda request: text("ok"), "/", name="index")
    app.signal(Event.HTTP_ROUTING_BEFORE)(lambda request: seen.append(request.path))
    async with serving(app) as server:
        await server.get("/")
    assert seen == ["/"]


async def test_a_failing_handler_is_reported_and_reaches_an_inline_caller(app: Any) -> None:
    reported: list[tuple[Any, str]] = []
    heard = asyncio.Event()
    bp = Blueprint("bp")

    @app.report_exception
    async def note(app: Any, exception: Exception) -> None:
        reported.append((app, str(exception)))

    @bp.catch_exception
    def note_blueprint(owner: Any, exception: Exception) -> None:
        reported.append((owner, str(exception)))
        heard.set()

    app.blueprint(bp)

    @app.signal("a.b.c")
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await app.dispatch("a.b.c", inline=True)
    await asyncio.wait_for(heard.wait(), 5)
    assert reported == [(app, "no"), (bp, "no")]
