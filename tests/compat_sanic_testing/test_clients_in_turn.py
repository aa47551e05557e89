"""The clients of sanic-testing, one after the other on one application."""

from __future__ import annotations

from typing import Any

import pytest

from sanic import Request, Sanic, Websocket, text
from tests.harness import free_port

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def test_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    # The clients switch it on for good.
    monkeypatch.setattr(Sanic, "test_mode", False)


@pytest.fixture
def greeter(app: Sanic[Any, Any]) -> Sanic[Any, Any]:
    @app.get("/")
    async def index(request: Request) -> Any:
        return text("hello")

    @app.websocket("/echo")
    async def echo(request: Request, ws: Websocket) -> None:
        async for message in ws:
            await ws.send(message)

    return app


def test_requests_follow_a_websocket(greeter: Sanic[Any, Any]) -> None:
    greeter.test_client.websocket("/echo")
    _, response = greeter.test_client.get("/")
    assert response.text == "hello"
    greeter.test_client.websocket("/echo")


def test_the_test_client_follows_a_reusable_client(greeter: Sanic[Any, Any]) -> None:
    from sanic_testing.reusable import ReusableClient

    with ReusableClient(greeter, port=free_port()) as client:
        _, response = client.get("/")
        assert response.text == "hello"
    client._loop.close()
    _, response = greeter.test_client.get("/")
    assert response.text == "hello"
