"""Cookies on the wire: what a client sends, and what an app sets and deletes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from http.cookies import SimpleCookie
from typing import Any

import pytest

from sanic import empty, json, text
from tests.harness import RunningServer, serving


async def get(server: RunningServer, *cookie_headers: bytes) -> bytes:
    lines = b"".join(b"Cookie: " + value + b"\r\n" for value in cookie_headers)
    head = b"GET / HTTP/1.1\r\nHost: a\r\n" + lines + b"Connection: close\r\n\r\n"
    return (await server.send_raw(head)).partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    ("headers", "cookies"),
    [
        ([b"a=1; b=2"], {"a": ["1"], "b": ["2"]}),
        ([b"a=1; a=2", b"a=3"], {"a": ["1", "2", "3"]}),
        ([b'a="x\\073 y"'], {"a": ["x; y"]}),
        ([b"a=1; b@d=2; =3; c=4"], None),
        ([b";;; ,;=;\x80=\xff; ok=1;"], None),
        ([b"ok=1; " + b"x" * 4000], None),
        ([b"; ".join(b"c%d=%d" % (n, n) for n in range(500)) + b"; ok=1"], None),
    ],
)
async def test_hostile_headers_are_ignored_piece_by_piece(
    app: Any, headers: list[bytes], cookies: dict[str, list[str]] | None
) -> None:
    @app.get("/")
    async def handler(request: Any) -> Any:
        if cookies is None:
            return json({name: request.cookies.get(name) for name in ("a", "c", "ok") if name in request.cookies})
        return json(dict(request.cookies))

    async with serving(app) as server:
        body = await get(server, *headers)
    import json as reader

    found = reader.loads(body)
    if cookies is not None:
        assert found == cookies
    else:
        assert found in ({"a": "1", "c": "4"}, {"ok": "1"})


async def test_every_attribute_reaches_the_client(app: Any) -> None:
    expires = datetime(2030, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2)))

    @app.get("/")
    async def handler(request: Any) -> Any:
        response = text("ok")
        response.add_cookie("plain", "1", secure=False, samesite=None)
        response.add_cookie(
            "all",
            "a b",
            path="/p",
            domain="a.test",
            max_age=5,
            expires=expires,
            httponly=True,
            samesite="strict",
            comment="c",
        )
        response.add_cookie("part", "1", host_prefix=True, partitioned=True)
        response.add_cookie("safe", "1", secure_prefix=True)
        response.delete_cookie("gone", host_prefix=True)
        return response

    async with serving(app) as server:
        response = await server.get()
    assert response.headers.get_list("set-cookie") == [
        "plain=1; Path=/",
        (
            'all="a b"; Path=/p; Comment=c; Domain=a.test; Max-Age=5; '
            "expires=Wed, 02 Jan 2030 03:04:05 GMT; SameSite=Strict; Secure; HttpOnly"
        ),
        "__Host-part=1; Path=/; SameSite=Lax; Secure; Partitioned",
        "__Secure-safe=1; Path=/; SameSite=Lax; Secure",
        '__Host-gone=""; Path=/; Max-Age=0; Secure',
    ]


@pytest.mark.parametrize(
    "value", ["", "a b", 'q"uote', "semi;colon", "back\\slash", "ünïcode", "\x00\x1f\x7f\r\n", "a=b,c"]
)
async def test_any_value_comes_back_as_it_was(app: Any, value: str) -> None:
    @app.get("/set")
    async def set_cookie(request: Any) -> Any:
        response = empty()
        response.add_cookie("c", value)
        return response

    @app.get("/")
    async def read(request: Any) -> Any:
        return json(request.cookies.get("c"))

    async with serving(app) as server:
        response = await server.get("/set")
        assert len(response.headers.get_list("set-cookie")) == 1
        raw = next(line for name, line in response.headers.raw if name.lower() == b"set-cookie")
        body = await get(server, raw.partition(b";")[0] if b'"' not in raw else raw[: raw.rindex(b'"') + 1])
    import json as reader

    assert reader.loads(body) == value


async def test_a_cookie_that_was_deleted_is_gone_from_the_client(app: Any) -> None:
    @app.get("/<action>")
    async def handler(request: Any, action: str) -> Any:
        response = json(request.cookies.get("session"))
        if action == "set":
            response.add_cookie("session", "1", secure=False)
        elif action == "delete":
            response.cookies.delete_cookie("session", secure=False)
        return response

    async with serving(app) as server:
        assert (await server.get("/set")).json() is None
        assert (await server.get("/look")).json() == "1"
        assert (await server.get("/delete")).json() == "1"
        assert (await server.get("/look")).json() is None


async def test_cookies_can_be_set_on_streams_and_by_middleware(app: Any) -> None:
    @app.on_response
    async def middleware(request: Any, response: Any) -> None:
        response.add_cookie("from_middleware", "1")

    @app.get("/")
    async def handler(request: Any) -> None:
        response = await request.respond()
        response.add_cookie("from_handler", "1")
        await response.send("x")

    async with serving(app) as server:
        cookies = SimpleCookie()
        for line in (await server.get()).headers.get_list("set-cookie"):
            cookies.load(line)
    assert set(cookies) == {"from_middleware", "from_handler"}


async def test_protected_cookies_win_over_plain_ones(app: Any) -> None:
    @app.get("/")
    async def handler(request: Any) -> Any:
        return json([request.cookies.get("s"), request.cookies.getlist("s"), request.cookies["s"]])

    async with serving(app) as server:
        assert await get(server, b"s=plain; __Host-s=host; __Secure-s=secure") == b'["host",["host"],["host"]]'
        assert await get(server, b"s=plain; __Secure-s=secure") == b'["secure",["secure"],["secure"]]'
