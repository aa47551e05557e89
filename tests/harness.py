"""A real server on a loopback port, inside the event loop of the test, and raw clients to talk to it.

`serving(app)` uses what a user would use, `app.create_server()` and the object it returns; it knows nothing of the
server's insides. The response reader is a small strict one of its own, so that framing is judged from outside.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from sanic import Sanic

LIMIT = 2**24
"""Bytes that a client buffers before it stops reading."""


class FramingError(AssertionError):
    """The server sent something that is not a well-formed HTTP/1.1 response."""


@dataclass
class Response:
    """One response as read from the wire; header names in lower case, in the order they were sent."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    version: str = "1.1"
    trailers: list[tuple[str, str]] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """The only value of a header, None when it is absent."""
        values = self.get_all(name)
        if len(values) > 1:
            raise FramingError(f"{name} was sent {len(values)} times: {values}")
        return values[0] if values else None

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    @property
    def text(self) -> str:
        return self.body.decode()


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    line = await reader.readuntil(b"\n")
    if not line.endswith(b"\r\n"):
        raise FramingError(f"a line does not end with CRLF: {line!r}")
    return line[:-2]


async def _read_fields(reader: asyncio.StreamReader) -> list[tuple[str, str]]:
    fields = []
    while line := await _read_line(reader):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name or name != name.strip():
            raise FramingError(f"not a header line: {line!r}")
        fields.append((name.lower(), value.strip(" \t")))
    return fields


async def read_response(reader: asyncio.StreamReader, method: str = "GET") -> Response:
    """Read one response, interim ones (1xx) included; `method` is that of the request it answers.

    Raises:
        FramingError: What came is not a response.
        asyncio.IncompleteReadError: The connection ended in its midst, or before it (then `partial` is empty).
    """
    line = await _read_line(reader)
    version, _, rest = line.decode("latin-1").partition(" ")
    status, _, reason = rest.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or len(status) != 3 or not status.isdigit():
        raise FramingError(f"not a status line: {line!r}")
    response = Response(int(status), reason, await _read_fields(reader), version=version[5:])
    coding, length = response.get("transfer-encoding"), response.get("content-length")
    if coding is not None and length is not None:
        raise FramingError("both transfer-encoding and content-length were sent")
    # RFC 9112, section 6.3: how the length of a body is known, in this order.
    if method == "HEAD" or response.status < 200 or response.status in (204, 304):
        return response
    if coding is not None:
        if coding != "chunked":
            raise FramingError(f"unknown transfer coding {coding!r}")
        await _read_chunks(reader, response)
    elif length is not None:
        response.body = await reader.readexactly(int(length))
    else:
        response.body = await reader.read()
    return response


async def _read_chunks(reader: asyncio.StreamReader, response: Response) -> None:
    body = bytearray()
    while size := int(await _read_line(reader), 16):
        body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise FramingError("a chunk does not end with CRLF")
    response.trailers = await _read_fields(reader)
    response.body = bytes(body)


async def responses_in(data: bytes, *methods: str) -> list[Response]:
    """All responses in what a connection has sent; `methods` are those of the requests, GET for what is not named."""
    reader = asyncio.StreamReader(limit=LIMIT)
    reader.feed_data(data)
    reader.feed_eof()
    wanted = iter(methods)
    responses = []
    method = next(wanted, "GET")
    while not reader.at_eof():
        response = await read_response(reader, method)
        responses.append(response)
        if response.status >= 200:
            method = next(wanted, "GET")
    return responses


def cut(data: bytes, pieces: int | Sequence[int] | None) -> Iterator[bytes]:
    """Cut data into pieces of one size, or at the given offsets."""
    if pieces is None:
        offsets: list[int] = []
    elif isinstance(pieces, int):
        offsets = list(range(pieces, len(data), pieces))
    else:
        offsets = list(pieces)
    for begin, end in zip([0, *offsets], [*offsets, len(data)], strict=True):
        if begin != end:
            yield data[begin:end]


@dataclass
class Connection:
    """The client's end of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes, *, pieces: int | Sequence[int] | None = None) -> None:
        """Send data, each piece as a read of its own for a server in the same loop."""
        for piece in cut(data, pieces):
            self.writer.write(piece)
            await self.writer.drain()
            if pieces is not None:
                await turns()

    async def response(self, method: str = "GET", *, timeout: float = 5) -> Response:
        return await asyncio.wait_for(read_response(self.reader, method), timeout)

    def half_close(self) -> None:
        """Say that nothing more will be sent, and go on reading."""
        self.writer.write_eof()

    async def read_until_closed(self, *, timeout: float = 5) -> bytes:
        """Everything until the server closes; a reset counts as a close."""
        received = bytearray()

        async def read() -> None:
            try:
                while data := await self.reader.read(65536):
                    received.extend(data)
            except ConnectionError:
                pass

        try:
            await asyncio.wait_for(read(), timeout)
        except asyncio.TimeoutError:
            raise AssertionError(
                f"the server kept the connection open for {timeout} s after sending {bytes(received)!r}"
            ) from None
        return bytes(received)


async def turns(count: int = 3) -> None:
    """Let everything else in this event loop take its turn."""
    for _ in range(count):
        await asyncio.sleep(0)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses at the moment, for packages that cannot be given port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RunningServer:
    """A server that accepts connections; made by `serving`."""

    def __init__(self, app: Sanic[Any, Any], server: Any, unix: str | None, scheme: str) -> None:
        self.app = app
        self.server = server
        self.unix = unix
        self.scheme = scheme
        self.client: httpx.AsyncClient | None = None

    @property
    def port(self) -> int:
        port: int = self.server.server.sockets[0].getsockname()[1]
        return port

    @property
    def host(self) -> str:
        """What a client sends as Host."""
        return "localhost" if self.unix else f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}"

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        """Open a connection; it is aborted at the end if it is still open."""
        if self.unix:
            reader, writer = await asyncio.open_unix_connection(self.unix, limit=LIMIT)
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=LIMIT)
        try:
            yield Connection(reader, writer)
        finally:
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def send_raw(
        self,
        data: bytes,
        *,
        pieces: int | Sequence[int] | None = None,
        half_close: bool = False,
        timeout: float = 5,
    ) -> bytes:
        """Send bytes on a new connection and return all bytes that come back until the server closes it.

        Args:
            data: What to send.
            pieces: Size of the pieces to send it in, or the offsets to cut it at.
            half_close: Close the sending side after the last byte.
            timeout: Seconds to wait for the server to close.

        Raises:
            AssertionError: The server did not close in time; tells what it had sent until then.
        """
        async with self.connect() as connection:
            try:
                await connection.send(data, pieces=pieces)
                if half_close:
                    connection.half_close()
            except (ConnectionError, RuntimeError):
                # The server may refuse a message before it has all of it.
                pass
            return await connection.read_until_closed(timeout=timeout)

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request with httpx; the options are those of `httpx.AsyncClient.request`."""
        if self.client is None:
            transport = httpx.AsyncHTTPTransport(uds=self.unix, verify=False)
            self.client = httpx.AsyncClient(transport=transport, base_url=self.url, trust_env=False)
        return await self.client.request(method, path, **options)

    async def get(self, path: str = "/", **options: Any) -> httpx.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str = "/", **options: Any) -> httpx.Response:
        return await self.request("POST", path, **options)

    async def disconnect(self) -> None:
        """Close the connections that `request` has kept open."""
        if self.client is not None:
            await self.client.aclose()
            self.client = None


@asynccontextmanager
async def serving(app: Sanic[Any, Any], *, unix: str | None = None, **options: Any) -> AsyncIterator[RunningServer]:
    """Serve an app on a free port of 127.0.0.1, or on a unix socket, while the block runs.

    The options are those of `app.create_server`.
    """
    address: dict[str, Any] = {"unix": unix} if unix else {"host": "127.0.0.1", "port": 0}
    server = await app.create_server(**address, return_asyncio_server=True, **options)
    if server is None:
        raise AssertionError("create_server returned no server")
    running = RunningServer(app, server, unix, "https" if options.get("ssl") else "http")
    try:
        await server.startup()
        await server.before_start()
        await server.start_serving()
        await server.after_start()
        yield running
        await running.disconnect()
        await server.before_stop()
    finally:
        await running.disconnect()
        await server.close()
    await server.after_stop()
