"""The tests of a small app, written for pytest-sanic as its users write them."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from sanic import Blueprint, Sanic
from sanic.exceptions import Unauthorized
from sanic.response import json, redirect, text
from sanic.server.protocols.websocket_protocol import WebSocketProtocol

STEPS = []


@pytest.fixture
def app():
    app = Sanic("small_app")
    STEPS.clear()

    @app.before_server_start
    async def start(app):
        STEPS.append("start")
        app.ctx.ready = True

    @app.after_server_stop
    async def stop(app):
        STEPS.append("stop")

    @app.get("/")
    async def index(request):
        return text("ready" if request.app.ctx.ready else "not ready")

    @app.post("/echo/<number:int>")
    async def echo(request, number):
        return json({"number": number, "sent": request.json})

    @app.route("/facts", methods=["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
    async def facts(request):
        return json(
            {
                "method": request.method,
                "args": request.args,
                "header": request.headers.get("x-test"),
                "cookie": request.cookies.get("flavour"),
            },
            headers={"x-method": request.method},
        )

    @app.post("/upload", stream=True)
    async def upload(request):
        return text(str(sum([len(piece) async for piece in request.stream])))

    @app.get("/stream")
    async def stream(request):
        response = await request.respond(content_type="text/plain")
        for number in range(3):
            await response.send(str(number))
        await response.eof()

    @app.get("/old")
    async def old(request):
        return redirect("/")

    @app.websocket("/feed")
    async def feed(request, ws):
        async for message in ws:
            await ws.send(message + "!")

    inner = Blueprint("inner", url_prefix="/inner")

    @inner.middleware("request")
    async def guard(request):
        if "x-key" not in request.headers:
            raise Unauthorized("no key")

    @inner.middleware("response")
    async def sign(request, response):
        response.headers["x-signed"] = "yes"

    @inner.get("/")
    async def secret(request):
        return text("secret")

    app.blueprint(inner)

    yield app
    Sanic.unregister_app(app)


@pytest.fixture
def client(loop, app, sanic_client):
    return loop.run_until_complete(sanic_client(app))


@pytest.fixture
def server(loop, app, test_server):
    return loop.run_until_complete(test_server(app))


async def test_a_get_is_answered(client):
    response = await client.get("/")

    assert response.status_code == 200
    assert response.text == "ready"


async def test_json_goes_in_and_comes_out(client):
    response = await client.post("/echo/7", json={"a": [1, 2]})

    assert response.status_code == 200
    assert response.json() == {"number": 7, "sent": {"a": [1, 2]}}


async def test_what_has_no_route_is_a_404(client):
    response = await client.get("/nowhere")

    assert response.status_code == 404


async def test_listeners_have_run_before_the_first_request(client):
    assert STEPS == ["start"]


async def test_one_client_makes_many_requests(client):
    statuses = [(await client.get("/")).status_code for _ in range(5)]

    assert statuses == [200] * 5


async def test_a_server_listens_without_a_client(server):
    assert server.is_running
    assert server.port


async def test_a_server_is_reached_with_a_client_of_ones_own(server):
    async with httpx.AsyncClient() as session:
        response = await session.get(server.make_url("/"))

    assert response.text == "ready"


async def test_the_old_name_of_the_client_works(app, loop, test_client):
    client = await test_client(app)

    assert (await client.get("/")).text == "ready"


async def test_clients_and_servers_can_be_made_inside_of_a_test(app, sanic_client, test_server):
    client = await sanic_client(app)

    assert (await client.get("/")).status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options", "head"])
async def test_each_method_has_its_call(client, method):
    response = await getattr(client, method)("/facts", params={"a": "1"}, headers={"x-test": "yes"})

    assert response.status_code == 200
    assert response.headers["x-method"] == method.upper()
    if method != "head":
        assert response.json() == {"method": method.upper(), "args": {"a": ["1"]}, "header": "yes", "cookie": None}


async def test_cookies_are_sent(client):
    response = await client.get("/facts", headers={"cookie": "flavour=oat"})

    assert response.json()["cookie"] == "oat"


async def test_streams_go_both_ways(client):
    async def pieces():
        for _ in range(3):
            yield b"x" * 1000

    assert (await client.post("/upload", content=pieces())).text == "3000"
    assert (await client.get("/stream")).text == "012"


async def test_redirects_can_be_followed(client):
    response = await client.get("/old")
    assert (response.status_code, response.headers["location"]) == (302, "/")

    assert (await client.get("/old", follow_redirects=True)).text == "ready"


async def test_blueprints_bring_their_middleware(client):
    refused = await client.get("/inner/")
    allowed = await client.get("/inner/", headers={"x-key": "1"})

    assert (refused.status_code, allowed.status_code) == (401, 200)
    assert allowed.headers["x-signed"] == refused.headers["x-signed"] == "yes"


async def test_requests_run_side_by_side(client):
    responses = await asyncio.gather(*(client.get("/") for _ in range(20)))

    assert [response.text for response in responses] == ["ready"] * 20


async def test_a_websocket_talks(app, sanic_client):
    client = await sanic_client(app, protocol=WebSocketProtocol, scheme="ws")
    websocket = await client.ws_connect("/feed")

    await websocket.send("one")
    assert await websocket.recv() == "one!"


async def test_two_apps_are_served_side_by_side(app, sanic_client):
    other = Sanic("other_app")

    @other.get("/")
    async def index(request):
        return text("other")

    first, second = await sanic_client(app), await sanic_client(other)

    assert (await first.get("/")).text == "ready"
    assert (await second.get("/")).text == "other"
    Sanic.unregister_app(other)


def test_an_app_is_served_again_after_it_was_closed(app, loop):
    from pytest_sanic.utils import TestClient

    async def life():
        async with TestClient(app) as client:
            assert app.is_running
            return (await client.get("/")).status_code

    assert [loop.run_until_complete(life()) for _ in range(2)] == [200, 200]
    assert STEPS == ["start", "stop"] * 2
    assert not app.is_running


async def test_a_port_that_is_told_to_be_unused_is(unused_port):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", unused_port))
