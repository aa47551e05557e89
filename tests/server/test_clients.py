"""Real clients: curl and httpx."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sanic import Request, Sanic
from sanic.response import HTTPResponse, raw, text
from tests.harness import RunningServer, serving


@pytest.fixture
async def server(app: Sanic[Any, Any]) -> AsyncIterator[RunningServer]:
    @app.get("/")
    async def index(request: Request) -> HTTPResponse:
        return text("hi")

    @app.post("/echo")
    async def echo(request: Request) -> HTTPResponse:
        return raw(request.body)

    async with serving(app) as running:
        yield running


async def curl(*arguments: str, input: bytes | None = None) -> str:
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "20", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate(input)
    assert process.returncode == 0
    return output.decode()


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@needs_curl
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "hi 200 1.1"),
        (["--http1.0"], "hi 200 1.1"),
        (["--head", "--output", "/dev/null"], " 200 1.1"),
        (["--http2"], "hi 200 1.1"),
        (["--request", "FOO", "--output", "/dev/null"], " 405 1.1"),
        (["--header", "Host:", "--output", "/dev/null"], " 400 1.1"),
    ],
)
async def test_curl_gets_its_answer(server: RunningServer, options: list[str], expected: str) -> None:
    assert await curl(*options, "--write-out", " %{http_code} %{http_version}", server.url + "/") == expected


@needs_curl
async def test_curl_uses_a_connection_again(server: RunningServer) -> None:
    output = await curl("--write-out", " %{num_connects};", server.url + "/", server.url + "/")

    assert output == "hi 1;hi 0;"


@needs_curl
@pytest.mark.parametrize("options", [[], ["--header", "Transfer-Encoding: chunked"], ["--http2"]])
async def test_curl_uploads_and_waits_for_100_continue(server: RunningServer, options: list[str]) -> None:
    body = "x" * 2_000_000
    output = await curl(*options, "--data-binary", "@-", "--header", "Expect: 100-continue", server.url + "/echo",
                        input=body.encode())  # fmt: skip

    assert output == body


async def test_httpx_sends_bodies_of_every_kind(server: RunningServer) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(100):
            yield b"%d," % number

    assert (await server.post("/echo", content=b"x" * 300_000)).content == b"x" * 300_000
    assert (await server.post("/echo", content=pieces())).text == "".join(f"{number}," for number in range(100))
    assert (await server.post("/echo", content=b"")).content == b""
    answers = await asyncio.gather(*(server.get("/") for _ in range(50)))
    assert {answer.text for answer in answers} == {"hi"}
