"""Responses with a complete body: what the helpers make, and what a client gets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from sanic import HTTPResponse, empty, html, json, raw, redirect, text
from sanic.compat import Header
from sanic.exceptions import SanicException, ServerError
from sanic.response import BaseHTTPResponse, JSONResponse
from tests.harness import Response, serving

PLAIN = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"


async def answer(
    app: Any, make: Callable[[], Any], method: str = "GET", *, version: str = "1.1", close: bool = True
) -> Response:
    """What a client gets when a handler returns the response that `make` makes."""

    @app.route("/", methods=[method])
    async def handler(request: Any) -> Any:
        return make()

    connection = "close" if close else "keep-alive"
    message = f"{method} / HTTP/{version}\r\nHost: a\r\nConnection: {connection}\r\n\r\n"
    async with serving(app) as server, server.connect() as client:
        await client.send(message.encode())
        response = await client.response(method)
        if close:
            assert await client.read_until_closed() == b""
        return response


# The helpers


class Page:
    def __html__(self) -> str:
        return "<p>ä"


class Notebook:
    def _repr_html_(self) -> bytes:
        return b"<b>"


@pytest.mark.parametrize(
    ("response", "status", "content_type", "body"),
    [
        (text("ä"), 200, PLAIN, "ä".encode()),
        (text("", 201, {"a": "b"}, "text/csv"), 201, "text/csv", b""),
        (text("", content_type=None), 200, None, b""),
        (html("ä"), 200, HTML, "ä".encode()),
        (html(b"\xff", 404), 404, HTML, b"\xff"),
        (html(Page()), 200, HTML, "<p>ä".encode()),
        (html(Notebook()), 200, HTML, b"<b>"),
        (raw(b"\0\xff"), 200, "application/octet-stream", b"\0\xff"),
        (raw("ä", content_type="a/b"), 200, "a/b", "ä".encode()),
        (raw(None), 200, "application/octet-stream", b""),
        (json({"a": 1}), 200, "application/json", b'{"a":1}'),
        (json([], 400, content_type="application/problem+json"), 400, "application/problem+json", b"[]"),
        (empty(), 204, None, b""),
        (empty(304), 304, None, b""),
        (redirect("/a"), 302, HTML, b""),
        (redirect("/a", status=308), 308, HTML, b""),
        (HTTPResponse(), 200, None, b""),
        (HTTPResponse("ä", 418, content_type="a/b"), 418, "a/b", "ä".encode()),
        (HTTPResponse(bytearray(b"x")), 200, None, b"x"),
    ],
)
def test_helpers_make_responses(response: HTTPResponse, status: int, content_type: str | None, body: bytes) -> None:
    assert (response.status, response.content_type, response.body) == (status, content_type, body)
    assert repr(response) == f"<{type(response).__name__}: {status} {content_type}>"


def test_their_classes_are_those_that_users_know() -> None:
    assert type(text("")) is HTTPResponse
    assert type(json("")) is JSONResponse
    assert issubclass(JSONResponse, HTTPResponse)
    assert issubclass(HTTPResponse, BaseHTTPResponse)


@pytest.mark.parametrize("body", [b"bytes", 1, None, {}])
def test_text_is_made_of_str_only(body: Any) -> None:
    with pytest.raises(TypeError, match=rf"^Bad body type\. Expected str, got {type(body).__name__}"):
        text(body)


@pytest.mark.parametrize("body", [1, None, object()])
def test_html_is_made_of_text_or_objects_that_show_themselves_as_html(body: Any) -> None:
    with pytest.raises(TypeError, match=rf"Bad body type\. Expected str, bytes .*{type(body).__name__}"):
        html(body)


@pytest.mark.parametrize(
    ("to", "location"),
    [
        ("/a/b?c=d&e=%20#f", "/a/b?c=d&e=%20#f"),
        ("https://user@[::1]:80/;a=b,c!$'()*+~", "https://user@[::1]:80/;a=b,c!$'()*+~"),
        ("/a b", "/a%20b"),
        ("/ä", "/%C3%A4"),
        ("/\udcff", "/%FF"),
        ('/"<>\\^`{|}', "/%22%3C%3E%5C%5E%60%7B%7C%7D"),
        ("/a\r\nSet-Cookie: b=c", "/a%0D%0ASet-Cookie:%20b=c"),
        ("", ""),
    ],
)
def test_a_redirect_encodes_what_may_not_stand_in_a_url(to: str, location: str) -> None:
    assert redirect(to).headers["location"] == location


def test_a_redirect_keeps_other_headers_and_leaves_the_given_ones_alone() -> None:
    given = {"location": "/other", "X-A": "1"}

    response = redirect("/a", given)

    assert response.headers.getall("location") == ["/a"]
    assert response.headers["x-a"] == "1"
    assert given["location"] == "/other"


@pytest.mark.parametrize("headers", [{"X-A": "1"}, Header({"X-A": "1"}), [("X-A", "1")]])
def test_headers_are_copied_from_mappings_and_pairs(headers: Any) -> None:
    response = text("", headers=headers)
    response.headers["x-b"] = "2"

    assert response.headers["x-a"] == "1"
    assert len(headers) == 1


# On the wire


async def test_own_headers_come_first_then_framing_connection_content_type_and_date(app: Any) -> None:
    response = await answer(app, lambda: text("body", headers=[("X-B", "1"), ("x-a", "2"), ("X-B", "3")]))

    assert response.headers[:-1] == [
        ("x-b", "1"),
        ("x-a", "2"),
        ("x-b", "3"),
        ("content-length", "4"),
        ("connection", "close"),
        ("content-type", PLAIN),
    ]
    assert response.headers[-1][0] == "date"
    assert parsedate_to_datetime(response.headers[-1][1])


async def test_names_are_written_as_given_and_values_as_text(app: Any) -> None:
    @app.get("/")
    async def handler(request: Any) -> Any:
        return text("", headers={"X-CaSe": 12, "x-text": "ä", "x-bytes": b"\xff"})

    async with serving(app) as server:
        received = await server.send_raw(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert b"\r\nX-CaSe: 12\r\nx-text: \xc3\xa4\r\nx-bytes: \xff\r\n" in received


async def test_a_header_cannot_begin_another_one(app: Any) -> None:
    response = await answer(app, lambda: text("", headers={"X-A": "1\r\nSet-Cookie: a=b\0", "X-\r\nB": "2"}))

    assert response.get("x-a") == "1Set-Cookie: a=b"
    assert response.get("x-b") == "2"
    assert response.get("set-cookie") is None


async def test_a_header_name_that_is_none_is_a_server_error(app: Any) -> None:
    assert (await answer(app, lambda: text("", headers={"a b": "1"}))).status == 500


async def test_the_content_type_of_the_headers_wins(app: Any) -> None:
    response = await answer(app, lambda: text("", headers={"Content-Type": "a/b"}))

    assert response.get("content-type") == "a/b"


@pytest.mark.parametrize("headers", [{}, {"x-a": "1"}])
async def test_no_content_type_sends_none(app: Any, headers: dict[str, str]) -> None:
    response = await answer(app, lambda: HTTPResponse("body", headers=headers))

    assert (response.get("content-type"), response.text) == (None, "body")


async def test_the_length_is_counted_whatever_the_handler_says(app: Any) -> None:
    headers = {"Content-Length": "99", "Transfer-Encoding": "chunked", "Keep-Alive": "timeout=1"}
    response = await answer(app, lambda: text("ä", headers=headers))

    assert (response.get("content-length"), response.get("transfer-encoding")) == ("2", None)
    assert (response.get("keep-alive"), response.text) == (None, "ä")


async def test_a_handler_may_close_the_connection(app: Any) -> None:
    @app.get("/")
    async def handler(request: Any) -> Any:
        return text("", headers={"Connection": "close"})

    async with serving(app) as server:
        received = await server.send_raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert received.count(b"connection: close\r\n") == 1


async def test_a_handlers_own_date_is_kept(app: Any) -> None:
    date = "Sun, 06 Nov 1994 08:49:37 GMT"

    assert (await answer(app, lambda: text("", headers={"Date": date}))).get("date") == date


@pytest.mark.parametrize("close", [True, False])
async def test_the_connection_stays_as_the_client_wants_it(app: Any, close: bool) -> None:
    response = await answer(app, lambda: text(""), close=close)

    assert response.get("connection") == ("close" if close else "keep-alive")


async def test_cookies_are_headers_in_order(app: Any) -> None:
    def make() -> HTTPResponse:
        response = text("")
        response.add_cookie("a", "1", secure=False, samesite=None)
        response.cookies.add_cookie("b", "2")
        response.delete_cookie("c")
        return response

    assert (await answer(app, make)).get_all("set-cookie") == [
        "a=1; Path=/",
        "b=2; Path=/; SameSite=Lax; Secure",
        'c=""; Path=/; Max-Age=0; Secure',
    ]


@pytest.mark.parametrize("status", [204, 304])
async def test_some_statuses_have_no_body(app: Any, status: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        response = await answer(app, lambda: text("dropped", status, {"x-a": "1"}))

    assert response.status == status
    assert [name for name, _ in response.headers] == ["x-a", "connection", "date"]
    assert "dropped" in caplog.text


@pytest.mark.parametrize("status", [200, 299, 418, 599])
async def test_other_statuses_are_sent_as_they_are(app: Any, status: int) -> None:
    response = await answer(app, lambda: text("body", status))

    assert (response.status, response.text) == (status, "body")


@pytest.mark.parametrize("status", [100, 199, 0, -1, "200", None, 1000])
async def test_what_is_no_final_status_is_a_server_error(app: Any, status: Any) -> None:
    assert (await answer(app, lambda: text("body", status))).status == 500


@pytest.mark.parametrize(
    ("make", "length"),
    [
        (lambda: text("body"), "4"),
        (lambda: text("body", headers={"x-a": "1"}), "4"),
        (lambda: text("", headers={"content-length": "1234"}), "1234"),
        (lambda: empty(), None),
    ],
)
async def test_head_gets_the_length_without_the_body(app: Any, make: Callable[[], Any], length: str | None) -> None:
    response = await answer(app, make, "HEAD")

    assert (response.get("content-length"), response.body) == (length, b"")


async def test_a_response_may_be_sent_many_times(app: Any) -> None:
    shared = text("shared")

    @app.get("/")
    async def handler(request: Any) -> Any:
        return shared

    async with serving(app) as server:
        assert [(await server.get()).text for _ in range(3)] == ["shared"] * 3


async def test_the_body_may_be_replaced_before_it_is_sent(app: Any) -> None:
    @app.on_response
    async def replace(request: Any, response: HTTPResponse) -> None:
        response.body = response.body.upper()
        response.content_type = "a/b"

    response = await answer(app, lambda: text("body"))

    assert (response.text, response.get("content-type"), response.get("content-length")) == ("BODY", "a/b", "4")


# Subclasses


class Redeclaring(HTTPResponse):
    """Has slots of its own under names that it inherits, as responses of extension packages do."""

    __slots__ = ("_cookies", "body", "content_type", "headers", "status", "template")


class WithConstructor(Redeclaring):
    __slots__ = ()

    def __init__(self, template: str) -> None:
        super().__init__(f"<{template}>", 201, {"x-a": "1"}, HTML)
        self.template = template


class WithoutInheritedConstructor(Redeclaring):
    __slots__ = ()

    def __init__(self, template: str) -> None:
        self.body = f"<{template}>".encode()
        self.status = 201
        self.content_type = HTML
        self.headers = Header({"x-a": "1"})
        self.template = template


@pytest.mark.parametrize("response_class", [WithConstructor, WithoutInheritedConstructor])
async def test_a_subclass_may_declare_the_fields_again(app: Any, response_class: Any) -> None:
    def make() -> Any:
        response = response_class("home")
        response.add_cookie("a", "1", secure=False, samesite=None)
        assert next(iter(response.processed_headers)) == (b"x-a", b"1")
        assert repr(response) == f"<{response_class.__name__}: 201 {HTML}>"
        assert not response.asgi
        return response

    response = await answer(app, make)

    assert (response.status, response.text, response.get("content-type")) == (201, "<home>", HTML)
    assert (response.get("x-a"), response.get("set-cookie")) == ("1", "a=1; Path=/")


async def test_a_subclass_may_be_sent_through_respond(app: Any) -> None:
    @app.get("/")
    async def handler(request: Any) -> None:
        async with await request.respond(WithoutInheritedConstructor("home")) as send:
            await send("more")

    async with serving(app) as server:
        assert (await server.get()).text == "<home>more"


# Headers as other protocols take them


def test_processed_headers_are_safe_bytes_with_the_content_type_at_the_end() -> None:
    response = text("", headers={"X-A": "ä\r\n", "x-b": 2})
    response.add_cookie("a", "b", secure=False, samesite=None)

    assert list(response.processed_headers) == [
        (b"X-A", b"\xc3\xa4"),
        (b"x-b", b"2"),
        (b"Set-Cookie", b"a=b; Path=/"),
        (b"content-type", PLAIN.encode()),
    ]


@pytest.mark.parametrize(
    ("response", "headers"),
    [
        (text("", headers={"Content-Type": "a/b"}), [(b"Content-Type", b"a/b")]),
        (text("", 204), []),
        (HTTPResponse(""), []),
        (HTTPResponse("", content_type="a/b\r\nx: y"), [(b"content-type", b"a/bx: y")]),
    ],
)
def test_processed_headers_have_one_content_type_at_most(response: HTTPResponse, headers: Any) -> None:
    assert list(response.processed_headers) == headers


def test_processed_headers_refuse_names_that_are_none() -> None:
    with pytest.raises(ServerError, match="'a b'"):
        list(text("", headers={"a b": "1"}).processed_headers)


# Sending


async def test_a_response_is_sent_through_a_context(app: Any) -> None:
    @app.get("/")
    async def handler(request: Any) -> None:
        async with await request.respond(content_type=PLAIN) as send:
            await send("ä")
            await send(b"b")

    async with serving(app) as server:
        response = await server.get()

    assert (response.text, response.headers["transfer-encoding"]) == ("äb", "chunked")


async def test_a_context_that_fails_does_not_end_the_response(app: Any) -> None:
    @app.get("/")
    async def handler(request: Any) -> None:
        async with await request.respond() as send:
            await send("half")
            raise RuntimeError("the other half is missing")

    async with serving(app) as server:
        received = await server.send_raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert b"half" in received
    assert not received.endswith(b"0\r\n\r\n")


async def test_a_response_that_belongs_to_no_request_cannot_be_sent() -> None:
    with pytest.raises(SanicException, match="respond"):
        await text("").send()
    with pytest.raises(SanicException, match="respond"):
        await text("").eof()
