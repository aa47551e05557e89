"""A program that is developed in a terminal: its workers can be talked to by means of a debugger."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
from pathlib import Path

import pytest

from tests.processes import PATIENCE, get

PROGRAM = """
from sanic import Sanic, text

app = Sanic("program")


@app.get("/")
async def index(request):
    answer = "wrong"
    breakpoint()
    return text(answer)


if __name__ == "__main__":
    app.run(port=0, dev=True)
"""

#: Starts a program as a shell does: in front, in a session with the terminal.
SHELL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


class Terminal:
    """What somebody at a terminal sees and types."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        self.seen = ""
        self._is_new = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.master, self._read)

    def _read(self) -> None:
        try:
            self.seen += os.read(self.master, 65536).decode(errors="replace")
        except OSError:
            asyncio.get_running_loop().remove_reader(self.master)
        self._is_new.set()

    async def sees(self, text: str) -> str:
        """Wait for a text; returns what comes after it."""

        async def wait() -> str:
            while text not in self.seen:
                self._is_new.clear()
                await self._is_new.wait()
            self.seen = self.seen.partition(text)[2]
            return self.seen

        try:
            return await asyncio.wait_for(wait(), PATIENCE)
        except asyncio.TimeoutError:
            raise AssertionError(f"there is no {text!r} in {self.seen!r}") from None

    def types(self, text: str) -> None:
        os.write(self.master, text.encode())

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.master)
        os.close(self.slave)


async def start(terminal: Terminal, directory: Path) -> asyncio.subprocess.Process:
    """Start `main.py` in front, in a terminal."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SHELL,
        "main.py",
        cwd=directory,
        stdin=terminal.slave,
        stdout=terminal.slave,
        stderr=terminal.slave,
        env={**os.environ, "NO_COLOR": "1", "TERM": "dumb"},
    )


@pytest.mark.e2e
async def test_a_breakpoint_in_a_handler_can_be_talked_to_and_a_reload_ends_it(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(PROGRAM)
    terminal = Terminal()
    process = await start(terminal, tmp_path)
    try:
        banner = await terminal.sees("Goin' Fast @ ")
        url = banner.split()[0]
        await terminal.sees("Worker ready")
        request = asyncio.create_task(get(url))
        await terminal.sees("(Pdb)")
        terminal.types("answer = 'right'\n")
        await terminal.sees("(Pdb)")
        terminal.types("c\n")
        assert (await request).text == "right"
        # In the middle of a line, as it were.
        request = asyncio.create_task(get(url))
        await terminal.sees("(Pdb)")
        (tmp_path / "main.py").write_text(PROGRAM.replace("wrong", "other").replace("    breakpoint()\n", ""))
        await terminal.sees("Worker ready")
        await asyncio.wait([request], timeout=PATIENCE)
        request.exception()
        assert (await get(url)).text == "other"
        assert terminal.echoes
        terminal.types("\x03")
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        terminal.close()


async def test_who_closes_the_terminal_ends_the_program_that_runs_in_front(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(PROGRAM.replace("dev=True", "workers=2"))
    terminal = Terminal()
    process = await start(terminal, tmp_path)
    try:
        await terminal.sees("Worker ready")
        await terminal.sees("Worker ready")
        # Sent by somebody, it has another meaning.
        process.send_signal(signal.SIGHUP)
        await terminal.sees("Received signal SIGHUP. Replacing all workers.")
        await terminal.sees("Worker ready")
        terminal.close()
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
            terminal.close()
