"""Bodies of responses that are written piece by piece."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from sanic import empty, text
from sanic.exceptions import ClientDisconnected, SanicException, ServerError
from sanic.response import HTTPResponse, ResponseStream
from tests.harness import FramingError, serving, turns
from tests.processes import running

MEBIBYTE = 2**20


def get(path: str = "/", version: str = "1.1", method: str = "GET", *lines: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: a", *lines, "", ""]).encode()


# Ways to write


async def test_a_response_is_sent_piece_by_piece(app: Any) -> None:
    go_on = asyncio.Event()

    @app.get("/")
    async def handler(request: Any) -> None:
        response = await request.respond(content_type="text/plain", headers={"x-a": "1"}, status=201)
        await response.send("á")
        await go_on.wait()
        await response.send(b"b")
        await response.eof()

    async with serving(app) as server, server.connect() as client:
        await client.send(get())
        head = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), 5)
        assert head.startswith(b"HTTP/1.1 201 Created\r\n")
        assert b"transfer-encoding: chunked\r\n" in head
        assert b"x-a: 1\r\n" in head
        assert b"content-type: text/plain\r\n" in head
        assert await client.reader.readexactly(7) == b"2\r\n\xc3\xa1\r\n"
        go_on.set()
        assert await client.reader.readexactly(11) == b"1\r\nb\r\n0\r\n\r\n"


async def respond_and_eof(request: Any) -> Any:
    response = await request.respond()
    for piece in ("one", "two"):
        await response.send(piece)
    await response.eof()


async def respond_without_eof(request: Any) -> Any:
    response = await request.respond()
    for piece in ("one", "two"):
        await response.send(piece)


async def respond_and_return_it(request: Any) -> Any:
    response = await request.respond()
    for piece in ("one", "two"):
        await response.send(piece)
    return response


async def respond_with_end_in_last_piece(request: Any) -> Any:
    response = await request.respond()
    await response.send("one")
    await response.send("two", True)


async def respond_in_a_block(request: Any) -> Any:
    async with await request.respond() as send:
        await send("one")
        await send(b"two")


async def respond_with_a_response(request: Any) -> Any:
    response = await request.respond(text("one"))
    await response.send("two")
    await response.eof()


async def stream_of_a_function(request: Any) -> Any:
    async def write(response: Any) -> None:
        await response.write("one")
        await response.write(b"two")

    return ResponseStream(write)


async def with_empty_pieces(request: Any) -> Any:
    response = await request.respond()
    for piece in (b"", "one", "", b"", "two", ""):
        await response.send(piece)
    await response.eof()
    await response.eof()


WAYS = [
    respond_and_eof,
    respond_without_eof,
    respond_and_return_it,
    respond_with_end_in_last_piece,
    respond_in_a_block,
    respond_with_a_response,
    stream_of_a_function,
    with_empty_pieces,
]


@pytest.mark.parametrize("handler", WAYS)
async def test_every_way_of_writing_gives_the_same_body(app: Any, handler: Any) -> None:
    app.add_route(handler, "/")
    async with serving(app) as server, server.connect() as client:
        for _ in range(2):
            await client.send(get())
            response = await client.response()
            assert response.body == b"onetwo"
            assert response.get("transfer-encoding") == "chunked"
        await client.send(get(method="HEAD"))
        response = await client.response("HEAD")
        assert (response.status, response.body) == (200, b"")
        await client.send(get())
        assert (await client.response()).body == b"onetwo"


@pytest.mark.parametrize("handler", WAYS)
@pytest.mark.parametrize("connection", ["keep-alive", "close"])
async def test_http_1_0_gets_a_body_that_the_end_of_the_connection_ends(
    app: Any, handler: Any, connection: str
) -> None:
    app.add_route(handler, "/")
    async with serving(app) as server:
        received = await server.send_raw(get("/", "1.0", "GET", f"Connection: {connection}"))
    head, _, body = received.partition(b"\r\n\r\n")
    assert body == b"onetwo"
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head


async def test_pieces_from_a_generator_are_sent_as_they_are_made(app: Any) -> None:
    async def rows() -> Any:
        for number in range(1000):
            yield f"row {number}\n"

    @app.get("/")
    async def handler(request: Any) -> None:
        async with await request.respond(content_type="text/plain") as send:
            async for row in rows():
                await send(row)

    async with serving(app) as server:
        assert len((await server.get()).text.splitlines()) == 1000


async def test_response_middleware_sees_a_stream_before_its_head_is_sent(app: Any) -> None:
    @app.on_response
    async def add(request: Any, response: Any) -> None:
        response.headers["x-added"] = "yes"
        response.add_cookie("a", "b")

    for handler in WAYS:
        app.add_route(handler, f"/{handler.__name__}")
    async with serving(app) as server:
        for handler in WAYS:
            response = await server.get(f"/{handler.__name__}")
            assert response.headers["x-added"] == "yes"
            assert response.headers["set-cookie"].startswith("a=b;")
            assert response.text == "onetwo"


async def test_response_middleware_may_replace_a_stream(app: Any) -> None:
    @app.on_response
    async def replace(request: Any, response: Any) -> Any:
        return HTTPResponse("zero", 202, {"x-replaced": "yes"}, "text/plain")

    app.add_route(respond_in_a_block, "/")
    async with serving(app) as server:
        response = await server.get()
    assert (response.status_code, response.text) == (202, "zeroonetwo")


async def test_a_head_is_sent_without_any_data(app: Any) -> None:
    go_on = asyncio.Event()

    @app.get("/")
    async def handler(request: Any) -> None:
        response = await request.respond()
        await response.send("")
        await go_on.wait()
        await response.send("later")

    async with serving(app) as server, server.connect() as client:
        await client.send(get())
        assert b"chunked" in await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), 5)
        go_on.set()
        assert await client.reader.readuntil(b"0\r\n\r\n") == b"5\r\nlater\r\n0\r\n\r\n"


async def test_nothing_is_written_for_statuses_without_body(app: Any) -> None:
    @app.get("/<status:int>")
    async def handler(request: Any, status: int) -> None:
        async with await request.respond(status=status) as send:
            await send("dropped")

    async with serving(app) as server, server.connect() as client:
        for status in (204, 304):
            await client.send(get(f"/{status}"))
            response = await client.response()
            assert response.status == status
            assert response.get("transfer-encoding") is None
            assert response.get("content-length") is None


async def test_a_body_is_read_and_answered_at_the_same_time(app: Any) -> None:
    @app.post("/", stream=True)
    async def echo(request: Any) -> None:
        async with await request.respond() as send:
            async for piece in request.stream:
                await send(piece.upper())

    async with serving(app) as server, server.connect() as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        await client.reader.readuntil(b"\r\n\r\n")
        assert await client.reader.readexactly(6) == b"1\r\nA\r\n"
        await client.send(b"2\r\nbc\r\n")
        assert await client.reader.readexactly(7) == b"2\r\nBC\r\n"
        await client.send(b"0\r\n\r\n")
        assert await client.reader.readexactly(5) == b"0\r\n\r\n"


# What is refused


async def test_a_second_response_is_refused(app: Any) -> None:
    @app.get("/")
    async def handler(request: Any) -> None:
        response = await request.respond()
        with pytest.raises(ServerError, match="Second respond call is not allowed"):
            await request.respond()
        await response.send("ok")

    async with serving(app) as server:
        assert (await server.get()).text == "ok"


async def test_data_after_the_end_is_refused(app: Any) -> None:
    errors = []

    @app.get("/")
    async def handler(request: Any) -> None:
        response = await request.respond()
        await response.send("ok", True)
        await response.send("")
        with pytest.raises(ServerError, match="no more response data"):
            await response.send("more")
        errors.append(True)

    async with serving(app) as server:
        assert (await server.get()).text == "ok"
    assert errors == [True]


async def test_a_response_without_request_cannot_be_sent() -> None:
    with pytest.raises(SanicException, match="No stream is connected"):
        await text("x").send()
    with pytest.raises(SanicException, match="bound to no request"):
        await ResponseStream(stream_of_a_function).stream()


async def test_what_is_returned_after_a_response_was_sent_is_dropped_and_logged(
    app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/")
    async def handler(request: Any) -> Any:
        response = await request.respond()
        await response.send("sent")
        return text("returned")

    async with serving(app) as server:
        assert (await server.get()).text == "sent"
    assert any(record.levelno == logging.ERROR and "dropped" in record.getMessage() for record in caplog.records)


# Lengths


async def test_a_given_length_is_sent_and_kept(app: Any) -> None:
    @app.get("/")
    async def handler(request: Any) -> None:
        response = await request.respond(headers={"Content-Length": "6"})
        await response.send("one")
        await response.send("two")

    async with serving(app) as server, server.connect() as client:
        for version in ("1.1", "1.0"):
            await client.send(get("/", version, "GET", "Connection: keep-alive"))
            response = await client.response()
            assert (response.body, response.get("content-length")) == (b"onetwo", "6")
            assert response.get("connection") == "keep-alive"


@pytest.mark.parametrize("way", ["respond", "ResponseStream"])
@pytest.mark.parametrize(("length", "message"), [("5", "bigger than content-length"), ("7", "smaller")])
async def test_a_wrong_length_is_logged_and_breaks_the_connection(
    app: Any, caplog: pytest.LogCaptureFixture, way: str, length: str, message: str
) -> None:
    @app.get("/")
    async def handler(request: Any) -> Any:
        if way == "ResponseStream":

            async def write(stream: Any) -> None:
                await stream.write("one")
                await stream.write("two")

            return ResponseStream(write, headers={"content-length": length})
        response = await request.respond(headers={"content-length": length})
        await response.send("one")
        await response.send("two")
        return None

    async with serving(app) as server, server.connect() as client:
        await client.send(get())
        await client.send(get())
        received = await client.read_until_closed()
    assert received.count(b"HTTP/1.1") == 1
    assert len(received.partition(b"\r\n\r\n")[2]) != int(length)
    assert message in caplog.text


async def test_a_length_that_is_no_number_is_an_error(app: Any) -> None:
    @app.get("/")
    async def handler(request: Any) -> None:
        response = await request.respond(headers={"content-length": "many"})
        await response.send("one")

    async with serving(app) as server:
        assert (await server.get()).status_code == 500


# Failures


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("way", ["respond", "block", "ResponseStream"])
async def test_a_stream_that_fails_half_way_has_no_clean_end(
    app: Any, caplog: pytest.LogCaptureFixture, way: str, version: str
) -> None:
    @app.exception(ZeroDivisionError)
    async def handle(request: Any, error: Exception) -> Any:
        return text("never sent")

    @app.get("/")
    async def handler(request: Any) -> Any:
        if way == "ResponseStream":

            async def write(stream: Any) -> None:
                await stream.write("one")
                raise ZeroDivisionError("in the middle")

            return ResponseStream(write)
        response = await request.respond()
        if way == "block":
            async with response as send:
                await send("one")
                raise ZeroDivisionError("in the middle")
        await response.send("one")
        raise ZeroDivisionError("in the middle")

    async with serving(app) as server, server.connect() as client:
        await client.send(get("/", version))
        reset = False
        received = b""
        try:
            while data := await asyncio.wait_for(client.reader.read(1000), 5):
                received += data
        except ConnectionResetError:
            reset = True
    assert b"never sent" not in received
    assert b"0\r\n\r\n" not in received.partition(b"\r\n\r\n")[2]
    # A body that the end of the connection ends can only be seen to be broken by a reset.
    assert reset or version == "1.1"
    assert "in the middle" in caplog.text


async def test_a_stream_that_fails_before_its_first_byte_is_an_ordinary_error(app: Any) -> None:
    @app.exception(ZeroDivisionError)
    async def handle(request: Any, error: Exception) -> Any:
        return text("handled", status=418)

    @app.get("/")
    async def handler(request: Any) -> Any:
        async with await request.respond():
            raise ZeroDivisionError

    async with serving(app) as server:
        response = await server.get()
    assert (response.status_code, response.text) == (418, "handled")


# Clients that leave


async def endless(request: Any) -> None:
    response = await request.respond()
    while True:
        await response.send(bytes(65536))


async def test_a_handler_that_streams_to_a_client_that_leaves_is_cancelled(
    app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @app.get("/")
    async def handler(request: Any) -> None:
        try:
            await endless(request)
        except (asyncio.CancelledError, ConnectionError) as error:
            outcome.set_result(type(error).__name__)
            raise

    async with serving(app) as server:
        async with server.connect() as client:
            await client.send(get())
            await client.reader.readexactly(100)
        assert await asyncio.wait_for(outcome, 5) in ("CancelledError", "ClientDisconnected")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_client_that_leaves_is_noticed_while_nothing_is_written(app: Any) -> None:
    outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @app.get("/")
    async def handler(request: Any) -> None:
        response = await request.respond()
        await response.send("x")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            outcome.set_result("cancelled")
            raise

    async with serving(app) as server:
        async with server.connect() as client:
            await client.send(get())
            await client.reader.readuntil(b"x")
        assert await asyncio.wait_for(outcome, 5) == "cancelled"


async def test_writing_after_the_cancellation_raises_one_typed_exception(app: Any) -> None:
    outcomes: asyncio.Queue[Any] = asyncio.Queue()

    @app.get("/")
    async def handler(request: Any) -> None:
        response = await request.respond()
        await response.send("x")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            for _ in range(2):
                with pytest.raises(ConnectionError) as caught:
                    await response.send("goodbye")
                outcomes.put_nowait(caught.type)
            await response.eof()
            outcomes.put_nowait("eof")

    async with serving(app) as server:
        async with server.connect() as client:
            await client.send(get())
            await client.reader.readuntil(b"x")
        received = [await asyncio.wait_for(outcomes.get(), 5) for _ in range(3)]
    assert received == [ClientDisconnected, ClientDisconnected, "eof"]


async def test_every_task_that_writes_learns_that_the_client_has_left(app: Any) -> None:
    outcomes: asyncio.Queue[Any] = asyncio.Queue()

    async def write(response: Any) -> None:
        try:
            while True:
                await response.send(bytes(65536))
        except ClientDisconnected as error:
            outcomes.put_nowait(type(error))

    @app.get("/")
    async def handler(request: Any) -> None:
        response = await request.respond()
        for _ in range(3):
            app.add_task(write(response))
        await asyncio.Event().wait()

    async with serving(app) as server:
        async with server.connect() as client:
            await client.send(get())
            await client.reader.readexactly(100)
        for _ in range(3):
            assert await asyncio.wait_for(outcomes.get(), 5) is ClientDisconnected


# Slow clients and slow streams


async def test_a_client_that_does_not_read_stops_the_stream(app: Any) -> None:
    sent = 0
    ended = asyncio.Event()

    @app.get("/")
    async def handler(request: Any) -> None:
        nonlocal sent
        response = await request.respond()
        for _ in range(64):
            await response.send(bytes(MEBIBYTE))
            sent += MEBIBYTE
        await response.eof()
        ended.set()

    async with serving(app) as server, server.connect() as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(get())
        last = -1
        while last != sent or not sent:
            last = sent
            await asyncio.sleep(0.2)
        assert not ended.is_set()
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert len((await client.response(timeout=30)).body) == 64 * MEBIBYTE
        assert ended.is_set()


async def test_a_stream_may_be_silent_for_longer_than_the_response_timeout(app: Any) -> None:
    app.config.RESPONSE_TIMEOUT = 0.2

    @app.get("/")
    async def handler(request: Any) -> None:
        response = await request.respond()
        await response.send("one")
        await asyncio.sleep(1.5)
        await response.send("two")

    async with serving(app) as server, server.connect() as client:
        await client.send(get())
        assert (await client.response()).body == b"onetwo"


async def test_a_client_that_takes_nothing_for_the_response_timeout_is_cut_off(app: Any) -> None:
    app.config.RESPONSE_TIMEOUT = 0.3
    outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @app.get("/")
    async def handler(request: Any) -> None:
        try:
            await endless(request)
        except (asyncio.CancelledError, ConnectionError) as error:
            outcome.set_result(type(error).__name__)
            raise

    async with serving(app) as server, server.connect() as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(get())
        assert await asyncio.wait_for(outcome, 10) in ("CancelledError", "ClientDisconnected")


async def test_a_large_piece_is_sent_as_long_as_the_client_takes_some_of_it(app: Any) -> None:
    app.config.RESPONSE_TIMEOUT = 1.5
    size = 48 * MEBIBYTE

    @app.get("/")
    async def handler(request: Any) -> None:
        response = await request.respond(headers={"content-length": str(size)})
        await response.send(bytes(size))

    async with serving(app) as server, server.connect() as client:
        await client.send(get())
        head = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), 5)
        assert b"content-length" in head
        received = 0
        while received < size:
            data = await client.reader.readexactly(min(4 * MEBIBYTE, size - received))
            received += len(data)
            await asyncio.sleep(0.3)
    assert received == size


async def test_an_ended_stream_leaves_the_connection_to_the_next_request(app: Any) -> None:
    app.add_route(respond_in_a_block, "/")

    @app.get("/plain")
    async def plain(request: Any) -> Any:
        return empty()

    async with serving(app) as server, server.connect() as client:
        await client.send(get() + get("/plain") + get())
        assert (await client.response()).body == b"onetwo"
        assert (await client.response()).status == 204
        assert (await client.response()).body == b"onetwo"


async def test_a_cut_off_body_is_no_response_for_the_reader() -> None:
    from tests.harness import responses_in

    with pytest.raises((asyncio.IncompleteReadError, FramingError)):
        await responses_in(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
    await turns()


async def test_a_client_that_closes_a_silent_stream_leaves_no_trace_in_the_log(tmp_path: Path) -> None:
    source = """
    @app.get("/events")
    async def events(request):
        response = await request.respond(content_type="text/event-stream")
        await response.send("data: x\\\\n\\\\n")
        try:
            await asyncio.Event().wait()
        finally:
            print("the handler has ended", flush=True)

    app.run(port=0, single_process=True)
    """
    async with running(source, directory=tmp_path) as program:
        url = await program.url()
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(get("/events"))
        await reader.readuntil(b"data: x")
        writer.close()
        await program.line("the handler has ended")
        assert await program.stop() == 0
    assert "WARNING" not in program.output, program.output
    assert "ERROR" not in program.output, program.output
