"""A fleet of workers behind nginx, under load: what is lost when its processes are replaced, or killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.deployment.nginx import documented, listen, needs_nginx, nginx
from tests.processes import PATIENCE, Program, running
from tests.worker.load import Load, steady_load

pytestmark = [pytest.mark.e2e, needs_nginx]

FLEET = """
@app.get("/pid")
async def pid(request):
    # Requests are under way whenever a worker is told to end.
    await asyncio.sleep(0.005)
    return text(str(os.getpid()))


@app.post("/order")
async def order(request):
    await asyncio.sleep(0.005)
    return text(str(os.getpid()))


@app.websocket("/feed")
async def feed(request, ws):
    async for message in ws:
        await ws.send(message)


if __name__ == "__main__":
    address = {"unix": sys.argv[1]} if len(sys.argv) > 1 else {"port": 0}
    app.run(**address, workers=2, access_log=False)
"""


def site(upstream: str, port: int) -> str:
    """The documented connections to the app, for clients without TLS."""
    connections, cut, _ = documented("shop.conf", {"unix:/run/shop/app.sock": upstream}).partition("# Whoever asks for")
    assert cut
    location = "location / { include sanic-proxy.conf; proxy_pass http://shop; }"
    return f"{connections} server {{ listen 127.0.0.1:{port}; {location} }}"


@asynccontextmanager
async def fleet_behind_nginx(directory: Path, is_unix: bool = True) -> AsyncIterator[tuple[Program, int]]:
    """Two workers, nginx in front of them, and its port."""
    prefix = directory / "nginx"
    prefix.mkdir()
    (prefix / "sanic-proxy.conf").write_text(documented("sanic-proxy.conf", {}))
    path = str(directory / "app.sock")
    async with running(FLEET, *([path] if is_unix else []), directory=directory) as program:
        upstream = f"unix:{path}"
        if not is_unix:
            upstream = (await program.line(r"Goin' Fast @ (\S+)")).removeprefix("http://")
        await ready(program)
        sock, port = listen()
        async with nginx(site(upstream, port), prefix, sock):
            yield program, port


def pids(program: Program) -> list[int]:
    return [int(line.rpartition("[")[2].rstrip("]")) for line in program.lines if "Worker ready [" in line]


async def ready(program: Program, count: int = 2) -> None:
    for _ in range(count):
        await program.line("Worker ready")


async def both(gets: Load, posts: Load, count: int) -> None:
    await asyncio.gather(gets.until(count), posts.until(count))


@pytest.mark.parametrize("is_unix", [True, False], ids=["unix", "tcp"])
async def test_replacing_all_workers_loses_no_request_of_nginx(tmp_path: Path, is_unix: bool) -> None:
    async with fleet_behind_nginx(tmp_path, is_unix) as (program, port):
        async with (
            steady_load("127.0.0.1", port, "/pid") as gets,
            steady_load("127.0.0.1", port, "/order", method="POST") as posts,
        ):
            for generation in range(1, 4):
                await both(gets, posts, 100)
                program.send(signal.SIGHUP)
                await ready(program)
                while program.output.count("Worker complete") < 2 * generation:
                    await program.line("Worker complete")
            await both(gets, posts, 100)
        assert (gets.lost, posts.lost) == ([], [])
        assert len(gets.answers) >= 6
        assert {int(pid) for pid in gets.answers} <= set(pids(program))
        assert await program.stop() == 0


async def test_a_worker_that_is_killed_takes_at_most_its_own_requests_along(tmp_path: Path) -> None:
    async with fleet_behind_nginx(tmp_path) as (program, port):
        async with (
            steady_load("127.0.0.1", port, "/pid") as gets,
            steady_load("127.0.0.1", port, "/order", method="POST") as posts,
        ):
            await both(gets, posts, 100)
            os.kill(pids(program)[0], signal.SIGKILL)
            await ready(program, 1)
            await both(gets, posts, 100)
        # Four clients each: so many requests it can have held. What was not sent yet, nginx gives to the other worker.
        assert len(gets.lost) <= 4
        assert len(posts.lost) <= 4
        assert set(gets.lost + posts.lost) <= {"status 502"}
        assert await program.stop() == 0


async def test_websockets_hear_of_the_end_through_nginx(tmp_path: Path) -> None:
    async with fleet_behind_nginx(tmp_path) as (program, port):
        async with connect(f"ws://127.0.0.1:{port}/feed", proxy=None) as ws:
            await ws.send("hello")
            assert await ws.recv() == "hello"
            program.send(signal.SIGHUP)
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(ws.recv(), PATIENCE)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
        await ready(program)
        assert await program.stop() == 0
