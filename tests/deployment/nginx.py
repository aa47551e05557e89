"""A real nginx with a directory of its own, configured with the files that docs/deployment/nginx.md shows."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

#: Debian installs it where only root looks.
PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/local/bin")
DOCUMENTED = Path(__file__).parents[2] / "docs" / "deployment" / "nginx"
PATIENCE = 20.0

needs_nginx = pytest.mark.skipif(
    PROGRAM is None, reason="nginx is not installed (Debian and Ubuntu: apt-get install nginx-light)"
)

FRAME = """
{user}
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr notice;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include site.conf;
}}
"""


def documented(name: str, changes: Mapping[str, str]) -> str:
    """The text of a documented file with other addresses and paths, each of which must be in it."""
    text = (DOCUMENTED / name).read_text()
    for old, new in changes.items():
        assert old in text, f"docs/deployment/nginx/{name} has no {old!r}"
        text = text.replace(old, new)
    return text


def listen() -> tuple[socket.socket, int]:
    """A socket for nginx to inherit, on a free port that nobody can take in between."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=512)
    return sock, sock.getsockname()[1]


@asynccontextmanager
async def nginx(site: str, directory: Path, *sockets: socket.socket) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run nginx with a site, the text inside of `http {}`, on sockets that it inherits; stopped by its process id."""
    assert PROGRAM is not None
    log = _prepare(directory, site)
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(PROGRAM, "-p", str(directory), "-c", "nginx.conf"),
            # How an nginx hands its sockets to its successor.
            env={**os.environ, "NGINX": "".join(f"{sock.fileno()};" for sock in sockets)},
            pass_fds=[sock.fileno() for sock in sockets],
            stdin=asyncio.subprocess.DEVNULL,
            stderr=errors,
        )
    for sock in sockets:
        sock.close()
    try:
        await _until_ready(process, log)
        yield process
        alerts = [line for line in _told(log).splitlines() if "[alert]" in line]
        # Before it reads its configuration, it tries the log of the system's own nginx.
        assert not [line for line in alerts if "could not open error log file" not in line]
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), PATIENCE)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()


def _prepare(directory: Path, site: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "site.conf").write_text(site)
    # Its worker must enter directories that belong to whoever runs the tests.
    (directory / "nginx.conf").write_text(FRAME.format(user="user root;" if os.geteuid() == 0 else ""))
    return directory / "error.log"


def _told(log: Path) -> str:
    return log.read_text()


async def _until_ready(process: asyncio.subprocess.Process, log: Path) -> None:
    for _ in range(int(PATIENCE / 0.02)):
        if "start worker process " in _told(log):
            return
        if process.returncode is not None:
            break
        await asyncio.sleep(0.02)
    raise AssertionError(f"nginx did not start:\n{_told(log)}")
