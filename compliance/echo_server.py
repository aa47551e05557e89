"""The echo handler that the Autobahn test suite talks to: `python echo_server.py PORT [compressed]`."""

from __future__ import annotations

import sys
from typing import Any

from sanic import Request, Sanic, Websocket

# The largest message of the suite has 16 MiB.
app: Sanic[Any, Any] = Sanic("echo")
app.config.update(WEBSOCKET_MAX_SIZE=2**25, WEBSOCKET_COMPRESSION="compressed" in sys.argv, ACCESS_LOG=False)


@app.websocket("/")
async def echo(request: Request, ws: Websocket) -> None:
    async for message in ws:
        await ws.send(message)


if __name__ == "__main__":
    app.run(port=int(sys.argv[1]), single_process=True, motd=False)
