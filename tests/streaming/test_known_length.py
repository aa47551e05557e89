"""Large bodies of known length, in pieces of every kind, with other messages before and behind them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from sanic import Sanic, text
from tests.harness import RunningServer, responses_in, serving

BODY = Random(1).randbytes(300_000)
DIGEST = hashlib.sha256(BODY).hexdigest()
GET = b"GET /last HTTP/1.1\r\nHost: a\r\n\r\n"
SIZES = {
    "in one piece": None,
    "in pieces of a byte less than a slice": 4095,
    "in pieces of a slice": 4096,
    "in pieces larger than a slice": 70_001,
}


def post(path: str, *fields: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: a", f"Content-Length: {len(BODY)}", *fields, "", ""]
    return "\r\n".join(lines).encode()


@pytest.fixture
async def server() -> AsyncIterator[RunningServer]:
    app: Sanic[Any, Any] = Sanic("lengths")

    @app.post("/streamed", stream=True)
    async def streamed(request: Any) -> Any:
        digest = hashlib.sha256()
        async for piece in request.stream:
            digest.update(piece)
        return text(digest.hexdigest())

    @app.post("/whole")
    async def whole(request: Any) -> Any:
        return text(hashlib.sha256(request.body).hexdigest())

    @app.post("/unread", stream=True)
    async def unread(request: Any) -> Any:
        return text(DIGEST, status=400)

    @app.get("/last")
    async def last(request: Any) -> Any:
        return text("last")

    async with serving(app) as running:
        yield running


async def exchange(server: RunningServer, data: bytes, pieces: Any) -> list[tuple[int, str]]:
    async with server.connect() as connection:
        await connection.send(data, pieces=pieces)
        connection.half_close()
        received = await connection.read_until_closed(timeout=10)
    return [(response.status, response.text) for response in await responses_in(received)]


@pytest.mark.parametrize("pieces", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("path", ["/streamed", "/whole"])
async def test_the_body_and_what_follows_it_arrive_unchanged(server: RunningServer, path: str, pieces: Any) -> None:
    message = post(path) + BODY
    assert await exchange(server, message + GET + message + GET, pieces) == [(200, DIGEST), (200, "last")] * 2


@pytest.mark.parametrize("offset", [-2, -1, 0, 1, 2, len(GET) - 1, len(GET)])
async def test_a_piece_may_end_anywhere_about_the_end_of_the_body(server: RunningServer, offset: int) -> None:
    message = post("/streamed") + BODY
    data = message + GET + GET
    for first in (1000, len(message) - 5):
        cuts = [first, len(message) + offset]
        assert await exchange(server, data, cuts) == [(200, DIGEST), (200, "last"), (200, "last")]


@pytest.mark.parametrize("pieces", SIZES.values(), ids=SIZES)
async def test_a_body_that_nobody_reads_does_not_become_the_next_message(server: RunningServer, pieces: Any) -> None:
    assert await exchange(server, post("/unread") + BODY + GET, pieces) == [(400, DIGEST), (200, "last")]


@pytest.mark.parametrize("pieces", SIZES.values(), ids=SIZES)
async def test_nothing_is_handled_behind_a_message_that_closes(server: RunningServer, pieces: Any) -> None:
    message = post("/streamed", "Connection: close") + BODY
    assert await exchange(server, message + GET, pieces) == [(200, DIGEST)]


async def test_what_follows_is_read_as_strictly_as_ever(server: RunningServer) -> None:
    message = post("/streamed") + BODY
    answers = await exchange(server, message + b"GET /last HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", None)
    assert [status for status, _ in answers] == [200, 400]


async def test_an_upgrade_that_nobody_grants_changes_nothing(server: RunningServer) -> None:
    message = post("/streamed", "Connection: upgrade", "Upgrade: h2c") + BODY
    assert await exchange(server, message + GET, 70_001) == [(200, DIGEST), (200, "last")]
