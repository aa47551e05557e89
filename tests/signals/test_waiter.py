"""Waiting for the next dispatch of an event."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sanic.exceptions import InvalidSignal
from sanic.signals import Event, SignalRouter, SignalWaiter


@pytest.fixture
def router() -> SignalRouter:
    router = SignalRouter()
    router.add(None, "foo.bar.baz")
    router.add(None, "dyn.bar.<x>")
    router.add(None, "dyn.bar.<n:int>")
    return router


def waiter(router: SignalRouter, event: str | Event, **options: Any) -> SignalWaiter:
    found = router.get_waiter(event, **options)
    assert found is not None
    return found


async def begin(router: SignalRouter, event: str | Event, **options: Any) -> asyncio.Task[dict[str, Any]]:
    task = asyncio.create_task(waiter(router, event, **options).wait(), name=f"wait {event}")
    await asyncio.sleep(0)
    return task


async def is_released(task: asyncio.Task[Any]) -> bool:
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    released = task.done()
    task.cancel()
    return released


@pytest.mark.parametrize(
    ("awaited", "dispatched", "expected"),
    [
        ("foo.bar.baz", "foo.bar.baz", {"amount": 1}),
        ("foo.bar.*", "foo.bar.baz", {"amount": 1}),
        ("dyn.bar.*", "dyn.bar.any", {"x": "any", "amount": 1}),
        ("dyn.bar.*", "dyn.bar.3", {"n": 3, "amount": 1}),
        ("dyn.bar.<x>", "dyn.bar.any", {"x": "any", "amount": 1}),
        ("dyn.bar.<n:int>", "dyn.bar.3", {"n": 3, "amount": 1}),
        ("dyn.bar.any", "dyn.bar.any", {"x": "any", "amount": 1}),
        ("http.lifecycle.begin", "http.lifecycle.begin", {"amount": 1}),
        ("http.lifecycle.*", "http.lifecycle.begin", {"trigger": "begin", "amount": 1}),
        (Event.HTTP_ROUTING_AFTER, "http.routing.after", {"amount": 1}),
    ],
)
async def test_a_waiter_gets_context_and_captured_parameters(
    router: SignalRouter, awaited: str | Event, dispatched: str, expected: dict[str, Any]
) -> None:
    task = await begin(router, awaited)
    await router.dispatch(dispatched, context={"amount": 1}, inline=True)
    assert await task == expected


@pytest.mark.parametrize(
    ("awaited", "dispatched"),
    [
        ("foo.bar.baz", "dyn.bar.baz"),
        ("dyn.bar.any", "dyn.bar.other"),
        ("dyn.bar.<x>", "dyn.bar.3"),
        ("dyn.bar.<n:int>", "dyn.bar.any"),
        ("dyn.bar.*", "foo.bar.baz"),
    ],
)
async def test_a_waiter_ignores_other_events(router: SignalRouter, awaited: str, dispatched: str) -> None:
    task = await begin(router, awaited)
    await router.dispatch(dispatched, inline=True)
    assert not await is_released(task)


@pytest.mark.parametrize(
    ("registered", "exclusive", "dispatched", "released"),
    [
        (None, True, None, True),
        ({"one": 1}, True, None, False),
        ({"one": 1}, False, None, True),
        ({"one": 1}, True, {"one": 1}, True),
        ({"one": 1}, False, {"one": 2}, False),
        (None, True, {"one": 1}, False),
        (None, False, {"one": 1}, False),
    ],
)
async def test_a_waiter_matches_conditions_like_a_handler(
    router: SignalRouter,
    registered: dict[str, Any] | None,
    exclusive: bool,
    dispatched: dict[str, Any] | None,
    released: bool,
) -> None:
    task = await begin(router, "foo.bar.baz", condition=registered, exclusive=exclusive)
    await router.dispatch("foo.bar.baz", condition=dispatched, inline=True)
    assert await is_released(task) is released


async def test_all_waiters_are_released_before_handlers_run(router: SignalRouter) -> None:
    order: list[str] = []

    async def wait(name: str) -> None:
        await waiter(router, "foo.bar.baz").wait()
        order.append(name)

    async def handler(**_: Any) -> None:
        await asyncio.sleep(0)
        order.append("handler")
        raise ValueError("too late to matter")

    router.add(handler, "foo.bar.baz")
    tasks = [asyncio.create_task(wait(name), name=name) for name in ("one", "two")]
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="too late"):
        await router.dispatch("foo.bar.baz", inline=True)
    await asyncio.gather(*tasks)
    assert order == ["one", "two", "handler"]


async def test_a_second_dispatch_before_the_waiter_has_run_is_harmless(router: SignalRouter) -> None:
    task = await begin(router, "foo.bar.baz")
    await router.dispatch("foo.bar.baz", context={"amount": 1}, inline=True)
    await router.dispatch("foo.bar.baz", context={"amount": 2}, inline=True)
    assert await task == {"amount": 1}


async def test_the_context_of_a_waiter_is_its_own(router: SignalRouter) -> None:
    context = {"amount": 1}
    task = await begin(router, "foo.bar.baz")
    await router.dispatch("foo.bar.baz", context=context, inline=True)
    (await task)["amount"] = 2
    assert context == {"amount": 1}


async def test_a_wait_ends_at_its_time_limit(router: SignalRouter) -> None:
    with pytest.raises(asyncio.TimeoutError):
        await waiter(router, "foo.bar.baz").wait(timeout=0.001)
    assert not router.has_listeners("foo.bar.baz")


async def test_a_dispatch_in_time_beats_the_limit(router: SignalRouter) -> None:
    task = asyncio.create_task(waiter(router, "foo.bar.baz").wait(timeout=30), name="wait")
    await asyncio.sleep(0)
    await router.dispatch("foo.bar.baz", inline=True)
    assert await task == {}


async def test_who_waits_listens_until_released_or_cancelled(router: SignalRouter) -> None:
    changes: list[bool] = []
    router.on_change.append(lambda: changes.append(router.has_listeners("foo.bar.baz")))
    task = await begin(router, "foo.bar.baz")
    assert changes == [True]
    task.cancel()
    await asyncio.wait([task])
    assert changes == [True, False]


@pytest.mark.parametrize("event", ["foo.bar.qux", "foo.bar.<x>", "dyn.bar.<x:float>", "qux.bar.*", "word"])
def test_there_is_no_waiter_for_undeclared_events(router: SignalRouter, event: str) -> None:
    assert router.get_waiter(event) is None


@pytest.mark.parametrize("event", ["foo.*", "foo.*.baz", "foo.bar", "foo.bar.<1>", "foo.bar.<x:(>"])
def test_malformed_events_cannot_be_waited_for(router: SignalRouter, event: str) -> None:
    with pytest.raises(InvalidSignal):
        router.get_waiter(event)


async def test_a_handlerless_star_declares_any_third_part(router: SignalRouter) -> None:
    router.add(None, "any.bar.*")
    task = await begin(router, "any.bar.*")
    await router.dispatch("any.bar.thing", context={"amount": 1}, inline=True)
    assert await task == {"trigger": "thing", "amount": 1}
