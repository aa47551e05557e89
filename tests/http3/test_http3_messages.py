"""What no client should send: each mistake ends what it has to end, and nothing else (RFC 9114)."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any

import pytest
from aioquic.h3.connection import encode_frame
from pylsqpack import Encoder

from sanic import Request, Sanic, text
from tests.http3.client import (
    CLOSED_CRITICAL_STREAM,
    FRAME_ERROR,
    FRAME_UNEXPECTED,
    ID_ERROR,
    MESSAGE_ERROR,
    MISSING_SETTINGS,
    QPACK_DECOMPRESSION_FAILED,
    QPACK_ENCODER_STREAM_ERROR,
    REQUEST_INCOMPLETE,
    SETTINGS_ERROR,
    STREAM_CREATION_ERROR,
    Certificate,
    connected,
    serving,
)

METHOD = (b":method", b"GET")
SCHEME = (b":scheme", b"https")
AUTHORITY = (b":authority", b"localhost")
PATH = (b":path", b"/")
GOOD = [METHOD, SCHEME, AUTHORITY, PATH]

MALFORMED: dict[str, list[tuple[bytes, bytes]]] = {
    "no method": [SCHEME, AUTHORITY, PATH],
    "no scheme": [METHOD, AUTHORITY, PATH],
    "no authority and no host": [METHOD, SCHEME, PATH],
    "no path": [METHOD, SCHEME, AUTHORITY],
    "an empty path": [METHOD, SCHEME, AUTHORITY, (b":path", b"")],
    "a path that is a URL": [METHOD, SCHEME, AUTHORITY, (b":path", b"https://other.test/")],
    "a path without slash": [METHOD, SCHEME, AUTHORITY, (b":path", b"x")],
    "an asterisk for another method than OPTIONS": [METHOD, SCHEME, AUTHORITY, (b":path", b"*")],
    "two methods": [METHOD, METHOD, SCHEME, AUTHORITY, PATH],
    "a method that is no token": [(b":method", b"GE T"), SCHEME, AUTHORITY, PATH],
    "a pseudo-header field of responses": [*GOOD, (b":status", b"200")],
    "an unknown pseudo-header field": [*GOOD, (b":protocol", b"websocket")],
    "a pseudo-header field behind others": [METHOD, SCHEME, AUTHORITY, (b"accept", b"*/*"), PATH],
    "a pseudo-header field behind a cookie": [METHOD, SCHEME, AUTHORITY, (b"cookie", b"a=1"), PATH],
    "user information": [METHOD, SCHEME, (b":authority", b"me@localhost"), PATH],
    "an empty authority": [METHOD, SCHEME, (b":authority", b""), PATH],
    "another host than authority": [*GOOD, (b"host", b"other.test")],
    "two hosts": [*GOOD, (b"host", b"localhost"), (b"host", b"localhost")],
    "a name with capitals": [*GOOD, (b"X-Name", b"1")],
    "a name with a blank": [*GOOD, (b"x name", b"1")],
    "a value with CR LF": [*GOOD, (b"x-name", b"1\r\nx-other: 2")],
    "a path with a blank": [METHOD, SCHEME, AUTHORITY, (b":path", b"/a HTTP/1.1")],
    "a path with a tab": [METHOD, SCHEME, AUTHORITY, (b":path", b"/a\tb")],
    "a path with a control character": [METHOD, SCHEME, AUTHORITY, (b":path", b"/a\x7f")],
    "a value with NUL": [*GOOD, (b"x-name", b"1\0")],
    "a value with blanks around it": [*GOOD, (b"x-name", b" 1")],
    "connection": [*GOOD, (b"connection", b"close")],
    "keep-alive": [*GOOD, (b"keep-alive", b"1")],
    "proxy-connection": [*GOOD, (b"proxy-connection", b"close")],
    "transfer-encoding": [*GOOD, (b"transfer-encoding", b"chunked")],
    "upgrade": [*GOOD, (b"upgrade", b"h2c")],
    "te": [*GOOD, (b"te", b"gzip")],
    "a length that is no number": [*GOOD, (b"content-length", b"+1")],
    "two lengths": [*GOOD, (b"content-length", b"0"), (b"content-length", b"0")],
    "a length without body": [*GOOD, (b"content-length", b"1")],
    "CONNECT with a path": [(b":method", b"CONNECT"), AUTHORITY, PATH],
}


@pytest.fixture
def handled(app: Sanic[Any, Any]) -> list[str]:
    """The paths of requests that an application has handled."""
    paths: list[str] = []

    @app.route("/", methods=["GET", "POST", "OPTIONS"])
    async def index(request: Request) -> Any:
        paths.append(request.path)
        return text(f"fine {request.host}")

    return paths


async def test_malformed_requests_end_their_stream_alone(
    app: Sanic[Any, Any], certificate: Certificate, handled: list[str]
) -> None:
    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        for name, fields in MALFORMED.items():
            answer = await client.ended(client.open_raw(fields))
            assert answer.reset == MESSAGE_ERROR, name
            assert not answer.fields, name
        assert not handled
        assert (await client.get()).status == 200


UNUSUAL: list[tuple[list[tuple[bytes, bytes]], str]] = [
    ([METHOD, SCHEME, PATH, (b"host", b"a.test")], "fine a.test"),
    ([METHOD, SCHEME, (b":authority", b"a.test:1"), PATH, (b"host", b"a.test:1")], "fine a.test:1"),
    ([*GOOD, (b"te", b"trailers")], "fine localhost"),
    ([PATH, METHOD, AUTHORITY, SCHEME], "fine localhost"),
    ([*GOOD, (b"content-length", b"0")], "fine localhost"),
]


async def test_unusual_requests_are_answered(
    app: Sanic[Any, Any], certificate: Certificate, handled: list[str]
) -> None:
    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        for fields, body in UNUSUAL:
            assert (await client.ended(client.open_raw(fields))).text == body, fields


async def test_methods_with_their_own_targets(app: Sanic[Any, Any], certificate: Certificate) -> None:
    async with (
        serving(app_with_everything(app), certificate) as server,
        connected(server.port, certificate) as client,
    ):
        asterisk = [(b":method", b"OPTIONS"), SCHEME, AUTHORITY, (b":path", b"*")]
        assert (await client.ended(client.open_raw(asterisk))).status in (200, 204, 404, 405)
        connect = [(b":method", b"CONNECT"), (b":authority", b"other.test:443")]
        assert (await client.ended(client.open_raw(connect))).status in (400, 404, 405, 501)


def app_with_everything(app: Sanic[Any, Any]) -> Sanic[Any, Any]:
    @app.get("/")
    async def index(request: Request) -> Any:
        return text("fine")

    return app


async def test_a_body_of_another_length_ends_the_stream(
    app: Sanic[Any, Any], certificate: Certificate, handled: list[str]
) -> None:
    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        for pieces in ([b"too long"], [b"12", b"34"], [b"12"], [b"12", b""]):
            stream_id = client.open("POST", "/", [("content-length", "3")], is_end=False)
            for piece in pieces:
                client.http.send_data(stream_id, piece, piece is pieces[-1])
            client.transmit()
            assert (await client.ended(stream_id)).reset == MESSAGE_ERROR
        assert (await client.get()).status == 200


async def test_a_request_without_head_is_incomplete(
    app: Sanic[Any, Any], certificate: Certificate, handled: list[str]
) -> None:
    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        for data in (b"", encode_frame(0x21, b"unknown")):
            stream_id = client.send_bytes(None, data, is_end=True)
            assert (await client.ended(stream_id)).reset == REQUEST_INCOMPLETE
        assert (await client.get()).status == 200


async def test_unknown_frames_and_streams_are_skipped(
    app: Sanic[Any, Any], certificate: Certificate, handled: list[str]
) -> None:
    # RFC 9114 section 9.
    _, section = Encoder().encode(0, GOOD)
    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        client.send_bytes(None, b"\x40\x54unknown", uni=True)
        client.send_bytes(None, b"\x21", uni=True, is_end=True)
        client.send_bytes(2, encode_frame(0x21, b"unknown") + encode_frame(0x7, b"\x00"))
        request = encode_frame(0x21, b"unknown") + encode_frame(0x1, section) + encode_frame(0x40, b"unknown" * 9)
        stream_id: int | None = None
        for position in range(len(request)):
            stream_id = client.send_bytes(stream_id, request[position : position + 1])
        assert stream_id is not None
        client.send_bytes(stream_id, b"", is_end=True)
        assert (await client.ended(stream_id)).text == "fine localhost"


BROKEN = [
    ("request", encode_frame(0x0, b"x"), FRAME_UNEXPECTED),
    ("request", encode_frame(0x4, b""), FRAME_UNEXPECTED),
    ("request", encode_frame(0x5, b""), FRAME_UNEXPECTED),
    ("request", encode_frame(0x7, b"\0"), FRAME_UNEXPECTED),
    ("request", encode_frame(0x2, b""), FRAME_UNEXPECTED),
    ("request", encode_frame(0x1, b"\xff\xff\xff"), QPACK_DECOMPRESSION_FAILED),
    ("request", encode_frame(0x1, b"\x02\x00\x80"), QPACK_DECOMPRESSION_FAILED),
    ("end of request", b"\x01\x05\x00\x00", FRAME_ERROR),
    ("control", encode_frame(0x0, b"x"), FRAME_UNEXPECTED),
    ("control", encode_frame(0x1, b"x"), FRAME_UNEXPECTED),
    ("control", encode_frame(0x4, b""), FRAME_UNEXPECTED),
    ("control", encode_frame(0x3, b"\0"), ID_ERROR),
    ("new", b"\0", STREAM_CREATION_ERROR),
    ("new", b"\1", STREAM_CREATION_ERROR),
    ("end of control", b"", CLOSED_CRITICAL_STREAM),
    ("encoder", b"\x3f\xe1\x1f", QPACK_ENCODER_STREAM_ERROR),
]


async def test_what_is_no_http_3_ends_the_connection(
    app: Sanic[Any, Any], certificate: Certificate, handled: list[str]
) -> None:
    streams: dict[str, int | None] = {"control": 2, "end of control": 2, "encoder": 6}
    async with serving(app, certificate) as server:
        for where, data, code in BROKEN:
            async with connected(server.port, certificate) as client:
                await client.get()
                client.send_bytes(streams.get(where), data, is_end=where.startswith("end"), uni=where == "new")
                assert (await client.until_terminated()).error_code == code, (where, data)
                assert not server.connections


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (encode_frame(0x4, b"\x02\x00"), SETTINGS_ERROR),
        (encode_frame(0x4, b"\x06\x00\x06\x00"), SETTINGS_ERROR),
        (encode_frame(0x4, b"\x06"), FRAME_ERROR),
        (encode_frame(0x7, b"\x00"), MISSING_SETTINGS),
    ],
)
async def test_settings_must_be_good_ones(
    app: Sanic[Any, Any],
    certificate: Certificate,
    handled: list[str],
    monkeypatch: pytest.MonkeyPatch,
    settings: bytes,
    code: int,
) -> None:
    def open_control_stream(client: Any) -> None:
        client._local_control_stream_id = client._create_uni_stream(0)
        client._quic.send_stream_data(client._local_control_stream_id, settings)

    monkeypatch.setattr("tests.http3.client.Http._init_connection", open_control_stream, raising=False)
    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        client.transmit()
        assert (await client.until_terminated()).error_code == code


async def test_datagrams_that_are_no_quic_are_ignored(
    app: Sanic[Any, Any], certificate: Certificate, handled: list[str]
) -> None:
    async with serving(app, certificate) as server:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for data in (b"", b"x", b"GET / HTTP/1.1\r\n\r\n", b"\xc0", os.urandom(1200), b"\xff" * 1400):
                sock.sendto(data, ("127.0.0.1", server.port or 0))
            # Another version: the client is told which ones there are (RFC 9000 section 6).
            sock.sendto(b"\xc0\x0a\x0a\x0a\x0a\x04abcd\x04efgh".ljust(1200, b"\0"), ("127.0.0.1", server.port or 0))
            sock.settimeout(5)
            answer = await asyncio.get_running_loop().run_in_executor(None, sock.recv, 2000)
            assert answer[1:15] == b"\0\0\0\0\x04efgh\x04abcd"
        async with connected(server.port, certificate) as client:
            assert (await client.get()).status == 200
