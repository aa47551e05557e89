"""Servers in a loop that somebody else runs: `create_server`, `serving`, and `serve` for test packages."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from sanic_routing.exceptions import FinalizationError

from sanic import Sanic, text
from sanic.exceptions import SanicException
from sanic.server import serve
from tests.processes import get

EVENTS = ["before_server_start", "after_server_start", "before_server_stop", "after_server_stop"]


@pytest.fixture
def app(app: Sanic[Any, Any]) -> Sanic[Any, Any]:
    app.get("/")(lambda request: text(app.name))
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 2
    return app


def record_events(app: Sanic[Any, Any]) -> list[str]:
    events: list[str] = []
    for name in EVENTS:
        app.register_listener(lambda app, name=name: events.append(name), name)
    return events


async def is_refused(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


# -- serving -----------------------------------------------------------------------------------------------------------


async def test_serving_tells_its_address_and_runs_every_listener(app: Sanic[Any, Any]) -> None:
    events = record_events(app)
    async with app.serving(port=0) as server:
        assert server.port
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert (await get(server.url)).text == app.name
        assert events == EVENTS[:2]
        assert app.state.is_running
        assert app.loop is asyncio.get_running_loop()
    assert events == EVENTS
    assert not app.state.is_running
    assert await is_refused(server.port)
    assert server.url == f"http://127.0.0.1:{server.port}"


async def test_serving_may_be_repeated_and_the_app_changed_in_between(app: Sanic[Any, Any]) -> None:
    events = record_events(app)
    for number in range(3):
        app.add_route(lambda request: text("more"), f"/more/{number}", name=f"more_{number}")
        async with app.serving(port=0) as server:
            assert (await get(server.url, f"/more/{number}")).text == "more"
    assert events == EVENTS * 3


async def test_nobody_is_let_in_before_the_start_listeners_are_done(app: Sanic[Any, Any]) -> None:
    refused = []

    @app.before_server_start
    async def try_to_connect(app: Sanic[Any, Any]) -> None:
        refused.append(await is_refused(sock.getsockname()[1]))

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        async with app.serving(sock=sock) as server:
            assert refused == [True]
            assert (await get(server.url)).text == app.name


async def test_an_error_in_the_block_stops_the_server_and_passes(app: Sanic[Any, Any]) -> None:
    events = record_events(app)
    with pytest.raises(KeyError):
        async with app.serving(port=0) as server:
            raise KeyError
    assert events == EVENTS
    assert await is_refused(server.port or 0)


async def test_a_start_that_fails_closes_the_socket_and_runs_no_stop_listeners(app: Sanic[Any, Any]) -> None:
    @app.before_server_start
    async def fail(app: Sanic[Any, Any]) -> None:
        raise ConnectionRefusedError("no database")

    events = record_events(app)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError, match="no database"):
            async with app.serving(sock=sock):
                pass
    assert events == []
    assert not app.state.is_running


async def test_serving_on_a_unix_socket_removes_it(app: Sanic[Any, Any], tmp_path: Path) -> None:
    path = str(tmp_path / "app.sock")
    async with app.serving(unix=path) as server:
        assert server.port is None
        assert path in server.url
        assert (await get("http://localhost", unix=path)).text == app.name
    assert os.listdir(tmp_path) == []


async def test_background_tasks_end_with_serving(app: Sanic[Any, Any]) -> None:
    ended = asyncio.Event()

    async def background() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    async with app.serving(port=0):
        app.add_task(background())
        await asyncio.sleep(0)
    assert ended.is_set()


async def test_an_app_without_routes_is_not_served(app_name: str) -> None:
    with pytest.raises(FinalizationError, match="Cannot finalize with no routes"):
        async with Sanic(app_name).serving(port=0):
            pass


# -- create_server -----------------------------------------------------------------------------------------------------


async def test_a_server_is_started_served_and_closed_by_hand(app: Sanic[Any, Any]) -> None:
    events = record_events(app)
    server = await app.create_server(port=0, return_asyncio_server=True)
    assert not server.is_serving()
    await server.startup()
    await server.before_start()
    serving = asyncio.ensure_future(server.serve_forever())
    await server.after_start()
    assert (await get(server.url)).text == app.name
    assert server.is_serving()
    await server.before_stop()
    await server.close()
    await server.wait_closed()
    await serving
    await server.after_stop()
    assert events == EVENTS
    assert not server.is_serving()


@pytest.mark.parametrize("name", ["before_start", "after_start", "before_stop", "after_stop"])
async def test_listeners_cannot_be_run_before_startup(app: Sanic[Any, Any], name: str) -> None:
    server = await app.create_server(port=0)
    with pytest.raises(SanicException, match=r"without first running await server\.startup"):
        await getattr(server, name)()
    await server.close()


async def test_a_started_server_accepts_without_being_told_to(app: Sanic[Any, Any]) -> None:
    server = await app.create_server(port=0)
    await server.startup()
    assert (await get(server.url)).text == app.name
    await server.close()


async def test_start_serving_may_be_left_for_later(app: Sanic[Any, Any]) -> None:
    server = await app.create_server(port=0, asyncio_server_kwargs={"start_serving": False})
    await server.startup()
    assert not server.is_serving()
    await server.start_serving()
    assert server.is_serving()
    assert (await get(server.url)).text == app.name
    await server.close()


async def test_cancelling_serve_forever_closes_the_server(app: Sanic[Any, Any]) -> None:
    server = await app.create_server(port=0)
    await server.startup()
    async with httpx.AsyncClient(trust_env=False) as client:
        serving = asyncio.ensure_future(server.serve_forever())
        # Kept open: a server that waited for it would not end.
        assert (await client.get(server.url)).text == app.name
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
    assert await is_refused(server.port or 0)


async def test_a_server_that_never_served_gives_its_port_back(app: Sanic[Any, Any]) -> None:
    server = await app.create_server(port=0)
    port = server.port or 0
    server.close()
    await server.wait_closed()
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_a_closed_server_does_not_serve_again(app: Sanic[Any, Any]) -> None:
    server = await app.create_server(port=0)
    await server.startup()
    await server.close()
    with pytest.raises(SanicException, match="is closed: make another one"):
        await server.start_serving()


async def test_an_address_in_use_is_an_oserror_that_names_it(app: Sanic[Any, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"Address already in use: 127.0.0.1:{port}"):
            await app.create_server(port=port)


async def test_two_servers_of_one_app_serve_side_by_side(app: Sanic[Any, Any]) -> None:
    async with app.serving(port=0) as first:
        async with app.serving(port=0) as second:
            assert first.port != second.port
            assert (await get(second.url)).text == app.name
        assert (await get(first.url)).text == app.name


async def test_a_port_may_be_shared_by_two_servers(app: Sanic[Any, Any]) -> None:
    if not hasattr(socket, "SO_REUSEPORT"):
        pytest.skip("this system does not know SO_REUSEPORT")
    shared = {"asyncio_server_kwargs": {"reuse_port": True}}
    async with app.serving(port=0, **shared) as first, app.serving(port=first.port, **shared) as second:
        assert first.port == second.port
        assert (await get(second.url)).text == app.name


async def test_a_second_app_is_served_from_the_listeners_of_the_first(app: Sanic[Any, Any], app_name: str) -> None:
    other: Sanic[Any, Any] = Sanic(f"{app_name}_other")
    other.get("/")(lambda request: text("other"))

    @app.before_server_start
    async def start_other(app: Sanic[Any, Any]) -> None:
        server = app.ctx.server = await other.create_server(port=0, return_asyncio_server=True)
        app.add_task(run_other(other, server))

    @app.before_server_stop
    async def stop_other(app: Sanic[Any, Any]) -> None:
        await app.ctx.server.close()

    async def run_other(other: Sanic[Any, Any], server: Any) -> None:
        other.state.is_running = True
        try:
            other.signalize()
            other.finalize()
            other.state.is_started = True
            await server.serve_forever()
        finally:
            other.state.is_running = False
            other.state.is_started = False

    async with app.serving(port=0) as server:
        assert (await get(server.url)).text == app.name
        assert (await get(app.ctx.server.url)).text == "other"
    assert await is_refused(app.ctx.server.port)


async def test_options_that_have_no_effect_are_warned_of(
    app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    app.config.USE_UVLOOP = True
    app.main_process_start(lambda app: None)
    with caplog.at_level(logging.WARNING, "sanic.error"):
        server = await app.create_server(port=0)
    await server.close()
    assert "USE_UVLOOP has no effect with create_server" in caplog.text
    assert "main_process_start is ignored by create_server" in caplog.text


async def test_configuration_that_a_start_listener_sets_counts(app: Sanic[Any, Any]) -> None:
    @app.before_server_start
    async def configure(app: Sanic[Any, Any]) -> None:
        app.config.KEEP_ALIVE = False

    async with app.serving(port=0) as server:
        assert (await get(server.url)).headers["connection"] == "close"


# -- serve(run_async=True) ---------------------------------------------------------------------------------------------


async def test_serve_starts_the_app_and_closing_stops_it(app: Sanic[Any, Any]) -> None:
    events = record_events(app)
    for _ in range(2):
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        settings = app._helper(sock=sock, loop=asyncio.get_running_loop(), run_async=True)
        connections: set[Any] = set()
        serving = serve(**{**settings, "host": None, "port": None, "connections": connections})
        assert serving is not None
        server = await serving
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).text == app.name
            assert len(connections) == 1
            for connection in connections:
                connection.close_if_idle()
            server.close()
            await server.wait_closed()
        assert not connections
    assert events == EVENTS * 2


async def test_of_two_sockets_that_were_bound_to_one_port_only_one_is_served(app: Sanic[Any, Any]) -> None:
    first = socket.create_server(("127.0.0.1", 0), reuse_port=False)
    port = first.getsockname()[1]
    first.close()
    sockets = []
    for _ in range(2):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sockets.append(sock)
    server = await app.create_server(sock=sockets[0])
    await server.startup()
    with pytest.raises(OSError, match="in use"):
        await app.create_server(sock=sockets[1])
    assert server.is_serving()
    await server.close()
    sockets[1].close()


async def test_an_app_that_cannot_start_leaves_nothing_behind(app_name: str) -> None:
    bare: Sanic[Any, Any] = Sanic(app_name)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        settings = bare._helper(sock=sock, loop=asyncio.get_running_loop(), run_async=True)
        serving = serve(**{**settings, "host": None, "port": None})
        assert serving is not None
        # Coroutines that nobody awaits are warned of, and warnings are errors here.
        with pytest.raises(FinalizationError):
            await serving
        assert not serving.is_serving()
