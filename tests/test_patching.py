"""What monitoring and session packages put in place of our methods has effect on every request."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from sanic import Sanic, text
from sanic.handlers import ErrorHandler
from tests.harness import RunningServer, serving


@pytest.fixture
def log(app: Any) -> list[str]:
    app.add_route(handler, "/<name>")
    return []


async def handler(request: Any, name: str) -> Any:
    return text(name)


async def ask(server: RunningServer) -> None:
    for _ in range(2):
        assert (await server.get("/a")).text == "a"


async def test_router_get_of_the_instance(app: Any, log: list[str]) -> None:
    get = app.router.get

    def patched(*args: Any, **kwargs: Any) -> Any:
        log.append("get")
        route, found, params = get(*args, **kwargs)

        def sync_wrapper(request: Any, **params: Any) -> Any:
            log.append("handler")
            return found(request, **params)

        return route, sync_wrapper, params

    app.router.get = patched
    async with serving(app) as server:
        await ask(server)
    assert log == ["get", "handler"] * 2


async def test_router_get_may_bring_a_sync_handler(app: Any, log: list[str]) -> None:
    get = app.router.get
    app.router.get = lambda *args: (get(*args)[0], lambda request, name: text(name), {"name": "a"})
    async with serving(app) as server:
        await ask(server)


def test_router_add_of_the_instance(app: Any) -> None:
    added: list[str] = []
    add = app.router.add

    def patched(*args: Any, **kwargs: Any) -> Any:
        added.append(kwargs["uri"])
        return add(*args, **kwargs)

    app.router.add = patched
    app.add_route(handler, "/<name>")
    bp = __import__("sanic").Blueprint("bp", url_prefix="/bp")
    bp.add_route(handler, "/<name>")
    app.blueprint(bp)
    assert added == ["/<name>", "/bp/<name>"]


async def test_error_handler_lookup_of_the_class(app: Any, log: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lookup = ErrorHandler.lookup

    def patched(self: Any, exception: Any, *args: Any, **kwargs: Any) -> Any:
        log.append(type(exception).__name__)
        return lookup(self, exception, *args, **kwargs)

    monkeypatch.setattr(ErrorHandler, "lookup", patched)
    async with serving(app) as server:
        await server.get("/none/none")
    assert log == ["NotFound"]


async def test_startup_and_constructor(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    startup, init = Sanic._startup, Sanic.__init__

    async def patched_startup(self: Any) -> None:
        log.append("startup")
        await startup(self)

    def patched_init(self: Any, *args: Any, **kwargs: Any) -> None:
        log.append("init")
        init(self, *args, **kwargs)

    monkeypatch.setattr(Sanic, "_startup", patched_startup)
    monkeypatch.setattr(Sanic, "__init__", patched_init)
    other: Any = Sanic("other")
    other.add_route(handler, "/<name>")
    async with serving(other) as server:
        await ask(server)
    assert log == ["init", "startup"]


def test_what_is_declared_is_kept_where_packages_look(app: Any) -> None:
    from sanic.models.futures import FutureMiddleware

    function = app.on_request(lambda request: None)
    assert [(future.middleware, future.attach_to) for future in app._future_middleware] == [(function, "request")]
    assert all(isinstance(future, FutureMiddleware) for future in app._future_middleware)


@pytest.mark.parametrize("method", ["respond", "send"])
async def test_what_is_wrapped_while_our_modules_are_imported_sees_every_response(tmp_path: Any, method: str) -> None:
    # As an import hook does it: before anything else of the package has looked at the class.
    program = f"""
import asyncio
import sanic.request
import sanic.response
from functools import wraps

owner = {{"respond": sanic.request.Request, "send": sanic.response.BaseHTTPResponse}}["{method}"]
original = getattr(owner, "{method}")

@wraps(original)
def monitor(self, *args, **kwargs):
    print("seen")
    return original(self, *args, **kwargs)

setattr(owner, "{method}", monitor)

import sanic
app = sanic.Sanic("watched")

@app.get("/")
async def index(request):
    return sanic.text("hello")

async def main():
    async with app.serving(port=0) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
        print((await reader.read()).decode().splitlines()[-1])
        writer.close()

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    lines = output.decode().splitlines()
    assert "seen" in lines
    assert "hello" in lines
