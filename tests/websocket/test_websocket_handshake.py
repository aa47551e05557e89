"""The opening handshake, as bytes (RFC 6455 section 4.2)."""

from __future__ import annotations

from typing import Any

import pytest

from sanic import Request, Sanic, Websocket
from sanic.response import text
from tests.harness import responses_in, serving
from tests.websocket.wire import ACCEPT, TEXT, frame, handshake, raw_websocket


@pytest.fixture
def echo_app(app: Sanic[Any, Any]) -> Sanic[Any, Any]:
    @app.websocket("/")
    async def echo(request: Request, ws: Websocket) -> None:
        async for message in ws:
            await ws.send(message)

    @app.websocket("/chat", subprotocols=["v2.chat", "v1.chat"])
    async def chat(request: Request, ws: Websocket) -> None:
        await ws.send(str(ws.subprotocol))

    return app


async def test_a_handshake_is_accepted_as_in_the_example_of_the_standard(echo_app: Sanic[Any, Any]) -> None:
    async with serving(echo_app) as server, raw_websocket(server) as client:
        assert client.response.reason == "Switching Protocols"
        assert client.response.get("sec-websocket-accept") == ACCEPT
        assert client.response.get("upgrade") == "websocket"
        assert (client.response.get("connection") or "").lower() == "upgrade"
        assert client.response.get("sec-websocket-protocol") is None
        assert client.response.get("sec-websocket-extensions") is None
        assert client.response.get("content-length") is None


@pytest.mark.parametrize(
    "changed",
    [
        {"connection": "keep-alive, Upgrade"},
        {"connection": "UPGRADE"},
        {"upgrade": "WebSocket"},
        {"upgrade": "foo, websocket"},
        {"sec_websocket_protocol": "anything"},
        {"sec_websocket_extensions": "permessage-deflate"},
        {"origin": "https://anywhere.example"},
    ],
)
async def test_these_handshakes_are_accepted(echo_app: Sanic[Any, Any], changed: dict[str, str]) -> None:
    async with serving(echo_app) as server, raw_websocket(server, **changed) as client:
        await client.send(frame(TEXT, b"hello"))
        assert (await client.read()).payload == b"hello"


@pytest.mark.parametrize("pieces", [1, 7, 100])
async def test_a_handshake_may_come_in_pieces(echo_app: Sanic[Any, Any], pieces: int) -> None:
    async with serving(echo_app) as server, server.connect() as connection:
        await connection.send(handshake(), pieces=pieces)
        assert (await connection.response()).status == 101


async def test_frames_that_come_with_the_handshake_are_not_lost(echo_app: Sanic[Any, Any]) -> None:
    behind = frame(TEXT, b"one") + frame(TEXT, b"two")
    async with serving(echo_app) as server, raw_websocket(server, behind=behind) as client:
        assert (await client.read()).payload == b"one"
        assert (await client.read()).payload == b"two"


async def test_a_handshake_may_follow_other_requests_on_its_connection(echo_app: Sanic[Any, Any]) -> None:
    @echo_app.get("/page")
    async def page(request: Request) -> Any:
        return text("page")

    async with serving(echo_app) as server, server.connect() as connection:
        await connection.send(b"GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n" + handshake())
        assert (await connection.response()).text == "page"
        assert (await connection.response()).status == 101


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (handshake(upgrade=None, connection=None), 426),
        (handshake(upgrade=None), 426),
        (handshake(connection="keep-alive"), 426),
        (handshake(upgrade="h2c"), 426),
        (handshake(version="1.0"), 426),
        (handshake(sec_websocket_version=None), 400),
        (handshake(sec_websocket_version="8"), 400),
        (handshake(sec_websocket_version="13, 8"), 400),
        (handshake(sec_websocket_key=None), 400),
        (handshake(sec_websocket_key=""), 400),
        (handshake(sec_websocket_key="short"), 400),
        (handshake(sec_websocket_key="AAAAAAAAAAAAAAAAAAAAAAA="), 400),
        (handshake(sec_websocket_key="!!!!AAAAAAAAAAAAAAAAAA=="), 400),
        (handshake(sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="), 400),
        (handshake().replace(b"\r\n\r\n", b"\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"), 400),
        (handshake(content_length="2") + b"hi", 400),
        (handshake(method="POST"), 405),
        (handshake(method="PUT"), 405),
        (handshake("/nowhere"), 404),
        (handshake("/chat"), 400),
        (handshake("/chat", sec_websocket_protocol="v3.chat"), 400),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else str(value),
)
async def test_bad_handshakes_get_the_right_status(
    echo_app: Sanic[Any, Any], request_bytes: bytes, status: int
) -> None:
    async with serving(echo_app) as server:
        (response,) = await responses_in(await server.send_raw(request_bytes, half_close=True))
        assert response.status == status
        assert response.get("sec-websocket-accept") is None
        if status == 426:
            assert response.get("upgrade") == "websocket"


async def test_another_version_is_told_the_one_that_is_known(echo_app: Sanic[Any, Any]) -> None:
    async with serving(echo_app) as server, server.connect() as connection:
        await connection.send(handshake(sec_websocket_version="25"))
        assert (await connection.response()).get("sec-websocket-version") == "13"


async def test_the_connection_of_a_refused_handshake_can_be_used_again(echo_app: Sanic[Any, Any]) -> None:
    async with serving(echo_app) as server, server.connect() as connection:
        await connection.send(handshake(sec_websocket_key="bad"))
        assert (await connection.response()).status == 400
        await connection.send(handshake())
        assert (await connection.response()).status == 101


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [("v1.chat", "v1.chat"), ("v2.chat", "v2.chat"), ("v1.chat, v2.chat", "v2.chat"), ("other,v1.chat", "v1.chat")],
)
async def test_the_first_subprotocol_of_the_route_that_the_client_offers_is_taken(
    echo_app: Sanic[Any, Any], offered: str, chosen: str
) -> None:
    async with serving(echo_app) as server, raw_websocket(server, "/chat", sec_websocket_protocol=offered) as client:
        assert client.response.get("sec-websocket-protocol") == chosen
        assert (await client.read()).payload == chosen.encode()


_ORIGINS = ["https://example.com", "http://localhost:8000"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://example.com", 101),
        ("HTTPS://Example.COM", 101),
        ("http://localhost:8000", 101),
        (None, 101),
        ("http://example.com", 403),
        ("https://example.com.evil.example", 403),
        ("https://www.example.com", 403),
        ("http://localhost:8001", 403),
        ("null", 403),
        ("", 403),
    ],
)
@pytest.mark.parametrize("where", ["route", "config", "config as text"])
async def test_pages_of_other_origins_are_refused(
    app: Sanic[Any, Any], where: str, origin: str | None, status: int
) -> None:
    if where != "route":
        app.config.WEBSOCKET_ORIGINS = _ORIGINS if where == "config" else ", ".join(_ORIGINS)

    @app.websocket("/", origins=_ORIGINS if where == "route" else None)
    async def nothing(request: Request, ws: Websocket) -> None:
        pass

    async with serving(app) as server, server.connect() as connection:
        await connection.send(handshake(origin=origin))
        assert (await connection.response()).status == status


async def test_a_route_that_names_origins_overrules_the_configuration(app: Sanic[Any, Any]) -> None:
    app.config.WEBSOCKET_ORIGINS = ["https://example.com"]

    @app.websocket("/", origins=["*"])
    async def nothing(request: Request, ws: Websocket) -> None:
        pass

    async with serving(app) as server, server.connect() as connection:
        await connection.send(handshake(origin="https://other.example"))
        assert (await connection.response()).status == 101


async def test_two_origins_are_a_bad_request(echo_app: Sanic[Any, Any]) -> None:
    twice = handshake(origin="https://a.example").replace(b"\r\n\r\n", b"\r\norigin: https://b.example\r\n\r\n")
    async with serving(echo_app) as server, server.connect() as connection:
        await connection.send(twice)
        assert (await connection.response()).status == 400


async def test_compression_is_agreed_on_when_it_is_configured(echo_app: Sanic[Any, Any]) -> None:
    echo_app.config.WEBSOCKET_COMPRESSION = True
    offer = "permessage-deflate; client_max_window_bits"
    async with serving(echo_app) as server, raw_websocket(server, sec_websocket_extensions=offer) as client:
        assert (client.response.get("sec-websocket-extensions") or "").startswith("permessage-deflate")


async def test_an_extensions_header_that_cannot_be_read_is_a_bad_request(echo_app: Sanic[Any, Any]) -> None:
    echo_app.config.WEBSOCKET_COMPRESSION = True
    async with serving(echo_app) as server, server.connect() as connection:
        await connection.send(handshake(sec_websocket_extensions=";;;"))
        assert (await connection.response()).status == 400


async def test_request_middleware_may_answer_instead_of_the_handshake(echo_app: Sanic[Any, Any]) -> None:
    @echo_app.on_request
    async def refuse(request: Request) -> Any:
        return text("not you", status=401) if "cookie" not in request.headers else None

    async with serving(echo_app) as server, server.connect() as connection:
        await connection.send(handshake())
        response = await connection.response()
        assert (response.status, response.text) == (401, "not you")
        await connection.send(handshake(cookie="a=b"))
        assert (await connection.response()).status == 101


async def test_response_middleware_runs_for_refused_handshakes_only(echo_app: Sanic[Any, Any]) -> None:
    statuses = []

    @echo_app.on_response
    async def note(request: Request, response: Any) -> None:
        statuses.append(response.status)

    async with serving(echo_app) as server:
        async with server.connect() as connection:
            await connection.send(handshake(sec_websocket_key="bad"))
            await connection.response()
        async with raw_websocket(server) as client:
            await client.send(frame(TEXT, b"hello"))
            await client.read()
    assert statuses == [400]
