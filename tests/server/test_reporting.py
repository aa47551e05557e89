"""What is told of connections and requests: the access log and the signals of their life."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

import pytest

from sanic import Request, Sanic
from sanic.response import HTTPResponse, raw, text
from tests.harness import serving, turns
from tests.server.test_connections import until

EVENTS = (
    "http.lifecycle.begin",
    "http.lifecycle.read_head",
    "http.lifecycle.request",
    "http.lifecycle.handle",
    "http.routing.before",
    "http.routing.after",
    "http.lifecycle.read_body",
    "http.handler.before",
    "http.handler.after",
    "http.lifecycle.exception",
    "http.lifecycle.response",
    "http.lifecycle.send",
    "http.lifecycle.complete",
)


def lines_of(caplog: pytest.LogCaptureFixture) -> list[tuple[Any, ...]]:
    return [
        (record.request, record.status, record.byte)  # type: ignore[attr-defined]
        for record in caplog.records
        if record.name == "sanic.access"
    ]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "sanic.access")
    logging.getLogger("sanic.access").addHandler(caplog.handler)
    return caplog


@pytest.fixture(autouse=True)
def no_handler_left(caplog: pytest.LogCaptureFixture) -> Any:
    yield
    logging.getLogger("sanic.access").removeHandler(caplog.handler)


async def test_each_response_has_its_line_in_the_access_log(
    app: Sanic[Any, Any], log: pytest.LogCaptureFixture
) -> None:
    app.config.ACCESS_LOG = True
    started = asyncio.Event()

    @app.get("/")
    async def index(request: Request) -> HTTPResponse:
        return text("hi")

    @app.get("/stream")
    async def stream(request: Request) -> None:
        response = await request.respond()
        await response.send("abc")
        await response.eof()

    @app.get("/wait")
    async def wait(request: Request) -> HTTPResponse:
        started.set()
        await asyncio.sleep(60)
        return text("never")

    async with serving(app) as server:
        await server.get("/?a=b")
        await server.get("/stream")
        await server.get("/none")
        await server.send_raw(b"nonsense\r\n\r\n")
        async with server.connect() as connection:
            await connection.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
            await started.wait()
            connection.writer.close()
            await until(lambda: len(set(lines_of(log))) == 5)

        record = next(record for record in log.records if record.name == "sanic.access")
        host, _, port = record.host.partition(":")  # type: ignore[attr-defined]
        assert (host, port.isdigit()) == ("127.0.0.1", True)
        assert re.fullmatch(r" \d+\.\dms", record.duration)  # type: ignore[attr-defined]
        lines = list(dict.fromkeys(lines_of(log)))
        assert lines[:2] == [(f"GET {server.url}/?a=b", 200, 2), (f"GET {server.url}/stream", 200, "chunked")]
        assert [line[:2] for line in lines[2:4]] == [(f"GET {server.url}/none", 404), ("nil", 400)]
        assert (lines[4][0], lines[4][2]) == ("GET http://a/wait", "DISCONNECTED")


async def test_without_access_log_nothing_is_logged(app: Sanic[Any, Any], log: pytest.LogCaptureFixture) -> None:
    app.config.ACCESS_LOG = False

    @app.get("/")
    async def index(request: Request) -> HTTPResponse:
        return text("hi")

    async with serving(app) as server:
        await server.get("/")

    assert lines_of(log) == []


async def test_signals_tell_of_a_request_once_and_in_order(app: Sanic[Any, Any]) -> None:
    heard: list[str] = []

    def listen(event: str) -> None:
        @app.signal(event)
        async def handler(**context: Any) -> None:
            heard.append(event)

    for event in EVENTS:
        listen(event)

    @app.post("/echo")
    async def echo(request: Request) -> HTTPResponse:
        return raw(request.body)

    async with serving(app) as server:
        async with server.connect() as connection:
            data = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
            await connection.send(data)
            assert (await connection.response()).body == b"abc"
            await connection.send(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await connection.response()).status == 404
        await until(lambda: heard[-1] == "http.lifecycle.complete")
        await turns(5)

    names = [event.removeprefix("http.") for event in heard]
    assert names[:1] == ["lifecycle.begin"]
    assert names[1:11] == [
        "lifecycle.read_head",
        "lifecycle.request",
        "lifecycle.handle",
        "routing.before",
        "routing.after",
        "lifecycle.read_body",
        "handler.before",
        "handler.after",
        "lifecycle.response",
        "lifecycle.send",
    ]
    assert names[11:] == [
        "lifecycle.read_head",
        "lifecycle.request",
        "lifecycle.handle",
        "routing.before",
        "lifecycle.exception",
        "lifecycle.response",
        "lifecycle.send",
        "lifecycle.complete",
    ]


async def test_begin_comes_before_any_byte_is_read_and_its_failure_harms_nobody(app: Sanic[Any, Any]) -> None:
    heard: list[str] = []

    @app.signal("http.lifecycle.begin")
    async def begin(conn_info: Any) -> None:
        await turns(20)
        heard.append("begin")
        raise ValueError("on purpose")

    @app.get("/")
    async def index(request: Request) -> HTTPResponse:
        heard.append("handler")
        return text("hi")

    async with serving(app) as server:
        assert (await server.get("/")).text == "hi"

    assert heard == ["begin", "handler"]


async def test_the_bytes_of_head_body_and_response_are_told(app: Sanic[Any, Any]) -> None:
    told: dict[str, bytes] = {}

    @app.signal("http.lifecycle.read_head")
    async def read_head(head: bytes) -> None:
        told["head"] = head

    @app.signal("http.lifecycle.read_body")
    async def read_body(body: bytes) -> None:
        told["body"] = told.get("body", b"") + body

    @app.signal("http.lifecycle.send")
    async def send(data: bytes) -> None:
        told["response"] = told.get("response", b"") + data

    @app.post("/echo")
    async def echo(request: Request) -> HTTPResponse:
        return raw(request.body)

    async with serving(app) as server, server.connect() as connection:
        await connection.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", pieces=10)
        await connection.response()

    assert told["head"].rstrip() == b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3"
    assert told["body"] == b"abc"
    assert told["response"].startswith(b"HTTP/1.1 200 OK\r\n")
    assert told["response"].endswith(b"\r\n\r\nabc")
