"""Programs that serve, each in a process of its own, as a user starts them; stopped by their process id."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from textwrap import dedent

import httpx

#: Seconds for anything that is to happen; far more than it takes.
PATIENCE = 20.0

#: What programs begin with: an app that serves `/` on a free port, unless the program says otherwise.
PREAMBLE = """
import asyncio
import os
import sys

from sanic import Sanic, text

app = Sanic("program")


@app.get("/")
async def index(request):
    return text("hello")

"""


class Program:
    """A running program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    async def line(self, pattern: str) -> str:
        """Read until a line holds the pattern; returns its first group, or the line."""

        async def read() -> str:
            assert self.process.stdout is not None
            while line := await self.process.stdout.readline():
                self.lines.append(line.decode().rstrip("\n"))
                if match := re.search(pattern, self.lines[-1]):
                    return match.group(1) if match.groups() else self.lines[-1]
            raise AssertionError(f"the program ended before it wrote {pattern!r}:\n{self.output}")

        try:
            return await asyncio.wait_for(read(), PATIENCE)
        except asyncio.TimeoutError:
            raise AssertionError(f"the program did not write {pattern!r}:\n{self.output}") from None

    async def url(self) -> str:
        """Where it serves, once it does."""
        url = await self.line(r"Goin' Fast @ (\S+)")
        await self.line(r"Worker ready")
        return url

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    async def end(self, timeout: float = PATIENCE) -> int:
        """Wait for its end, read what it wrote, return its exit code."""
        assert self.process.stdout is not None
        try:
            rest = await asyncio.wait_for(self.process.stdout.read(), timeout)
            code = await asyncio.wait_for(self.process.wait(), timeout)
        except asyncio.TimeoutError:
            raise AssertionError(f"the program did not end within {timeout} s:\n{self.output}") from None
        self.lines += rest.decode().splitlines()
        return code

    async def stop(self, number: int = signal.SIGTERM, timeout: float = PATIENCE) -> int:
        self.send(number)
        return await self.end(timeout)


@asynccontextmanager
async def running(source: str, *arguments: str, directory: Path, **environment: str) -> AsyncIterator[Program]:
    """Run a program, given as what follows the preamble; killed at the end if it still runs."""
    path = directory / "program.py"
    path.write_text(PREAMBLE + dedent(source))
    async with command(sys.executable, str(path), *arguments, directory=directory, **environment) as program:
        yield program


@asynccontextmanager
async def command(*arguments: str, directory: Path, **environment: str) -> AsyncIterator[Program]:
    """Run a command in a directory."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        cwd=directory,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Program(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def get(url: str, path: str = "/", *, unix: str | None = None) -> httpx.Response:
    transport = httpx.AsyncHTTPTransport(uds=unix) if unix else None
    async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=PATIENCE) as client:
        return await client.get(url + path)
