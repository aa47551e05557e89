"""Monitoring packages replace methods of classes and instances; what they put there must be called on every request."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from sanic import Sanic, text
from sanic.exceptions import NotFound
from sanic.request import Request
from sanic.response import BaseHTTPResponse
from tests.harness import serving


class Watch:
    """Puts a function around another, and counts its calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            return function(*args, **kwargs)

        return wrapper


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def app(app: Sanic[Any, Any]) -> Sanic[Any, Any]:
    @app.get("/")
    async def index(request: Any) -> Any:
        return text("")

    @app.get("/fails")
    async def fails(request: Any) -> None:
        raise NotFound("gone")

    return app


@pytest.mark.parametrize(
    ("owner", "method"), [(Sanic, "handle_request"), (Request, "respond"), (BaseHTTPResponse, "send")]
)
async def test_methods_of_classes_can_be_wrapped(
    app: Sanic[Any, Any], watch: Watch, monkeypatch: pytest.MonkeyPatch, owner: type, method: str
) -> None:
    monkeypatch.setattr(owner, method, watch.around(method, getattr(owner, method)))

    async with serving(app) as server:
        for _ in range(2):
            assert (await server.get("/")).status_code == 200
        assert (await server.get("/fails")).status_code == 404

    assert watch.calls == [method] * 3


async def test_methods_of_the_router_can_be_assigned(app: Sanic[Any, Any], watch: Watch) -> None:
    app.router.get = watch.around("get", app.router.get)  # type: ignore[method-assign]
    app.router.add = watch.around("add", app.router.add)  # type: ignore[method-assign]

    @app.get("/late")
    async def late(request: Any) -> Any:
        return text("")

    async with serving(app) as server:
        await server.get("/late")
        await server.get("/")

    assert watch.calls == ["add", "get", "get"]


async def test_methods_of_the_error_handler_can_be_assigned(app: Sanic[Any, Any], watch: Watch) -> None:
    handler: Any = app.error_handler
    for method in ("add", "lookup", "response"):
        setattr(handler, method, watch.around(method, getattr(handler, method)))

    @app.exception(KeyError)
    async def caught(request: Any, error: Any) -> Any:
        return text("")

    async with serving(app) as server:
        await server.get("/fails")

    assert watch.calls == ["add", "response", "lookup"]


async def test_register_middleware_can_be_wrapped(
    app: Sanic[Any, Any], watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sanic, "register_middleware", watch.around("register", Sanic.register_middleware))

    @app.on_request
    async def before(request: Any) -> None:
        return None

    assert watch.calls == ["register"]


async def test_plain_functions_can_be_put_into_the_queues_of_middleware(app: Sanic[Any, Any], watch: Watch) -> None:
    async def before(request: Any) -> None:
        watch.calls.append("before")

    async def after(request: Any, response: Any) -> None:
        watch.calls.append("after")

    def note(name: str, request: Any) -> None:
        watch.calls.append(name)

    app.request_middleware.appendleft(before)
    app.request_middleware.appendleft(partial(note, "partial"))
    app.response_middleware.append(after)

    async with serving(app) as server:
        await server.get("/")

    assert watch.calls == ["partial", "before", "after"]
