"""What a client sees of a connection over time: deadlines, ends on either side, order, back-pressure."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest

from sanic import Request, Sanic
from sanic.exceptions import SanicException
from sanic.response import HTTPResponse, empty, raw, text
from tests.harness import Connection, FramingError, RunningServer, read_response, responses_in, serving, turns
from tests.server.memory import Wire

GET = b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: a\r\n"


class Probe:
    """What the handlers of the app below have come to."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.release = asyncio.Event()
        self.handled: list[str] = []


@pytest.fixture
async def probe() -> Probe:
    return Probe()


@pytest.fixture
async def server(app: Sanic[Any, Any], probe: Probe) -> AsyncIterator[RunningServer]:
    app.config.update(REQUEST_TIMEOUT=0.3, RESPONSE_TIMEOUT=0.5, KEEP_ALIVE_TIMEOUT=0.6, GRACEFUL_TCP_CLOSE_TIMEOUT=0.4)
    add_handlers(app, probe)
    async with serving(app) as running:
        yield running


@pytest.fixture
async def patient(app: Sanic[Any, Any], probe: Probe) -> AsyncIterator[RunningServer]:
    """A server with the timeouts that it has by default."""
    add_handlers(app, probe)
    async with serving(app) as running:
        yield running
        probe.release.set()


def add_handlers(app: Sanic[Any, Any], probe: Probe) -> None:
    @app.get("/")
    async def index(request: Request) -> HTTPResponse:
        return text("hi")

    @app.get("/say/<word>")
    async def say(request: Request, word: str) -> HTTPResponse:
        probe.handled.append(word)
        return text(word)

    @app.post("/echo")
    async def echo(request: Request) -> HTTPResponse:
        return raw(request.body)

    @app.route("/wait", methods=["GET", "POST"])
    async def wait(request: Request) -> HTTPResponse:
        probe.started.set()
        try:
            await probe.release.wait()
        except asyncio.CancelledError:
            probe.cancelled.set()
            raise
        return text("waited")

    @app.get("/stubborn")
    async def stubborn(request: Request) -> HTTPResponse:
        probe.started.set()
        try:
            await probe.release.wait()
        except asyncio.CancelledError:
            probe.cancelled.set()
        await probe.release.wait()
        return text("at last")

    @app.get("/endless")
    async def endless(request: Request) -> None:
        probe.started.set()
        response = await request.respond(content_type="text/plain")
        try:
            while True:
                await response.send(b"x" * 65536)
        finally:
            probe.cancelled.set()

    @app.get("/silent-stream")
    async def silent_stream(request: Request) -> None:
        response = await request.respond(content_type="text/plain")
        await response.send("a")
        probe.started.set()
        try:
            await probe.release.wait()
        except asyncio.CancelledError:
            probe.cancelled.set()
            raise
        await response.send("b")

    @app.get("/large")
    async def large(request: Request) -> HTTPResponse:
        return raw(b"x" * 20_000_000)

    @app.get("/broken")
    async def broken(request: Request) -> None:
        response = await request.respond(content_type="text/plain")
        await response.send("half")
        raise ValueError("on purpose")

    @app.get("/too-much")
    async def too_much(request: Request) -> None:
        response = await request.respond(headers={"Content-Length": "3"})
        await response.send("ab")
        await response.send("cd")

    @app.get("/too-little")
    async def too_little(request: Request) -> None:
        response = await request.respond(headers={"Content-Length": "3"})
        await response.send("ab")

    @app.get("/status/<status:int>")
    async def status(request: Request, status: int) -> HTTPResponse:
        return HTTPResponse("body", status)

    @app.get("/status-text")
    async def status_text(request: Request) -> HTTPResponse:
        return HTTPResponse("body", "200")  # type: ignore[arg-type]

    @app.get("/split")
    async def split(request: Request) -> HTTPResponse:
        return text("hi", headers={"X-One": "1\r\nX-Two: 2\r\n\r\nbody", "X-Three": "3\0"})

    @app.get("/split-type")
    async def split_type(request: Request) -> HTTPResponse:
        return HTTPResponse("hi", content_type="text/plain\r\nX-Two: 2")

    @app.get("/name")
    async def name(request: Request) -> HTTPResponse:
        return text("hi", headers={"X One": "1"})

    @app.get("/framing")
    async def framing(request: Request) -> HTTPResponse:
        return text("hi", headers={"Content-Length": "99", "Transfer-Encoding": "chunked", "Keep-Alive": "x"})

    @app.get("/empty")
    async def nothing(request: Request) -> HTTPResponse:
        return empty()


async def reset(connection: Connection) -> None:
    """Close with a reset, as a crashed client does."""
    sock = connection.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.writer.transport.abort()
    await turns()


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for what only time or the kernel brings about."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition() and loop.time() < end:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.02)
    assert condition()


def in_time(event: asyncio.Event) -> Any:
    return asyncio.wait_for(event.wait(), 5)


# -- Deadlines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", GET % b""])
async def test_an_idle_connection_is_closed_without_a_word(server: RunningServer, data: bytes) -> None:
    received = await server.send_raw(data)

    assert [response.status for response in await responses_in(received)] == ([200] if data else [])


async def test_a_slow_head_is_408_and_no_byte_pushes_its_deadline_back(server: RunningServer) -> None:
    async with server.connect() as connection:
        begin = asyncio.get_running_loop().time()
        answer = asyncio.ensure_future(connection.response())
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: " + b"x" * 1000:
            if answer.done():
                break
            connection.writer.write(bytes([byte]))
            await asyncio.sleep(0.02)
        response = await answer

        assert response.status == 408
        assert response.get("connection") == "close"
        assert 0.3 <= asyncio.get_running_loop().time() - begin < 3
        assert await connection.read_until_closed() == b""


async def test_a_second_head_has_a_deadline_too(server: RunningServer) -> None:
    async with server.connect() as connection:
        await connection.send(GET % b"" + b"GET ")
        assert (await connection.response()).status == 200
        assert (await connection.response()).status == 408


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 9\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"]
)
async def test_a_body_that_stops_is_408(server: RunningServer, framing: bytes) -> None:
    (response,) = await responses_in(await server.send_raw(POST + framing))

    assert response.status == 408
    assert response.get("connection") == "close"


async def test_a_body_below_the_minimum_rate_is_408(server: RunningServer) -> None:
    async with server.connect() as connection:
        await connection.send(POST + b"Content-Length: 1000\r\n\r\n")
        answer = asyncio.ensure_future(connection.response())
        while not answer.done():
            connection.writer.write(b"x")
            await asyncio.sleep(0.05)

        assert (await answer).status == 408


async def test_a_steady_body_takes_longer_than_any_timeout(server: RunningServer) -> None:
    async with server.connect() as connection:
        await connection.send(POST + b"Content-Length: 2000\r\n\r\n")
        for _ in range(20):
            connection.writer.write(b"x" * 100)
            await asyncio.sleep(0.05)

        assert len((await connection.response()).body) == 2000


async def test_a_slow_body_behind_another_request_takes_longer_than_any_timeout(
    server: RunningServer, probe: Probe
) -> None:
    body = b"x" * 70_000
    more = 11 * 1000
    head = POST + b"Content-Length: %d\r\n\r\n" % (len(body) + more)
    async with server.connect() as connection:
        # So much waits for the first answer that reading pauses.
        await connection.send(GET % b"wait" + head)
        await in_time(probe.started)
        await connection.send(body)
        probe.release.set()
        assert (await connection.response()).status == 200
        for _ in range(11):
            await connection.send(b"x" * 1000)
            await asyncio.sleep(0.1)
        response = await connection.response()
    assert (response.status, len(response.body)) == (200, len(body) + more)


@pytest.mark.parametrize("path", [b"wait", b"stubborn"])
async def test_a_slow_handler_is_cancelled(server: RunningServer, probe: Probe, path: bytes) -> None:
    received = await server.send_raw(GET % path)

    assert probe.cancelled.is_set()
    # A handler that will not be cancelled is left alone; its connection is cut.
    assert [response.status for response in await responses_in(received)] == ([503] if path == b"wait" else [])
    probe.release.set()


async def test_a_body_that_was_asked_for_and_does_not_come_is_408(server: RunningServer) -> None:
    data = b"POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    responses = await responses_in(await server.send_raw(data))

    assert [response.status for response in responses] == [100, 408]


async def test_a_stream_may_be_silent(server: RunningServer, probe: Probe) -> None:
    async with server.connect() as connection:
        await connection.send(GET % b"silent-stream")
        await asyncio.sleep(1.2)
        probe.release.set()

        assert (await connection.response()).body == b"ab"


@pytest.mark.parametrize("path", [b"endless", b"large"])
async def test_a_client_that_never_reads_is_cut(server: RunningServer, path: bytes) -> None:
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", server.port))
    await loop.sock_sendall(sock, GET % path)
    connections = server.server.connections
    await until(lambda: connections)
    await until(lambda: not connections)
    sock.close()


async def test_a_client_that_reads_slowly_is_not_cut(server: RunningServer) -> None:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", server.port))
    await loop.sock_sendall(sock, GET % b"large")
    received = 0
    begin = loop.time()
    while received < 20_000_000:
        data = await asyncio.wait_for(loop.sock_recv(sock, 1_000_000), 5)
        assert data
        received += len(data)
        if loop.time() - begin < 1.5:
            await asyncio.sleep(0.05)
    sock.close()


# -- The client's end --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [b"wait", b"silent-stream", b"endless"])
@pytest.mark.parametrize("is_reset", [False, True])
async def test_the_handler_of_a_client_that_leaves_is_cancelled(
    patient: RunningServer, probe: Probe, path: bytes, is_reset: bool
) -> None:
    async with patient.connect() as connection:
        await connection.send(GET % path)
        await in_time(probe.started)
        if is_reset:
            await reset(connection)
        else:
            connection.writer.close()
        await in_time(probe.cancelled)


async def test_a_client_that_leaves_amidst_its_body_is_forgotten(patient: RunningServer) -> None:
    async with patient.connect() as connection:
        await connection.send(POST + b"Content-Length: 10\r\n\r\nabc")
        connection.half_close()
        assert await connection.read_until_closed() == b""


async def test_a_client_that_half_closes_gets_all_its_answers(patient: RunningServer, probe: Probe) -> None:
    async with patient.connect() as connection:
        await connection.send(GET % b"wait" + GET % b"say/1" + POST + b"Content-Length: 3\r\n\r\nabc" + b"GET /par")
        connection.half_close()
        await in_time(probe.started)
        await asyncio.sleep(0.3)
        probe.release.set()

        responses = await responses_in(await connection.read_until_closed())
        assert [response.body for response in responses] == [b"waited", b"1", b"abc"]


async def test_a_client_of_a_unix_socket_that_half_closes_gets_its_answer(app: Sanic[Any, Any], tmp_path: Any) -> None:
    probe = Probe()
    add_handlers(app, probe)
    async with serving(app, unix=str(tmp_path / "s")) as server:
        async with server.connect() as connection:
            await connection.send(GET % b"wait")
            connection.half_close()
            await in_time(probe.started)
            asyncio.get_running_loop().call_later(0.2, probe.release.set)
            assert b"waited" in await connection.read_until_closed()
        probe.started.clear()
        probe.release.clear()
        async with server.connect() as connection:
            await connection.send(GET % b"wait")
            await in_time(probe.started)
            connection.writer.close()
            await in_time(probe.cancelled)


async def test_a_half_closed_client_that_cannot_be_seen_is_asked(app: Sanic[Any, Any]) -> None:
    app.config.REQUEST_TIMEOUT = 0.2
    probe = Probe()
    add_handlers(app, probe)
    async with serving(app):
        wire = Wire(app)  # has no socket, so nothing can be known of its other end
        await wire.feed([GET % b"wait"])
        wire.protocol.eof_received()
        await asyncio.sleep(0.5)
        assert wire.sent == b""
        await until(lambda: wire.sent)
        probe.release.set()
        await wire.settle()
        assert [response.status for response in await responses_in(bytes(wire.sent))] == [100, 200]


# -- Order and back-pressure -------------------------------------------------------------------------------------------


async def test_ten_thousand_pipelined_requests_are_answered_in_order(patient: RunningServer) -> None:
    async with patient.connect() as connection:
        data = b"".join(GET % b"say/%d" % number for number in range(10_000))
        sending = asyncio.ensure_future(connection.send(data))
        for number in range(10_000):
            assert (await connection.response()).body == b"%d" % number
        await sending


async def test_pipelined_requests_wait_in_a_bounded_queue(app: Sanic[Any, Any]) -> None:
    probe = Probe()
    add_handlers(app, probe)
    made = 0

    class CountedRequest(Request):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            nonlocal made
            made += 1
            super().__init__(*args, **kwargs)

    app.request_class = CountedRequest
    async with serving(app):
        wire = Wire(app)
        await wire.feed([GET % b"wait" + GET % b"say/1" * 10_000])
        assert wire.is_reading_held
        assert made < 200
        probe.release.set()
        await until(lambda: len(probe.handled) == 10_000)
        await wire.settle()
        assert not wire.is_reading_held
        assert wire.sent.count(b"HTTP/1.1 200") == 10_001
        wire.abort()
        await turns()


async def test_reading_pauses_while_a_body_waits(app: Sanic[Any, Any]) -> None:
    begin = asyncio.Event()

    @app.post("/", stream=True)
    async def take(request: Request) -> HTTPResponse:
        await begin.wait()
        return text(str(sum([len(piece) async for piece in request.stream])))

    async with serving(app):
        wire = Wire(app)
        await wire.feed([b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n"])
        sent = 0
        while not wire.is_reading_held:
            await wire.feed([b"x" * 1000])
            sent += 1000
        assert sent <= app.config.REQUEST_BUFFER_SIZE + 1000
        begin.set()
        await turns(10)
        assert not wire.is_reading_held
        await wire.feed([b"x" * 1000] * ((200_000 - sent) // 1000))
        await wire.settle()
        assert bytes(wire.sent).endswith(b"200000")
        wire.abort()
        await turns()


# -- The server's end --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("expect", "statuses"), [(b"100-continue", [100, 200]), (b"100-Continue", [100, 200])])
async def test_a_client_is_told_to_go_on(patient: RunningServer, expect: bytes, statuses: list[int]) -> None:
    async with patient.connect() as connection:
        await connection.send(POST + b"Content-Length: 3\r\nExpect: " + expect + b"\r\n\r\n")
        first = await connection.response()
        assert (first.status, first.headers) == (100, [])
        await connection.send(b"abc" + GET % b"")
        assert (await connection.response()).body == b"abc"
        assert (await connection.response()).body == b"hi"


async def test_a_client_that_waits_for_100_is_refused_without(patient: RunningServer) -> None:
    data = b"POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    (response,) = await responses_in(await patient.send_raw(data))

    assert (response.status, response.get("connection")) == (404, "close")


async def test_a_client_that_is_still_sending_gets_its_413(app: Sanic[Any, Any]) -> None:
    app.config.REQUEST_MAX_SIZE = 10_000
    add_handlers(app, Probe())
    async with serving(app) as server, server.connect() as connection:
        connection.writer.write(POST + b"Content-Length: 8000000\r\n\r\n")
        answer = asyncio.ensure_future(connection.response())
        for _ in range(80):
            connection.writer.write(b"x" * 100_000)
            await connection.writer.drain()
        assert (await answer).status == 413


async def test_an_error_in_a_body_interrupts_the_handler(patient: RunningServer, app: Sanic[Any, Any]) -> None:
    data = b"POST /wait HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with patient.connect() as connection:
        await connection.send(data)
        await turns(5)
        await connection.send(b"nonsense\r\n")
        (response,) = await responses_in(await connection.read_until_closed())

    assert (response.status, response.get("connection")) == (400, "close")


@pytest.mark.parametrize("path", [b"broken", b"too-little", b"too-much"])
async def test_a_response_that_fails_on_its_way_looks_broken(patient: RunningServer, path: bytes) -> None:
    received = await patient.send_raw(GET % path + GET % b"")

    reader = asyncio.StreamReader()
    reader.feed_data(received)
    reader.feed_eof()
    with pytest.raises((asyncio.IncompleteReadError, FramingError)):
        await read_response(reader)


@pytest.mark.parametrize("path", [b"status/99", b"status/100", b"status/101", b"status/199", b"status-text", b"name"])
async def test_a_response_that_cannot_be_sent_is_500(patient: RunningServer, path: bytes) -> None:
    async with patient.connect() as connection:
        await connection.send(GET % path + GET % b"")
        assert (await connection.response()).status == 500
        assert (await connection.response()).body == b"hi"


@pytest.mark.parametrize("status", [204, 304])
async def test_some_statuses_have_no_body(patient: RunningServer, status: int) -> None:
    async with patient.connect() as connection:
        await connection.send(GET % b"status/%d" % status + GET % b"")
        response = await connection.response()
        assert response.status == status
        assert response.get("content-length") is None
        assert response.get("transfer-encoding") is None
        assert (await connection.response()).body == b"hi"


@pytest.mark.parametrize("path", [b"split", b"split-type"])
async def test_a_header_value_cannot_split_a_response(patient: RunningServer, path: bytes) -> None:
    async with patient.connect() as connection:
        await connection.send(GET % path + GET % b"")
        response = await connection.response()
        assert (response.status, response.body) == (200, b"hi")
        assert response.get("x-two") is None
        assert (await connection.response()).body == b"hi"


async def test_framing_belongs_to_the_server(patient: RunningServer) -> None:
    async with patient.connect() as connection:
        await connection.send(GET % b"framing")
        response = await connection.response()
        assert (response.get("content-length"), response.get("transfer-encoding")) == ("2", None)
        assert response.get("keep-alive") is None


async def test_a_stop_lets_requests_in_progress_finish(app: Sanic[Any, Any]) -> None:
    probe = Probe()
    add_handlers(app, probe)
    async with serving(app) as server, server.connect() as busy, server.connect() as idle:
        await idle.send(GET % b"")
        assert (await idle.response()).status == 200
        await busy.send(GET % b"wait" + GET % b"")
        await in_time(probe.started)
        port = server.port
        closing = server.server.close()
        assert await idle.read_until_closed() == b""
        with pytest.raises(OSError, match=r"."):
            await asyncio.open_connection("127.0.0.1", port)
        probe.release.set()
        (response,) = await responses_in(await busy.read_until_closed())
        assert (response.body, response.get("connection")) == (b"waited", "close")
        busy.writer.close()
        await asyncio.wait_for(closing, 5)


async def test_a_stop_cuts_what_does_not_finish(app: Sanic[Any, Any]) -> None:
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 0.3
    probe = Probe()
    add_handlers(app, probe)
    async with serving(app) as server, server.connect() as busy:
        await busy.send(GET % b"wait")
        await in_time(probe.started)
        await asyncio.wait_for(server.server.close(), 5)
        assert await busy.read_until_closed() == b""
        await in_time(probe.cancelled)


async def test_a_request_that_has_begun_when_the_server_stops_is_answered(app: Sanic[Any, Any]) -> None:
    add_handlers(app, Probe())
    async with serving(app) as server, server.connect() as connection:
        await connection.send(b"GET / HTTP/1.1\r\n")
        await turns(10)
        closing = server.server.close()
        await turns(10)
        await connection.send(b"Host: a\r\n\r\n")
        (response,) = await responses_in(await connection.read_until_closed())
        assert (response.body, response.get("connection")) == (b"hi", "close")
        await asyncio.wait_for(closing, 5)


async def test_keep_alive_can_be_switched_off(app: Sanic[Any, Any]) -> None:
    app.config.KEEP_ALIVE = False
    add_handlers(app, Probe())
    async with serving(app) as server:
        (response,) = await responses_in(await server.send_raw(GET % b"" + GET % b""))

    assert response.get("connection") == "close"


async def test_no_idle_time_is_no_keep_alive_but_the_first_request_is_waited_for(app: Sanic[Any, Any]) -> None:
    app.config.KEEP_ALIVE_TIMEOUT = 0
    add_handlers(app, Probe())
    async with serving(app) as server, server.connect() as connection:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(connection.reader.read(1), 0.4)
        await connection.send(GET % b"")
        (response,) = await responses_in(await connection.read_until_closed())
        assert (response.body, response.get("connection")) == (b"hi", "close")


async def test_an_exception_with_a_status_below_200_is_500(app: Sanic[Any, Any]) -> None:
    @app.get("/")
    async def fail(request: Request) -> HTTPResponse:
        raise SanicException("odd", status_code=100)

    async with serving(app) as server:
        assert (await server.get("/")).status_code == 500


async def test_a_stream_that_is_taken_at_once_lets_others_have_their_turn(app: Sanic[Any, Any]) -> None:
    add_handlers(app, Probe())

    @app.get("/fast")
    async def fast(request: Request) -> None:
        response = await request.respond()
        for _ in range(1000):
            await response.send("x" * 10_000)

    async with serving(app):
        wire = Wire(app)
        await wire.feed([GET % b"fast"])
        assert 0 < len(wire.sent) < 2_000_000
        wire.abort()
        await turns()
        size = len(wire.sent)
        await turns(10)
        assert len(wire.sent) == size


@pytest.mark.parametrize("path", [b"wait", b"stubborn"])
async def test_an_upload_that_waits_its_turn_moves_no_deadline(app: Sanic[Any, Any], path: bytes) -> None:
    app.config.RESPONSE_TIMEOUT = 1
    app.config.REQUEST_TIMEOUT = 30
    app.config.GRACEFUL_TCP_CLOSE_TIMEOUT = 1
    probe = Probe()
    add_handlers(app, probe)
    async with serving(app) as server, server.connect() as connection:
        started = asyncio.get_running_loop().time()
        await connection.send(GET % path + b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")
        await in_time(probe.started)

        async def upload() -> None:
            with suppress(ConnectionError):
                while True:
                    await connection.send(b"x" * 100_000)
                    await asyncio.sleep(0.05)

        uploading = asyncio.create_task(upload())
        await in_time(probe.cancelled)
        assert asyncio.get_running_loop().time() - started < 4
        uploading.cancel()
        probe.release.set()


async def test_a_log_that_fails_keeps_no_connection(app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture) -> None:
    class Refusing(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise ValueError("on purpose")

    app.config.ACCESS_LOG = True
    add_handlers(app, Probe())
    refusing = Refusing()
    logging.getLogger("sanic.access").addFilter(refusing)
    try:
        async with serving(app) as server, server.connect() as connection:
            await connection.send(GET % b"say/1")
            assert (await connection.response()).text == "1"
            await connection.send(b"GET /say/2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert (await connection.response()).text == "2"
            assert await connection.read_until_closed() == b""
    finally:
        logging.getLogger("sanic.access").removeFilter(refusing)
    assert "The access log could not be written." in caplog.text


async def test_a_handler_that_went_on_is_cancelled_again_when_its_client_leaves(app: Sanic[Any, Any]) -> None:
    app.config.RESPONSE_TIMEOUT = 0.2
    app.config.GRACEFUL_TCP_CLOSE_TIMEOUT = 0.2
    cancelled: asyncio.Queue[int] = asyncio.Queue()

    @app.get("/")
    async def stubborn(request: Request) -> HTTPResponse:
        for attempt in range(3):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:  # noqa: PERF203
                cancelled.put_nowait(attempt)
        return text("at last")

    async with serving(app) as server, server.connect() as connection:
        await connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await asyncio.wait_for(cancelled.get(), 5) == 0
        # The connection is cut some time later, and that is told to the handler, too.
        assert await asyncio.wait_for(cancelled.get(), 5) == 1


async def test_a_server_that_is_closed_leaves_no_handler_behind(
    app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 0.2
    probe = Probe()
    add_handlers(app, probe)
    ended = asyncio.Event()

    @app.get("/slow-to-leave")
    async def slow_to_leave(request: Request) -> HTTPResponse:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.1)
            ended.set()
        return empty()

    @app.get("/refuses")
    async def refuses(request: Request) -> HTTPResponse:
        probe.started.set()
        while not probe.release.is_set():
            with suppress(asyncio.CancelledError):
                await probe.release.wait()
        return empty()

    try:
        async with serving(app) as server, server.connect() as one, server.connect() as other:
            await one.send(GET % b"slow-to-leave")
            await other.send(GET % b"refuses")
            await in_time(probe.started)
            await reset(one)
            await server.server.close()
            assert ended.is_set()
    finally:
        probe.release.set()
    assert "refuses" in caplog.text
    assert "is abandoned" in caplog.text
    await turns()
