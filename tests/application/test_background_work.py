"""Background work of an app that serves: started by handlers and listeners, ended with the server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sanic import json, text
from sanic.exceptions import SanicException
from tests.harness import serving
from tests.processes import running


@pytest.fixture
def app(app: Any) -> Any:
    """An app needs a route to be served."""
    app.add_route(lambda request: text("ok"), "/always")
    return app


async def test_work_added_before_the_server_runs_starts_with_it(app: Any) -> None:
    done: asyncio.Queue[str] = asyncio.Queue()

    async def with_app(given: Any) -> None:
        done.put_nowait(given.name)

    async def without() -> None:
        done.put_nowait("none")

    def plain(given: Any) -> None:
        done.put_nowait("plain")

    for work in (with_app, without, plain, with_app(app)):
        assert app.add_task(work) is None
    with pytest.raises(RuntimeError, match="Cannot name task outside of a running application"):
        app.add_task(with_app, name="early")
    async with serving(app):
        outcomes = [await asyncio.wait_for(done.get(), 5) for _ in range(4)]
    assert sorted(outcomes) == sorted([app.name, app.name, "none", "plain"])


async def test_a_handler_starts_finds_cancels_and_purges_named_work(app: Any) -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    @app.get("/<action>")
    async def handler(request: Any, action: str) -> Any:
        if action == "start":
            task = app.add_task(work, name="work")
            assert app.get_task("work") is task
            assert task.get_name() == "work"
        elif action == "cancel":
            await app.cancel_task("work")
            assert cancelled.is_set()
        elif action == "purge":
            app.purge_tasks()
        return json([task.get_name() for task in app.tasks])

    async with serving(app) as server:
        assert (await server.get("/start")).json() == ["work"]
        assert (await server.get("/look")).json() == ["work"]
        assert (await server.get("/cancel")).json() == ["work"]
        assert (await server.get("/purge")).json() == []
        with pytest.raises(SanicException, match="work"):
            app.get_task("work")
        assert app.get_task("work", raise_exception=False) is None


async def test_work_outlives_the_request_that_started_it(app: Any) -> None:
    finished: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @app.get("/")
    async def handler(request: Any) -> Any:
        async def work() -> None:
            await asyncio.sleep(0.05)
            finished.set_result(request.path)

        app.add_task(work())
        return text("ok")

    async with serving(app) as server:
        async with server.connect() as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await client.response()
        assert await asyncio.wait_for(finished, 5) == "/"


async def test_a_failure_is_logged_and_reported_and_the_server_goes_on(
    app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    reported: asyncio.Queue[Any] = asyncio.Queue()

    @app.report_exception
    async def report(app: Any, exception: Exception) -> None:
        reported.put_nowait(exception)

    @app.get("/")
    async def handler(request: Any) -> Any:
        async def work() -> None:
            raise ZeroDivisionError("in the background")

        app.add_task(work, name="division")
        return text("ok")

    async with serving(app) as server:
        assert (await server.get()).text == "ok"
        assert isinstance(await asyncio.wait_for(reported.get(), 5), ZeroDivisionError)
        assert (await server.get()).text == "ok"
        task = app.get_task("division")
        await asyncio.wait([task])
        assert isinstance(task.exception(), ZeroDivisionError)
    assert "division" in caplog.text
    assert "in the background" in caplog.text


async def test_the_process_ends_although_work_refuses_to(tmp_path: Path) -> None:
    source = """
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 0.5

    async def stubborn(app):
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                print("refused", flush=True)

    async def polite(app):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            print("cleaned up", flush=True)

    @app.after_server_stop
    async def last(app):
        print("the last listener", flush=True)

    app.add_task(stubborn)
    app.add_task(polite)
    app.run(port=0, single_process=True)
    """
    async with running(source, directory=tmp_path) as program:
        await program.url()
        assert await program.stop(timeout=20) == 0, program.output
    output = program.output
    assert output.count("refused") == 1
    assert "stubborn did not end in time and is abandoned" in output
    assert "polite did not end" not in output
    assert output.index("cleaned up") < output.index("the last listener")
