"""Every limit, at itself, one below and one above."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sanic import Request, Sanic
from sanic.response import HTTPResponse, text
from sanic.server.deadlines import Deadlines
from tests.harness import cut, responses_in, serving, turns
from tests.server.memory import Wire

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture
async def app(app: Sanic[Any, Any]) -> AsyncIterator[Sanic[Any, Any]]:
    app.config.update(
        REQUEST_MAX_HEADER_SIZE=1000, REQUEST_MAX_HEADERS=10, REQUEST_MAX_TARGET_SIZE=500, REQUEST_MAX_SIZE=2000
    )

    @app.route("/<path:path>", methods=["GET", "POST"], ignore_body=False)
    async def any_path(request: Request, path: str) -> HTTPResponse:
        return text(str(len(request.body)))

    @app.post("/stream", stream=True)
    async def stream(request: Request) -> HTTPResponse:
        return text(str(sum([len(piece) async for piece in request.stream])))

    @app.post("/ignore", stream=True)
    async def ignore(request: Request) -> HTTPResponse:
        return text("ignored")

    async with serving(app):
        yield app


async def status_of(app: Sanic[Any, Any], data: bytes, pieces: int | None = None) -> tuple[int, bool]:
    wire = Wire(app)
    await wire.feed(cut(data, pieces))
    await wire.settle()
    closed = wire.is_closed
    wire.abort()
    await turns(2)
    (response,) = await responses_in(bytes(wire.sent))
    return response.status, closed


def head_of_size(size: int) -> bytes:
    # Each field counts with its line: name, colon, blank, value, CR LF.
    return HEAD + b"X-Filler: " + b"x" * (size - len(b"Host: a\r\nX-Filler: \r\n")) + b"\r\n\r\n"


@pytest.mark.parametrize("pieces", [None, 1, 700])
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (head_of_size(999), 200),
        (head_of_size(1000), 200),
        (head_of_size(1001), 431),
        (HEAD + b"A: b\r\n" * 8 + b"\r\n", 200),
        (HEAD + b"A: b\r\n" * 9 + b"\r\n", 200),
        (HEAD + b"A: b\r\n" * 10 + b"\r\n", 431),
        (b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * 498), 200),
        (b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * 499), 200),
        (b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * 500), 414),
        (b"GET /%b HTTP/1.1\r\nHost: a\r\nX-Filler: %b\r\n\r\n" % (b"x" * 499, b"x" * 960), 200),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1999\r\n\r\n" + b"x" * 1999, 200),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000, 200),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2001\r\n\r\n" + b"x" * 2001, 413),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2001\r\nExpect: 100-continue\r\n\r\n", 413),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n",
            200,
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d1\r\n" + b"x" * 2001 + b"\r\n0\r\n\r\n",
            413,
        ),
        (b"POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000, 200),
        (b"POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000, 200),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 10 + b"\r\n", 200),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 11 + b"\r\n", 431),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: " + b"b" * 995 + b"\r\n\r\n", 200),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: " + b"b" * 996 + b"\r\n\r\n", 431),
    ],
)
async def test_a_limit_is_kept_to_the_byte(app: Sanic[Any, Any], data: bytes, status: int, pieces: int | None) -> None:
    assert await status_of(app, data, pieces) == (status, status >= 400)


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Filler: ",
        b"GET / HTTP/1.1\r\n",
        b"GET ",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;x=",
    ],
)
async def test_what_never_ends_is_refused(app: Sanic[Any, Any], beginning: bytes) -> None:
    wire = Wire(app)
    await wire.feed([beginning])
    piece = b" " * 4000 if beginning == b"GET " else b"x" * 4000
    sent = 0
    while not wire.is_closed and not wire.has_sent_eof:
        await wire.feed([piece])
        sent += len(piece)
        assert sent < 1_000_000
    await wire.settle()

    (response,) = await responses_in(bytes(wire.sent))
    assert response.status in (400, 431)


async def test_an_unread_body_is_drained_up_to_the_limit(app: Sanic[Any, Any]) -> None:
    wire = Wire(app)
    await wire.feed([b"POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 2001\r\n\r\n"])
    await wire.settle()
    assert wire.is_closed

    wire = Wire(app)
    await wire.feed([b"POST /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"])
    await wire.feed([b"1F4\r\n" + b"x" * 500 + b"\r\n"] * 4)
    assert not wire.is_closed
    assert not wire.has_sent_eof
    await wire.feed([b"1\r\nx\r\n"])
    await wire.settle()
    assert wire.is_closed
    assert [response.status for response in await responses_in(bytes(wire.sent))] == [200]


async def test_the_default_limits_hold_for_large_targets_cut_in_pieces(app_name: str) -> None:
    app: Sanic[Any, Any] = Sanic(app_name)

    @app.get("/<path:path>")
    async def length(request: Request, path: str) -> HTTPResponse:
        return text(str(len(path)))

    async with serving(app):
        for size, status in ((65535, 200), (65536, 414)):
            data = b"GET /%b HTTP/1.1\r\nHost: a\r\nX-Filler: %b\r\n\r\n" % (b"x" * (size - 1), b"x" * 8000)
            for pieces in (None, 1000, 4096):
                assert (await status_of(app, data, pieces))[0] == status


@pytest.mark.parametrize("size", [1, 40, 4000])
async def test_pipelined_requests_wait_unread_when_the_queue_is_full(app_name: str, size: int) -> None:
    app: Sanic[Any, Any] = Sanic(app_name)
    app.config.PIPELINE_MAX_QUEUED = 3
    gate = asyncio.Event()

    @app.get("/")
    async def wait(request: Request) -> HTTPResponse:
        await gate.wait()
        return text("done")

    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    async with serving(app):
        wire = Wire(app)
        await wire.feed(cut(request * 3, size))
        assert not wire.is_reading_held
        await wire.feed(cut(request, size))
        assert not wire.is_reading_held
        await wire.feed(cut(request, size))
        assert wire.is_reading_held
        gate.set()
        await wire.settle()
        assert not wire.is_reading_held
        assert [response.status for response in await responses_in(bytes(wire.sent))] == [200] * 5
        wire.abort()
        await turns(2)


async def test_a_connection_whose_deadline_fails_is_cut_and_the_others_are_looked_at(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Timed:
        deadline = 0.0

        def __init__(self, is_broken: bool) -> None:
            self.is_broken = is_broken
            self.is_cut = False
            self.looks = asyncio.Event()

        def check_timeouts(self) -> None:
            self.looks.set()
            if self.is_broken:
                raise RuntimeError("broken on purpose")

        def abort(self) -> None:
            self.is_cut = True

    deadlines = Deadlines(asyncio.get_running_loop(), 0.2)
    connections = [Timed(is_broken=number % 2 == 0) for number in range(6)]
    for connection in connections:
        deadlines.watch(connection)
    await asyncio.wait_for(asyncio.gather(*(connection.looks.wait() for connection in connections)), 10)
    for connection in connections:
        deadlines.forget(connection)

    assert all(connection.is_cut == connection.is_broken for connection in connections)
    assert "broken on purpose" in caplog.text
