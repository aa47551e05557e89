"""Websockets over ASGI, with the server's side in memory."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import pytest

from sanic import Sanic, text
from sanic.exceptions import ServerError, WebsocketClosed
from tests.asgi.driver import Conversation, living, websocket_scope

CONNECT = {"type": "websocket.connect"}
DISCONNECT = {"type": "websocket.disconnect", "code": 1000}


def received(**message: Any) -> dict[str, Any]:
    return {"type": "websocket.receive", **message}


async def talk(app: Sanic[Any, Any], scope: dict[str, Any], *messages: dict[str, Any]) -> list[dict[str, Any]]:
    async with living(app):
        return await Conversation(app, scope, CONNECT, *messages).run()


async def test_messages_go_both_ways(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def echo(request: Any, ws: Any) -> None:
        async for message in ws:
            await ws.send(message)

    sent = await talk(
        app,
        websocket_scope(),
        received(text="one"),
        received(bytes=b"two"),
        received(text=None, bytes=b"three"),
        received(text="four", bytes=None),
        received(text=""),
        DISCONNECT,
    )

    assert sent == [
        {"type": "websocket.accept", "subprotocol": None, "headers": []},
        {"type": "websocket.send", "text": "one"},
        {"type": "websocket.send", "bytes": b"two"},
        {"type": "websocket.send", "bytes": b"three"},
        {"type": "websocket.send", "text": "four"},
        {"type": "websocket.send", "text": ""},
    ]


async def test_it_is_closed_when_the_handler_returns(app: Sanic[Any, Any]) -> None:
    @app.websocket("/<name>")
    async def once(request: Any, ws: Any, name: str) -> None:
        await ws.send(name)

    sent = await talk(app, websocket_scope("/ann"))

    assert sent[1:] == [
        {"type": "websocket.send", "text": "ann"},
        {"type": "websocket.close", "code": 1000, "reason": ""},
    ]


async def test_it_is_closed_with_1011_when_the_handler_raises(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def fail(request: Any, ws: Any) -> None:
        raise RuntimeError("oops")

    assert (await talk(app, websocket_scope()))[-1] == {"type": "websocket.close", "code": 1011, "reason": ""}


async def test_the_handler_may_close_it(app: Sanic[Any, Any]) -> None:
    seen: list[Any] = []

    @app.websocket("/")
    async def bye(request: Any, ws: Any) -> None:
        await ws.close(4000, "enough")
        await ws.close()
        seen.append(await ws.recv())
        with pytest.raises(WebsocketClosed):
            await ws.send("too late")

    sent = await talk(app, websocket_scope())

    assert seen == [None]
    assert sent[1:] == [{"type": "websocket.close", "code": 4000, "reason": "enough"}]


@pytest.mark.parametrize(
    ("offered", "agreed"), [(["one", "two"], "two"), (["one"], "one"), (["other"], None), ([], None), (None, None)]
)
async def test_the_first_subprotocol_of_the_route_that_is_offered_is_taken(
    app: Sanic[Any, Any], offered: list[str] | None, agreed: str | None
) -> None:
    seen: list[Any] = []

    @app.websocket("/", subprotocols=["two", "one"])
    async def feed(request: Any, ws: Any) -> None:
        seen.append((ws.subprotocol, ws.subprotocols))

    sent = await talk(app, websocket_scope(subprotocols=offered))

    assert sent[0]["subprotocol"] == agreed
    assert seen == [(agreed, offered or [])]


async def test_receive_is_recv_and_may_time_out(app: Sanic[Any, Any]) -> None:
    seen: list[Any] = []

    @app.websocket("/")
    async def feed(request: Any, ws: Any) -> None:
        seen.append(await ws.receive())
        seen.append(await ws.recv(timeout=0.01))
        await ws.send("go on")
        seen.append(await ws.recv(timeout=5))

    async with living(app):
        conversation = Conversation(app, websocket_scope(), CONNECT, received(text="a"))
        task = asyncio.ensure_future(conversation.run())
        while (await conversation.next()).get("text") != "go on":
            pass
        conversation.inbox.put_nowait(received(text="b"))
        await task

    assert seen == ["a", None, "b"]


async def test_only_one_may_receive(app: Sanic[Any, Any]) -> None:
    seen: list[Any] = []

    @app.websocket("/")
    async def feed(request: Any, ws: Any) -> None:
        first = asyncio.ensure_future(ws.recv())
        await asyncio.sleep(0)
        try:
            await ws.recv()
        except ServerError as error:
            seen.append(str(error))
        first.cancel()

    await talk(app, websocket_scope())

    assert len(seen) == 1


@pytest.mark.parametrize("message", [{"a": 1}, 7, None, ["a"]])
async def test_only_text_and_bytes_are_messages(app: Sanic[Any, Any], message: Any) -> None:
    @app.websocket("/")
    async def feed(request: Any, ws: Any) -> None:
        with pytest.raises(TypeError):
            await ws.send(message)

    assert (await talk(app, websocket_scope()))[-1]["code"] == 1000


async def test_sending_to_a_client_that_has_left_says_so(app: Sanic[Any, Any]) -> None:
    seen: list[Any] = []

    @app.websocket("/")
    async def feed(request: Any, ws: Any) -> None:
        try:
            await ws.send("x")
        except WebsocketClosed as error:
            seen.append(error)

    async def send(message: Any) -> None:
        if message["type"] != "websocket.accept":
            raise BrokenPipeError

    async with living(app):
        await app(websocket_scope(), Conversation(app, {}, CONNECT).inbox.get, send)

    assert len(seen) == 1


async def test_a_handler_that_only_sends_learns_that_the_client_has_left(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def feed(request: Any, ws: Any) -> None:
        while True:
            await ws.send("news")
            await asyncio.sleep(0)

    sent = await talk(app, websocket_scope(), DISCONNECT)

    assert sent[-1] == {"type": "websocket.send", "text": "news"}


async def test_a_handler_may_end_after_the_client_has_left(
    app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    @app.websocket("/")
    async def feed(request: Any, ws: Any) -> None:
        pass

    async def send(message: Any) -> None:
        if message["type"] != "websocket.accept":
            raise BrokenPipeError

    async with living(app):
        await app(websocket_scope(), Conversation(app, {}, CONNECT).inbox.get, send)

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_what_has_come_before_the_client_left_can_be_received(app: Sanic[Any, Any]) -> None:
    seen: list[Any] = []

    @app.websocket("/")
    async def feed(request: Any, ws: Any) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        seen.extend([await ws.recv(), await ws.recv(timeout=20), await ws.recv()])

    await talk(app, websocket_scope(), received(text="a"), received(bytes=b"b"), DISCONNECT)

    assert seen == ["a", b"b", None]


async def test_a_message_that_comes_as_the_timeout_ends_is_received(app: Sanic[Any, Any]) -> None:
    seen: list[Any] = []

    @app.websocket("/")
    async def feed(request: Any, ws: Any) -> None:
        def come_late() -> None:
            # The loop is kept busy, so that it learns of both at once.
            time.sleep(0.1)
            conversation.inbox.put_nowait(received(text="late"))

        asyncio.get_running_loop().call_soon(come_late)
        seen.append(await ws.recv(timeout=0.05))

    async with living(app):
        conversation = Conversation(app, websocket_scope(), CONNECT)
        await conversation.run()

    assert seen == ["late"]


async def test_a_message_that_has_not_been_taken_keeps_the_next_ones_with_the_server(app: Sanic[Any, Any]) -> None:
    left: list[int] = []
    messages = [received(text=str(number)) for number in range(10)]

    @app.websocket("/")
    async def feed(request: Any, ws: Any) -> None:
        for _ in range(50):
            await asyncio.sleep(0)
        left.append(conversation.inbox.qsize())

    async with living(app):
        conversation = Conversation(app, websocket_scope(), CONNECT, *messages)
        await conversation.run()

    assert left == [9]


async def test_a_server_that_refuses_to_tell_of_an_error_has_to_cut_the_connection(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def feed(request: Any, ws: Any) -> None:
        raise RuntimeError("oops")

    async def send(message: Any) -> None:
        if message.get("code") == 1011:
            raise Exception("invalid close code 1011")

    async with living(app):
        with pytest.raises(ServerError, match="could not be completed"):
            await app(websocket_scope(), Conversation(app, {}, CONNECT).inbox.get, send)


async def test_a_refusal_is_a_response_where_the_server_can_send_one(app: Sanic[Any, Any]) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        return text("")

    plain = await talk(app, websocket_scope("/nowhere"))
    full = await talk(app, websocket_scope("/nowhere", extensions={"websocket.http.response": {}}))

    assert plain == [{"type": "websocket.close", "code": 1000, "reason": ""}]
    assert [message["type"] for message in full] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert full[0]["status"] == 404


async def test_middleware_may_refuse(app: Sanic[Any, Any]) -> None:
    @app.on_request
    async def guard(request: Any) -> Any:
        return text("no", 401)

    @app.websocket("/")
    async def feed(request: Any, ws: Any) -> None:
        raise AssertionError("not reached")

    sent = await talk(app, websocket_scope(extensions={"websocket.http.response": {}}))

    assert (sent[0]["status"], sent[1]["body"]) == (401, b"no")


async def test_an_ordinary_request_for_a_websocket_is_told_to_upgrade(app: Sanic[Any, Any]) -> None:
    from tests.asgi.driver import ask, http_scope

    @app.websocket("/")
    async def feed(request: Any, ws: Any) -> None:
        raise AssertionError("not reached")

    async with living(app):
        answer = await ask(app, http_scope())

    assert (answer.status, answer.headers["upgrade"]) == (426, "websocket")


async def test_the_scheme_is_that_of_a_websocket(app: Sanic[Any, Any]) -> None:
    seen: list[str] = []

    @app.websocket("/")
    async def feed(request: Any, ws: Any) -> None:
        seen.append(request.url)

    await talk(app, websocket_scope())
    await talk(app, websocket_scope(scheme="wss"))

    assert seen == ["ws://example.com/", "wss://example.com/"]
