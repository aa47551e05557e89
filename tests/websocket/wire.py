"""Frames as they are on the wire (RFC 6455 section 5.2), written and read without the library that the server uses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.harness import Connection, Response, RunningServer, read_response

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # both from the example of RFC 6455 section 1.3

HANDSHAKE = {
    "Host": "localhost",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}


def handshake(path: str = "/", method: str = "GET", version: str = "1.1", **changed: str | None) -> bytes:
    """A handshake; keywords replace headers (`sec_websocket_key=…`), None leaves one out."""
    headers: dict[str, str | None] = {name.lower(): value for name, value in HANDSHAKE.items()}
    headers.update({name.replace("_", "-"): value for name, value in changed.items()})
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([f"{method} {path} HTTP/{version}", *lines, "\r\n"]).encode()


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True, length: int | None = None
) -> bytes:
    """A frame of a client; `length` is what its header claims, if that is not the truth."""
    size = len(payload) if length is None else length
    bit = 0x80 if masked else 0
    if size < 126:
        head = bytes((bit | size,))
    elif size < 65536:
        head = bytes((bit | 126,)) + size.to_bytes(2, "big")
    else:
        head = bytes((bit | 127,)) + size.to_bytes(8, "big")
    mask = b"\x37\xfa\x21\x3d" if masked else b""
    if masked:
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return bytes(((0x80 if fin else 0) | rsv << 4 | opcode,)) + head + mask + payload


def close_frame(code: int = 1000, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


@dataclass
class Frame:
    """One frame of the server."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0

    @property
    def code(self) -> int:
        """The code of a close."""
        assert self.opcode == CLOSE
        return int.from_bytes(self.payload[:2], "big")


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """Read one frame; the server's are never masked."""
    first, second = await reader.readexactly(2)
    assert not second & 0x80, "a server must not mask (RFC 6455 section 5.1)"
    size = second & 0x7F
    if size >= 126:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
    return Frame(first & 0x0F, await reader.readexactly(size), first >= 0x80, first >> 4 & 7)


class RawWebsocket:
    """The client's end of a websocket, frame by frame."""

    def __init__(self, connection: Connection, response: Response) -> None:
        self.connection = connection
        self.response = response

    async def send(self, data: bytes, *, pieces: int | None = None) -> None:
        await self.connection.send(data, pieces=pieces)

    async def read(self, timeout: float = 5) -> Frame:
        return await asyncio.wait_for(read_frame(self.connection.reader), timeout)

    async def read_close(self, timeout: float = 5) -> int:
        """The code of the close, which must be the next frame."""
        return (await self.read(timeout)).code

    async def read_end(self, timeout: float = 5) -> bytes:
        return await self.connection.read_until_closed(timeout=timeout)


@asynccontextmanager
async def raw_websocket(
    server: RunningServer, path: str = "/", behind: bytes = b"", **changed: str | None
) -> AsyncIterator[RawWebsocket]:
    """Open a websocket; `behind` are bytes that come together with the handshake."""
    async with server.connect() as connection:
        await connection.send(handshake(path, **changed) + behind)
        response = await asyncio.wait_for(read_response(connection.reader), 5)
        assert response.status == 101, response
        yield RawWebsocket(connection, response)
