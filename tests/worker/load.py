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
        try:
            is_open = True
            while is_open and not load.is_over:
                writer.write(request)
                response = await asyncio.wait_for(read_response(reader), PATIENCE)
                if response.status != 200:
                    load.lost.append(f"status {response.status}")
                load.add(response.body.decode())
                is_open = response.get("connection") != "close" and b"connection: close" not in request
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, FramingError) as error:
            load.lost.append(repr(error))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def steady_load(host: str, port: int, path: str = "/", clients: int = 4) -> AsyncIterator[Load]:
    """Keep a server busy while a block lasts: half of the clients keep their connections, half do not."""
    load = Load()
    keeping = f"GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode()
    closing = f"GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode()
    tasks = [asyncio.create_task(_client(load, host, port, (keeping, closing)[n % 2])) for n in range(clients)]
    try:
        yield load
    finally:
        load.is_over = True
        await asyncio.gather(*tasks)
