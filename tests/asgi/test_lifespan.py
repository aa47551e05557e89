"""Start and stop under an ASGI server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sanic import Sanic, text
from tests.asgi.driver import Conversation, ask, body, http_scope, living

EVENTS = ("before_server_start", "after_server_start", "before_server_stop", "after_server_stop")


@pytest.fixture
def steps(app: Sanic[Any, Any]) -> list[str]:
    steps: list[str] = []

    def note(event: str) -> Any:
        async def listener(app: Any) -> None:
            steps.append(event)

        return listener

    for event in EVENTS:
        app.register_listener(note(event), event)

    @app.get("/")
    async def index(request: Any) -> Any:
        steps.append("request")
        return text("")

    return steps


async def test_listeners_run_at_start_and_stop(app: Sanic[Any, Any], steps: list[str]) -> None:
    async with living(app) as lifespan:
        assert lifespan.sent == [{"type": "lifespan.startup.complete"}]
        assert steps == list(EVENTS[:2])
        await ask(app, http_scope())

    assert steps == [*EVENTS[:2], "request", *EVENTS[2:]]
    assert lifespan.sent[-1] == {"type": "lifespan.shutdown.complete"}


async def test_an_app_is_ready_from_the_end_of_its_start_to_the_begin_of_its_stop(app: Sanic[Any, Any]) -> None:
    seen: list[tuple[str, bool]] = []
    app.get("/")(lambda request: text(""))
    for event in EVENTS:
        app.register_listener(lambda app, event=event: seen.append((event, app.state.is_ready)), event)
    async with living(app):
        assert app.state.is_ready
    assert not any(is_ready for _, is_ready in seen)
    assert len(seen) == 4
    assert not app.state.is_ready


async def test_an_app_lives_twice(app: Sanic[Any, Any], steps: list[str]) -> None:
    for _ in range(2):
        async with living(app):
            assert (await ask(app, http_scope())).status == 200

    assert steps == [*EVENTS[:2], "request", *EVENTS[2:]] * 2


@pytest.mark.parametrize("event", EVENTS)
async def test_a_listener_that_fails_is_told_to_the_server(app: Sanic[Any, Any], steps: list[str], event: str) -> None:
    @app.listener(event)
    async def fail(app: Any) -> None:
        raise RuntimeError("no database")

    async with living(app) as lifespan:
        pass

    phase = "startup" if event.endswith("start") else "shutdown"
    assert lifespan.sent[-1] == {"type": f"lifespan.{phase}.failed", "message": "RuntimeError: no database"}


async def test_an_app_without_routes_does_not_start(app: Sanic[Any, Any]) -> None:
    async with living(app) as lifespan:
        pass

    assert lifespan.sent[0]["type"] == "lifespan.startup.failed"
    assert "no routes" in lifespan.sent[0]["message"]


async def test_background_tasks_run_and_end(app: Sanic[Any, Any], steps: list[str]) -> None:
    started = asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            steps.append("work ends")

    app.add_task(work)

    async with living(app):
        await asyncio.wait_for(started.wait(), 5)

    assert steps == [*EVENTS[:3], "work ends", EVENTS[3]]


async def test_main_process_listeners_are_ignored_with_a_warning(
    app: Sanic[Any, Any], steps: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    @app.main_process_start
    async def never(app: Any) -> None:
        steps.append("main")

    async with living(app):
        pass

    assert "main" not in steps
    assert "main_process_start is ignored" in caplog.text


async def test_a_choice_of_loop_is_warned_of(
    app: Sanic[Any, Any], steps: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    app.config.USE_UVLOOP = True

    async with living(app):
        pass

    assert "USE_UVLOOP has no effect" in caplog.text


async def test_without_lifespan_the_first_requests_start_the_app_once(
    app: Sanic[Any, Any], steps: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    go = asyncio.Event()

    @app.after_server_start
    async def slow(app: Any) -> None:
        await go.wait()

    tasks = [asyncio.ensure_future(ask(app, http_scope())) for _ in range(3)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert "request" not in steps
    go.set()
    answers = await asyncio.gather(*tasks)

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert steps == [*EVENTS[:2], "request", "request", "request"]
    assert caplog.text.count("does not speak lifespan") == 1


async def test_a_late_start_that_fails_is_tried_again(app: Sanic[Any, Any], steps: list[str]) -> None:
    failures = [RuntimeError("not yet")]

    @app.before_server_start
    async def fail_once(app: Any) -> None:
        if failures:
            raise failures.pop()

    with pytest.raises(RuntimeError, match="not yet"):
        await Conversation(app, http_scope(), body()).run()
    answer = await ask(app, http_scope())

    assert answer.status == 200
