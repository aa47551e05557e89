"""A websocket that sends back whatever comes.

Run it with `python examples/websocket_echo.py` and connect, for example with `python -m websockets ws://127.0.0.1:8000/`.
"""

from __future__ import annotations

import os

from sanic import Request, Sanic, Websocket

app = Sanic("WebsocketEcho")


@app.websocket("/")
async def echo(request: Request, ws: Websocket) -> None:
    async for message in ws:
        await ws.send(message)


if __name__ == "__main__":
    app.run(host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "8000")), single_process=True)
