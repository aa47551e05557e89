"""Back-pressure: a fast client does not fill the server's memory, and a slow one does not, either."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sanic import Request, Sanic, Websocket
from sanic.exceptions import WebsocketClosed
from tests.harness import Connection, serving
from tests.websocket.wire import BINARY, TEXT, frame, raw_websocket


async def write_until_blocked(connection: Connection, data: bytes, limit: int) -> int:
    """Write until the other end has not taken anything for a while; returns how much it has taken."""
    taken = 0
    while taken < limit:
        connection.writer.write(data)
        try:
            await asyncio.wait_for(connection.writer.drain(), 0.3)
        except asyncio.TimeoutError:
            break
        taken += len(data)
    return taken


async def test_a_client_that_sends_faster_than_the_handler_receives_has_to_wait(app: Sanic[Any, Any]) -> None:
    go_on = asyncio.Event()
    received: list[int] = []

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await go_on.wait()
        async for message in ws:
            received.append(len(message))
            if message == b"end":
                return

    data = frame(BINARY, b"x" * 65536)
    async with serving(app) as server, raw_websocket(server) as client:
        client.connection.writer.transport.set_write_buffer_limits(0)
        limit = 200 * len(data)
        taken = await write_until_blocked(client.connection, data, limit)
        assert taken < limit  # the buffers of the system are some megabytes
        go_on.set()
        await client.send(frame(BINARY, b"end"))
        assert await client.read_close(20) == 1000
    assert set(received) == {65536, 3}


async def test_a_handler_that_sends_faster_than_the_client_reads_has_to_wait(app: Sanic[Any, Any]) -> None:
    sent = 0
    ended: list[BaseException] = []

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        nonlocal sent

        async def send() -> None:
            nonlocal sent
            while True:
                await ws.send(b"x" * 65536)
                sent += 65536
                await asyncio.sleep(0)

        results = await asyncio.gather(send(), send(), return_exceptions=True)
        ended.extend(result for result in results if isinstance(result, BaseException))

    async with serving(app) as server, raw_websocket(server) as client:
        client.connection.reader._limit = 1  # type: ignore[attr-defined]
        before = -1
        while not sent or sent != before:
            before = sent
            await asyncio.sleep(0.2)
        assert 0 < sent < 50_000_000
        client.connection.writer.transport.abort()
    assert not app.websocket_tasks


async def test_a_sender_that_waits_for_a_client_that_leaves_gets_websocket_closed(app: Sanic[Any, Any]) -> None:
    over: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        async def send() -> None:
            while True:
                await ws.send(b"x" * 65536)

        sending = asyncio.ensure_future(send())
        try:
            await asyncio.wait({sending})
        finally:
            await asyncio.wait({sending})
            over.set_result(sending.exception())

    async with serving(app) as server, raw_websocket(server) as client:
        await client.read()
        client.connection.writer.transport.abort()
        assert isinstance(await asyncio.wait_for(over, 5), WebsocketClosed)


@pytest.mark.parametrize("count", [1, 500])
async def test_many_messages_in_one_piece_come_in_order(app: Sanic[Any, Any], count: int) -> None:
    @app.websocket("/")
    async def echo(request: Request, ws: Websocket) -> None:
        async for message in ws:
            await ws.send(message)

    async with serving(app) as server, raw_websocket(server) as client:
        await client.send(b"".join(frame(TEXT, b"%d" % number) for number in range(count)))
        for number in range(count):
            assert (await client.read()).payload == b"%d" % number
