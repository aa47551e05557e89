"""The end of a server in its order: not ready, still serving, closed, what runs is finished, what stays is cut."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import websockets

from sanic import Sanic, text
from tests.harness import Response, read_response
from tests.processes import PATIENCE, Program, get, running

READY = """
@app.get("/ready")
async def ready(request):
    return text("ready" if app.state.is_ready else "not ready", 200 if app.state.is_ready else 503)

app.config.DRAIN_SECONDS = 1.5
"""

SINGLE = """
app.run(port=0, single_process=True, access_log=False)
"""

FLEET = """
if __name__ == "__main__":
    app.run(port=0, workers=2, access_log=False)
"""


async def ask(url: str, path: str = "/") -> Response:
    """Ask on a connection that the server may keep open as far as we are concerned."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: {address.netloc}\r\n\r\n".encode())
        return await asyncio.wait_for(read_response(reader), PATIENCE)
    finally:
        writer.close()


async def until_unready(url: str) -> None:
    while (await get(url, "/ready")).status_code == 200:  # noqa: ASYNC110 - what a load balancer does
        await asyncio.sleep(0.02)


async def until_refused(url: str) -> None:
    while True:
        try:
            await ask(url)
        except (OSError, asyncio.IncompleteReadError):
            return
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("way", [SINGLE, FLEET], ids=["single", "workers"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_server_that_is_told_to_stop_is_not_ready_but_serves_on_for_a_while(
    tmp_path: Path, way: str, number: int
) -> None:
    async with running(READY + way, directory=tmp_path) as program:
        url = await program.url()
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        request = f"GET / HTTP/1.1\r\nhost: {address.netloc}\r\n\r\n".encode()
        writer.write(request)
        assert (await read_response(reader)).get("connection") == "keep-alive"
        assert (await get(url, "/ready")).text == "ready"
        began = time.monotonic()
        program.send(number)
        await asyncio.wait_for(until_unready(url), PATIENCE)
        for _ in range(5):
            answer = await ask(url)
            assert (answer.status, answer.get("connection")) == (200, "close")
        writer.write(request)
        last = await read_response(reader)
        assert (last.status, last.get("connection")) == (200, "close")
        assert await reader.read() == b""
        writer.close()
        await asyncio.wait_for(until_refused(url), PATIENCE)
        assert time.monotonic() - began > 1.2
        assert await program.end() == 0
        assert "Traceback" not in program.output


async def test_a_second_interrupt_cuts_it_short(tmp_path: Path) -> None:
    async with running(READY + "app.config.DRAIN_SECONDS = 3600\n" + SINGLE, directory=tmp_path) as program:
        url = await program.url()
        program.send(signal.SIGINT)
        await asyncio.wait_for(until_unready(url), PATIENCE)
        assert await program.stop(signal.SIGINT, timeout=5) == 0


async def test_workers_that_are_replaced_are_as_ready_as_before_and_do_not_wait(tmp_path: Path) -> None:
    async with running(READY + "app.config.DRAIN_SECONDS = 3600\n" + FLEET, directory=tmp_path) as program:
        url = await program.line(r"Goin' Fast @ (\S+)")
        for _ in range(2):
            await program.line("Worker ready")
        program.send(signal.SIGHUP)
        completed = asyncio.create_task(_completed(program, 2))
        while not completed.done():
            assert (await get(url, "/ready")).text == "ready"
        await completed
        program.send(signal.SIGTERM)
        await asyncio.wait_for(until_unready(url), PATIENCE)
        # In a hurry, after all; not at once, since a signal to the group and to its first process are one wish.
        await asyncio.sleep(0.4)
        assert await program.stop(signal.SIGTERM, timeout=5) == 1


async def _completed(program: Program, count: int) -> None:
    for _ in range(count):
        await program.line("Worker complete")


ORDER = """
async def background():
    try:
        await asyncio.sleep(3600)
    finally:
        print("task cancelled", flush=True)

app.add_task(background())

for number in (1, 2):
    for event in ("before_server_stop", "after_server_stop"):
        def listener(app, event=event, number=number):
            print(event, number, app.state.is_ready, flush=True)
        app.register_listener(listener, event)

@app.get("/stream")
async def stream(request):
    response = await request.respond(content_type="text/plain")
    await response.send("begun ")
    await asyncio.sleep(1)
    await response.send("finished")
    await response.eof()
    print("stream finished", flush=True)

@app.websocket("/socket")
async def socket(request, ws):
    await ws.send("open")
    try:
        await ws.wait_for_connection_lost()
    finally:
        print("socket closed", flush=True)
"""


async def test_the_end_has_its_order(tmp_path: Path) -> None:
    async with running(READY + ORDER + SINGLE, directory=tmp_path) as program:
        url = await program.url()
        async with (
            websockets.connect(url.replace("http", "ws") + "/socket") as socket,
            httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client,
        ):
            assert await socket.recv() == "open"
            program.send(signal.SIGTERM)
            await asyncio.wait_for(until_unready(url), PATIENCE)
            # A websocket that is open stays so, as long as the server serves on.
            await (await socket.ping())
            async with client.stream("GET", url + "/stream") as response:
                pieces = response.aiter_text()
                assert await anext(pieces) == "begun "
                assert response.headers["connection"] == "close"
                await program.line("before_server_stop 2 False")
                await program.line("before_server_stop 1 False")
                with pytest.raises(websockets.ConnectionClosed):
                    await socket.recv()
                assert socket.close_code == 1001
        assert await program.end() == 0
    told = [line for line in program.lines if line.split()[0] in ("socket", "task", "after_server_stop", "stream")]
    assert told[-3:] == ["task cancelled", "after_server_stop 2 False", "after_server_stop 1 False"]
    assert sorted(told[:-3]) == ["socket closed", "stream finished"]


async def test_one_deadline_bounds_all_of_the_end(tmp_path: Path) -> None:
    source = """
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 2

    async def stubborn(app):
        await asyncio.sleep(3600)

    for event in ("before_server_stop", "before_server_stop", "after_server_stop", "after_server_stop"):
        app.register_listener(lambda app: stubborn(app), event)

    @app.get("/slow")
    async def slow(request):
        print("begun", flush=True)
        await asyncio.sleep(3600)
    """
    async with running(dedent(source) + SINGLE, directory=tmp_path) as program:
        url = await program.url()
        request = asyncio.create_task(get(url, "/slow"))
        await program.line("begun")
        began = time.monotonic()
        assert await program.stop() == 0
        # Nothing of it has ended by itself: the timeout, the least that the last listeners have, and a little.
        assert time.monotonic() - began < 8
        with pytest.raises(httpx.HTTPError):
            await request


@pytest.fixture
def app(app: Sanic[Any, Any]) -> Sanic[Any, Any]:
    app.get("/")(lambda request: text(str(app.state.is_ready)))
    return app


async def test_a_server_in_a_loop_of_ones_own_is_ready_until_it_is_told_to_close(app: Sanic[Any, Any]) -> None:
    assert not app.state.is_ready
    seen: list[bool] = []
    app.before_server_start(lambda app: seen.append(app.state.is_ready))
    app.after_server_start(lambda app: seen.append(app.state.is_ready))
    app.before_server_stop(lambda app: seen.append(app.state.is_ready))
    async with app.serving(port=0) as server:
        assert (await get(server.url)).text == "True"
    assert seen == [False, True, False]
    assert not app.state.is_ready


async def test_an_application_is_ready_as_long_as_one_of_its_servers_is(app: Sanic[Any, Any]) -> None:
    first = await app.create_server(port=0, asyncio_server_kwargs={"start_serving": False})
    await first.startup()
    second = await app.create_server(port=0, asyncio_server_kwargs={"start_serving": False})
    assert not app.state.is_ready
    await first.start_serving()
    await second.start_serving()
    first.close()
    assert app.state.is_ready
    closing = second.close()
    assert not app.state.is_ready
    await closing
    await first.wait_closed()


async def test_an_application_whose_listener_hangs_does_not_keep_those_of_another_from_running(tmp_path: Path) -> None:
    source = """
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 0.5
    other = Sanic("other")
    other.add_route(lambda request: text("other"), "/", name="index")

    @app.before_server_stop
    @app.after_server_stop
    async def last(app):
        print("last", flush=True)

    @other.before_server_stop
    @other.after_server_stop
    async def hang(app):
        await asyncio.sleep(3600)

    app.prepare(port=0, single_process=True)
    other.prepare(port=0, single_process=True)
    Sanic.serve_single(primary=app)
    """
    async with running(dedent(source), directory=tmp_path) as program:
        await program.url()
        assert await program.stop() == 0
        assert program.lines.count("last") == 2
