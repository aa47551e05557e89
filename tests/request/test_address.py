"""Who the client is and how it addressed this server, behind proxies and without."""

from __future__ import annotations

from typing import Any

import pytest

from sanic import Request, text
from tests.harness import serving
from tests.request.tools import make_request

# Proxies

TRUSTED = {"X-Real-IP": "5.6.7.8"}


@pytest.mark.parametrize(
    ("header", "forwarded"),
    [
        (
            'for=1.1.1.1, for="[::2]";proto=https;host=me.tld;path="/app/";secret=mySecret,for=b;;secret=x',
            {"for": "[::2]", "proto": "https", "host": "me.tld", "path": "/app/", "secret": "mySecret"},
        ),
        ('for=test;quoted="\\,x=x;y=\\";secret=mySecret', {"for": "test", "quoted": "\\,x=x;y=\\"}),
        ("for=test;secret=mySecret;b0rked;proto=wss;", {"for": "test"}),
        ("for=test;b0rked;secret=mySecret;proto=wss", {"proto": "wss"}),
        (
            'PROTO=WSS;BY="CAFE::8000";FOR=unknown;PORT=X;HOST="A:2";PATH="/With%20S";SECRET=mySecret',
            {"proto": "wss", "by": "[cafe::8000]", "host": "a:2", "path": "/With S"},
        ),
        ("for=1.2.3.4;secret=other", {}),
        ("", {}),
    ],
)
def test_forwarded_is_believed_with_the_secret(app: Any, header: str, forwarded: dict[str, str]) -> None:
    app.config.FORWARDED_SECRET = "mySecret"
    request = make_request(app, headers={"Forwarded": header})

    assert request.forwarded == ({"secret": "mySecret", **forwarded} if forwarded else {})
    assert request.forwarded is request.forwarded
    assert request.remote_addr == request.client_ip == forwarded.get("for", "")


def test_nothing_is_believed_unless_configured(app: Any) -> None:
    request = make_request(
        app,
        headers={
            "Host": "real",
            "Forwarded": "for=1.2.3.4;proto=https;host=fake",
            "X-Forwarded-For": "1.2.3.4",
            "X-Real-IP": "1.2.3.4",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "fake",
            "X-Forwarded-Port": "444",
            "X-Forwarded-Path": "/fake",
        },
    )

    assert (request.forwarded, request.remote_addr, request.client_ip) == ({}, "", "")
    assert (request.url, request.server_port, request.server_path) == ("http://real/path", 80, "/path")


def test_a_secret_that_the_header_shows_leaves_no_word_to_other_headers(app: Any) -> None:
    app.config.FORWARDED_SECRET = "mySecret"
    app.config.REAL_IP_HEADER = "X-Real-IP"

    shown = make_request(app, headers={**TRUSTED, "Forwarded": "secret=mySecret", "X-Scheme": "https"})
    hidden = make_request(app, headers={**TRUSTED, "Forwarded": "secret=guess"})

    assert shown.forwarded == {"secret": "mySecret"}
    assert hidden.forwarded == {"for": "5.6.7.8"}


@pytest.mark.parametrize(
    ("count", "values", "address"),
    [
        (1, ["1.1.1.1, 2.2.2.2"], "2.2.2.2"),
        (2, ["1.1.1.1, 2.2.2.2"], "1.1.1.1"),
        (2, ["1.1.1.1", " ,, ", "2.2.2.2"], "1.1.1.1"),
        (3, ["1.1.1.1, 2.2.2.2"], ""),
        (1, ["::1"], "[::1]"),
        (1, ["unknown"], ""),
    ],
)
def test_addresses_of_proxies_are_counted_from_the_right(app: Any, count: int, values: list[str], address: str) -> None:
    app.config.PROXIES_COUNT = count
    request = make_request(app, headers=[("X-Forwarded-For", value) for value in values])

    assert request.remote_addr == address


def test_the_header_of_addresses_can_be_named(app: Any) -> None:
    app.config.PROXIES_COUNT = 1
    app.config.FORWARDED_FOR_HEADER = "X-Clients"
    request = make_request(app, headers={"X-Forwarded-For": "1.1.1.1", "X-Clients": "2.2.2.2"})

    assert request.remote_addr == "2.2.2.2"


def test_x_forwarded_headers_are_believed_together_with_an_address(app: Any) -> None:
    app.config.REAL_IP_HEADER = "X-Real-IP"
    more = {
        "X-Scheme": "https",
        "X-Forwarded-Host": "Shop.example:8443",
        "X-Forwarded-Port": "444",
        "X-Forwarded-Path": "/a%20b",
    }

    request = make_request(app, headers={**TRUSTED, **more, "Host": "inner"})

    assert request.forwarded == {
        "for": "5.6.7.8",
        "proto": "https",
        "host": "shop.example:8443",
        "port": 444,
        "path": "/a b",
    }
    assert (request.server_name, request.server_port, request.server_path) == ("shop.example", 444, "/a b")
    assert request.url == "https://shop.example:8443/path"
    assert make_request(app, headers=more).forwarded == {}


# The effective URL


@pytest.mark.parametrize(
    ("server_name", "headers", "is_upgrade", "scheme"),
    [
        (None, {}, False, "http"),
        (None, {}, True, "ws"),
        ("example.com", {}, False, "http"),
        ("https://example.com", {}, False, "https"),
        ("HTTPS://example.com", {}, False, "https"),
        ("https://example.com", {}, True, "wss"),
        ("http://example.com", {"X-Scheme": "https"}, False, "http"),
        ("example.com", {"X-Scheme": "https"}, False, "https"),
        (None, {"X-Scheme": "https"}, False, "https"),
        (None, {"X-Forwarded-Proto": "HTTPS", "X-Scheme": "http"}, False, "https"),
        (None, {"X-Scheme": "https"}, True, "wss"),
        (None, {"X-Scheme": "wss"}, False, "wss"),
    ],
)
@pytest.mark.parametrize("are_websockets_enabled", [True, False])
def test_the_scheme_is_that_of_the_configuration_else_of_the_proxy_else_of_the_connection(
    app: Any,
    server_name: str | None,
    headers: dict[str, str],
    is_upgrade: bool,
    scheme: str,
    are_websockets_enabled: bool,
) -> None:
    app.enable_websocket(are_websockets_enabled)
    app.config.REAL_IP_HEADER = "X-Real-IP"
    if server_name:
        app.config.SERVER_NAME = server_name
    upgrade = {"Upgrade": "WebSocket"} if is_upgrade else {}

    request = make_request(app, headers={**TRUSTED, **headers, **upgrade})

    assert request.scheme == (scheme if are_websockets_enabled or not is_upgrade else scheme.replace("ws", "http"))


@pytest.mark.parametrize(
    ("server_name", "forwarded_host", "host", "expected", "name", "port"),
    [
        (None, None, None, "", "", 80),
        (None, None, "Example.com", "Example.com", "example.com", 80),
        (None, None, "example.com:8000", "example.com:8000", "example.com", 8000),
        (None, None, "[::1]:8000", "[::1]:8000", "[::1]", 8000),
        (None, None, "not a host", "not a host", "", 80),
        (None, "Outer:81", "inner", "outer:81", "outer", 81),
        ("shop.example", "outer", "inner", "shop.example", "shop.example", 80),
        ("shop.example:82/path", "outer", "inner", "shop.example:82", "shop.example", 82),
        ("https://shop.example/path", "outer", "inner", "shop.example", "shop.example", 443),
        ("https://shop.example:8443", None, "inner", "shop.example:8443", "shop.example", 8443),
        ("//shop.example/path", None, "inner", "shop.example", "shop.example", 80),
    ],
)
def test_the_host_is_that_of_the_configuration_else_of_the_proxy_else_of_the_header(
    app: Any,
    server_name: str | None,
    forwarded_host: str | None,
    host: str | None,
    expected: str,
    name: str,
    port: int,
) -> None:
    app.config.REAL_IP_HEADER = "X-Real-IP"
    if server_name:
        app.config.SERVER_NAME = server_name
    headers = {"X-Forwarded-Host": forwarded_host, "Host": host}

    request = make_request(app, headers={**TRUSTED, **{key: value for key, value in headers.items() if value}})

    assert (request.host, request.server_name, request.server_port) == (expected, name, port)
    assert request.url == f"{request.scheme}://{expected}/path"


@pytest.mark.parametrize(
    ("target", "url"),
    [
        (b"/", "http://a:1/"),
        (b"/a%20b?x=1&y=/?#z", "http://a:1/a%20b?x=1&y=/?"),
        (b"//a?", "http://a:1//a"),
        (b"http://a:1/b?c", "http://a:1/b?c"),
    ],
)
def test_the_url_is_what_the_client_wrote(app: Any, target: bytes, url: str) -> None:
    assert make_request(app, target, headers={"Host": "a:1"}).url == url


# Building addresses


@pytest.mark.parametrize(
    ("server_name", "headers", "url"),
    [
        (None, {"Host": "a"}, "http://a/books/3"),
        (None, {"Host": "A:80"}, "http://a/books/3"),
        (None, {"Host": "a:8000"}, "http://a:8000/books/3"),
        (None, {"Host": "a", "X-Scheme": "https"}, "https://a/books/3"),
        (None, {"Host": "a:443", "X-Scheme": "https"}, "https://a/books/3"),
        (None, {"Host": "a", "X-Scheme": "https", "X-Forwarded-Port": "8443"}, "https://a:8443/books/3"),
        ("shop.example:82", {"Host": "a"}, "http://shop.example:82/books/3"),
        ("https://shop.example", {"Host": "a"}, "https://shop.example/books/3"),
    ],
)
def test_url_for_builds_addresses_as_the_client_sees_this_server(
    app: Any, server_name: str | None, headers: dict[str, str], url: str
) -> None:
    app.config.REAL_IP_HEADER = "X-Real-IP"
    if server_name:
        app.config.SERVER_NAME = server_name

    @app.get("/books/<number:int>")
    async def book(request: Request, number: int) -> Any:
        return text("")

    request = make_request(app, headers={**TRUSTED, **headers})

    assert request.url_for("book", number=3) == url
    assert request.url_for("book", number=3, _external=True) == url


async def test_the_socket_is_believed_before_any_header(app: Any) -> None:
    @app.get("/")
    async def handler(request: Request) -> Any:
        return text(f"{request.client_ip} {request.scheme} {request.url_for('handler')}")

    async with serving(app) as server:
        response = await server.get("/", headers={"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https"})
        assert response.text == f"127.0.0.1 http http://127.0.0.1:{server.port}/"
