"""Responses whose body a function writes; how they stream is tested in tests/streaming."""

from __future__ import annotations

from typing import Any

import pytest

from sanic.exceptions import SanicException
from sanic.response import ResponseStream
from tests.harness import serving


async def nothing(response: ResponseStream) -> None:
    """Writes no body."""


def test_it_has_what_other_responses_have() -> None:
    stream = ResponseStream(nothing, 201, {"x-a": "1"}, "a/b")
    stream.cookies.add_cookie("a", "1", secure=False, samesite=None)

    assert (stream.status, stream.content_type, stream.headers["x-a"], stream.body) == (201, "a/b", "1", b"")
    assert [name for name, _ in stream.processed_headers] == [b"x-a", b"Set-Cookie", b"content-type"]


async def test_it_is_changed_until_its_function_writes(app: Any) -> None:
    async def write(response: ResponseStream) -> None:
        assert response.request is not None
        response.headers["x-path"] = response.request.path
        response.content_type = "a/b"
        response.status = 202
        await response.write("ä")
        await response.write(b"b")

    @app.get("/")
    async def handler(request: Any) -> Any:
        return ResponseStream(write)

    async with serving(app) as server:
        response = await server.get()

    assert (response.status_code, response.text, response.headers["content-type"]) == (202, "äb", "a/b")
    assert response.headers["x-path"] == "/"


async def test_it_cannot_write_before_it_is_returned_from_a_handler() -> None:
    stream = ResponseStream(nothing)

    with pytest.raises(SanicException, match="return it from a handler"):
        await stream.stream()
    with pytest.raises(SanicException, match="respond"):
        await stream.write("early")
