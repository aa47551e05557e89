"""A connection without a socket: bytes in, bytes out, and whether it was closed.

`Wire` stands where the event loop's transport stands, so that a message can be cut anywhere, thousands of times, and
nothing has to be waited for. What sockets alone can show is tested with sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sanic.server import HttpProtocol
from tests.harness import turns

if TYPE_CHECKING:
    from sanic import Sanic


class Wire(asyncio.Transport):
    """The transport of one connection, and its client in one."""

    def __init__(self, app: Sanic[Any, Any], **options: Any) -> None:
        super().__init__()
        self.loop = asyncio.get_running_loop()
        self.sent = bytearray()
        self.is_closed = self.is_aborted = self.has_sent_eof = False
        self.is_reading_held = False
        self.protocol = HttpProtocol(loop=self.loop, app=app, **options)
        self.protocol.connection_made(self)

    async def feed(self, pieces: Iterable[bytes]) -> None:
        """Have the connection receive pieces, with time to act on each."""
        for piece in pieces:
            if self.is_closed:
                break
            self.protocol.data_received(piece)
            await turns(4)

    async def settle(self) -> None:
        """Wait until nothing more happens."""
        quiet = 0
        while quiet < 12 and not self.is_closed:
            size = len(self.sent)
            await turns(1)
            quiet = 0 if len(self.sent) != size else quiet + 1
        if self.has_sent_eof and not self.is_closed:
            # The client has read the end, and closes too.
            self.protocol.eof_received()
            await turns(2)

    # -- What a protocol asks of its transport -----------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.is_closed:
            self.sent += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.has_sent_eof = True

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self.loop.call_soon(self.protocol.connection_lost, None)

    def abort(self) -> None:
        self.is_aborted = True
        self.close()

    def pause_reading(self) -> None:
        self.is_reading_held = True

    def resume_reading(self) -> None:
        self.is_reading_held = False

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 50000) if name in ("peername", "sockname") else default
