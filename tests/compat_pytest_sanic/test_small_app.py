"""The tests of a small app, written for pytest-sanic as its users write them."""

from __future__ import annotations

import pytest

from sanic import Sanic
from sanic.response import json, text

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
