"""Bodies of requests that a handler reads piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sanic import Blueprint, empty, json, text
from sanic.exceptions import ClientDisconnected, SanicException
from sanic.views import HTTPMethodView, stream
from tests.harness import serving, turns

MEBIBYTE = 2**20


def head(path: str = "/", *lines: str, method: str = "POST", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: a", *lines, "", ""]).encode()


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


async def read_pieces(request: Any) -> list[str]:
    pieces = []
    while (piece := await request.stream.read()) is not None:
        pieces.append(piece.decode())
    return pieces


# Declaring


async def test_a_streaming_route_reads_its_body_by_itself(app: Any) -> None:
    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        before = request.body
        return json([before.decode(), "".join(await read_pieces(request))])

    async with serving(app) as server:
        assert (await server.post(content=b"hello")).json() == ["", "hello"]


@pytest.mark.parametrize("method", ["post", "put", "patch"])
async def test_each_method_with_a_body_can_stream(app: Any, method: str) -> None:
    @getattr(app, method)("/", stream=True)
    async def handler(request: Any) -> Any:
        return text("".join(await read_pieces(request)) + str(request.route.extra.stream))

    async with serving(app) as server:
        assert (await server.request(method.upper(), "/", content=b"a")).text == "aTrue"


async def test_a_blueprint_can_stream(app: Any) -> None:
    blueprint = Blueprint("files", url_prefix="/files")

    @blueprint.post("/", stream=True)
    async def handler(request: Any) -> Any:
        return json([request.body.decode(), *await read_pieces(request)])

    app.blueprint(blueprint)
    async with serving(app) as server:
        assert (await server.post("/files/", content=b"a")).json() == ["", "a"]


async def test_a_decorated_method_makes_its_view_streaming(app: Any) -> None:
    class View(HTTPMethodView):
        @stream
        async def post(self, request: Any) -> Any:
            return json([request.body.decode(), *await read_pieces(request)])

        async def put(self, request: Any) -> Any:
            await request.receive_body()
            return text(request.body.decode())

    app.add_route(View.as_view(), "/")
    blueprint = Blueprint("views", url_prefix="/b")
    blueprint.add_route(View.as_view(), "/")
    app.blueprint(blueprint)
    async with serving(app) as server:
        for path in ("/", "/b/"):
            assert (await server.post(path, content=b"a")).json() == ["", "a"]
            assert (await server.request("PUT", path, content=b"b")).text == "b"


async def test_a_view_that_is_attached_as_streaming_streams(app: Any) -> None:
    class View(HTTPMethodView, attach=app, uri="/", methods=["POST"], stream=True):
        async def post(self, request: Any) -> Any:
            return json([request.body.decode(), *await read_pieces(request)])

    async with serving(app) as server:
        assert (await server.post(content=b"a")).json() == ["", "a"]


# Reading


async def test_pieces_are_handed_on_as_they_come(app: Any) -> None:
    arrived: asyncio.Queue[bytes | None] = asyncio.Queue()

    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        async for piece in request.stream:
            arrived.put_nowait(piece)
        arrived.put_nowait(None)
        return empty()

    async with serving(app) as server, server.connect() as client:
        await client.send(head("/", "Transfer-Encoding: chunked"))
        for piece in (b"one", b"two", b"three"):
            await client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            assert await asyncio.wait_for(arrived.get(), 5) == piece
        await client.send(b"0\r\n\r\n")
        assert await asyncio.wait_for(arrived.get(), 5) is None
        assert (await client.response()).status == 204


@pytest.mark.parametrize("how", ["read_all", "receive_body"])
async def test_the_rest_can_be_read_at_once(app: Any, how: str) -> None:
    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        first = await request.stream.read()
        if how == "receive_body":
            await request.receive_body()
            rest = request.body
        else:
            rest = await request.stream.read_all()
        return json([first.decode(), rest.decode(), await request.stream.read()])

    async with serving(app) as server, server.connect() as client:
        await client.send(head("/", "Transfer-Encoding: chunked") + b"1\r\na\r\n")
        await turns(5)
        await client.send(b"1\r\nb\r\n")
        await client.send(b"1\r\nc\r\n0\r\n\r\n")
        assert (await client.response()).body == b'["a","bc",null]'


async def test_an_empty_body_ends_at_once(app: Any) -> None:
    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        return json([await request.stream.read(), await request.stream.read(), [p async for p in request.stream]])

    async with serving(app) as server:
        assert (await server.post(content=b"")).json() == [None, None, []]
        assert (await server.post()).json() == [None, None, []]


async def test_a_second_reader_is_refused(app: Any) -> None:
    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        first = asyncio.ensure_future(request.stream.read())
        await turns()
        with pytest.raises(SanicException, match="Another task is reading"):
            await request.stream.read()
        return text((await first).decode())

    async with serving(app) as server, server.connect() as client:
        await client.send(head("/", "Content-Length: 1"))
        await turns(20)
        await client.send(b"x")
        assert (await client.response()).body == b"x"


async def test_the_size_limit_is_for_bodies_that_are_read_as_a_whole(app: Any) -> None:
    app.config.REQUEST_MAX_SIZE = 1000

    @app.post("/stream", stream=True)
    async def handler(request: Any) -> Any:
        return json(sum([len(piece) async for piece in request.stream]))

    @app.post("/rest", stream=True)
    async def rest(request: Any) -> Any:
        await request.receive_body()
        return json(len(request.body))

    async with serving(app) as server:
        assert (await server.post("/stream", content=b"x" * 5000)).json() == 5000
        for size, status in ((999, 200), (1000, 200), (1001, 413)):
            assert (await server.post("/rest", content=b"x" * size)).status_code == status, size
            assert (await server.post("/rest", content=pieces_of(b"x" * size))).status_code == status, size


async def pieces_of(data: bytes) -> AsyncIterator[bytes]:
    for offset in range(0, len(data), 64):
        yield data[offset : offset + 64]


async def test_a_reader_learns_that_the_client_has_left(app: Any) -> None:
    outcome: asyncio.Queue[Any] = asyncio.Queue()

    async def reader(request: Any) -> None:
        try:
            while await request.stream.read() is not None:
                outcome.put_nowait("piece")
        except ConnectionError as error:
            outcome.put_nowait(error)

    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        app.add_task(reader(request))
        try:
            await asyncio.Event().wait()
        finally:
            outcome.put_nowait("cancelled")

    async with serving(app) as server:
        async with server.connect() as client:
            await client.send(head("/", "Content-Length: 10") + b"x")
            assert await asyncio.wait_for(outcome.get(), 5) == "piece"
        outcomes = [await asyncio.wait_for(outcome.get(), 5) for _ in range(2)]
    assert "cancelled" in outcomes
    assert [type(item) for item in outcomes if item != "cancelled"] == [ClientDisconnected]


async def test_a_handler_that_goes_on_reading_after_its_cancellation_is_told(app: Any) -> None:
    outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    reading = asyncio.Event()

    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        try:
            reading.set()
            await request.stream.read()
        except asyncio.CancelledError:
            try:
                await request.stream.read()
            except ClientDisconnected as error:
                outcome.set_result(str(error))
        return empty()

    async with serving(app) as server:
        async with server.connect() as client:
            await client.send(head("/", "Content-Length: 10"))
            await reading.wait()
        assert "has left" in await asyncio.wait_for(outcome, 5)


# Back-pressure


async def test_a_slow_handler_makes_the_client_wait(app: Any) -> None:
    go_on = asyncio.Event()
    begun = asyncio.Event()

    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        size = len(await request.stream.read())
        begun.set()
        await go_on.wait()
        async for piece in request.stream:
            size += len(piece)
        return json(size)

    total = 64 * MEBIBYTE
    async with serving(app) as server, server.connect() as client:
        sent = 0

        async def send() -> None:
            nonlocal sent
            await client.send(head("/", f"Content-Length: {total}"))
            piece = bytes(MEBIBYTE)
            for _ in range(total // MEBIBYTE):
                await client.send(piece)
                sent += len(piece)

        sending = asyncio.ensure_future(send())
        await begun.wait()
        # What the kernel takes on its way is all that can be sent; then sending stands still.
        last = -1
        while last != sent:
            last = sent
            await asyncio.sleep(0.2)
        assert not sending.done()
        assert sent < 32 * MEBIBYTE
        go_on.set()
        await sending
        assert (await client.response(timeout=30)).body == str(total).encode()


# Bodies that are not read


async def test_an_unread_body_is_drained_and_the_connection_goes_on(app: Any) -> None:
    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        return text(request.args.get("n"))

    size = 300_000
    async with serving(app) as server, server.connect() as client:
        for number in range(3):
            await client.send(head(f"/?n={number}", f"Content-Length: {size}") + bytes(size))
            response = await client.response()
            assert (response.text, response.get("connection")) == (str(number), "keep-alive")
        await client.send(head("/?n=9", "Transfer-Encoding: chunked") + chunked(bytes(size), b"x"))
        assert (await client.response()).text == "9"


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_too_large_an_unread_body_closes_the_connection(app: Any, framing: str) -> None:
    app.config.REQUEST_MAX_SIZE = 1000

    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        return text("answered")

    body = chunked(bytes(5000)) if framing == "chunked" else bytes(5000)
    line = "Transfer-Encoding: chunked" if framing == "chunked" else "Content-Length: 5000"
    async with serving(app) as server, server.connect() as client:
        await client.send(head("/", line) + body[:100])
        assert (await client.response()).text == "answered"
        await client.send(body[100:] + head("/"))
        assert await client.read_until_closed() == b""


async def test_an_unread_body_is_noted_in_the_log(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        return text("", status=int(request.args.get("status")))

    async with serving(app) as server:
        for status in (200, 400):
            await server.post(f"/?status={status}", content=bytes(200_000))
    messages = [record.getMessage() for record in caplog.records if "body not consumed" in record.getMessage()]
    assert messages == ["<Request: POST />: body not consumed."]


async def test_the_same_holds_for_requests_that_were_pipelined(app: Any) -> None:
    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        if "read" in request.args:
            return json(sum([len(piece) async for piece in request.stream]))
        return text("unread")

    messages = [
        head("/", "Content-Length: 5") + b"12345",
        head("/?read=1", "Content-Length: 3") + b"123",
        head("/", "Transfer-Encoding: chunked") + chunked(b"ab", b"c"),
        head("/?read=1", "Transfer-Encoding: chunked", "Connection: close") + chunked(b"ab", b"c"),
    ]
    async with serving(app) as server:
        for pieces in (None, 1, 7):
            received = await server.send_raw(b"".join(messages), pieces=pieces)
            assert received.count(b"unread") == 2
            assert received.endswith(b"3")


# Expect: 100-continue (RFC 9110 section 10.1.1)


async def test_the_client_is_told_to_continue_when_the_handler_reads(app: Any) -> None:
    read = asyncio.Event()

    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        await read.wait()
        return text("".join(await read_pieces(request)))

    async with serving(app) as server, server.connect() as client:
        await client.send(head("/", "Content-Length: 2", "Expect: 100-continue"))
        with pytest.raises(asyncio.TimeoutError):
            await client.response(timeout=0.2)
        read.set()
        assert (await client.response()).status == 100
        await client.send(b"hi")
        assert (await client.response()).text == "hi"


async def test_a_refusal_comes_without_continue(app: Any) -> None:
    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        return text("no", status=403)

    async with serving(app) as server:
        received = await server.send_raw(head("/", "Content-Length: 2", "Expect: 100-continue"))
    assert received.startswith(b"HTTP/1.1 403")
    assert b"100 Continue" not in received


async def test_a_client_that_sends_its_body_at_once_need_not_be_told(app: Any) -> None:
    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        return text("".join(await read_pieces(request)))

    async with serving(app) as server, server.connect() as client:
        await client.send(head("/", "Content-Length: 2", "Expect: 100-continue") + b"hi")
        assert (await client.response()).text == "hi"


# Broken bodies


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ("Transfer-Encoding: chunked", b"2\r\nhi\r\nZZ\r\n"),
        ("Transfer-Encoding: chunked", b"2\r\nhiXX"),
    ],
)
async def test_a_broken_body_cancels_the_handler_and_is_answered(app: Any, framing: str, body: bytes) -> None:
    outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        try:
            return json(await read_pieces(request))
        except asyncio.CancelledError:
            outcome.set_result("cancelled")
            raise

    async with serving(app) as server, server.connect() as client:
        await client.send(head("/", framing))
        await turns(20)
        await client.send(body)
        assert (await client.response()).status == 400
        assert await client.read_until_closed() == b""
    assert await asyncio.wait_for(outcome, 5) == "cancelled"


async def test_a_body_that_stops_coming_is_answered_with_408(app: Any) -> None:
    app.config.REQUEST_TIMEOUT = 0.3

    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        return json(await read_pieces(request))

    async with serving(app) as server, server.connect() as client:
        await client.send(head("/", "Content-Length: 5") + b"12")
        assert (await client.response()).status == 408


async def test_a_handler_that_is_slow_to_ask_for_an_expected_body_has_its_own_time(app: Any) -> None:
    app.config.REQUEST_TIMEOUT = 0.2
    app.config.RESPONSE_TIMEOUT = 30

    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        await asyncio.sleep(1)
        return json(await read_pieces(request))

    async with serving(app) as server, server.connect() as client:
        await client.send(head("/", "Content-Length: 5", "Expect: 100-continue"))
        assert (await client.response()).status == 100
        await client.send(b"12345")
        assert (await client.response()).body == b'["12345"]'
