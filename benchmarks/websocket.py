"""Websocket echo: messages per second, and processor time per message, of servers side by side in one run.

    python benchmarks/websocket.py --peer /path/to/other/python

Each server runs an echo handler in a process of its own. The client is a bare one: it sends frames made beforehand on
64 connections, one message on its way on each, and looks at no more than the size of what comes back. Servers take
turns, several rounds each, and the best round counts: other work on the machine can only slow a round down.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_SANIC = """
import sys
from sanic import Sanic
app = Sanic("echo")
app.config.ACCESS_LOG = False
@app.websocket("/")
async def echo(request, ws):
    while True:
        await ws.send(await ws.recv())
if __name__ == "__main__":
    app.run(port=int(sys.argv[1]), single_process=True, motd=False, access_log=False)
"""

_UVICORN = """
import sys
import uvicorn
async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] != "websocket.receive":
            return
        await send({"type": "websocket.send", "text": message["text"]})
uvicorn.run(app, port=int(sys.argv[1]), ws="websockets-sansio", log_level="error", lifespan="off",
            ws_per_message_deflate=False)
"""

_HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Round(NamedTuple):
    """What one round of one server has shown: messages per second, and microseconds of its processor per message."""

    rate: float
    processor: float


class _Client(asyncio.Protocol):
    # One connection that sends its frame again whenever the echo has come.

    def __init__(self, frame: bytes, size: int, ready: Callable[[], None]) -> None:
        self.frame = frame
        self.size = size
        self.ready = ready
        self.waiting = -1
        self.count = 0
        self.is_over = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.transport.write(_HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        if self.waiting < 0:
            if b" 101 " not in data.partition(b"\r\n")[0]:
                raise ConnectionError(f"The handshake was refused: {data!r}")
            self.waiting = self.size
            self.ready()
            return
        self.waiting -= len(data)
        if self.waiting == 0:
            self.waiting = self.size
            self.count += 1
            if not self.is_over:
                self.transport.write(self.frame)


def _masked(payload: bytes) -> bytes:
    mask = b"\x11\x22\x33\x44"
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else bytes((0x81, 0xFE)) + size.to_bytes(2, "big")
    return head + mask + masked


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _measure(port: int, process: int, connections: int, size: int, seconds: float) -> Round:
    loop = asyncio.get_running_loop()
    payload = b"x" * size
    answer = size + (2 if size < 126 else 4)
    everybody = loop.create_future()
    missing = connections

    def ready() -> None:
        nonlocal missing
        missing -= 1
        if not missing:
            everybody.set_result(None)

    clients = []
    for _ in range(connections):
        _, client = await loop.create_connection(lambda: _Client(_masked(payload), answer, ready), "127.0.0.1", port)
        clients.append(client)
    await asyncio.wait_for(everybody, 10)
    for client in clients:
        client.transport.write(client.frame)
    await asyncio.sleep(0.3)
    before, started, processor = sum(c.count for c in clients), loop.time(), _processor_seconds(process)
    await asyncio.sleep(seconds)
    count, elapsed = sum(c.count for c in clients) - before, loop.time() - started
    processor = _processor_seconds(process) - processor
    for client in clients:
        client.is_over = True
        client.transport.abort()
    return Round(count / elapsed, processor / count * 1e6)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _start(python: str, source: str, directory: str) -> tuple[subprocess.Popen[bytes], int]:
    port = _free_port()
    path = Path(directory, f"server_{port}.py")
    path.write_text(source)
    process = subprocess.Popen([python, str(path), str(port)], cwd=directory, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not _is_listening(port):
        if time.monotonic() > deadline or process.poll() is not None:
            process.terminate()
            raise SystemExit(f"{path} did not start to serve.")
        time.sleep(0.1)
    return process, port


def _is_listening(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", metavar="PYTHON", help="an interpreter with another sanic")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--size", type=int, default=16, help="bytes of a message")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    servers = {"sanic": (sys.executable, _SANIC), "uvicorn": (sys.executable, _UVICORN)}
    if options.peer:
        servers["peer"] = (options.peer, _SANIC)
    directory = tempfile.mkdtemp()
    rounds: dict[str, list[Round]] = {name: [] for name in servers}
    running = {}
    try:
        for name, (python, source) in servers.items():
            running[name] = _start(python, source, directory)
        try:
            import uvloop
        except ImportError:
            run = asyncio.run
        else:
            run = uvloop.run
        for _ in range(options.rounds):
            for name, (process, port) in running.items():
                rounds[name].append(
                    run(_measure(port, process.pid, options.connections, options.size, options.seconds))
                )
    finally:
        for process, _ in running.values():
            process.terminate()
        for process, _ in running.values():
            process.wait(10)
        shutil.rmtree(directory)
    ours = max(one.rate for one in rounds["sanic"])
    print(f"{options.size} bytes, {options.connections} connections")
    print(f"{'server':10} {'messages/s':>12} {'us/message':>12} {'median':>8} {'sanic is':>10}")
    for name, results in rounds.items():
        best = max(one.rate for one in results)
        processor = [one.processor for one in results]
        print(f"{name:10} {best:12.0f} {min(processor):12.2f} {statistics.median(processor):8.2f} {ours / best:9.2f}x")


if __name__ == "__main__":
    main()
