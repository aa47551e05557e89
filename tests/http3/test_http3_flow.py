"""Flow control, limits, timeouts and the many ends of a request over HTTP/3."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from typing import Any

import pytest
from aioquic.h3.connection import encode_frame
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from pylsqpack import Decoder, Encoder

from sanic import Request, Sanic, text
from sanic.http.http3.frames import FieldCoder, literal_section, read_varint
from tests.http3.client import (
    EXCESSIVE_LOAD,
    NO_ERROR,
    PATIENCE,
    REQUEST_CANCELLED,
    REQUEST_REJECTED,
    Certificate,
    Client,
    connected,
    serving,
)


def takes_long_fields() -> bool:
    """Whether the client can send fields of more than some kilobytes; older versions of pylsqpack cannot."""
    try:
        return bool(Encoder().encode(0, [(b"x", b"#" * 60_000)]))
    except ValueError:
        return False


with_long_fields = pytest.mark.skipif(not takes_long_fields(), reason="pylsqpack is too old")


async def is_answered(port: int | None) -> bool:
    """Whether a server on this machine answers to the first datagram of a connection."""
    quic = QuicConnection(configuration=QuicConfiguration(is_client=True, alpn_protocols=["h3"]))
    quic.connect(("127.0.0.1", port), now=0.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        for data, address in quic.datagrams_to_send(now=0.0):
            sock.sendto(data, address)
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 2000), 0.5)
        except asyncio.TimeoutError:
            return False
    return True


async def within(awaitable: Any) -> Any:
    return await asyncio.wait_for(awaitable, PATIENCE)


def stop_reading(client: Client, stream_id: int) -> None:
    """Grant the server no more on a stream than it has been granted."""
    write = client._quic._write_stream_limits

    def write_limits(builder: Any, space: Any, stream: Any) -> None:
        if stream.stream_id != stream_id:
            write(builder=builder, space=space, stream=stream)

    client._quic._write_stream_limits = write_limits  # type: ignore[method-assign]


# -- Flow control -----------------------------------------------------------------------------------------------------


async def test_a_client_cannot_send_more_than_is_read(app: Sanic[Any, Any], certificate: Certificate) -> None:
    app.config.REQUEST_BUFFER_SIZE = 2**14
    may_read = asyncio.Event()
    received = 0

    @app.post("/", stream=True)
    async def index(request: Request) -> Any:
        nonlocal received
        # It grows beyond bounds for a client that has seen much being read.
        while received < 2_000_000:
            received += len(await request.stream.read())
        await may_read.wait()
        async for piece in request.stream:
            received += len(piece)
        return text(str(received))

    @app.get("/")
    async def other(request: Request) -> Any:
        return text("fine")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        stream_id = client.open("POST", is_end=False)
        for _ in range(60):
            client.write(stream_id, b"x" * 100_000)
        while received < 2_000_000:
            await client.ping()
        # Four times the buffer, and what came with the last piece.
        assert await until_stuck(client, stream_id) < 2_000_000 + 2**19
        # Other streams are not held up by it.
        assert (await client.get()).text == "fine"
        may_read.set()
        client.write(stream_id, b"", is_end=True)
        assert (await client.ended(stream_id)).text == "6000000"


async def test_bytes_behind_a_gap_are_bounded(app: Sanic[Any, Any], certificate: Certificate) -> None:
    app.config.REQUEST_BUFFER_SIZE = 2**14

    @app.post("/")
    async def index(request: Request) -> Any:
        return text("never")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        stream_id = client.send_bytes(None, b"")
        sender = client._quic._streams[stream_id].sender
        # The first byte is never sent.
        sender._buffer += bytes(5_000_000)
        sender._buffer_stop = len(sender._buffer)
        sender._pending.add(1, len(sender._buffer))
        sender.buffer_is_empty = False
        client.transmit()
        assert 0 < await until_stuck(client, stream_id) < 2**19


async def test_what_comes_before_a_connection_is_announced_is_bounded(
    app: Sanic[Any, Any], certificate: Certificate
) -> None:
    app.config.REQUEST_BUFFER_SIZE = 2**14
    may_begin = asyncio.Event()

    @app.signal("http.lifecycle.begin")
    async def begin(conn_info: Any) -> None:
        await may_begin.wait()

    @app.post("/")
    async def index(request: Request) -> Any:
        return text(str(len(request.body)))

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        stream_id = client.open("POST", is_end=False)
        client.write(stream_id, bytes(3_000_000), is_end=True)
        assert await until_stuck(client, stream_id) < 2**19
        may_begin.set()
        assert (await client.ended(stream_id)).text == "3000000"


async def until_stuck(client: Client, stream_id: int) -> int:
    """Wait until the server grants no more on a stream; returns how much has been sent."""
    sender = client._quic._streams[stream_id].sender
    before = -1
    while before != sender.highest_offset:
        before = sender.highest_offset
        await client.ping()
        await client.ping()
    return before


async def test_requests_at_the_same_time_have_a_limit(app: Sanic[Any, Any], certificate: Certificate) -> None:
    may_end = asyncio.Event()
    running = most = 0

    @app.get("/")
    async def index(request: Request) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await may_end.wait()
        running -= 1
        return text("fine")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        streams = [client.open() for _ in range(300)]
        await client.ping()
        await client.ping()
        may_end.set()
        answers = [await client.ended(stream_id) for stream_id in streams]
        # Those beyond are not begun, or are told that they may ask again, whichever comes first.
        assert most == 128
        assert {answer.reset for answer in answers} <= {None, REQUEST_REJECTED}
        assert sum(answer.is_complete for answer in answers) >= 128


@pytest.mark.parametrize("is_unidirectional", [False, True])
async def test_streams_that_are_opened_for_nothing_have_a_limit(
    app: Sanic[Any, Any], certificate: Certificate, is_unidirectional: bool, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/")
    async def index(request: Request) -> Any:
        return text("fine")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        client._quic._remote_max_streams_uni = client._quic._remote_max_streams_bidi = 100_000
        for _ in range(2_000):
            quic = client._quic
            quic.send_stream_data(quic.get_next_available_stream_id(is_unidirectional=is_unidirectional), b"\x21")
        client.transmit()
        terminated = await client.until_terminated()
        # RFC 9000 section 20.1: STREAM_LIMIT_ERROR.
        assert terminated.error_code in (EXCESSIVE_LOAD, 0x04)
    # Nobody fills the log that way.
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_writing_waits_for_a_client_that_does_not_read(app: Sanic[Any, Any], certificate: Certificate) -> None:
    sent = 0

    @app.get("/")
    async def index(request: Request) -> Any:
        nonlocal sent
        response = await request.respond()
        for _ in range(100):
            await response.send(b"x" * 100_000)
            sent += 100_000
        await response.eof()

    async with (
        serving(app, certificate) as server,
        connected(server.port, certificate, max_stream_data=2**17) as client,
    ):
        original = client._quic._write_stream_limits
        stop_reading(client, 0)
        stream_id = client.open()
        before = -1
        while before != sent or not sent:
            before = sent
            await client.ping()
            await client.ping()
        assert sent < 1_000_000
        client._quic._write_stream_limits = original  # type: ignore[method-assign]
        await client.ping()
        assert len((await client.ended(stream_id)).body) == 10_000_000


async def test_a_client_that_never_reads_is_cut(app: Sanic[Any, Any], certificate: Certificate) -> None:
    app.config.RESPONSE_TIMEOUT = 0.2
    ended = asyncio.Event()

    @app.get("/")
    async def index(request: Request) -> Any:
        response = await request.respond()
        try:
            while True:
                await response.send(b"x" * 100_000)
        finally:
            ended.set()

    async with (
        serving(app, certificate) as server,
        connected(server.port, certificate, max_stream_data=2**17) as client,
    ):
        stop_reading(client, 0)
        answer = await client.ended(client.open())
        assert answer.reset is not None
        await within(ended.wait())


# -- Limits -----------------------------------------------------------------------------------------------------------


@with_long_fields
@pytest.mark.parametrize(("size", "status"), [(8192 - 27, 200), (8192 - 26, 431), (16000, 431), (60_000, 431)])
async def test_heads_have_a_limit(app: Sanic[Any, Any], certificate: Certificate, size: int, status: int) -> None:
    @app.get("/")
    async def index(request: Request) -> Any:
        return text("fine")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        client.authority = b"localhost"
        # The fields count with four bytes each: `host` with 17, and the other one with 10 beside its value.
        answer = await client.get("/", [("x-long", "#" * size)])
        assert answer.status == status
        assert (await client.get()).status == 200


@with_long_fields
async def test_a_head_of_any_length_is_refused(app: Sanic[Any, Any], certificate: Certificate) -> None:
    async with serving(app_with(app), certificate) as server, connected(server.port, certificate) as client:
        assert (await client.get("/", [("x-long", "#" * 60_000)] * 20)).status == 431
        assert (await client.get()).status == 200


def app_with(app: Sanic[Any, Any]) -> Sanic[Any, Any]:
    @app.get("/")
    async def index(request: Request) -> Any:
        return text("fine")

    return app


async def test_the_number_of_fields_has_a_limit(app: Sanic[Any, Any], certificate: Certificate) -> None:
    app.config.REQUEST_MAX_HEADERS = 10

    @app.get("/")
    async def index(request: Request) -> Any:
        return text("fine")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        assert (await client.get("/", [("a", "b")] * 9)).status == 200
        assert (await client.get("/", [("a", "b")] * 10)).status == 431


async def test_targets_have_a_limit(app: Sanic[Any, Any], certificate: Certificate) -> None:
    app.config.REQUEST_MAX_TARGET_SIZE = 100

    @app.get("/<name>")
    async def index(request: Request, name: str) -> Any:
        return text("fine")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        assert (await client.get("/" + "x" * 99)).status == 200
        assert (await client.get("/" + "x" * 100)).status == 414


async def test_bodies_have_a_limit(app: Sanic[Any, Any], certificate: Certificate) -> None:
    app.config.REQUEST_MAX_SIZE = 1000

    @app.post("/")
    async def index(request: Request) -> Any:
        return text(str(len(request.body)))

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        assert (await client.request("POST", body=b"x" * 1000)).text == "1000"
        assert (await client.request("POST", body=b"x" * 1001)).status == 413
        # As soon as it is known.
        stream_id = client.open("POST", "/", [("content-length", "1001")], is_end=False)
        assert (await client.ended(stream_id)).status == 413


async def test_large_responses_arrive(app: Sanic[Any, Any], certificate: Certificate) -> None:
    @app.get("/")
    async def index(request: Request) -> Any:
        return text("x" * 3_000_000, headers={"x-long": "y" * 20_000})

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        answer = await client.get()
        assert len(answer.body) == 3_000_000
        assert len(answer.headers["x-long"]) == 20_000


def test_fields_of_any_length_are_encoded() -> None:
    for length in (0, 6, 7, 8, 126, 127, 128, 254, 255, 16_000, 65_000, 70_000):
        fields = [(b":status", b"200"), (b"x" * max(length % 1000, 1), b"y" * length), (b"last", b"1")]
        frame = FieldCoder().encode(0, fields)
        size = read_varint(frame, 1)
        assert size is not None
        assert size[0] == len(frame) - size[1]
        if length < 65_536:
            # What cannot be encoded otherwise stands there as it is.
            assert Decoder(0, 0).feed_header(0, frame[size[1] :])[1] == fields
            assert Decoder(0, 0).feed_header(0, literal_section(fields))[1] == fields


# -- Timeouts ---------------------------------------------------------------------------------------------------------


async def test_each_stage_of_a_request_has_its_deadline(
    app: Sanic[Any, Any], certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    app.config.REQUEST_TIMEOUT = app.config.RESPONSE_TIMEOUT = 0.2
    cancelled = asyncio.Event()

    @app.post("/body")
    async def body(request: Request) -> Any:
        return text("never")

    @app.get("/slow")
    async def slow(request: Request) -> Any:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return text("never")

    @app.get("/silent")
    async def silent(request: Request) -> Any:
        response = await request.respond()
        await response.send("begin")
        await asyncio.sleep(1)
        await response.send("end")
        await response.eof()

    with caplog.at_level(logging.CRITICAL, "sanic"):
        async with serving(app, certificate) as server, connected(server.port, certificate) as client:
            head = client.send_bytes(None, encode_frame(0x1, b"x" * 100)[:50])
            body_id = client.open("POST", "/body", is_end=False)
            client.write(body_id, b"some")
            silent_id = client.open("GET", "/silent")
            assert (await client.get("/slow")).status == 503
            await within(cancelled.wait())
            assert (await client.ended(head)).status == 408
            assert (await client.ended(body_id)).status == 408
            assert (await client.ended(silent_id)).text == "beginend"


async def test_an_idle_connection_is_closed(app: Sanic[Any, Any], certificate: Certificate) -> None:
    app.config.KEEP_ALIVE_TIMEOUT = 0.2

    @app.get("/")
    async def index(request: Request) -> Any:
        await asyncio.sleep(0.7)
        return text("fine")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        assert (await client.get()).text == "fine"
        assert (await client.until_terminated()).error_code == NO_ERROR
        assert client.goaway == 4
        assert not server.connections


async def test_without_keep_alive_a_connection_is_closed_when_nothing_runs(
    app: Sanic[Any, Any], certificate: Certificate
) -> None:
    app.config.KEEP_ALIVE = False

    @app.get("/")
    async def index(request: Request) -> Any:
        return text("fine")

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        assert (await client.get()).text == "fine"
        assert (await client.until_terminated()).error_code == NO_ERROR


# -- The client leaves ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["cancel", "stop", "reset", "close"])
@pytest.mark.parametrize("stage", ["handler", "body", "stream"])
async def test_a_client_that_leaves_cancels_the_handler(
    app: Sanic[Any, Any], certificate: Certificate, how: str, stage: str
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    told: list[str] = []

    @app.route("/", methods=["GET", "POST"], stream=True)
    async def index(request: Request) -> Any:
        begun.set()
        try:
            if stage == "body":
                while await request.stream.read():
                    pass
            elif stage == "stream":
                response = await request.respond()
                while True:
                    await response.send("x" * 1000)
            await asyncio.sleep(60)
        except BaseException as error:
            told.append(type(error).__name__)
            raise
        finally:
            ended.set()

    @app.get("/fine")
    async def fine(request: Request) -> Any:
        return text("fine")

    is_whole = stage != "body" and how in ("stop", "close")
    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        stream_id = client.open("POST", is_end=is_whole)
        await within(begun.wait())
        if stage == "body":
            client.write(stream_id, b"some")
        if how == "cancel":
            client.cancel(stream_id)
        elif how == "stop":
            client._quic.stop_stream(stream_id, REQUEST_CANCELLED)
        elif how == "reset":
            client._quic.reset_stream(stream_id, REQUEST_CANCELLED)
        else:
            client.close()
        client.transmit()
        await within(ended.wait())
        assert told[0] in ("CancelledError", "ClientDisconnected")
        if how != "close":
            assert (await client.get("/fine")).text == "fine"


async def test_a_client_that_only_cancels_is_sent_away(app: Sanic[Any, Any], certificate: Certificate) -> None:
    @app.get("/")
    async def index(request: Request) -> Any:
        await asyncio.sleep(60)

    async with serving(app, certificate) as server, connected(server.port, certificate) as client:
        for _ in range(10):
            for _ in range(50):
                client.cancel(client.open())
            with suppress(ConnectionError):
                if client.terminated is None:
                    await client.ping()
        assert (await client.until_terminated()).error_code == EXCESSIVE_LOAD


# -- The server stops -------------------------------------------------------------------------------------------------


async def test_a_server_that_stops_finishes_what_it_has_begun(app: Sanic[Any, Any], certificate: Certificate) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    handled: list[str] = []

    @app.get("/<name>")
    async def index(request: Request, name: str) -> Any:
        handled.append(name)
        response = await request.respond()
        await response.send("x" * 100_000)
        begun.set()
        await may_end.wait()
        await response.send("y" * 100_000)
        await response.eof()

    async with (
        serving(app, certificate) as server,
        connected(server.port, certificate) as client,
        connected(server.port, certificate) as idle,
    ):
        await idle.ping()
        assert await is_answered(server.port)
        stream_id = client.open("GET", "/first")
        await within(begun.wait())
        closing = server.close()
        # An idle connection is closed at once, a busy one is told that no further request is handled.
        assert (await idle.until_terminated()).error_code == NO_ERROR
        await client.until(lambda: client.goaway is not None)
        assert client.goaway == 4
        assert (await client.ended(client.open("GET", "/second"))).reset == REQUEST_REJECTED
        assert not closing.done()
        assert not await is_answered(server.port)
        may_end.set()
        answer = await client.ended(stream_id)
        assert (len(answer.body), answer.is_complete) == (200_000, True)
        assert (await client.until_terminated()).error_code == NO_ERROR
        await within(closing)
    assert handled == ["first"]


async def test_a_server_that_will_stop_answers_once_more(app: Sanic[Any, Any], certificate: Certificate) -> None:
    async with serving(app_with(app), certificate) as server, connected(server.port, certificate) as client:
        assert (await client.get()).status == 200
        server.announce_end()
        assert (await client.get()).status == 200
        assert (await client.until_terminated()).error_code == NO_ERROR
        async with connected(server.port, certificate) as other:
            assert (await other.get()).status == 200
            assert (await other.until_terminated()).error_code == NO_ERROR


async def test_what_does_not_end_in_time_is_cut(
    app: Sanic[Any, Any], certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 0.2
    begun = asyncio.Event()

    @app.get("/")
    async def index(request: Request) -> Any:
        begun.set()
        await asyncio.sleep(60)

    with caplog.at_level(logging.CRITICAL, "sanic"):
        async with serving(app, certificate) as server, connected(server.port, certificate) as client:
            stream_id = client.open()
            await within(begun.wait())
            await within(server.close())
            answer = await client.ended(stream_id)
            assert not answer.is_complete
            assert (await client.until_terminated()).error_code != 0


async def test_many_handshakes_at_once_have_to_prove_their_address(
    app: Sanic[Any, Any], certificate: Certificate
) -> None:
    # RFC 9000 section 8.1.2: clients answer a Retry by themselves.
    @app.get("/")
    async def index(request: Request) -> Any:
        return text("fine")

    async with serving(app, certificate, backlog=0) as server, connected(server.port, certificate) as client:
        assert (await client.get()).text == "fine"
        assert client._quic._retry_count == 1
