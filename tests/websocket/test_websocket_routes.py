"""Declaring websocket routes, and what surrounds their handlers."""

from __future__ import annotations

import functools
import logging
from typing import Any

import pytest

from sanic import Blueprint, Request, Sanic, Websocket
from sanic.response import text
from sanic.server import HttpProtocol
from tests.harness import serving
from tests.websocket.client import closing_of, connect
from tests.websocket.wire import handshake, raw_websocket


async def nothing(request: Request, ws: Websocket) -> None:
    pass


async def test_path_parameters_are_handed_on(app: Sanic[Any, Any]) -> None:
    @app.websocket("/room/<room:str>/<seat:int>")
    async def handler(request: Request, ws: Websocket, room: str, seat: int) -> None:
        await ws.send(f"{room} {seat!r}")

    async with serving(app) as server, connect(server, "/room/blue/7") as client:
        assert await client.recv() == "blue 7"


async def test_a_route_can_be_added_with_a_call_or_on_a_blueprint(app: Sanic[Any, Any]) -> None:
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.send(f"{(request.endpoint or '').partition('.')[2]} {request.scheme} {isinstance(ws, Websocket)}")

    blueprint = Blueprint("talk", url_prefix="/talk", version=1)
    blueprint.add_websocket_route(handler, "/a", name="a")
    blueprint.websocket("/b", name="b")(handler)
    app.blueprint(blueprint)
    assert app.add_websocket_route(handler, "/c", name="c") is handler
    assert [route.name.rpartition(".")[2] for route in blueprint.websocket_routes] == ["a", "b"]
    async with serving(app) as server:
        for path, name in {"/v1/talk/a": "talk.a", "/v1/talk/b": "talk.b", "/c": "c"}.items():
            async with connect(server, path) as client:
                assert await client.recv() == f"{name} ws True"


def test_route_takes_websocket_as_an_option(app: Sanic[Any, Any]) -> None:
    app.route("/", websocket=True, subprotocols=["chat"], name="main")(nothing)
    (route,) = app.router.routes
    assert route.extra.websocket is True
    assert app.url_for("main", _external=True, _server="example.com") == "ws://example.com/"


def test_the_first_websocket_route_enables_websockets(app: Sanic[Any, Any]) -> None:
    assert app.websocket_enabled is False
    app.add_websocket_route(nothing, "/")
    assert app.websocket_enabled is True


def test_websockets_can_be_enabled_and_disabled_by_hand(app: Sanic[Any, Any]) -> None:
    app.enable_websocket()
    assert app.websocket_enabled is True
    app.enable_websocket(False)
    assert app.websocket_enabled is False


def test_extension_packages_find_the_handler_in_the_route(app: Sanic[Any, Any]) -> None:
    app.add_websocket_route(nothing, "/")
    (route,) = app.router.routes
    assert isinstance(route.handler, functools.partial)
    assert route.handler.func == app._websocket_handler
    assert route.handler.args[0] is nothing


def test_a_handler_without_place_for_the_websocket_is_refused(app: Sanic[Any, Any]) -> None:
    async def handler(request: Request) -> None:
        pass

    with pytest.raises(ValueError, match="websocket"):
        app.websocket("/")(handler)
    with pytest.raises(ValueError, match="websocket"):
        app.add_websocket_route(handler, "/")


async def test_signals_surround_the_handler(app: Sanic[Any, Any]) -> None:
    events: list[str] = []

    @app.signal("websocket.handler.before")
    async def before(request: Request, websocket: Websocket) -> None:
        events.append("before")
        await websocket.send("from a signal")

    @app.signal("websocket.handler.after")
    async def after(request: Request, websocket: Websocket) -> None:
        events.append("after")

    @app.signal("websocket.handler.exception")
    async def failed(request: Request, websocket: Websocket, exception: Exception) -> None:
        events.append(f"exception {exception}")

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        events.append("handler")
        if request.args:
            raise ValueError("bad")

    async with serving(app) as server:
        async with connect(server) as client:
            assert await client.recv() == "from a signal"
            assert await closing_of(client) == (1000, "")
        assert events == ["before", "handler", "after"]
        events.clear()
        async with connect(server, "/?fail=1") as client:
            assert await closing_of(client) == (1011, "")
        assert events == ["before", "handler", "exception bad"]


async def test_request_middleware_runs_before_the_handler(app: Sanic[Any, Any]) -> None:
    @app.on_request
    async def know(request: Request) -> None:
        request.ctx.user = "Ada"

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.send(request.ctx.user)

    async with serving(app) as server, connect(server) as client:
        assert await client.recv() == "Ada"


async def test_a_plain_handler_may_make_the_handshake_and_return_a_response(
    app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    app.enable_websocket()

    @app.get("/")
    async def handler(request: Request) -> Any:
        ws = await request.transport.get_protocol().websocket_handshake(request)
        await ws.send(f"{await ws.recv()} again")
        await ws.close()
        return text("not for a websocket")

    async with serving(app) as server, connect(server) as client:
        await client.send("once")
        assert await client.recv() == "once again"
        assert await closing_of(client) == (1000, "")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_http_and_websockets_live_on_one_server(app: Sanic[Any, Any]) -> None:
    @app.get("/page")
    async def page(request: Request) -> Any:
        return text("page")

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.send("socket")

    async with serving(app) as server, connect(server) as client:
        assert (await server.get("/page")).text == "page"
        assert await client.recv() == "socket"
        assert (await server.get("/")).status_code == 426


async def test_opening_and_closing_are_in_the_access_log(
    app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    app.add_websocket_route(nothing, "/talk")
    with caplog.at_level("INFO", "sanic.access"):
        async with serving(app, access_log=True) as server, connect(server, "/talk") as client:
            await closing_of(client)
    opened, closed = (vars(record) for record in caplog.records if record.name == "sanic.access")
    assert (opened["status"], opened["byte"]) == (101, "OPEN")
    assert (closed["status"], closed["byte"]) == (101, "CLOSED")
    assert opened["request"].startswith("GET ws://")


async def test_a_server_whose_protocol_has_no_websockets_says_so(
    app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    app.add_websocket_route(nothing, "/")
    async with serving(app, protocol=HttpProtocol) as server, server.connect() as connection:
        await connection.send(handshake())
        assert (await connection.response()).status == 500
    assert "WebSocketProtocol" in caplog.text


async def test_the_tasks_of_handlers_are_known(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.send(str(len(app.websocket_tasks)))
        await ws.recv()

    async with serving(app) as server, raw_websocket(server) as one, raw_websocket(server) as other:
        assert sorted([(await one.read()).payload, (await other.read()).payload]) == [b"1", b"2"]
