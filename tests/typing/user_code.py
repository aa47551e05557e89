"""Typical code of a user, for mypy and pyright: decorators keep the handler's signature, generics reach the handler.

Nothing here runs; `make typecheck` reads it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from typing_extensions import assert_type

from sanic import Blueprint, HTTPResponse, Request, Sanic, empty, html, json, raw, redirect, text
from sanic.compat import Header
from sanic.config import Config
from sanic.exceptions import NotFound
from sanic.request import RequestParameters
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


class Page:
    def __html__(self) -> str:
        return "<p>"


class Traced(Request[App, Context]):
    """A request of one's own, with a namespace of one's own."""

    __slots__ = ("user",)

    user: str

    @staticmethod
    def make_context() -> Context:
        return Context()


traced = Sanic("traced", request_class=Traced)


@traced.get("/traced")
async def trace(request: Traced) -> HTTPResponse:
    assert_type(request.user, str)
    assert_type(request.ctx, Context)
    assert_type(request.app, App)
    return redirect(request.url_for("trace"))


async def requests_are_typed(request: Request) -> None:
    assert_type(request.app, Sanic[Any, Any])
    assert_type(request.ctx, SimpleNamespace)
    assert_type(request.args, RequestParameters)
    assert_type(request.query_args, list[tuple[str, str]])
    assert_type(request.form, RequestParameters)
    assert_type(request.files, RequestParameters)
    assert_type(request.headers, Header)
    assert_type(request.headers.get("accept"), str | None)
    assert_type(request.token, str | None)
    assert_type(request.url, str)
    assert_type(request.server_port, int)
    assert_type(request.match_info, dict[str, Any])
    assert_type(request.get_args(keep_blank_values=True), RequestParameters)
    request.headers = Header({"x-a": "1"})
    await request.receive_body()


def responses_are_typed() -> None:
    assert_type(text("a", 201, {"x-a": "1"}, "text/csv"), HTTPResponse)
    assert_type(html(b"<p>"), HTTPResponse)
    assert_type(html(Page()), HTTPResponse)
    assert_type(text("", headers=[("x-a", 1), ("x-a", "2")]), HTTPResponse)
    assert_type(raw(b""), HTTPResponse)
    assert_type(empty(), HTTPResponse)
    assert_type(redirect("/"), HTTPResponse)
    response = json({"a": 1}, dumps=repr, indent=2)
    assert_type(response, JSONResponse)
    response.update(b=2)
    response.headers["x-a"] = "1"
    response.add_cookie("a", "1", max_age=3600, samesite="Strict")
    assert_type(HTTPResponse("a", content_type=None).body, bytes)


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
