"""The app of the pages on deployment: what it sells, and two routes for whoever watches over it."""

from __future__ import annotations

from sanic import HTTPResponse, Request, Sanic, json, text

app = Sanic("shop")


@app.get("/")
async def index(request: Request) -> HTTPResponse:
    return json({"client": request.client_ip, "url": request.url_for("index")})


@app.get("/health/live")
async def live(request: Request) -> HTTPResponse:
    return text("alive")


@app.get("/health/ready")
async def ready(request: Request) -> HTTPResponse:
    is_ready = request.app.state.is_ready
    return text("ready" if is_ready else "on its way out", 200 if is_ready else 503)
