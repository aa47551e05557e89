"""Clients that send requests one after the other, and count those that got no answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.harness import FramingError, read_response

PATIENCE = 10.0


class Load:
    """What the clients have seen so far."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self.lost: list[str] = []
        #: The last answer on each connection that was lost in the midst of a request; empty where there was none.
        self.lost_with: list[str] = []
        self._answered = asyncio.Event()
        self.is_over = False

    @property
    def count(self) -> int:
        return self.answers.total()

    def add(self, body: str) -> None:
        self.answers[body] += 1
        self._answered.set()

    async def until(self, count: int) -> None:
        """Wait until so many more requests are answered."""
        target = self.count + count
        while self.count < target:
            self._answered.clear()
            await asyncio.wait_for(self._answered.wait(), PATIENCE)


async def _client(load: Load, host: str, port: int, request: bytes) -> None:
    while not load.is_over:
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError as error:
            load.lost.append(f"connect: {error!r}")
            continue
        last = ""
        try:
            is_open = True
            while is_open and not load.is_over:
                writer.write(request)
                response = await asyncio.wait_for(read_response(reader), PATIENCE)
                if response.status != 200:
                    load.lost.append(f"status {response.status}")
                last = response.body.decode()
                load.add(last)
                is_open = response.get("connection") != "close" and b"connection: close" not in request
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, FramingError) as error:
            load.lost.append(repr(error))
            load.lost_with.append(last)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def steady_load(
    host: str, port: int, path: str = "/", clients: int = 4, method: str = "GET"
) -> AsyncIterator[Load]:
    """Keep a server busy while a block lasts: half of the clients keep their connections, half do not."""
    load = Load()
    # A length goes with POST, even 0 (RFC 9110 section 8.6).
    head = f"{method} {path} HTTP/1.1\r\nhost: {host}\r\n" + ("content-length: 0\r\n" if method == "POST" else "")
    keeping = f"{head}\r\n".encode()
    closing = f"{head}connection: close\r\n\r\n".encode()
    tasks = [asyncio.create_task(_client(load, host, port, (keeping, closing)[n % 2])) for n in range(clients)]
    try:
        yield load
    finally:
        load.is_over = True
        await asyncio.gather(*tasks)
