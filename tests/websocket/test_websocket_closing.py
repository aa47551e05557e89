"""The end of a websocket: who ends it, with which code, and what the handler notices."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from sanic import Request, Sanic, Websocket
from sanic.exceptions import NotFound, SanicException, WebsocketClosed
from tests.harness import serving
from tests.websocket.client import closing_of, connect
from tests.websocket.wire import PING, TEXT, close_frame, frame, handshake, raw_websocket


async def test_a_handler_that_returns_closes_with_1000(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.send("bye")

    async with serving(app) as server, connect(server) as client:
        assert await closing_of(client) == (1000, "")


def test_a_handler_need_not_be_a_coroutine_function(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    def handler(request: Request, ws: Websocket) -> None:
        pass

    async def run() -> tuple[int, str]:
        async with serving(app) as server, connect(server) as client:
            return await closing_of(client)

    assert asyncio.run(run()) == (1000, "")


@pytest.mark.parametrize(
    "error", [RuntimeError("secret"), SanicException("secret", status_code=418), NotFound("secret", quiet=False)]
)
async def test_a_handler_that_raises_closes_with_1011_and_is_logged_once(
    app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        raise error

    with caplog.at_level(logging.INFO, "sanic.error"):
        async with serving(app) as server, connect(server) as client:
            assert await closing_of(client) == (1011, "")
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.exc_info is not None
    assert record.exc_info[1] is error


async def test_a_handler_that_lets_websocket_closed_out_is_not_logged(
    app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    over = asyncio.Event()

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        try:
            await ws.close()
            await ws.send("too late")
        finally:
            over.set()

    async with serving(app) as server, connect(server) as client:
        assert await closing_of(client) == (1000, "")
        await asyncio.wait_for(over.wait(), 5)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "moving"), (3000, "a"), (4999, "ä" * 61)])
async def test_close_sends_code_and_reason(app: Sanic[Any, Any], code: int, reason: str) -> None:
    after = asyncio.Event()

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.close(code, reason)
        assert await ws.wait_for_connection_lost(timeout=0)
        await asyncio.sleep(0.01)  # a handler that has closed goes on undisturbed
        after.set()

    async with serving(app) as server, connect(server) as client:
        assert await closing_of(client) == (code, reason)
        await asyncio.wait_for(after.wait(), 5)


@pytest.mark.parametrize(
    ("code", "reason"),
    [(0, ""), (999, ""), (1004, ""), (1005, ""), (1015, ""), (2999, ""), (5000, ""), (1000, "x" * 124)],
)
async def test_what_cannot_be_sent_in_a_close_is_refused(app: Sanic[Any, Any], code: int, reason: str) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        for close in (ws.end_connection, ws.fail_connection):
            with pytest.raises(ValueError, match="close"):
                close(code, reason)
        with pytest.raises(ValueError, match="close"):
            await ws.close(code, reason)
        await ws.send("still open")

    async with serving(app) as server, connect(server) as client:
        assert await client.recv() == "still open"


async def test_a_close_with_1006_cuts_the_connection(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.close(1006)

    async with serving(app) as server, connect(server) as client:
        assert await closing_of(client) == (1006, "")


async def test_fail_connection_does_not_wait_for_the_answer(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        ws.fail_connection(1008, "policy")

    async with serving(app) as server, raw_websocket(server) as client:
        assert await client.read_close() == 1008
        assert await client.connection.reader.read() == b""


async def test_end_connection_begins_to_close(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        ws.end_connection(4000, "enough")
        with pytest.raises(WebsocketClosed):
            await ws.send("more")
        assert await ws.wait_for_connection_lost(timeout=5)

    async with serving(app) as server, connect(server) as client:
        assert await closing_of(client) == (4000, "enough")


@pytest.mark.parametrize(("code", "reason"), [(1000, "done"), (1001, ""), (4321, "ä")])
async def test_the_close_of_a_client_is_echoed(app: Sanic[Any, Any], code: int, reason: str) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.recv()

    async with serving(app) as server, raw_websocket(server) as client:
        await client.send(close_frame(code, reason.encode()))
        answer = await client.read()
        assert (answer.code, answer.payload[2:].decode()) == (code, reason)


@pytest.mark.parametrize("way", ["close", "end of stream", "reset"])
@pytest.mark.parametrize("waiting_for", ["a message", "something else"])
async def test_the_handler_is_cancelled_when_the_client_goes(
    app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture, way: str, waiting_for: str
) -> None:
    noticed: list[BaseException] = []
    over = asyncio.Event()

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.send("ready")
        try:
            await (ws.recv() if waiting_for == "a message" else asyncio.Event().wait())
        except BaseException as error:
            noticed.append(error)
            await asyncio.sleep(0.01)  # it is cancelled once, and may clean up
            raise
        finally:
            over.set()

    async with serving(app) as server, raw_websocket(server) as client:
        await client.read()
        if way == "close":
            await client.send(close_frame())
        elif way == "end of stream":
            client.connection.half_close()
        else:
            client.connection.writer.transport.abort()
        await asyncio.wait_for(over.wait(), 1)
    assert [type(error) for error in noticed] == [asyncio.CancelledError]
    assert app.websocket_tasks == set()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_other_tasks_than_the_handler_get_websocket_closed(app: Sanic[Any, Any]) -> None:
    ends: list[Any] = []

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        reading = asyncio.ensure_future(ws.recv())
        await ws.send("ready")
        try:
            await asyncio.wait({reading})
            ends.append(reading.exception())
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.wait({reading})
            ends.append(reading.exception())

    async with serving(app) as server, connect(server) as client:
        await client.recv()
    assert isinstance(ends[0], WebsocketClosed)


async def test_a_loop_over_messages_may_be_left_by_the_close_of_another_task(app: Sanic[Any, Any]) -> None:
    events: list[str] = []

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        closing = asyncio.ensure_future(ws.close(4000))
        async for _ in ws:
            pass
        events.append("left the loop")
        await closing

    async with serving(app) as server, connect(server) as client:
        assert await closing_of(client) == (4000, "")
        await client.wait_closed()
    assert events == ["left the loop"]


@pytest.mark.parametrize("closed_by", ["the handler", "another task"])
async def test_a_handler_that_another_task_has_left_without_connection_is_cancelled(
    app: Sanic[Any, Any], closed_by: str
) -> None:
    app.config.update(GRACEFUL_TCP_CLOSE_TIMEOUT=0.1, REQUEST_TIMEOUT=0.2)
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        if closed_by == "the handler":
            await ws.close()
        else:
            app.add_task(ws.close(), name="closing")
        try:
            await asyncio.sleep(0.7 if closed_by == "the handler" else 60)
            ended.set_result("not disturbed")
        except asyncio.CancelledError:
            ended.set_result("cancelled")

    async with serving(app) as server, connect(server) as client:
        await client.wait_closed()
        expected = "not disturbed" if closed_by == "the handler" else "cancelled"
        assert await asyncio.wait_for(ended, 5) == expected


async def test_a_handler_that_was_cancelled_by_the_application_closes_with_1001(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        (task,) = app.websocket_tasks
        asyncio.get_running_loop().call_soon(task.cancel)
        await ws.recv()

    async with serving(app) as server, connect(server) as client:
        assert await closing_of(client) == (1001, "")


async def test_websockets_are_closed_with_1001_when_the_server_stops(app: Sanic[Any, Any]) -> None:
    cancelled = asyncio.Event()

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        try:
            await ws.recv()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    loop = asyncio.get_running_loop()
    async with serving(app) as server, connect(server) as client, connect(server) as other:
        started = loop.time()
        closing = asyncio.ensure_future(server.server.close())
        assert await closing_of(client) == (1001, "")
        assert await closing_of(other) == (1001, "")
        await closing
        assert loop.time() - started < 2
    assert cancelled.is_set()


async def test_test_packages_can_close_the_websocket_of_a_connection(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.send("ready")
        await ws.recv()

    async with serving(app) as server, connect(server) as client:
        await client.recv()
        (connection,) = server.server.connections
        closing = asyncio.ensure_future(connection.websocket.close_connection())
        assert await closing_of(client) == (1001, "")
        await closing
        connection.close()
    assert app.websocket_tasks == set()


async def test_a_client_that_does_not_answer_the_close_is_cut_off_after_the_grace_time(app: Sanic[Any, Any]) -> None:
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 0.3

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.recv()

    async with serving(app) as server, raw_websocket(server) as client:
        closing = asyncio.ensure_future(server.server.close())
        assert await client.read_close() == 1001
        await asyncio.wait_for(closing, 5)
        assert await client.read_end() == b""


async def test_no_websocket_is_opened_while_the_server_stops(app: Sanic[Any, Any]) -> None:
    stopping = asyncio.Event()
    in_middleware = asyncio.Event()

    @app.on_request
    async def wait(request: Request) -> None:
        in_middleware.set()
        await stopping.wait()

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        raise AssertionError("must not be called")

    async with serving(app) as server, server.connect() as connection:
        await connection.send(handshake())
        await in_middleware.wait()
        closing = asyncio.ensure_future(server.server.close())
        await asyncio.sleep(0.01)
        stopping.set()
        assert (await connection.response()).status == 503
        await closing


async def test_pings_are_sent_and_a_client_that_does_not_answer_is_closed_with_1011(app: Sanic[Any, Any]) -> None:
    app.config.update(WEBSOCKET_PING_INTERVAL=0.1, WEBSOCKET_PING_TIMEOUT=0.1)

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.recv()

    async with serving(app) as server, raw_websocket(server) as client:
        assert (await client.read()).opcode == PING
        answer = await client.read()
        while answer.opcode == PING:
            answer = await client.read()
        assert answer.code == 1011


async def test_a_client_that_answers_pings_stays_connected(app: Sanic[Any, Any]) -> None:
    app.config.update(WEBSOCKET_PING_INTERVAL=0.1, WEBSOCKET_PING_TIMEOUT=0.1)

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.send(await ws.recv() or "")

    async with serving(app) as server, connect(server) as client:
        await asyncio.sleep(1)
        await client.send("here")
        assert await client.recv() == "here"


async def test_a_handler_that_does_not_receive_is_not_taken_for_a_silent_client(app: Sanic[Any, Any]) -> None:
    app.config.update(WEBSOCKET_PING_INTERVAL=0.1, WEBSOCKET_PING_TIMEOUT=0.1)
    go_on = asyncio.Event()

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await go_on.wait()
        await ws.send(str(len([message async for message in ws if message == "a"])))

    async with serving(app) as server, raw_websocket(server) as client:
        await client.send(frame(TEXT, b"a") * 3)
        for _ in range(3):
            ping = await client.read()
            assert ping.opcode == PING
            await client.send(frame(0xA, ping.payload))
        go_on.set()
        await client.send(close_frame())
        while (answer := await client.read()).opcode == PING:
            pass
        assert answer.code == 1000


async def test_a_close_is_noticed_behind_messages_that_nobody_receives_any_more(app: Sanic[Any, Any]) -> None:
    over = asyncio.Event()

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        try:
            await ws.recv()
            await asyncio.Event().wait()
        finally:
            over.set()

    async with serving(app) as server, raw_websocket(server) as client:
        await client.send(frame(TEXT, b"subscribe") + close_frame())
        await asyncio.wait_for(over.wait(), 3)
