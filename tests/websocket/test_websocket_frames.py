"""What the server makes of frames, good and bad, as bytes (RFC 6455 sections 5 to 8)."""

from __future__ import annotations

from typing import Any

import pytest

from sanic import Request, Sanic, Websocket
from tests.harness import serving
from tests.websocket.wire import BINARY, CONTINUATION, PING, PONG, TEXT, close_frame, frame, raw_websocket

LIMIT = 1000


@pytest.fixture
def echo_app(app: Sanic[Any, Any]) -> Sanic[Any, Any]:
    app.config.WEBSOCKET_MAX_SIZE = LIMIT

    @app.websocket("/")
    async def echo(request: Request, ws: Websocket) -> None:
        async for message in ws:
            await ws.send(message)

    return app


_MESSAGES: list[tuple[int, bytes, list[bytes]]] = [
    (TEXT, b"", [frame(TEXT)]),
    (TEXT, b"hello", [frame(TEXT, b"hello")]),
    (BINARY, b"\x00\xff", [frame(BINARY, b"\x00\xff")]),
    (TEXT, b"x" * 125, [frame(TEXT, b"x" * 125)]),
    (TEXT, b"x" * 126, [frame(TEXT, b"x" * 126)]),
    (TEXT, b"x" * 127, [frame(TEXT, b"x" * 127)]),
    (BINARY, b"x" * LIMIT, [frame(BINARY, b"x" * LIMIT)]),
    (TEXT, "äöü€𝄞".encode(), [frame(TEXT, "äöü€𝄞".encode())]),
    (TEXT, b"abc", [frame(TEXT, b"a", fin=False), frame(CONTINUATION, b"b", fin=False), frame(CONTINUATION, b"c")]),
    (BINARY, b"ab", [frame(BINARY, b"a", fin=False), frame(CONTINUATION, b"b")]),
    (BINARY, b"", [frame(BINARY, fin=False), frame(CONTINUATION)]),
    (TEXT, "€".encode(), [frame(TEXT, b"\xe2", fin=False), frame(CONTINUATION, b"\x82\xac")]),
    (BINARY, b"x" * LIMIT, [frame(BINARY, b"x" * 500, fin=False), frame(CONTINUATION, b"x" * 500)]),
]


@pytest.mark.parametrize(("opcode", "payload", "frames"), _MESSAGES)
@pytest.mark.parametrize("pieces", [None, 1, 3, 64])
async def test_messages_come_through_however_they_are_cut(
    echo_app: Sanic[Any, Any], opcode: int, payload: bytes, frames: list[bytes], pieces: int | None
) -> None:
    async with serving(echo_app) as server, raw_websocket(server) as client:
        await client.send(b"".join(frames) + frame(TEXT, b"end"), pieces=pieces)
        answer = await client.read()
        assert (answer.opcode, answer.payload, answer.fin) == (opcode, payload, True)
        assert (await client.read()).payload == b"end"


async def test_a_ping_is_answered_with_its_payload(echo_app: Sanic[Any, Any]) -> None:
    async with serving(echo_app) as server, raw_websocket(server) as client:
        for payload in (b"", b"you there?", b"x" * 125):
            await client.send(frame(PING, payload))
            answer = await client.read()
            assert (answer.opcode, answer.payload) == (PONG, payload)


async def test_a_ping_may_come_amidst_the_fragments_of_a_message(echo_app: Sanic[Any, Any]) -> None:
    async with serving(echo_app) as server, raw_websocket(server) as client:
        await client.send(frame(TEXT, b"a", fin=False) + frame(PING, b"!") + frame(CONTINUATION, b"b"))
        assert (await client.read()).opcode == PONG
        assert (await client.read()).payload == b"ab"


async def test_a_pong_that_nobody_asked_for_is_ignored(echo_app: Sanic[Any, Any]) -> None:
    async with serving(echo_app) as server, raw_websocket(server) as client:
        await client.send(frame(PONG, b"what?") + frame(TEXT, b"a"))
        assert (await client.read()).payload == b"a"


_BAD: list[tuple[str, bytes, int]] = [
    ("reserved bit 1", frame(TEXT, b"a", rsv=4), 1002),
    ("reserved bit 2", frame(TEXT, b"a", rsv=2), 1002),
    ("reserved bit 3", frame(BINARY, b"a", rsv=1), 1002),
    ("reserved opcode of data", frame(0x3, b"a"), 1002),
    ("reserved opcode of control", frame(0xB), 1002),
    ("not masked", frame(TEXT, b"a", masked=False), 1002),
    ("continuation of nothing", frame(CONTINUATION, b"a"), 1002),
    ("a message amidst another", frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), 1002),
    ("fragmented ping", frame(PING, b"a", fin=False), 1002),
    ("long ping", frame(PING, b"x" * 126), 1002),
    ("close of one byte", frame(0x8, b"\x03"), 1002),
    ("close with 999", close_frame(999), 1002),
    ("close with 1005", close_frame(1005), 1002),
    ("close with 1006", close_frame(1006), 1002),
    ("close with 2000", close_frame(2000), 1002),
    ("close with 5000", close_frame(5000), 1002),
    ("close whose reason is no text", close_frame(1000, b"\xff"), 1007),
    ("text that is no UTF-8", frame(TEXT, b"\xff"), 1007),
    ("text that ends too early", frame(TEXT, b"\xe2\x82"), 1007),
    ("surrogate", frame(TEXT, b"\xed\xa0\x80"), 1007),
    ("overlong form", frame(TEXT, b"\xc0\xaf"), 1007),
    ("fragments that are no UTF-8", frame(TEXT, b"ok\xe2", fin=False) + frame(CONTINUATION, b"no"), 1007),
    ("fragments that end too early", frame(TEXT, b"ok", fin=False) + frame(CONTINUATION, b"\xe2"), 1007),
    ("too large", frame(BINARY, b"x" * (LIMIT + 1)), 1009),
    ("said to be too large", frame(TEXT, length=2**40), 1009),
    ("fragments that are too large", frame(BINARY, b"x" * LIMIT, fin=False) + frame(CONTINUATION, b"x"), 1009),
]


@pytest.mark.parametrize(("data", "code"), [(data, code) for _, data, code in _BAD], ids=[name for name, *_ in _BAD])
@pytest.mark.parametrize("pieces", [None, 1])
async def test_bad_frames_end_the_connection_with_the_right_code(
    echo_app: Sanic[Any, Any], data: bytes, code: int, pieces: int | None
) -> None:
    async with serving(echo_app) as server, raw_websocket(server) as client:
        await client.send(frame(TEXT, b"before"))
        assert (await client.read()).payload == b"before"
        await client.send(data, pieces=pieces if len(data) < 200 else None)
        assert await client.read_close() == code
        client.connection.half_close()
        assert await client.read_end() == b""


async def test_messages_before_a_bad_frame_are_answered_although_they_come_with_it(echo_app: Sanic[Any, Any]) -> None:
    async with serving(echo_app) as server, raw_websocket(server) as client:
        await client.send(frame(TEXT, b"one") + frame(TEXT, b"two") + frame(TEXT, b"bad", rsv=4))
        assert (await client.read()).payload == b"one"
        assert (await client.read()).payload == b"two"
        assert await client.read_close() == 1002


async def test_messages_before_a_close_are_answered_although_they_come_with_it(echo_app: Sanic[Any, Any]) -> None:
    async with serving(echo_app) as server, raw_websocket(server) as client:
        await client.send(frame(TEXT, b"one") + frame(TEXT, b"two") + close_frame(1000))
        assert (await client.read()).payload == b"one"
        assert (await client.read()).payload == b"two"
        assert await client.read_close() == 1000


@pytest.mark.parametrize("pieces", [None, 1])
async def test_a_client_may_close_amidst_the_fragments_of_a_message(
    echo_app: Sanic[Any, Any], pieces: int | None
) -> None:
    async with serving(echo_app) as server, raw_websocket(server) as client:
        await client.send(frame(TEXT, b"a", fin=False))
        await client.send(close_frame(1000), pieces=pieces)
        assert await client.read_close() == 1000


@pytest.mark.parametrize("fragments", [False, True])
async def test_text_is_refused_at_its_first_wrong_byte(echo_app: Sanic[Any, Any], fragments: bool) -> None:
    # Long before the frame is complete.
    begin = frame(TEXT, "κόσμε".encode(), fin=False) if fragments else b""
    opcode = CONTINUATION if fragments else TEXT
    bad = frame(opcode, "κόσμε".encode() + b"\xf4\x90" + b"x" * 500)
    async with serving(echo_app) as server, raw_websocket(server) as client:
        await client.send(begin + bad[:30])
        assert await client.read_close() == 1007


async def test_a_limit_of_none_allows_any_size(echo_app: Sanic[Any, Any]) -> None:
    echo_app.config.WEBSOCKET_MAX_SIZE = None
    payload = b"x" * 3_000_000
    async with serving(echo_app) as server, raw_websocket(server) as client:
        await client.send(frame(BINARY, payload))
        assert (await client.read()).payload == payload
