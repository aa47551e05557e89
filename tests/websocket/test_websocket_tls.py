"""Websockets over TLS, with the client of the package websockets."""

from __future__ import annotations

import asyncio
import gc
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import websockets

from sanic import Sanic
from tests.certificates import client_context, write_certificate
from tests.websocket.client import IS_OLD, closing_of

PATIENCE = 20.0
LARGE = bytes(range(256)) * 4000


@pytest.fixture(autouse=True)
def collect_transports() -> Iterator[None]:
    """On Python 3.10 a client's TLS transport counts as unclosed when the server has closed first."""
    yield
    if sys.version_info < (3, 11):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture
def app() -> Sanic[Any, Any]:
    app: Sanic[Any, Any] = Sanic("wss")
    app.config.WEBSOCKET_MAX_SIZE = len(LARGE)

    @app.websocket("/echo", subprotocols=["echo.v2", "echo.v1"])
    async def echo(request: Any, ws: Any) -> None:
        await ws.send(f"{request.scheme} {request.conn_info.server_name} {ws.subprotocol}")
        async for message in ws:
            await ws.send(message)

    return app


def connect(server: Any, *subprotocols: str) -> AbstractAsyncContextManager[Any]:
    options: dict[str, Any] = {} if IS_OLD else {"proxy": None}
    context: AbstractAsyncContextManager[Any] = websockets.connect(
        f"wss://127.0.0.1:{server.port}/echo",
        ssl=client_context(),
        server_hostname="a.test",
        subprotocols=subprotocols,  # type: ignore[arg-type]
        max_size=None,
        **options,
    )
    return context


async def test_a_websocket_is_served_over_tls(app: Sanic[Any, Any], tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path / "a", "a.test")
    async with app.serving(port=0, ssl=certificate) as server, connect(server, "echo.v1") as websocket:
        assert websocket.subprotocol == "echo.v1"
        assert await websocket.recv() == "wss a.test echo.v1"
        for message in ("hello", "", LARGE):
            await websocket.send(message)
            assert await asyncio.wait_for(websocket.recv(), PATIENCE) == message


async def test_a_websocket_over_tls_is_told_that_the_server_goes_away(app: Sanic[Any, Any], tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path / "a", "a.test")
    async with app.serving(port=0, ssl=certificate) as server, connect(server, "echo.v2") as websocket:
        assert await websocket.recv() == "wss a.test echo.v2"
        closing = server.close()
        assert (await closing_of(websocket, PATIENCE))[0] == 1001
        await asyncio.wait_for(asyncio.shield(closing), PATIENCE)
