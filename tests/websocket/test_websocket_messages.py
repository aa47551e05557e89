"""Receiving and sending, as a handler does it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from sanic import Request, Sanic, Websocket
from sanic.exceptions import ServerError, WebsocketClosed
from tests.harness import serving
from tests.websocket.client import connect
from tests.websocket.wire import BINARY, CONTINUATION, PING, PONG, TEXT, close_frame, frame, raw_websocket

_OFFER = "permessage-deflate; client_max_window_bits"


async def test_text_and_bytes_are_echoed_as_what_they_are(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def echo(request: Request, ws: Websocket) -> None:
        async for message in ws:
            await ws.send(message)

    async with serving(app) as server, connect(server) as client:
        for message in ("", "hello", "äöü€𝄞" * 10_000, b"", b"\x00\xff" * 100_000):
            await client.send(message)
            assert await client.recv() == message
        await client.send(["in ", "several ", "fragments"])
        assert await client.recv() == "in several fragments"


async def test_compressed_messages_are_echoed_compressed(app: Sanic[Any, Any]) -> None:
    app.config.WEBSOCKET_COMPRESSION = True

    @app.websocket("/")
    async def echo(request: Request, ws: Websocket) -> None:
        async for message in ws:
            await ws.send(message)

    async with serving(app) as server, connect(server, compression="deflate") as client:
        for message in ("hello", "hello " * 50_000, b"\x00" * 100_000):
            await client.send(message)
            assert await client.recv() == message
    async with serving(app) as server, raw_websocket(server, sec_websocket_extensions=_OFFER) as raw:
        await raw.send(frame(TEXT, b"x" * 10_000))
        answer = await raw.read()
        assert answer.rsv == 4
        assert len(answer.payload) < 100


async def test_a_compressed_message_is_limited_by_what_it_decompresses_to(app: Sanic[Any, Any]) -> None:
    import zlib

    app.config.WEBSOCKET_COMPRESSION = True
    app.config.WEBSOCKET_MAX_SIZE = 100_000

    @app.websocket("/")
    async def echo(request: Request, ws: Websocket) -> None:
        await ws.recv()

    deflate = zlib.compressobj(9, zlib.DEFLATED, -12)
    bomb = deflate.compress(b"\x00" * 10_000_000) + deflate.flush(zlib.Z_SYNC_FLUSH)
    async with serving(app) as server, raw_websocket(server, sec_websocket_extensions=_OFFER) as raw:
        await raw.send(frame(BINARY, bomb[:-4], rsv=4))
        assert await raw.read_close() == 1009


async def test_recv_gives_none_when_nothing_comes_in_time(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.send(repr(await ws.recv(timeout=0.01)))
        await ws.send(repr(await ws.recv(timeout=10)))

    async with serving(app) as server, connect(server) as client:
        assert await client.recv() == "None"
        await client.send("now")
        assert await client.recv() == "'now'"


async def test_recv_burst_gives_what_has_come(app: Sanic[Any, Any]) -> None:
    bursts: list[Any] = []

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        bursts.append(await ws.recv_burst())
        await ws.send("ready")
        bursts.append(await ws.recv())
        bursts.append(await ws.recv_burst(max_recv=3))
        bursts.append(await ws.recv_burst())
        bursts.append(await ws.recv_burst())

    async with serving(app) as server, raw_websocket(server) as client:
        await client.read()
        await client.send(b"".join(frame(TEXT, b"%d" % number) for number in range(7)))
        assert await client.read_close() == 1000
    assert bursts == [[], "0", ["1", "2", "3"], ["4", "5", "6"], []]


async def test_recv_streaming_gives_parts_of_one_message_as_they_come(app: Sanic[Any, Any]) -> None:
    parts: list[Any] = []
    part_taken = asyncio.Event()

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        async for part in ws.recv_streaming():
            parts.append(part)
            part_taken.set()
        parts.append(await ws.recv())
        parts.extend([part async for part in ws.recv_streaming()])
        await ws.send("done")

    async with serving(app) as server, raw_websocket(server) as client:
        await client.send(frame(TEXT, b"a\xc3", fin=False))
        await asyncio.wait_for(part_taken.wait(), 5)
        assert parts == ["a"]
        await client.send(frame(CONTINUATION, b"\xa4b", fin=False) + frame(CONTINUATION, b"c"))
        await client.send(frame(TEXT, b"whole") + frame(BINARY, b"one") + frame(BINARY, b"two"))
        assert (await client.read()).payload == b"done"
    assert parts == ["a", "äb", "c", "whole", b"one"]


async def test_what_is_not_taken_of_a_streamed_message_is_thrown_away(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        parts = ws.recv_streaming()
        await ws.send(await parts.__anext__())
        await parts.aclose()
        await ws.send(await ws.recv() or "")

    async with serving(app) as server, raw_websocket(server) as client:
        await client.send(frame(TEXT, b"a", fin=False))
        assert (await client.read()).payload == b"a"
        await client.send(frame(CONTINUATION, b"b", fin=False) + frame(CONTINUATION, b"c") + frame(TEXT, b"next"))
        assert (await client.read()).payload == b"next"


@pytest.mark.parametrize(
    ("message", "opcode", "payload"),
    [
        ("text", TEXT, b"text"),
        (b"bytes", BINARY, b"bytes"),
        (bytearray(b"array"), BINARY, b"array"),
        (memoryview(b"a view of it")[2:6], BINARY, b"view"),
    ],
)
async def test_send_takes_text_and_bytes(app: Sanic[Any, Any], message: Any, opcode: int, payload: bytes) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.send(message)

    async with serving(app) as server, raw_websocket(server) as client:
        answer = await client.read()
        assert (answer.opcode, answer.payload) == (opcode, payload)


@pytest.mark.parametrize(
    ("message", "error"),
    [({"a": 1}, TypeError), (5, TypeError), (None, TypeError)],
    ids=["dict", "number", "nothing"],
)
async def test_send_refuses_everything_else(app: Sanic[Any, Any], message: Any, error: type[Exception]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        with pytest.raises(error):
            await ws.send(message)
        await ws.send("still open")

    async with serving(app) as server, connect(server) as client:
        assert await client.recv() == "still open"


async def _slowly(*items: Any) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


@pytest.mark.parametrize(
    ("fragments", "message"),
    [
        (["one ", "two"], "one two"),
        (iter([b"one ", bytearray(b"two")]), b"one two"),
        (_slowly("one ", "two ", "three"), "one two three"),
        ([""], ""),
    ],
    ids=["list of texts", "iterator of bytes", "asynchronous", "one empty text"],
)
async def test_an_iterable_is_sent_as_the_fragments_of_one_message(
    app: Sanic[Any, Any], fragments: Any, message: str | bytes
) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.send([])
        await ws.send(fragments)
        await ws.send("next")

    async with serving(app) as server, connect(server) as client:
        assert await client.recv() == message
        assert await client.recv() == "next"


async def test_other_messages_wait_until_a_fragmented_one_is_complete(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def fragments() -> AsyncIterator[str]:
            yield "first "
            begun.set()
            await go_on.wait()
            yield "message"

        sending = asyncio.ensure_future(ws.send(fragments()))
        await begun.wait()
        others = [asyncio.ensure_future(ws.send("second")), asyncio.ensure_future(ws.send(["third"]))]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(sending, *others)

    async with serving(app) as server, connect(server) as client:
        assert [await client.recv() for _ in range(3)] == ["first message", "second", "third"]


async def test_a_message_whose_fragments_fail_ends_the_connection_with_1011(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        with pytest.raises(TypeError, match="texts"):
            await ws.send(["text", b"bytes"])

    async with serving(app) as server, connect(server) as client:
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1011


async def test_a_ping_resolves_with_its_pong(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        first = await ws.ping("a")
        with pytest.raises(ValueError, match="on its way"):
            await ws.ping(b"a")
        second = await ws.ping()
        with pytest.raises(ValueError, match="125"):
            await ws.ping("x" * 126)
        receiving = asyncio.ensure_future(ws.recv())
        await asyncio.wait_for(asyncio.gather(first, second), 5)
        receiving.cancel()
        await ws.pong("unasked")
        await ws.send("answered")

    async with serving(app) as server, connect(server) as client:
        assert await client.recv() == "answered"


async def test_the_pong_to_a_later_ping_answers_the_earlier_ones_too(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        first, second, third = await ws.ping(b"1"), await ws.ping(b"2"), await ws.ping(b"3")
        await asyncio.wait_for(second, 5)
        await ws.send(repr([first.done(), third.done()]))

    async with serving(app) as server, raw_websocket(server) as client:
        for _ in range(3):
            assert (await client.read()).opcode == PING
        await client.send(frame(PONG, b"2"))
        assert (await client.read()).payload == b"[True, False]"


async def test_two_tasks_cannot_receive_at_once(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        first = asyncio.ensure_future(ws.recv())
        await asyncio.sleep(0)
        for receive in (ws.recv, ws.recv_burst):
            with pytest.raises(ServerError, match="receiving"):
                await receive()
        with pytest.raises(ServerError, match="receiving"):
            await ws.recv_streaming().__anext__()
        await ws.send("refused")
        await ws.send(await first or "")

    async with serving(app) as server, connect(server) as client:
        assert await client.recv() == "refused"
        await client.send("for the first")
        assert await client.recv() == "for the first"


async def test_several_tasks_may_send_while_another_receives(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        async def talk(name: str) -> None:
            for number in range(50):
                await ws.send(f"{name}{number}")
                await asyncio.sleep(0)

        talkers = [asyncio.ensure_future(talk(name)) for name in "abc"]
        assert await ws.recv() == "enough"
        await asyncio.gather(*talkers)

    async with serving(app) as server, connect(server) as client:
        received = [await client.recv() for _ in range(150)]
        await client.send("enough")
    for name in "abc":
        assert [text for text in received if text[0] == name] == [f"{name}{number}" for number in range(50)]


async def test_a_cancelled_recv_loses_no_message(app: Sanic[Any, Any]) -> None:
    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        for _ in range(3):
            receiving = asyncio.ensure_future(ws.recv())
            await asyncio.sleep(0)
            receiving.cancel()
            await asyncio.wait({receiving})
        await ws.send("ready")
        await ws.send(await ws.recv() or "")

    async with serving(app) as server, connect(server) as client:
        assert await client.recv() == "ready"
        await client.send("kept")
        assert await client.recv() == "kept"


async def test_everything_on_a_closed_websocket_raises_websocket_closed(app: Sanic[Any, Any]) -> None:
    raised: list[str] = []

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.close()
        for name, act in {
            "recv": ws.recv,
            "recv with timeout": lambda: ws.recv(timeout=1),
            "recv_burst": ws.recv_burst,
            "recv_streaming": lambda: ws.recv_streaming().__anext__(),
            "send": lambda: ws.send("a"),
            "ping": ws.ping,
            "pong": ws.pong,
        }.items():
            with pytest.raises(WebsocketClosed):
                await act()  # type: ignore[operator]
            raised.append(name)
        assert [message async for message in ws] == []
        await ws.close()
        raised.append("the end")

    async with serving(app) as server, connect(server) as client:
        await client.wait_closed()
    assert raised == ["recv", "recv with timeout", "recv_burst", "recv_streaming", "send", "ping", "pong", "the end"]


async def test_messages_that_came_before_the_close_can_still_be_received(app: Sanic[Any, Any]) -> None:
    received: list[Any] = []
    over = asyncio.Event()

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        async def read() -> None:
            async for message in ws:
                received.append(message)
                await asyncio.sleep(0)
            over.set()

        reading = asyncio.ensure_future(read())
        await asyncio.shield(reading)

    async with serving(app) as server, raw_websocket(server) as client:
        await client.send(b"".join(frame(TEXT, b"%d" % number) for number in range(5)) + close_frame())
        assert await client.read_close() == 1000
        await asyncio.wait_for(over.wait(), 5)
    assert received == ["0", "1", "2", "3", "4"]


async def test_keepalive_can_be_done_by_hand(app: Sanic[Any, Any]) -> None:
    app.config.WEBSOCKET_PING_TIMEOUT = 0.1

    @app.websocket("/")
    async def handler(request: Request, ws: Websocket) -> None:
        await ws.keepalive_ping()
        lost = await ws.ping(b"lost")
        ws.abort_pings()
        with pytest.raises(WebsocketClosed):
            await lost
        ws.pause_frames()
        ws.resume_frames()
        await ws.send("alive")
        await ws.keepalive_ping()
        await ws.auto_close_connection()

    async with serving(app) as server, raw_websocket(server) as client:
        await client.send(frame(PONG, (await client.read()).payload))
        assert (await client.read()).payload == b"lost"
        assert (await client.read()).payload == b"alive"
        assert (await client.read()).opcode == PING
        assert await client.read_close() == 1011
