"""A chat: what one says, everybody in the same room reads.

Run it with `python examples/websocket_chat.py` and open http://127.0.0.1:8000/ in two windows.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from pathlib import Path

from sanic import Request, Sanic, Websocket, html
from sanic.exceptions import WebsocketClosed
from sanic.response import HTTPResponse

PAGE = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")

app = Sanic("WebsocketChat")
app.config.WEBSOCKET_MAX_SIZE = 4096
app.ctx.rooms = defaultdict(set)


@app.get("/")
async def index(request: Request) -> HTTPResponse:
    return html(PAGE)


@app.websocket("/chat/<room:str>")
async def chat(request: Request, ws: Websocket, room: str) -> None:
    name = request.args.get("name", "somebody")
    members: set[Websocket] = app.ctx.rooms[room]
    members.add(ws)
    try:
        await tell(members, name, "has come")
        async for message in ws:
            await tell(members, name, message)
    finally:
        # Also when the browser has gone: this task is cancelled then.
        members.discard(ws)
        if not members:
            del app.ctx.rooms[room]
        app.add_task(tell(set(members), name, "has left"), register=False)


async def tell(members: set[Websocket], name: str, text: str | bytes) -> None:
    message = json.dumps({"name": name, "text": str(text)})
    # All at once, so that a slow reader keeps nobody waiting but the one who wrote.
    results = await asyncio.gather(*(member.send(message) for member in members), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, WebsocketClosed):
            raise result


if __name__ == "__main__":
    app.run(host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "8000")), single_process=True)
