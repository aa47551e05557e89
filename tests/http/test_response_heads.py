"""What an application puts into the headers and the status of a response never contradicts its framing."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from sanic import text
from tests.harness import responses_in, serving, turns
from tests.server.memory import Wire


def request_bytes(path: str = "/", method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


@pytest.mark.parametrize("dirt", ["\n", "\r", "\r\n", "\0"])
@pytest.mark.parametrize(
    ("name", "value"), [("Transfer-Encoding", "chunked"), ("Content-Length", "1"), ("Connection", "close")]
)
async def test_a_framing_header_is_known_by_the_name_that_would_be_written(
    app: Any, name: str, value: str, dirt: str
) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        return text("hello", headers={name[:4] + dirt + name[4:] + dirt: value, "X-Test": "1"})

    async with serving(app) as server, server.connect() as client:
        for _ in range(2):
            await client.send(request_bytes())
            response = await client.response()
            assert (response.status, response.body) == (200, b"hello")
            assert response.get("transfer-encoding") is None
            assert response.get("content-length") == "5"
            assert response.get("connection") == "keep-alive"
            assert response.get("x-test") == "1"


@pytest.mark.parametrize("name", ["Content-Type", "Date"])
async def test_a_header_with_a_line_end_in_its_name_is_not_sent_a_second_time(app: Any, name: str) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        return text("hello", headers={f"{name}\n": "own"})

    async with serving(app) as server, server.connect() as client:
        await client.send(request_bytes())
        assert (await client.response()).get(name) == "own"


@pytest.mark.parametrize("length", [5, "5", b"5"])
async def test_a_content_length_may_be_any_value_that_reads_as_a_number(app: Any, length: Any) -> None:
    @app.get("/")
    async def stream(request: Any) -> None:
        response = await request.respond(headers={"content-length": length})
        await response.send(b"he")
        await response.send(b"llo")

    @app.head("/head")
    async def head(request: Any) -> Any:
        return text("", headers={"content-length": length})

    async with serving(app) as server, server.connect() as client:
        await client.send(request_bytes())
        response = await client.response()
        assert (response.status, response.get("content-length"), response.body) == (200, "5", b"hello")
        await client.send(request_bytes("/head", "HEAD"))
        response = await client.response("HEAD")
        assert (response.status, response.get("content-length")) == (200, "5")


@pytest.mark.parametrize(("value", "kept"), [(5, "keep-alive"), (b"close", "close")])
async def test_a_connection_header_may_be_of_any_type(app: Any, value: Any, kept: str) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        return text("hello", headers={"connection": value})

    async with serving(app) as server, server.connect() as client:
        await client.send(request_bytes())
        response = await client.response()
        assert (response.status, response.get("connection"), response.body) == (200, kept, b"hello")


async def test_a_failure_after_the_end_of_a_response_takes_nothing_from_it(
    app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    size = 3_000_000

    @app.get("/")
    async def index(request: Any) -> None:
        response = await request.respond(text("x" * 100))
        await response.send("x" * (size - 100))
        await response.eof()
        raise RuntimeError("too late")

    @app.get("/whole/<size:int>")
    async def whole(request: Any, size: int) -> None:
        response = await request.respond(text("x" * size))
        await response.send(end_stream=True)
        raise RuntimeError("too late")

    @app.exception(LookupError)
    async def answer(request: Any, exception: Any) -> None:
        response = await request.respond(text("gone"))
        await response.send(end_stream=True)
        raise RuntimeError("too late")

    @app.get("/error")
    async def error(request: Any) -> None:
        raise LookupError

    async with serving(app) as server, server.connect() as client:
        with caplog.at_level(logging.WARNING):
            for path, body in (
                ("/", b"x" * size),
                ("/whole/10", b"x" * 10),
                ("/whole/3000000", b"x" * size),
                ("/error", b"gone"),
            ):
                await client.send(request_bytes(path))
                assert (await client.response()).body == body
    assert "too late" in caplog.text
    assert "cut off" not in caplog.text


async def test_what_is_unsent_when_a_handler_fails_after_the_end_is_sent(app: Any) -> None:
    size = 50_000

    @app.get("/")
    async def whole(request: Any) -> None:
        response = await request.respond(text("x" * size))
        await response.send(end_stream=True)
        raise RuntimeError("too late")

    app.finalize()
    wire = Wire(app)
    await wire.feed([request_bytes()])
    await wire.settle()
    assert not wire.is_aborted
    [response] = await responses_in(bytes(wire.sent))
    assert len(response.body) == size
    await wire.feed([request_bytes()])
    await wire.settle()
    assert len(await responses_in(bytes(wire.sent))) == 2
    wire.close()
    await turns(4)


@pytest.mark.parametrize(("status", "expected"), [(200, 200), (599, 599), (999, 999), (199, 500), (1000, 500)])
async def test_statuses_from_200_to_999_can_be_sent(app: Any, status: int, expected: int) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        return text("hello", status=status)

    async with serving(app) as server, server.connect() as client:
        await client.send(request_bytes())
        assert (await client.response()).status == expected
