"""The server's side of ASGI, in memory: what an application receives is written down before, what it sends is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

DISCONNECT = {"type": "http.disconnect"}


def http_scope(path: str = "/", method: str = "GET", **changes: Any) -> dict[str, Any]:
    """A scope as servers make it; what is given replaces it, None takes it out."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [[b"host", b"example.com"]],
        "client": ["192.0.2.7", 5000],
        "server": ["127.0.0.1", 8000],
        **changes,
    }
    return {name: value for name, value in scope.items() if value is not None}


def websocket_scope(path: str = "/", **changes: Any) -> dict[str, Any]:
    headers = [[b"host", b"example.com"], [b"upgrade", b"websocket"], [b"connection", b"upgrade"]]
    return http_scope(path, **{"type": "websocket", "scheme": "ws", "headers": headers, "subprotocols": [], **changes})


class Conversation:
    """One scope, from the server's side."""

    def __init__(self, app: Any, scope: dict[str, Any], *messages: dict[str, Any]) -> None:
        self.app = app
        self.scope = scope
        self.sent: list[dict[str, Any]] = []
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for message in messages:
            self.inbox.put_nowait(message)

    async def _send(self, message: Any) -> None:
        self.sent.append(dict(message))
        self.outbox.put_nowait(dict(message))

    async def run(self) -> list[dict[str, Any]]:
        """Have the application handle the scope; returns all it has sent."""
        await asyncio.wait_for(self.app(self.scope, self.inbox.get, self._send), 5)
        return self.sent

    async def next(self) -> dict[str, Any]:
        """The next message of the application."""
        return await asyncio.wait_for(self.outbox.get(), 5)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])


def body(data: bytes = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


async def ask(app: Any, scope: dict[str, Any], *messages: dict[str, Any]) -> Conversation:
    """A whole request."""
    conversation = Conversation(app, scope, *(messages or (body(),)))
    await conversation.run()
    return conversation


@asynccontextmanager
async def living(app: Any) -> AsyncIterator[Conversation]:
    """The application's lifespan, around the block."""
    lifespan = Conversation(app, {"type": "lifespan", "asgi": {"version": "3.0"}}, {"type": "lifespan.startup"})
    task = asyncio.ensure_future(lifespan.run())
    await lifespan.next()
    try:
        yield lifespan
    finally:
        lifespan.inbox.put_nowait({"type": "lifespan.shutdown"})
        await task
