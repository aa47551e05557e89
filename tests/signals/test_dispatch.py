"""Dispatching: who is called, in which order, with what, and what becomes of failures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from sanic_routing.exceptions import FinalizationError, NotFound

from sanic.signals import Event, SignalRouter

Calls = list[tuple[str, dict[str, Any]]]
BLUEPRINT = {"__blueprint__": "shop"}


@pytest.fixture
def router() -> SignalRouter:
    return SignalRouter()


@pytest.fixture
def calls() -> Calls:
    return []


@pytest.fixture
def recorder(calls: Calls) -> Callable[..., Callable[..., Any]]:
    def make(name: str, result: Any = None, *, error: Exception | None = None) -> Callable[..., Any]:
        async def handler(**context: Any) -> Any:
            calls.append((name, context))
            if error is not None:
                raise error
            return result

        return handler

    return make


def names(calls: Calls) -> list[str]:
    return [name for name, _ in calls]


# Inline and in the background


async def test_inline_dispatch_runs_sync_and_async_handlers_in_place(
    router: SignalRouter, recorder: Any, calls: Calls
) -> None:
    router.add(recorder("async"), "foo.bar.baz")
    router.add(lambda **context: calls.append(("sync", context)), "foo.bar.baz")
    assert await router.dispatch("foo.bar.baz", context={"amount": 1}, inline=True) is None
    assert calls == [("async", {"amount": 1}), ("sync", {"amount": 1})]


async def test_inline_dispatch_returns_the_first_truthy_result_and_skips_the_rest(
    router: SignalRouter, recorder: Any, calls: Calls
) -> None:
    router.add(recorder("none"), "foo.bar.baz")
    router.add(recorder("zero", 0), "foo.bar.baz")
    router.add(recorder("seven", 7), "foo.bar.baz")
    router.add(recorder("eight", 8), "foo.bar.baz")
    assert await router.dispatch("foo.bar.baz", inline=True) == 7
    assert names(calls) == ["none", "zero", "seven"]


async def test_background_dispatch_returns_a_named_task_that_has_begun(router: SignalRouter) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def handler(**_: Any) -> str:
        begun.set()
        await go_on.wait()
        return "done"

    router.add(handler, "foo.bar.baz")
    task = await router.dispatch("foo.bar.baz")
    assert isinstance(task, asyncio.Task)
    assert task.get_name() == "signal foo.bar.baz"
    assert begun.is_set()
    assert task in router.tasks
    go_on.set()
    assert await task == "done"
    await asyncio.sleep(0)
    assert router.tasks == ()


async def test_shutdown_cancels_dispatches_in_the_background(router: SignalRouter) -> None:
    router.add(lambda **_: asyncio.Event().wait(), "foo.bar.baz")
    task = await router.dispatch("foo.bar.baz")
    await router.shutdown()
    assert task.cancelled()
    assert router.tasks == ()


async def test_shutdown_abandons_by_name_what_refuses_to_end(
    router: SignalRouter, caplog: pytest.LogCaptureFixture
) -> None:
    release = asyncio.Event()

    async def stubborn(**_: Any) -> None:
        while not release.is_set():
            with suppress(asyncio.CancelledError):
                await release.wait()

    router.add(stubborn, "foo.bar.stubborn")
    task = await router.dispatch("foo.bar.stubborn")
    with caplog.at_level(logging.WARNING, logger="sanic.error"):
        await router.shutdown(timeout=0.01)
    assert "signal foo.bar.stubborn" in caplog.text
    release.set()
    await task


# Unknown events


async def test_unknown_event_fails_inline_only(router: SignalRouter) -> None:
    router.add(None, "foo.bar.baz")
    router.add(None, "word")
    for event in ("foo.bar.qux", "other"):
        with pytest.raises(NotFound, match="Could not find signal"):
            await router.dispatch(event, inline=True)
        assert await router.dispatch(event, inline=True, fail_not_found=False) is None
        assert await (await router.dispatch(event)) is None


async def test_unhandled_builtin_events_fail_only_when_allowed_to(router: SignalRouter) -> None:
    with pytest.raises(NotFound, match=r"Could not find signal http\.routing\.before"):
        await router.dispatch(Event.HTTP_ROUTING_BEFORE, inline=True)
    router.finalize(allow_fail_builtin=False)
    assert await router.dispatch(Event.HTTP_ROUTING_BEFORE, inline=True) is None
    with pytest.raises(NotFound):
        await router.dispatch("foo.bar.baz", inline=True)


async def test_handler_none_declares_an_event(router: SignalRouter) -> None:
    router.add(None, "foo.bar.baz")
    assert await router.dispatch("foo.bar.baz", inline=True) is None


# Order


async def test_order_is_priority_then_static_before_dynamic_then_registration(
    router: SignalRouter, recorder: Any, calls: Calls
) -> None:
    router.add(recorder("dynamic 0"), "foo.bar.<x>")
    router.add(recorder("static 0 a"), "foo.bar.baz")
    router.add(recorder("static 0 b"), "foo.bar.baz")
    router.add(recorder("dynamic 5"), "foo.bar.<x>", priority=5)
    router.add(recorder("static 7"), "foo.bar.baz", priority=7)
    router.add(recorder("static -1"), "foo.bar.baz", priority=-1)
    expected = ["static 7", "dynamic 5", "static 0 a", "static 0 b", "dynamic 0", "static -1"]
    await router.dispatch("foo.bar.baz", inline=True)
    assert names(calls) == expected
    calls.clear()
    await router.dispatch("foo.bar.baz", inline=True, reverse=True)
    assert names(calls) == expected[::-1]


# Parameters


@pytest.mark.parametrize(
    ("definition", "event", "captured"),
    [
        ("foo.bar.<x>", "foo.bar.baz", {"x": "baz"}),
        ("foo.bar.<x:str>", "foo.bar.3", {"x": "3"}),
        ("foo.bar.<x:int>", "foo.bar.-3", {"x": -3}),
        ("foo.bar.<x:int>", "foo.bar.three", None),
        ("foo.bar.<x:float>", "foo.bar.3.5", {"x": 3.5}),
        ("foo.bar.<x:alpha>", "foo.bar.b4z", None),
        ("foo.bar.<x:ymd>", "foo.bar.2021-03-28", {"x": date(2021, 3, 28)}),
        ("foo.bar.<x:ymd>", "foo.bar.2021-02-31", None),
        ("foo.bar.<x:[ab]+>", "foo.bar.abba", {"x": "abba"}),
        ("foo.bar.<x:[ab]+>", "foo.bar.abc", None),
        ("foo.bar.<x:ext>", "foo.bar.page.txt", {"x": "page", "ext": "txt"}),
    ],
)
async def test_the_third_part_is_captured_by_its_type(
    router: SignalRouter, recorder: Any, calls: Calls, definition: str, event: str, captured: dict[str, Any] | None
) -> None:
    router.add(recorder("handler"), definition)
    if captured is None:
        with pytest.raises(NotFound):
            await router.dispatch(event, inline=True)
        return
    await router.dispatch(event, inline=True, context={"amount": 1})
    assert calls == [("handler", {**captured, "amount": 1})]


async def test_typed_parameters_outrank_untyped_ones(router: SignalRouter, recorder: Any, calls: Calls) -> None:
    router.add(recorder("untyped"), "foo.bar.<x>")
    router.add(recorder("int"), "foo.bar.<n:int>")
    await router.dispatch("foo.bar.3", inline=True)
    assert calls == [("int", {"n": 3})]
    calls.clear()
    await router.dispatch("foo.bar.x", inline=True)
    assert calls == [("untyped", {"x": "x"})]


async def test_parameters_of_one_type_may_have_different_names(
    router: SignalRouter, recorder: Any, calls: Calls
) -> None:
    router.add(recorder("one"), "foo.bar.<x:int>")
    router.add(recorder("two"), "foo.bar.<y:int>")
    await router.dispatch("foo.bar.3", inline=True)
    assert calls == [("one", {"x": 3}), ("two", {"y": 3})]


async def test_static_handlers_get_the_context_only(router: SignalRouter, recorder: Any, calls: Calls) -> None:
    router.add(recorder("static"), "foo.bar.baz")
    router.add(recorder("dynamic"), "foo.bar.<x>")
    await router.dispatch("foo.bar.baz", inline=True, context={"amount": 1})
    assert calls == [("static", {"amount": 1}), ("dynamic", {"x": "baz", "amount": 1})]


async def test_dynamic_handlers_of_a_reserved_namespace_hear_builtin_events(
    router: SignalRouter, recorder: Any, calls: Calls
) -> None:
    router.add(recorder("any"), "http.lifecycle.<stage>")
    await router.dispatch(Event.HTTP_LIFECYCLE_BEGIN, inline=True, context={"conn_info": None})
    assert calls == [("any", {"stage": "begin", "conn_info": None})]


async def test_registered_patterns_are_types_of_parameters(router: SignalRouter, recorder: Any, calls: Calls) -> None:
    router.register_pattern("hex", lambda text: int(text, 16), r"[0-9a-f]+")
    router.add(recorder("hex"), "foo.bar.<x:hex>")
    await router.dispatch("foo.bar.ff", inline=True)
    assert calls == [("hex", {"x": 255})]


# Conditions


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (None, ["plain", "open", "open with condition", "shop"]),
        ({"one": 1}, ["condition", "open with condition"]),
        ({"one": 2}, []),
        ({"one": 1, "two": 2}, []),
        (BLUEPRINT, ["shop"]),
        ({"__blueprint__": "other"}, []),
    ],
)
async def test_a_condition_selects_handlers(
    router: SignalRouter, recorder: Any, calls: Calls, condition: dict[str, Any] | None, expected: list[str]
) -> None:
    router.add(recorder("plain"), "foo.bar.baz")
    router.add(recorder("condition"), "foo.bar.baz", {"one": 1})
    router.add(recorder("open"), "foo.bar.baz", exclusive=False)
    router.add(recorder("open with condition"), "foo.bar.baz", {"one": 1}, exclusive=False)
    router.add(recorder("shop"), "foo.bar.baz", BLUEPRINT, exclusive=False)
    await router.dispatch("foo.bar.baz", condition=condition, inline=True)
    assert names(calls) == expected


async def test_the_condition_of_a_blueprint_handler_is_heard_from_application_and_blueprint(
    router: SignalRouter, recorder: Any, calls: Calls
) -> None:
    router.add(recorder("shop"), "foo.bar.baz", {"attach_to": "request", **BLUEPRINT}, exclusive=False)
    await router.dispatch("foo.bar.baz", condition={"attach_to": "request"}, inline=True)
    await router.dispatch("foo.bar.baz", condition={"attach_to": "request", **BLUEPRINT}, inline=True)
    assert names(calls) == ["shop", "shop"]
    await router.dispatch("foo.bar.baz", condition={"attach_to": "response"}, inline=True)
    await router.dispatch("foo.bar.baz", condition={"attach_to": "request", "__blueprint__": "other"}, inline=True)
    assert names(calls) == ["shop", "shop"]


# Failures


async def test_a_failure_reaches_the_inline_caller_and_is_reported(
    router: SignalRouter, recorder: Any, calls: Calls
) -> None:
    error = ValueError("no")
    router.add(recorder("bad", error=error), "foo.bar.baz")
    router.add(recorder("never"), "foo.bar.baz")
    router.add(recorder("report"), Event.SERVER_EXCEPTION_REPORT)
    with pytest.raises(ValueError, match="no"):
        await router.dispatch("foo.bar.baz", inline=True)
    await asyncio.gather(*router.tasks)
    assert calls == [("bad", {}), ("report", {"exception": error})]


async def test_a_failure_in_the_background_stays_on_the_task_and_is_reported(
    router: SignalRouter, recorder: Any, calls: Calls
) -> None:
    error = ValueError("no")
    router.add(recorder("bad", error=error), "foo.bar.baz")
    router.add(recorder("report"), Event.SERVER_EXCEPTION_REPORT)
    task = await router.dispatch("foo.bar.baz")
    await asyncio.wait([task])
    assert task.exception() is error
    await asyncio.gather(*router.tasks)
    assert names(calls) == ["bad", "report"]


async def test_an_exception_is_reported_once(router: SignalRouter, recorder: Any, calls: Calls) -> None:
    error = ValueError("no")

    async def outer(**_: Any) -> None:
        await router.dispatch("inner.bar.baz", inline=True)

    router.add(recorder("inner", error=error), "inner.bar.baz")
    router.add(outer, "outer.bar.baz")
    router.add(recorder("report"), Event.SERVER_EXCEPTION_REPORT)
    with pytest.raises(ValueError, match="no"):
        await router.dispatch("outer.bar.baz", inline=True)
    assert router.report(error) is None
    await asyncio.gather(*router.tasks)
    assert names(calls) == ["inner", "report"]


async def test_a_failing_report_is_logged_and_not_reported(
    router: SignalRouter, recorder: Any, calls: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    router.add(recorder("report", error=RuntimeError("report failed")), Event.SERVER_EXCEPTION_REPORT)
    with caplog.at_level(logging.ERROR, logger="sanic.error"):
        task = router.report(ValueError("first"))
        assert task is not None
        await asyncio.wait([task])
        await asyncio.sleep(0)
    assert names(calls) == ["report"]
    assert router.tasks == ()
    assert "report failed" in caplog.text


async def test_a_failure_in_the_background_that_nobody_hears_of_is_logged(
    router: SignalRouter, recorder: Any, caplog: pytest.LogCaptureFixture
) -> None:
    router.add(recorder("bad", error=ValueError("unheard")), "foo.bar.baz")
    with caplog.at_level(logging.ERROR, logger="sanic.error"):
        await asyncio.wait([await router.dispatch("foo.bar.baz")])
        await asyncio.sleep(0)
    assert "foo.bar.baz" in caplog.text
    assert "unheard" in caplog.text


# Life of the router


async def test_handlers_can_be_added_after_finalizing(router: SignalRouter, recorder: Any, calls: Calls) -> None:
    router.add(recorder("early"), "foo.bar.baz")
    router.finalize()
    await router.dispatch("foo.bar.baz", inline=True)
    router.add(recorder("late"), "foo.bar.baz")
    router.add(recorder("dynamic"), "foo.bar.<x>")
    calls.clear()
    await router.dispatch("foo.bar.baz", inline=True)
    assert names(calls) == ["early", "late", "dynamic"]


def test_finalizing_twice_fails_unless_reset(router: SignalRouter) -> None:
    router.finalize()
    with pytest.raises(FinalizationError):
        router.finalize()
    router.reset()
    router.finalize()


@pytest.mark.parametrize("event", ["foo.bar.baz", "foo.bar.<x:int>", "http.lifecycle.<x>", "http.routing.before"])
def test_has_listeners_tells_what_need_not_be_dispatched(router: SignalRouter, recorder: Any, event: str) -> None:
    heard = {"foo.bar.<x:int>": "foo.bar.3", "http.lifecycle.<x>": "http.lifecycle.send"}.get(event, event)
    changes: list[int] = []
    router.on_change.append(lambda: changes.append(router.version))
    before = router.version
    assert not router.has_listeners(heard)
    router.add(None, event)
    assert not router.has_listeners(heard)
    router.add(recorder("handler"), event)
    assert router.has_listeners(heard)
    assert not router.has_listeners("foo.bar.other")
    assert changes == [before + 1, before + 2]


async def test_signals_can_be_inspected(router: SignalRouter, recorder: Any) -> None:
    first = router.add(recorder("first"), "foo.bar.baz", {"one": 1}, exclusive=False, priority=3)
    second = router.add(recorder("second"), "foo.bar.<x:int>")
    assert router.routes == (first, second)
    assert (first.priority, first.requirements, first.ctx.exclusive) == (3, {"one": 1}, False)
    assert first.parts == ("foo", "bar", "baz")
    assert (first.ctx.event, first.ctx.trigger) == ("foo.bar.baz", "")
    assert (second.ctx.event, second.ctx.trigger) == ("foo.bar.<x:int>", "x")
    assert list(router.groups.values()) == [first.ctx.group, second.ctx.group]
    assert list(first.ctx.group) == [first]
    group, handlers, params = router.get("foo.bar.3")
    assert group is second.ctx.group
    assert handlers == [second.handler]
    assert params == {"x": 3}
    assert router.resolve("foo.bar.baz") == (first, first.handler, {})
    assert router.matchers[0].fullmatch("foo.bar.12")
    with pytest.raises(NotFound):
        router.resolve("foo.qux.baz")
