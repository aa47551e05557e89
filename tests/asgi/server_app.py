"""The application that real ASGI servers serve in `test_asgi_servers.py`; it writes its life down in a file."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from sanic import Sanic, json, text

app = Sanic("asgi_server_app")
# Another package may be installed that would add routes of its own.
app.config.AUTO_EXTEND = False
journal = Path(os.environ["JOURNAL"])


def note(line: str) -> None:
    with journal.open("a") as file:
        file.write(line + "\n")


@app.before_server_start
async def start(app: Any) -> None:
    note("start")


@app.after_server_stop
async def stop(app: Any) -> None:
    note("stop")


@app.get("/")
async def index(request: Any) -> Any:
    return text("hello", headers={"x-test": "1"})


@app.get("/who")
async def who(request: Any) -> Any:
    return text(f"{request.client_ip} {request.url_for('who')}")


@app.post("/echo")
async def echo(request: Any) -> Any:
    return json({"size": len(request.body), "args": request.args})


@app.post("/upload", stream=True)
async def upload(request: Any) -> Any:
    return text(str(sum([len(piece) async for piece in request.stream])))


@app.get("/stream")
async def stream(request: Any) -> None:
    response = await request.respond(content_type="text/plain")
    for number in range(3):
        await response.send(f"{number}\n")
    await response.eof()


@app.get("/nothing")
async def nothing(request: Any) -> Any:
    return text("", 204)


@app.get("/broken")
async def broken(request: Any) -> None:
    response = await request.respond(content_type="text/plain")
    await response.send("some")
    raise RuntimeError("half-way")


@app.get("/fails")
async def fails(request: Any) -> None:
    raise RuntimeError("oops")


@app.get("/slow")
async def slow(request: Any) -> None:
    note("slow begins")
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        note("slow is cancelled")
        raise


@app.websocket("/feed", subprotocols=["two", "one"])
async def feed(request: Any, ws: Any) -> None:
    note(f"subprotocol {ws.subprotocol}")
    async for message in ws:
        await ws.send(message)
    note("feed ends")


@app.websocket("/once")
async def once(request: Any, ws: Any) -> None:
    await ws.send(await ws.recv())


@app.websocket("/clock")
async def clock(request: Any, ws: Any) -> None:
    try:
        while True:
            await ws.send("tick")
            await asyncio.sleep(0.01)
    finally:
        note("clock ends")


@app.websocket("/broken-feed")
async def broken_feed(request: Any, ws: Any) -> None:
    raise RuntimeError("no news")
