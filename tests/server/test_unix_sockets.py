"""Unix sockets of a server with worker processes; those of a single process stand in `test_running`."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.certificates import client_context, write_certificate
from tests.processes import PATIENCE, get, running

SOURCE = """
@app.get("/about")
async def about(request):
    return text(f"{os.getppid()} {request.ip!r} {request.conn_info.server}")


if __name__ == "__main__":
    app.run(unix="app.sock", workers=2)
"""


async def about(path: Path) -> list[str]:
    return (await get("http://localhost", "/about", unix=str(path))).text.split(" ")


async def test_workers_share_a_unix_socket_that_is_open_to_all_and_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    async with running(SOURCE, directory=tmp_path) as program:
        for _ in range(2):
            await program.line("Worker ready")
        assert f"Goin' Fast @ {path} http://..." in program.output
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        assert await about(path) == [str(program.process.pid), "''", str(path)]
        assert await program.stop() == 0
        assert os.listdir(tmp_path) == ["program.py"]


@pytest.mark.e2e
async def test_the_unix_socket_stays_when_workers_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    async with running(SOURCE, directory=tmp_path) as program:
        for _ in range(2):
            await program.line("Worker ready")
        inode = path.stat().st_ino
        program.send(signal.SIGHUP)
        for _ in range(4):
            await program.line("Worker (ready|complete)")
        assert (await about(path))[0] == str(program.process.pid)
        assert path.stat().st_ino == inode
        assert await program.stop() == 0
        assert not path.exists()


@pytest.mark.e2e
async def test_a_server_takes_the_unix_socket_of_another_over_and_no_request_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    seen: list[str] = []
    is_over = asyncio.Event()

    async def ask() -> None:
        while not is_over.is_set():
            seen.append((await about(path))[0])

    async with running(SOURCE, directory=tmp_path) as first:
        for _ in range(2):
            await first.line("Worker ready")
        asking = asyncio.create_task(ask())
        try:
            async with running(SOURCE, directory=tmp_path) as second:
                for _ in range(2):
                    await second.line("Worker ready")
                assert await first.stop() == 0
                # The first one has left what belongs to the second one.
                assert (await about(path))[0] == str(second.process.pid)
                is_over.set()
                await asyncio.wait_for(asking, PATIENCE)
                assert await second.stop() == 0
        finally:
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
    assert {seen[0], seen[-1]} == {str(first.process.pid), str(second.process.pid)}
    assert os.listdir(tmp_path) == ["program.py"]


@pytest.mark.e2e
async def test_a_server_that_cannot_start_leaves_the_unix_socket_to_the_one_that_serves(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    failing = "@app.before_server_start\nasync def fail(app):\n    raise RuntimeError('no database')\n" + SOURCE
    async with running(SOURCE, directory=tmp_path) as first:
        for _ in range(2):
            await first.line("Worker ready")
        async with running(failing, directory=tmp_path) as second:
            assert await second.end() == 1
            assert "no database" in second.output
        assert (await about(path))[0] == str(first.process.pid)
        assert sorted(os.listdir(tmp_path)) == ["app.sock", "program.py"]
        assert await first.stop() == 0
    assert os.listdir(tmp_path) == ["program.py"]


async def test_a_stale_unix_socket_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "app.sock"))
    async with running(SOURCE, directory=tmp_path) as program:
        await program.line("Worker ready")
        assert (await about(tmp_path / "app.sock"))[0] == str(program.process.pid)
        assert await program.stop() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the length is that of Linux")
@pytest.mark.parametrize("name", ["a.s", "server.sock"])
async def test_a_path_may_be_as_long_as_the_kernel_allows(tmp_path: Path, name: str) -> None:
    directory = tmp_path / ("d" * (105 - len(str(tmp_path)) - len(name)))
    directory.mkdir()
    async with running(SOURCE.replace("app.sock", name), directory=directory) as program:
        await program.line("Worker ready")
        assert (await about(directory / name))[0] == str(program.process.pid)
        assert await program.stop() == 0
        assert os.listdir(directory) == ["program.py"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing/app.sock", "The directory {0}/missing of the unix socket {0}/missing/app.sock does not exist."),
        ("program.py", "{0}/program.py exists and is not a socket."),
        ("s" * 200, "The path {0}/" + "s" * 200 + " of the unix socket is"),
    ],
)
async def test_a_path_that_cannot_be_a_socket_is_told_before_a_worker_starts(
    tmp_path: Path, path: str, message: str
) -> None:
    source = SOURCE.replace("app.sock", path)
    async with running(source, directory=tmp_path) as program:
        assert await program.end() == 1
        assert f"Startup failed: {message.format(tmp_path)}" in program.output
        assert "Starting worker" not in program.output
        assert (tmp_path / "program.py").read_text().endswith(source)


@pytest.mark.e2e
async def test_tls_is_spoken_on_a_unix_socket(tmp_path: Path) -> None:
    write_certificate(tmp_path / "a", "a.test")
    source = SOURCE.replace("workers=2", "workers=1, ssl='a'")
    async with running(source, directory=tmp_path) as program:
        await program.line("Worker ready")
        transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "app.sock"), verify=client_context())
        async with httpx.AsyncClient(transport=transport, timeout=PATIENCE) as client:
            assert (await client.get("https://a.test/")).text == "hello"
        assert await program.stop() == 0
