"""The application under real ASGI servers, as processes of their own, each that is installed."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

TARGET = "tests.asgi.server_app:app"
COMMANDS = {
    "uvicorn": ["-m", "uvicorn", TARGET, "--log-level", "warning", "--uds"],
    "hypercorn": ["-m", "hypercorn", TARGET, "--bind", "unix:{}"],
    "granian": ["-m", "granian", "--interface", "asgi", TARGET, "--uds"],
    "daphne": ["-m", "daphne", TARGET, "-u"],
}
# It has no lifespan, and never closes a connection whose response was broken off.
INCOMPLETE = "daphne"


class Server:
    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.path = str(directory / "socket")
        self.journal = directory / "journal"
        self.log = directory / "log"
        command = [argument.format(self.path) for argument in COMMANDS[name]]
        if command[-1] in ("--uds", "-u"):
            command.append(self.path)
        environment = {**os.environ, "JOURNAL": str(self.journal), "PYTHONWARNINGS": ""}
        environment["SANIC_TRUSTED_PROXIES"] = "unix"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                env=environment,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parents[2],
            )
        asyncio.run(self._until_ready())

    async def _until_ready(self) -> None:
        for _ in range(300):
            if self.process.poll() is not None:
                break
            try:
                _, writer = await asyncio.open_unix_connection(self.path)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            return
        raise AssertionError(f"{self.name} does not serve:\n{self.log.read_text()}")

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=self.path), base_url="http://localhost")

    async def until_noted(self, line: str) -> None:
        for _ in range(200):
            if self.journal.exists() and line in self.journal.read_text().splitlines():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{line!r} is not in the journal: {self.journal.read_text()!r}\n{self.log.read_text()}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module", params=COMMANDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    # Not tmp_path: the path of a socket may have about 100 characters only.
    with tempfile.TemporaryDirectory() as directory:
        server = Server(request.param, Path(directory))
        try:
            yield server
        finally:
            server.stop()
        if server.name != INCOMPLETE:
            assert server.journal.read_text().splitlines()[-1] == "stop"


async def test_requests_are_answered(server: Server) -> None:
    async with server.client() as client:
        answer = await client.get("/")
        assert (answer.status_code, answer.text, answer.headers["x-test"]) == (200, "hello", "1")
        assert answer.headers["content-length"] == "5"
        head = await client.head("/")
        assert (head.status_code, head.text, head.headers["content-length"]) == (200, "", "5")
        assert (await client.get("/nothing")).status_code == 204
        assert (await client.get("/fails")).status_code == 500
        assert (await client.get("/nowhere")).status_code == 404
        echo = await client.post("/echo?a=1", content=b"x" * 200_000)
        assert echo.json() == {"size": 200_000, "args": {"a": ["1"]}}


async def test_a_proxy_that_comes_through_the_unix_socket_is_believed(server: Server) -> None:
    told = {"x-forwarded-for": "6.6.6.6, 203.0.113.7", "x-forwarded-proto": "https", "host": "shop.example"}
    async with server.client() as client:
        assert (await client.get("/who", headers=told)).text == "203.0.113.7 https://shop.example/who"
        assert (await client.get("/who")).text == " http://localhost/who"


async def test_bodies_are_streamed_both_ways(server: Server) -> None:
    async def pieces() -> Any:
        for _ in range(10):
            yield b"x" * 10_000

    async with server.client() as client:
        assert (await client.post("/upload", content=pieces())).text == "100000"
        assert (await client.get("/stream")).text == "0\n1\n2\n"


async def test_a_client_that_leaves_cancels_the_handler(server: Server) -> None:
    _, writer = await asyncio.open_unix_connection(server.path)
    writer.write(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await server.until_noted("slow begins")
    writer.close()
    await server.until_noted("slow is cancelled")


async def test_a_broken_response_looks_broken(server: Server) -> None:
    if server.name == INCOMPLETE:
        pytest.skip(f"{INCOMPLETE} leaves the connection open")
    async with server.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/broken")
        assert (await client.get("/")).status_code == 200


async def test_websockets_carry_messages(server: Server) -> None:
    from websockets.asyncio.client import unix_connect

    async with unix_connect(server.path, "ws://localhost/feed", subprotocols=["one", "two"]) as websocket:  # type: ignore[list-item]
        assert websocket.subprotocol == "two"
        await websocket.send("text")
        assert await websocket.recv() == "text"
        await websocket.send(b"\x00\xff")
        assert await websocket.recv() == b"\x00\xff"
    await server.until_noted("feed ends")


async def test_a_websocket_is_closed_when_its_handler_returns(server: Server) -> None:
    from websockets.asyncio.client import unix_connect

    async with unix_connect(server.path, "ws://localhost/once") as websocket:
        await websocket.send("x")
        assert [message async for message in websocket] == ["x"]
        assert websocket.close_code == 1000


async def test_a_handler_that_only_sends_ends_when_the_client_leaves(server: Server) -> None:
    from websockets.asyncio.client import unix_connect

    async with unix_connect(server.path, "ws://localhost/clock") as websocket:
        assert await websocket.recv() == "tick"
    await server.until_noted("clock ends")


async def test_a_websocket_whose_handler_raises_is_closed_with_1011(server: Server) -> None:
    from websockets.asyncio.client import unix_connect
    from websockets.exceptions import ConnectionClosedError

    async with unix_connect(server.path, "ws://localhost/broken-feed") as websocket:
        with pytest.raises(ConnectionClosedError):
            await asyncio.wait_for(websocket.recv(), 10)
        assert websocket.close_code == 1011


async def test_a_websocket_without_route_is_refused(server: Server) -> None:
    from websockets.asyncio.client import unix_connect
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus) as caught:
        async with unix_connect(server.path, "ws://localhost/nowhere"):
            pass

    # 403 where the server knows of no other answer to a handshake.
    assert caught.value.response.status_code in (403, 404)
