"""The client of the library `websockets`, from version 10 to the newest."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Any

import websockets
from websockets.exceptions import ConnectionClosed

from tests.harness import RunningServer

IS_OLD = int(websockets.__version__.partition(".")[0]) < 15


def connect(server: RunningServer, path: str = "/", **options: Any) -> AbstractAsyncContextManager[Any]:
    """Open a websocket without keep-alive of the client's own; the options are those of `websockets.connect`."""
    if not IS_OLD:
        options.setdefault("proxy", None)
    options.setdefault("ping_interval", None)
    options.setdefault("compression", None)
    context: AbstractAsyncContextManager[Any] = websockets.connect(f"ws://{server.host}{path}", **options)
    return context


async def closing_of(client: Any, timeout: float = 5) -> tuple[int, str]:
    """Code and reason of the server's close, once everything before it has been received."""
    try:
        while True:
            await asyncio.wait_for(client.recv(), timeout)
    except ConnectionClosed as closed:
        received = closed.rcvd
        return (received.code, received.reason) if received is not None else (1006, "")
