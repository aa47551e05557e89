"""A small app, as somebody might write one, made anew for each test."""

from __future__ import annotations

from typing import Any

from sanic import Blueprint, Sanic, empty, json, redirect, text
from sanic.exceptions import SanicException
from sanic.response import html, raw


class Teapot(SanicException):
    status_code = 418
    quiet = True
    message = "Short and stout"


def make_app() -> Sanic[Any, Any]:
    app = Sanic("small_app")
    app.ctx.steps = []

    @app.before_server_start
    async def start(app: Any) -> None:
        app.ctx.steps.append("start")

    @app.after_server_stop
    async def stop(app: Any) -> None:
        app.ctx.steps.append("stop")

    @app.on_request
    async def mark(request: Any) -> None:
        request.ctx.marked = True

    @app.on_response
    async def sign(request: Any, response: Any) -> None:
        response.headers["X-Signed"] = "yes"

    @app.get("/")
    async def index(request: Any) -> Any:
        return text("marked" if request.ctx.marked else "not marked")

    @app.get("/sync")
    def sync(request: Any) -> Any:
        return html("<p>sync</p>")

    @app.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def echo(request: Any) -> Any:
        return json(
            {
                "method": request.method,
                "args": request.args,
                "form": request.form,
                "json": request.json if "json" in request.content_type else None,
                "header": request.headers.get("x-test"),
                "cookies": dict(request.cookies.items()),
            }
        )

    @app.get("/items/<number:int>")
    async def item(request: Any, number: int) -> Any:
        return json({"number": number}, 201)

    @app.post("/files")
    async def files(request: Any) -> Any:
        file = request.files.get("file")
        return json({"name": file.name, "size": len(file.body), "type": file.type})

    @app.get("/cookie")
    async def cookie(request: Any) -> Any:
        response = text("set")
        response.add_cookie("flavour", "oat", secure=False, httponly=True)
        return response

    @app.get("/stream")
    async def stream(request: Any) -> None:
        response = await request.respond(content_type="text/csv")
        for number in range(3):
            await response.send(f"{number},")
        await response.eof()

    @app.post("/upload", stream=True)
    async def upload(request: Any) -> Any:
        return text(str(sum([len(piece) async for piece in request.stream])))

    @app.get("/old")
    async def old(request: Any) -> Any:
        return redirect(app.url_for("item", number=3))

    @app.get("/nothing")
    async def nothing(request: Any) -> Any:
        return empty()

    @app.get("/bytes")
    async def some_bytes(request: Any) -> Any:
        return raw(b"\x00\x01")

    @app.get("/tea")
    async def tea(request: Any) -> None:
        raise Teapot

    @app.get("/crash")
    async def crash(request: Any) -> None:
        raise ZeroDivisionError("by zero")

    @app.exception(ZeroDivisionError)
    async def caught(request: Any, error: Exception) -> Any:
        return text(f"caught {error}", 500)

    api = Blueprint("api", url_prefix="/api", version=1)

    @api.on_request
    async def guard(request: Any) -> Any:
        if request.token != "secret":
            return json({"error": "who are you?"}, 401)
        return None

    @api.get("/secret")
    async def secret(request: Any) -> Any:
        return json({"secret": 42})

    app.blueprint(api)

    @app.websocket("/feed")
    async def feed(request: Any, ws: Any) -> None:
        async for message in ws:
            if not message:
                break
            await ws.send(f"{message}!")

    return app
