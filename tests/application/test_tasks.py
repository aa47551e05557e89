"""Background tasks: started, found by name, reported when they fail, and ended in time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from sanic.application.tasks import BackgroundTasks
from sanic.exceptions import SanicException

APP = object()


@pytest.fixture
def tasks() -> BackgroundTasks:
    return BackgroundTasks()


def start(tasks: BackgroundTasks, task: Any, **options: Any) -> asyncio.Future[Any]:
    started = tasks.add(task, app=APP, loop=asyncio.get_running_loop(), **options)
    assert started is not None
    return started


async def forever() -> None:
    await asyncio.Event().wait()


async def give(value: Any = None) -> Any:
    return value


class Stubborn:
    """Runs until told, whoever cancels it."""

    def __init__(self) -> None:
        self.release = asyncio.Event()

    async def __call__(self) -> None:
        while not self.release.is_set():
            with suppress(asyncio.CancelledError):
                await self.release.wait()


# What can be added


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: give(1), 1),
        (lambda: give, APP),
        (lambda: lambda app: app, APP),
        (lambda: lambda: 2, 2),
        (lambda: partial(give, 3), 3),
        (lambda: lambda app=4: app, APP),
        (lambda: AsyncCallable(), APP),
    ],
)
async def test_awaitables_and_callables_run(tasks: BackgroundTasks, make: Callable[[], Any], expected: Any) -> None:
    task = start(tasks, make(), name="work")
    assert isinstance(task, asyncio.Task)
    assert task.get_name() == "work"
    assert await task is expected


class AsyncCallable:
    async def __call__(self, app: Any) -> Any:
        return app


async def test_a_type_error_inside_a_callable_is_not_taken_for_its_arity(
    tasks: BackgroundTasks, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[Any] = []

    def broken(app: Any = None) -> None:
        calls.append(app)
        raise TypeError("inside")

    task = start(tasks, broken)
    with pytest.raises(TypeError, match="inside"):
        await task
    assert calls == [APP]


async def test_what_a_callable_without_arguments_raises_has_no_other_cause(tasks: BackgroundTasks) -> None:
    def broken() -> None:
        raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside") as caught:
        await start(tasks, broken)
    assert caught.value.__context__ is None


async def test_tasks_and_futures_are_taken_as_they_are(tasks: BackgroundTasks) -> None:
    task = asyncio.create_task(give(1), name="own name")
    assert start(tasks, task, name="registered") is task
    assert task.get_name() == "own name"
    assert tasks.get("registered") is task
    future = asyncio.get_running_loop().create_future()
    assert start(tasks, future) is future
    future.set_result(None)
    await task


async def test_unnamed_tasks_are_named_after_their_work(tasks: BackgroundTasks) -> None:
    task = start(tasks, give)
    assert isinstance(task, asyncio.Task)
    assert task.get_name() == "background give"
    await task


# Before the loop runs


async def test_work_added_before_the_loop_is_started_by_dispatch_delayed(tasks: BackgroundTasks) -> None:
    seen: list[Any] = []

    async def work(app: Any) -> None:
        seen.append(app)

    async def bare() -> None:
        seen.append("coroutine")

    assert tasks.add(work, app=APP) is None
    assert tasks.add(bare(), app=APP) is None
    await tasks.dispatch_delayed(APP)
    assert seen == []
    await asyncio.sleep(0)
    assert seen == [APP, "coroutine"]
    await tasks.dispatch_delayed(APP)
    await asyncio.sleep(0)
    assert seen == [APP, "coroutine"]


def test_callables_are_started_anew_on_every_loop(tasks: BackgroundTasks) -> None:
    seen: list[Any] = []
    tasks.add(seen.append, app=APP)

    async def serve() -> None:
        await tasks.dispatch_delayed(APP)
        await asyncio.sleep(0)

    asyncio.run(serve())
    asyncio.run(serve())
    assert seen == [APP, APP]


def test_a_name_needs_a_running_application(tasks: BackgroundTasks) -> None:
    with pytest.raises(RuntimeError, match="Cannot name task outside of a running application"):
        tasks.add(give, app=APP, name="work")
    assert tasks.delayed == []


# By name


async def test_named_tasks_are_found_until_purged(tasks: BackgroundTasks) -> None:
    short = start(tasks, give, name="short")
    long = start(tasks, forever, name="long")
    start(tasks, forever, name="secret", register=False)
    start(tasks, forever)
    assert list(tasks) == [short, long]
    await short
    assert tasks.get("short") is short
    tasks.purge()
    assert list(tasks) == [long]
    with pytest.raises(SanicException, match='Registered task named "short" not found'):
        tasks.get("short")
    assert tasks.get("short", raise_exception=False) is None
    with pytest.raises(SanicException, match='"secret" not found'):
        tasks.get("secret")
    await tasks.shutdown(1)


async def test_a_later_task_takes_over_the_name(tasks: BackgroundTasks) -> None:
    first = start(tasks, forever, name="work")
    second = start(tasks, forever, name="work")
    assert tasks.get("work") is second
    await tasks.shutdown(1)
    assert first.cancelled()
    assert second.cancelled()


async def test_cancel_waits_for_the_end_and_swallows_the_cancellation(tasks: BackgroundTasks) -> None:
    ended: list[Any] = []

    async def work() -> None:
        try:
            await forever()
        except asyncio.CancelledError as error:
            await asyncio.sleep(0)
            ended.append(error.args)
            raise

    task = start(tasks, work, name="work")
    await asyncio.sleep(0)
    await tasks.cancel("work", msg="enough")
    assert task.cancelled()
    assert ended == [("enough",)]
    assert tasks.get("work") is task
    await tasks.cancel("work")


async def test_cancelling_an_unknown_task_is_an_error_unless_told_otherwise(tasks: BackgroundTasks) -> None:
    with pytest.raises(SanicException, match='"work" not found'):
        await tasks.cancel("work")
    await tasks.cancel("work", raise_exception=False)


async def test_the_canceller_can_be_cancelled_itself(tasks: BackgroundTasks) -> None:
    stubborn = Stubborn()
    start(tasks, stubborn, name="work")
    canceller = asyncio.create_task(tasks.cancel("work"), name="canceller")
    await asyncio.sleep(0)
    canceller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await canceller
    stubborn.release.set()
    await tasks.shutdown(1)


# Failures


async def test_a_failure_is_reported_logged_and_stays_on_the_task(caplog: pytest.LogCaptureFixture) -> None:
    reported: list[BaseException] = []
    told = asyncio.Event()

    async def report(exception: Exception) -> None:
        reported.append(exception)
        told.set()

    error = ValueError("no")

    async def work() -> None:
        raise error

    tasks = BackgroundTasks(report)
    with caplog.at_level(logging.ERROR, logger="sanic.error"):
        task = start(tasks, work, name="work")
        await told.wait()
    assert reported == [error]
    assert task.exception() is error
    assert "Task work failed." in caplog.text


def test_what_cannot_run_is_refused_at_once(tasks: BackgroundTasks) -> None:
    with pytest.raises(TypeError, match="not 3"):
        tasks.add(3, app=APP)  # type: ignore[arg-type]


async def test_a_failing_report_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def report(_: Exception) -> None:
        raise RuntimeError("report failed")

    async def work() -> None:
        raise ValueError("no")

    tasks = BackgroundTasks(report)
    with caplog.at_level(logging.ERROR, logger="sanic.error"):
        await asyncio.wait([start(tasks, work, name="work")])
        await asyncio.sleep(0)
    assert "report failed" in caplog.text


async def test_a_cancelled_task_gives_a_warning(tasks: BackgroundTasks, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="sanic.error"):
        start(tasks, forever, name="work")
        await asyncio.sleep(0)
        await tasks.cancel("work")
        await asyncio.sleep(0)
    assert "Task work was cancelled before it completed." in caplog.text


async def test_the_end_of_everything_is_nothing_to_warn_of(
    tasks: BackgroundTasks, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="sanic.error"):
        started = start(tasks, forever, name="work")
        await asyncio.sleep(0)
        await tasks.shutdown(1)
    assert started.cancelled()
    assert not caplog.records


# Shutdown


async def test_shutdown_lets_tasks_clean_up(tasks: BackgroundTasks) -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            await forever()
        finally:
            for _ in range(5):
                await asyncio.sleep(0.002)
            cleaned.append("up")

    start(tasks, work)
    await asyncio.sleep(0)
    await tasks.shutdown(5, increment=0.001)
    assert cleaned == ["up"]


async def test_shutdown_ends_tasks_that_other_tasks_start_meanwhile(tasks: BackgroundTasks) -> None:
    late: list[asyncio.Future[Any]] = []

    async def work() -> None:
        try:
            await forever()
        finally:
            late.append(start(tasks, forever))

    start(tasks, work)
    await asyncio.sleep(0)
    await tasks.shutdown(5)
    assert late[0].cancelled()


@pytest.mark.parametrize("timeout", [0, 0.02])
async def test_shutdown_returns_in_time_and_names_what_it_abandons(
    tasks: BackgroundTasks, caplog: pytest.LogCaptureFixture, timeout: float
) -> None:
    stubborn = Stubborn()
    task = start(tasks, stubborn, name="stubborn")
    obedient = start(tasks, forever, name="obedient")
    await asyncio.sleep(0)
    begun = time.monotonic()
    with caplog.at_level(logging.WARNING, logger="sanic.error"):
        await tasks.shutdown(timeout, increment=0.01)
    assert time.monotonic() - begun < 1
    assert "Task stubborn did not end in time and is abandoned." in caplog.text
    assert obedient.cancelled()
    assert "obedient did not end" not in caplog.text
    assert list(tasks) == []
    stubborn.release.set()
    await task


async def test_a_task_may_shut_down_the_others(tasks: BackgroundTasks) -> None:
    other = start(tasks, forever)

    async def work() -> str:
        await tasks.shutdown(5)
        return "survived"

    assert await start(tasks, work) == "survived"
    assert other.cancelled()


def test_shutdown_can_be_called_outside_the_loop(tasks: BackgroundTasks) -> None:
    loop = asyncio.new_event_loop()
    try:
        task = tasks.add(forever, app=APP, loop=loop)
        assert task is not None
        loop.run_until_complete(asyncio.sleep(0))
        tasks.shutdown_blocking(loop, 5)
        assert task.cancelled()
    finally:
        loop.close()


def test_shutdown_after_the_loop_was_closed_is_harmless(tasks: BackgroundTasks) -> None:
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    tasks.add(future, app=APP, loop=loop)
    loop.close()
    tasks.shutdown_blocking(loop, 5)
    asyncio.run(tasks.shutdown(5))
    assert not future.done()


async def test_shutdown_inside_the_running_loop_only_cancels(tasks: BackgroundTasks) -> None:
    task = start(tasks, forever)
    await asyncio.sleep(0)
    tasks.shutdown_blocking(asyncio.get_running_loop(), 5)
    await asyncio.wait([task])
    assert task.cancelled()
