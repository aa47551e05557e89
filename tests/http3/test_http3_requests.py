"""Requests and responses over HTTP/3, with a real client."""

from __future__ import annotations

import asyncio
import json as standard_json
import logging
import socket
from typing import Any

import pytest
from aioquic.h3 import connection as h3

from sanic import Request, Sanic, Websocket, empty, json, text
from sanic.exceptions import SanicException
from sanic.response import HTTPResponse
from tests.http3.client import INTERNAL_ERROR, NO_ERROR, Certificate, Client, connected, serving


async def test_a_request_is_answered(app: Sanic[Any, Any], certificate: Certificate) -> None:
    @app.get("/hello/<name>")
    async def hello(request: Request, name: str) -> Any:
        return text(f"{name} {request.args.get('q')}")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        answer = await client.get("/hello/you?q=1")
    assert (answer.status, answer.text) == (200, "you 1")
    assert answer.headers["content-length"] == "5"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["date"].endswith("GMT")


async def test_a_request_knows_where_it_came_from(app: Sanic[Any, Any], certificate: Certificate) -> None:
    @app.get("/")
    async def facts(request: Request) -> Any:
        assert request.conn_info is not None
        assert request.network_paths is not None
        request.conn_info.ctx.count = getattr(request.conn_info.ctx, "count", 0) + 1
        return json(
            {
                "version": request.version,
                "scheme": request.scheme,
                "url": request.url,
                "host": request.host,
                "stream_id": request.stream_id,
                "ip": request.ip,
                "port": request.port,
                "server_port": request.conn_info.server_port,
                "is_encrypted": request.conn_info.ssl,
                "certificate": request.conn_info.cert["cert"],
                "paths": len(request.network_paths),
                "transport": request.transport.get_extra_info("peername")[0],
                "count": request.conn_info.ctx.count,
                "head": request.head.decode().splitlines()[0],
            }
        )

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        await client.get()
        facts = standard_json.loads((await client.get()).body)
        client_port = client._transport.get_extra_info("sockname")[1]
        port = server.port
    assert facts == {
        "version": "3",
        "scheme": "https",
        "url": f"https://localhost:{port}/",
        "host": f"localhost:{port}",
        "stream_id": 4,
        "ip": "127.0.0.1",
        "port": client_port,
        "server_port": port,
        "is_encrypted": True,
        "certificate": str(certificate.chain),
        "paths": 1,
        "transport": "127.0.0.1",
        "count": 2,
        "head": "GET / HTTP/3",
    }


async def test_the_password_of_the_key_is_not_told(app: Sanic[Any, Any], certificate: Certificate) -> None:
    @app.get("/")
    async def index(request: Request) -> Any:
        assert request.conn_info is not None
        return json(sorted(request.conn_info.cert))

    option = {**certificate.option, "mine": 1, "password": "secret"}
    async with serving(app, certificate, ssl=option) as server, connected(server.port, certificate) as client:
        told = (await client.get()).text
    assert "mine" in told
    assert "password" not in told


async def test_cookies_come_together_and_go_apart(app: Sanic[Any, Any], certificate: Certificate) -> None:
    # RFC 9114 section 4.2.1.
    @app.get("/")
    async def index(request: Request) -> Any:
        response = json({"raw": request.headers["cookie"], "b": request.cookies.get("b")})
        response.add_cookie("x", "1")
        response.add_cookie("y", "2")
        return response

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        answer = await client.get("/", [("cookie", "a=1"), ("accept", "*/*"), ("cookie", "b=2")])
    assert answer.text == '{"raw":"a=1; b=2","b":"2"}'
    cookies = [value.split(b";")[0] for name, value in answer.fields if name == b"set-cookie"]
    assert cookies == [b"x=1", b"y=2"]


#: Method and path; status, length and body of the response, "*" for any that fit together.
RESPONSES: list[tuple[str, str, int, str | None, str]] = [
    ("HEAD", "/text", 200, "5", ""),
    ("HEAD", "/stream", 200, None, ""),
    ("GET", "/empty", 204, None, ""),
    ("GET", "/same", 304, None, ""),
    ("GET", "/missing", 404, "*", "*"),
    ("POST", "/text", 405, "*", "*"),
    ("GET", "/broken", 500, "*", "*"),
    ("GET", "/teapot", 418, "*", "*"),
]


async def test_responses_have_the_body_that_they_may_have(
    app: Sanic[Any, Any], certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    @app.route("/text", methods=["GET", "HEAD"])
    async def some_text(request: Request) -> Any:
        return text("hello")

    @app.route("/stream", methods=["GET", "HEAD"])
    async def stream(request: Request) -> Any:
        response = await request.respond(content_type="text/plain")
        await response.send("hello")
        await response.eof()

    @app.get("/empty")
    async def nothing(request: Request) -> Any:
        return empty()

    @app.get("/same")
    async def same(request: Request) -> Any:
        return HTTPResponse("not sent", status=304)

    @app.get("/broken")
    async def broken(request: Request) -> Any:
        raise RuntimeError("no")

    @app.get("/teapot")
    async def teapot(request: Request) -> Any:
        raise SanicException("I am one", status_code=418)

    with caplog.at_level(logging.CRITICAL, "sanic"):
        async with serving(app, certificate) as server, connected(server.port, certificate) as client:
            for method, path, status, length, body in RESPONSES:
                answer = await client.request(method, path)
                assert (answer.status, answer.is_complete) == (status, True), path
                if length == "*":
                    assert int(answer.headers["content-length"]) == len(answer.body) > 0
                else:
                    assert (answer.headers.get("content-length"), answer.text) == (length, body), path


async def test_fields_of_the_connection_are_not_sent(app: Sanic[Any, Any], certificate: Certificate) -> None:
    # RFC 9114 section 4.2: a client would refuse the response.
    @app.get("/")
    async def index(request: Request) -> Any:
        return text(
            "x",
            headers={
                "Connection": "close",
                "Keep-Alive": "timeout=5",
                "Transfer-Encoding": "chunked",
                "Upgrade": "h2c",
                "Proxy-Connection": "close",
                "X-Kept": "  a\r\nb ",
            },
        )

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        answer = await client.get()
    assert [name for name, _ in answer.fields] == [b":status", b"x-kept", b"content-length", b"content-type", b"date"]
    assert answer.headers["x-kept"] == "ab"


async def test_bodies_are_read_whole_or_piece_by_piece(app: Sanic[Any, Any], certificate: Certificate) -> None:
    @app.post("/whole")
    async def whole(request: Request) -> Any:
        return text(f"{len(request.body)} {request.json['a'] if len(request.body) < 100 else ''}")

    @app.post("/stream", stream=True)
    async def stream(request: Request) -> Any:
        response = await request.respond(content_type="text/plain")
        async for piece in request.stream:
            await response.send(piece.upper())
        await response.eof()

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        assert (await client.request("POST", "/whole", body=b'{"a": 7}')).text == "8 7"
        assert (await client.request("POST", "/whole", body=b"x" * 1_000_000)).text == "1000000 "
        stream_id = client.open("POST", "/stream", is_end=False)
        answer = client.answer(stream_id)
        for piece in (b"one", b"two", b"three"):
            client.write(stream_id, piece)
            await client.until(lambda piece=piece: answer.body.endswith(piece.upper()))
        assert not answer.is_complete
        client.write(stream_id, b"", is_end=True)
        await client.ended(stream_id)
        assert answer.body == b"ONETWOTHREE"
        assert "content-length" not in answer.headers


async def test_requests_of_one_connection_are_handled_at_the_same_time(
    app: Sanic[Any, Any], certificate: Certificate
) -> None:
    count = 0
    all_there = asyncio.Event()

    @app.get("/<number:int>")
    async def wait(request: Request, number: int) -> Any:
        nonlocal count
        count += 1
        if count == 50:
            all_there.set()
        await all_there.wait()
        return text(str(number))

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        answers = await asyncio.gather(*(client.get(f"/{number}") for number in range(50)))
    assert [answer.text for answer in answers] == [str(number) for number in range(50)]


@pytest.mark.skipif(not hasattr(h3, "is_interim_response"), reason="this version of aioquic takes no interim responses")
async def test_a_client_that_waits_is_told_to_go_on(app: Sanic[Any, Any], certificate: Certificate) -> None:
    # RFC 9110 section 10.1.1.
    @app.post("/")
    async def index(request: Request) -> Any:
        return text(request.body.decode())

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        stream_id = client.open("POST", "/", [("expect", "100-continue")], is_end=False)
        answer = client.answer(stream_id)
        await client.until(lambda: answer.interim)
        client.write(stream_id, b"now", is_end=True)
        await client.ended(stream_id)
    assert (answer.status, answer.text, answer.interim) == (200, "now", [b"100"])


async def test_trailers_are_ignored(app: Sanic[Any, Any], certificate: Certificate) -> None:
    @app.post("/")
    async def index(request: Request) -> Any:
        return text(f"{request.body.decode()} {request.headers.get('x-late')}")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        stream_id = client.open("POST", is_end=False)
        client.write(stream_id, b"body")
        client.http.send_headers(stream_id, [(b"x-late", b"1")], end_stream=True)
        client.transmit()
        assert (await client.ended(stream_id)).text == "body None"


async def test_a_response_may_come_before_the_body_is_complete(app: Sanic[Any, Any], certificate: Certificate) -> None:
    # RFC 9114 section 4.1: then the client is told that the rest is not wanted.
    @app.post("/", stream=True)
    async def index(request: Request) -> Any:
        return text("enough")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        stream_id = client.open("POST", is_end=False)
        client.write(stream_id, b"much ")
        answer = await client.ended(stream_id)
        await client.until(lambda: answer.stopped is not None)
        assert (answer.text, answer.stopped, answer.reset) == ("enough", NO_ERROR, None)
        assert (await client.request("POST", body=b"again")).text == "enough"


async def test_a_broken_response_looks_broken(
    app: Sanic[Any, Any], certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/raises")
    async def raises(request: Request) -> Any:
        response = await request.respond()
        await response.send("some")
        raise RuntimeError("in the middle")

    @app.get("/short")
    async def short(request: Request) -> Any:
        response = await request.respond(headers={"content-length": "10"})
        await response.send("some")
        await response.eof()

    @app.get("/fine")
    async def fine(request: Request) -> Any:
        return text("fine")

    with caplog.at_level(logging.CRITICAL, "sanic"):
        async with serving(app, certificate) as server, connected(server.port, certificate) as client:
            for path in ("/raises", "/short"):
                answer = await client.get(path)
                assert (answer.status, answer.is_complete, answer.reset) == (200, False, INTERNAL_ERROR)
            assert (await client.get("/fine")).text == "fine"


async def test_websockets_are_sent_to_http_1(app: Sanic[Any, Any], certificate: Certificate) -> None:
    @app.websocket("/feed")
    async def feed(request: Request, ws: Websocket) -> None:
        await ws.send("never")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        assert (await client.get("/feed")).status == 426


async def test_a_request_class_and_its_errors(app_name: str, certificate: Certificate) -> None:
    class Picky(Request):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            if "x-fine" not in self.headers and self.method != "NONE":
                raise SanicException("not fine", status_code=418)

    app: Sanic[Any, Any] = Sanic(app_name, request_class=Picky)

    @app.get("/")
    async def index(request: Request) -> Any:
        return text(f"{type(request).__name__} {request.stream_id}")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        assert (await client.get()).status == 418
        assert (await client.get("/", [("x-fine", "1")])).text == "Picky 4"


async def test_signals_tell_of_a_connection_and_its_requests(app: Sanic[Any, Any], certificate: Certificate) -> None:
    told: list[str] = []
    is_over = asyncio.Event()

    @app.signal("http.lifecycle.begin")
    async def begin(conn_info: Any) -> None:
        await asyncio.sleep(0)
        told.append(f"begin {conn_info.client_ip}")

    @app.signal("http.lifecycle.request")
    async def on_request(request: Request) -> None:
        told.append(f"request {request.path}")

    @app.signal("http.lifecycle.send")
    async def on_send(data: bytes) -> None:
        told.append(f"send {data.decode()}")

    @app.signal("http.lifecycle.complete")
    async def complete(conn_info: Any) -> None:
        told.append("complete")
        is_over.set()

    @app.get("/<name>")
    async def index(request: Request, name: str) -> Any:
        return text(name)

    async with serving(app, certificate) as server:
        async with connected(server.port, certificate) as client:
            await client.get("/a")
            await client.get("/b")
        await asyncio.wait_for(is_over.wait(), 10)
    assert told == ["begin 127.0.0.1", "request /a", "send a", "request /b", "send b", "complete"]


async def test_each_response_is_one_line_of_the_access_log(
    app: Sanic[Any, Any], certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    app.config.ACCESS_LOG = True

    @app.get("/")
    async def index(request: Request) -> Any:
        response = await request.respond()
        await response.send("12345")
        await response.eof()

    with caplog.at_level(logging.INFO, "sanic.access"):
        async with serving(app, certificate) as server, connected(server.port, certificate) as client:
            await client.get()
    records: list[Any] = [record for record in caplog.records if record.name == "sanic.access"]
    assert [(record.status, record.byte, record.request.split(" ")[0]) for record in records] == [(200, 5, "GET")]


async def test_a_client_may_change_its_address(app: Sanic[Any, Any], certificate: Certificate) -> None:
    # RFC 9000 section 9: a telephone that leaves the house.
    @app.get("/")
    async def index(request: Request) -> Any:
        assert request.conn_info is not None
        request.conn_info.ctx.count = getattr(request.conn_info.ctx, "count", 0) + 1
        return json([request.port, request.conn_info.ctx.count])

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        first = standard_json.loads((await client.get()).body)
        before: Any = client._transport
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: client, local_addr=("::", 0))
        port = client._transport.get_extra_info("sockname")[1]
        try:
            # It counts when it is proven, which takes a round trip.
            await client.ping()
            await client.ping()
            assert standard_json.loads((await client.get()).body) == [port, 2]
            assert first[0] != port
            assert len(server.connections) == 1
        finally:
            client._transport.close()
            client._transport = before


async def test_an_address_that_is_not_proven_is_nobodys(app: Sanic[Any, Any], certificate: Certificate) -> None:
    # RFC 9000 section 9.3: whoever sends under somebody else's address must not pass for them.
    seen: list[int] = []
    is_seen = asyncio.Event()

    @app.get("/")
    async def index(request: Request) -> Any:
        seen.append(request.port)
        is_seen.set()
        return text("fine")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        await client.get()
        is_seen.clear()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forged:
            before: Any = client._transport
            client._transport = ForgedTransport(forged, server.port)  # type: ignore[assignment]
            try:
                client.open()
                await asyncio.wait_for(is_seen.wait(), 10)
            finally:
                client._transport = before
        assert seen == [before.get_extra_info("sockname")[1]] * 2


class ForgedTransport:
    """Sends from a socket where nobody reads what is answered."""

    def __init__(self, sock: socket.socket, port: int | None) -> None:
        self.sock = sock
        self.port = port

    def sendto(self, data: bytes, address: Any) -> None:
        self.sock.sendto(data, ("127.0.0.1", self.port or 0))


async def test_several_clients_are_told_apart(app: Sanic[Any, Any], certificate: Certificate) -> None:
    @app.get("/")
    async def index(request: Request) -> Any:
        return text(str(request.port))

    async def ask(client: Client) -> bool:
        port = client._transport.get_extra_info("sockname")[1]
        return (await client.get()).text == str(port)

    async with (
        serving(app, certificate) as server,
        connected(server.port, certificate) as one,
        connected(server.port, certificate) as two,
    ):
        assert await ask(one)
        assert await ask(two)
        assert await ask(one)
        assert len(server.connections) == 2
