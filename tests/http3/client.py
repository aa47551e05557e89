"""A client of HTTP/3, made with aioquic, and a server for it to talk to.

It sends what it is told to, also what no client should, and keeps what comes back.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme
from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, QuicEvent, StopSendingReceived, StreamDataReceived, StreamReset

if TYPE_CHECKING:
    from sanic import Sanic
    from sanic.server import AsyncioServer

#: Seconds for anything that is to happen.
PATIENCE = 10.0

#: Some error codes of RFC 9114 section 8.1.
NO_ERROR = 0x100
INTERNAL_ERROR = 0x102
STREAM_CREATION_ERROR = 0x103
CLOSED_CRITICAL_STREAM = 0x104
FRAME_UNEXPECTED = 0x105
FRAME_ERROR = 0x106
EXCESSIVE_LOAD = 0x107
ID_ERROR = 0x108
SETTINGS_ERROR = 0x109
MISSING_SETTINGS = 0x10A
REQUEST_REJECTED = 0x10B
REQUEST_CANCELLED = 0x10C
REQUEST_INCOMPLETE = 0x10D
MESSAGE_ERROR = 0x10E
QPACK_DECOMPRESSION_FAILED = 0x200
QPACK_ENCODER_STREAM_ERROR = 0x201


@dataclass
class Answer:
    """What has come on a stream."""

    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    interim: list[bytes] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    is_complete: bool = False
    #: Why the server has broken it off.
    reset: int | None = None
    #: Why the server does not want what it is sent.
    stopped: int | None = None

    @property
    def status(self) -> int:
        return int(dict(self.fields)[b":status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.fields}

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def text(self) -> str:
        return self.body.decode()


class Http(H3Connection):
    """Knows that responses to HEAD tell the length of a body that does not come."""

    heads: frozenset[int] = frozenset()

    def _check_content_length(self, stream: Any) -> None:
        if stream.stream_id not in self.heads:
            super()._check_content_length(stream)


class Client(QuicConnectionProtocol):
    """A connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.http = Http(self._quic)
        self.answers: dict[int, Answer] = {}
        self.goaway: int | None = None
        self.terminated: ConnectionTerminated | None = None
        self.changed = asyncio.Condition()
        self.authority = b"localhost"
        self.tasks: set[asyncio.Task[None]] = set()

    async def wait_closed(self) -> None:
        # A client that has closed has no need to stay for what is on its way still (RFC 9000 section 10.2).
        if self._timer is not None:
            self._timer.cancel()

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, StreamReset):
            self.answer(event.stream_id).reset = event.error_code
        elif isinstance(event, StopSendingReceived):
            self.answer(event.stream_id).stopped = event.error_code
        elif isinstance(event, ConnectionTerminated):
            self.terminated = event
        elif isinstance(event, StreamDataReceived) and event.stream_id == 3 and event.data[:1] == b"\x07":
            self.goaway = int.from_bytes(event.data[2:], "big") & 0x3FFF
        for http_event in self.http.handle_event(event):
            self.http_event_received(http_event)
        task = asyncio.get_running_loop().create_task(self._notify())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def http_event_received(self, event: H3Event) -> None:
        if isinstance(event, HeadersReceived):
            answer = self.answer(event.stream_id)
            status = dict(event.headers)[b":status"]
            if status.startswith(b"1"):
                answer.interim.append(status)
            else:
                answer.fields = event.headers
            answer.is_complete = event.stream_ended
        elif isinstance(event, DataReceived):
            answer = self.answer(event.stream_id)
            if event.data:
                answer.pieces.append(event.data)
            answer.is_complete = event.stream_ended

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def until(self, condition: Any) -> None:
        """Wait until something holds."""
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(condition), PATIENCE)

    def answer(self, stream_id: int) -> Answer:
        return self.answers.setdefault(stream_id, Answer())

    # -- Requests ----------------------------------------------------------------------------------------------------

    def open(
        self, method: str = "GET", path: str = "/", headers: Iterable[tuple[str, str]] = (), *, is_end: bool = True
    ) -> int:
        """Send the head of a request; returns the number of its stream."""
        fields = [
            (b":method", method.encode()),
            (b":scheme", b"https"),
            (b":authority", self.authority),
            (b":path", path.encode()),
        ]
        if method == "HEAD":
            self.http.heads |= {self._quic.get_next_available_stream_id()}
        return self.open_raw([*fields, *((name.encode(), value.encode()) for name, value in headers)], is_end=is_end)

    def open_raw(self, fields: list[tuple[bytes, bytes]], *, is_end: bool = True) -> int:
        stream_id = self._quic.get_next_available_stream_id()
        self.http.send_headers(stream_id, fields, end_stream=is_end)
        self.transmit()
        return stream_id

    def write(self, stream_id: int, data: bytes = b"", *, is_end: bool = False) -> None:
        """Send a piece of a body."""
        self.http.send_data(stream_id, data, is_end)
        self.transmit()

    def send_bytes(self, stream_id: int | None, data: bytes, *, is_end: bool = False, uni: bool = False) -> int:
        """Send bytes on a stream, whatever they mean."""
        if stream_id is None:
            stream_id = self._quic.get_next_available_stream_id(is_unidirectional=uni)
        self._quic.send_stream_data(stream_id, data, is_end)
        self.transmit()
        return stream_id

    def cancel(self, stream_id: int) -> None:
        """Take a request back."""
        self._quic.reset_stream(stream_id, REQUEST_CANCELLED)
        self._quic.stop_stream(stream_id, REQUEST_CANCELLED)
        self.transmit()

    async def ended(self, stream_id: int) -> Answer:
        """Wait until a stream has ended, in whatever way."""
        answer = self.answer(stream_id)
        await self.until(lambda: answer.is_complete or answer.reset is not None or self.terminated is not None)
        return answer

    async def request(
        self, method: str, path: str = "/", headers: Iterable[tuple[str, str]] = (), body: bytes | None = None
    ) -> Answer:
        """Send a request and wait for its response."""
        stream_id = self.open(method, path, headers, is_end=body is None)
        if body is not None:
            self.write(stream_id, body, is_end=True)
        return await self.ended(stream_id)

    async def get(self, path: str = "/", headers: Iterable[tuple[str, str]] = ()) -> Answer:
        return await self.request("GET", path, headers)

    async def until_terminated(self) -> ConnectionTerminated:
        """Wait until the server has closed the connection."""
        await self.until(lambda: self.terminated is not None)
        assert self.terminated is not None
        return self.terminated


@dataclass
class Certificate:
    """Files of a certificate for localhost."""

    chain: Path
    key: Path
    authority: Path

    @property
    def option(self) -> dict[str, str]:
        return {"cert": str(self.chain), "key": str(self.key)}

    @classmethod
    def make(cls, directory: Path) -> Certificate:
        authority = trustme.CA()
        issued = authority.issue_cert("localhost", "127.0.0.1")
        made = cls(directory / "fullchain.pem", directory / "privkey.pem", directory / "authority.pem")
        for blob in issued.cert_chain_pems:
            blob.write_to_path(str(made.chain), append=True)
        issued.private_key_pem.write_to_path(str(made.key))
        authority.cert_pem.write_to_path(str(made.authority))
        return made


@asynccontextmanager
async def connected(port: int | None, certificate: Certificate, **options: Any) -> AsyncIterator[Client]:
    """Connect to a server on this machine."""
    configuration = QuicConfiguration(
        is_client=True, alpn_protocols=["h3"], verify_mode=ssl.CERT_REQUIRED, server_name="localhost", **options
    )
    configuration.load_verify_locations(str(certificate.authority))
    async with connect("127.0.0.1", port or 0, configuration=configuration, create_protocol=Client) as client:
        assert isinstance(client, Client)
        client.authority = f"localhost:{port}".encode()
        yield client


@asynccontextmanager
async def serving(app: Sanic[Any, Any], certificate: Certificate, **options: Any) -> AsyncIterator[AsyncioServer]:
    """Serve an app with HTTP/3 on a free port."""
    from sanic.http import HTTP
    from sanic.server import serve

    options = {"ssl": certificate.option, "port": 0, **options}
    server = serve("127.0.0.1", app=app, version=HTTP.VERSION_3, run_async=True, **options)
    assert server is not None
    await server
    try:
        yield server
    finally:
        await server.close()
