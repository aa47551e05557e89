"""Typical code of a user, for mypy and pyright: decorators keep the handler's signature, generics reach the handler.

Nothing here runs; `make typecheck` reads it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from typing_extensions import assert_type

from sanic import Blueprint, HTTPResponse, Request, Sanic, json, text
from sanic.config import Config
from sanic.exceptions import NotFound
from sanic.response import JSONResponse
from sanic.views import HTTPMethodView


class Settings(Config):
    GREETING: str = "Hello"


class Context:
    visits: int = 0


class Greeter(HTTPMethodView):
    async def get(self, request: Request, name: str) -> HTTPResponse:
        return text(name)


App = Sanic[Settings, Context]

app = Sanic("typed", config=Settings(), ctx=Context())
assert_type(app, App)
assert_type(app.config, Settings)
assert_type(app.ctx, Context)
assert_type(app.config.GREETING, str)

plain = Sanic("plain")
assert_type(plain, Sanic[Config, SimpleNamespace])
assert_type(plain.ctx, SimpleNamespace)


@app.get("/<name>")
async def greet(request: Request[App, Any], name: str) -> HTTPResponse:
    assert_type(request.app.config.GREETING, str)
    assert_type(request.path, str)
    assert_type(request.method, str)
    assert_type(request.body, bytes)
    return text(request.app.config.GREETING + name)


@app.post("/sum/<a:int>/<b:int>", name="sum", strict_slashes=True)
def add(request: Request, a: int, b: int) -> JSONResponse:
    return json({"sum": a + b})


@app.on_request
async def count(request: Request) -> None:
    app.ctx.visits += 1


@app.on_response(priority=5)
async def sign(request: Request, response: HTTPResponse) -> None:
    response.headers["x-visits"] = "1"


@app.before_server_start
async def prepare(app: App) -> None:
    app.ctx.visits = 0


@app.exception(NotFound)
async def missing(request: Request, exception: NotFound) -> HTTPResponse:
    return text(str(exception), status=404)


blueprint = Blueprint("api", url_prefix="/api", version=1)


@blueprint.get("/items", name="items")
async def items(request: Request) -> HTTPResponse:
    return json([])


async def signatures_are_kept(request: Request[App, Any]) -> None:
    """What a decorator returns can still be called, with the types it was written with."""
    assert_type(await greet(request, "ada"), HTTPResponse)
    assert_type(add(request, a=1, b=2), JSONResponse)
    assert_type(await count(request), None)
    assert_type(await sign(request, text("")), None)
    assert_type(await prepare(app), None)
    assert_type(await missing(request, NotFound("gone")), HTTPResponse)
    assert_type(await items(request), HTTPResponse)


app.blueprint(blueprint)
app.add_route(Greeter.as_view(), "/greet/<name>")
app.add_route(items, "/all", name="all_items")
