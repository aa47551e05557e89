"""Large bodies, and clients that are slow or leave, on a server in a process of its own whose memory is measured.

The bounds are generous: what they would catch is a body, or a part of one, that is kept.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness import read_response
from tests.processes import PATIENCE, running

MEBIBYTE = 2**20
GIBIBYTE = 2**30
#: Bytes that the peak of the server's memory may grow by. A body that was kept would take a hundred times as much.
GROWTH = 10 * MEBIBYTE

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
    pytest.mark.timeout(180),
]

SERVER = """
    import gc
    import tempfile

    from sanic import json
    from sanic.response import ResponseStream

    live = 0
    app.config.RESPONSE_TIMEOUT = 300

    def status(key):
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))

    @app.get("/memory")
    async def memory(request):
        gc.collect()
        peak = status("VmHWM:")
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the peak begins anew
        return json({"peak": peak, "now": status("VmRSS:"), "live": live})

    @app.on_request
    async def begin(request):
        global live
        if request.path != "/memory":
            live += 1
            task = asyncio.current_task()
            task.add_done_callback(end)

    def end(task):
        global live
        live -= 1

    @app.route("/count", methods=["POST", "PUT"], stream=True)
    async def count(request):
        size = 0
        async for piece in request.stream:
            size += len(piece)
        return json(size)

    @app.post("/length")
    async def length(request):
        return json(len(request.body))

    @app.post("/held", stream=True)
    async def held(request):
        await asyncio.sleep(1)
        return json(sum([len(piece) async for piece in request.stream]))

    @app.post("/parts", stream=True)
    async def parts(request):
        sizes = []
        async for part in request.multipart():
            with tempfile.TemporaryFile() as file:
                async for piece in part:
                    file.write(piece)
                sizes.append(file.tell())
        return json(sizes)

    @app.get("/download/<size:int>")
    async def download(request, size):
        response = await request.respond(content_type="application/octet-stream")
        piece = bytes(65536)
        for _ in range(size // len(piece)):
            await response.send(piece)
        await response.eof()

    @app.get("/silent")
    async def silent(request):
        response = await request.respond(content_type="text/event-stream")
        await response.send("data: x\\n\\n")
        await asyncio.Event().wait()

    app.run(port=0, single_process=True)
"""


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    async with running(SERVER, directory=tmp_path) as program:
        yield await program.url()
        # Reading on keeps the pipe from filling up; nothing but log lines comes.
        assert await program.stop() == 0, program.output
        assert "Traceback" not in program.output, program.output


async def memory(url: str) -> dict[str, int]:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        state: dict[str, int] = (await client.get(url + "/memory")).json()
        return state


@asynccontextmanager
async def bounded_growth(url: str, growth: int = GROWTH) -> AsyncIterator[None]:
    await memory(url)
    before = (await memory(url))["peak"]
    yield
    after = (await memory(url))["peak"]
    assert after - before < growth, f"memory grew by {(after - before) / MEBIBYTE:.1f} MiB"


async def wait_until_all_have_ended(url: str, timeout: float = PATIENCE) -> None:
    async def look() -> None:
        # The server is another process: asking it is all that can be done.
        while (await memory(url))["live"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    await asyncio.wait_for(look(), timeout)


async def curl(*arguments: str, stdin: Any = None) -> str:
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--show-error", "--fail", *arguments, stdin=stdin, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0
    return output.decode()


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@needs_curl
async def test_curl_uploads_a_gibibyte_of_known_length(url: str, tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as handle:
        handle.truncate(GIBIBYTE)
    async with bounded_growth(url):
        assert await curl("-T", str(file), url + "/count") == str(GIBIBYTE)


@needs_curl
async def test_curl_uploads_a_gibibyte_in_chunks(url: str) -> None:
    source = await asyncio.create_subprocess_exec(
        "head", "-c", str(GIBIBYTE), "/dev/zero", stdout=(pipe := os.pipe())[1]
    )
    os.close(pipe[1])
    async with bounded_growth(url):
        assert await curl("-T", "-", url + "/count", stdin=pipe[0]) == str(GIBIBYTE)
    os.close(pipe[0])
    await source.wait()


@needs_curl
async def test_curl_uploads_a_large_file_in_a_form(url: str, tmp_path: Path) -> None:
    size = 256 * MEBIBYTE
    file = tmp_path / "large"
    with file.open("wb") as handle:
        handle.truncate(size)
    async with bounded_growth(url):
        output = await curl("-F", "title=x", "-F", f"file=@{file}", "-F", f"second=@{file};filename=b", url + "/parts")
    assert output == f"[1,{size},{size}]"


async def test_httpx_streams_a_large_body_both_ways(url: str) -> None:
    size = 128 * MEBIBYTE

    async def pieces() -> AsyncIterator[bytes]:
        piece = bytes(65536)
        for _ in range(size // len(piece)):
            yield piece

    async with bounded_growth(url), httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        assert (await client.post(url + "/count", content=pieces())).json() == size
        received = 0
        async with client.stream("GET", f"{url}/download/{size}") as response:
            async for data in response.aiter_raw():
                received += len(data)
        assert received == size


def raw_client(url: str, path: str, receive_buffer: int = 4096) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    host, _, port = url.removeprefix("http://").partition(":")
    sock.connect((host, int(port)))
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    sock.setblocking(False)
    return sock


async def test_clients_that_hardly_read_take_no_memory(url: str) -> None:
    loop = asyncio.get_running_loop()
    async with bounded_growth(url):
        clients = [raw_client(url, f"/download/{GIBIBYTE}") for _ in range(10)]
        for _ in range(4):
            for client in clients:
                assert len(await loop.sock_recv(client, 1)) == 1
            await asyncio.sleep(0.5)
        assert (await memory(url))["live"] == len(clients)
    for client in clients:
        client.close()
    await wait_until_all_have_ended(url)


@pytest.mark.parametrize("path", [f"/download/{GIBIBYTE}", "/silent"])
async def test_clients_that_vanish_free_everything_at_once(url: str, path: str) -> None:
    loop = asyncio.get_running_loop()
    await memory(url)
    before = 0
    for turn in range(4):
        if turn == 1:
            # What the allocator keeps for the next time is no leak: it does not grow from turn to turn.
            before = (await memory(url))["now"]
        clients = [raw_client(url, path) for _ in range(50)]
        for client in clients:
            while b"\r\n\r\n" not in await loop.sock_recv(client, 65536):
                pass
        assert (await memory(url))["live"] == len(clients)
        for client in clients:
            client.close()
        # A second is what is promised; the rest is for a machine that has other things to do.
        await wait_until_all_have_ended(url, timeout=5)
    assert (await memory(url))["now"] - before < GROWTH


async def test_uploads_that_break_off_free_everything_at_once(url: str) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    await memory(url)
    before = 0
    for turn in range(4):
        if turn == 1:
            before = (await memory(url))["now"]
        writers = []
        for _ in range(20):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n" + bytes(MEBIBYTE))
            await writer.drain()
            writers.append(writer)
        for writer in writers:
            writer.transport.abort()
        await wait_until_all_have_ended(url, timeout=5)
    assert (await memory(url))["now"] - before < GROWTH


@pytest.mark.parametrize("path", ["/length", "/held"])
async def test_a_body_in_tiny_chunks_takes_memory_for_its_bytes_alone(url: str, path: str) -> None:
    count = 500_000
    host, _, port = url.removeprefix("http://").partition(":")
    async with bounded_growth(url):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(100):
            writer.write(b"2\r\nab\r\n" * (count // 100))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        response = await asyncio.wait_for(read_response(reader), PATIENCE)
        writer.close()
    assert response.body == str(2 * count).encode()
