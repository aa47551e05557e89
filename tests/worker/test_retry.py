"""A program that cannot be imported when it is started, and is tried again when its files change."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.processes import command, get

PROGRAM = """
import os
import sys

from sanic.worker.retry import start_again_after_change

try:
    import part
except Exception as error:
    start_again_after_change(error)
print("started", os.getpid(), *sys.argv[1:], part.VALUE)
"""


async def test_a_change_starts_the_process_anew_with_its_arguments_and_under_its_id(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(PROGRAM)
    async with command(sys.executable, "-W", "error", "main.py", "--flag", "x y", directory=tmp_path) as program:
        await program.line("No module named 'part'")
        await program.line("Waiting for a change of the files")
        (tmp_path / "part.py").write_text("VALUE = ")
        await program.line("SyntaxError")
        await program.line("Waiting for a change of the files")
        (tmp_path / "part.py").write_text("VALUE = 'now'")
        await program.line(f"started {program.process.pid} --flag x y now")
        assert await program.end() == 0


async def test_ctrl_c_ends_the_waiting(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(PROGRAM)
    async with command(sys.executable, "main.py", directory=tmp_path) as program:
        await program.line("Waiting for a change of the files")
        assert await program.stop(signal.SIGINT) == 130
        assert "KeyboardInterrupt" not in program.output


@pytest.mark.e2e
async def test_the_command_line_waits_for_a_program_that_can_be_imported_if_it_is_developed(tmp_path: Path) -> None:
    path = tmp_path / "server.py"
    path.write_text("def (")
    arguments = (sys.executable, "-m", "sanic", "server:app", "-p", "0")
    async with command(*arguments, directory=tmp_path) as program:
        assert await program.end() == 1
    async with command(*arguments, "--dev", directory=tmp_path) as program:
        await program.line("SyntaxError")
        await program.line("Waiting for a change of the files")
        path.write_text(
            "from sanic import Sanic, text\napp = Sanic('a')\napp.add_route(lambda request: text('1'), '/')"
        )
        url = await program.url()
        assert (await get(url)).text == "1"
        path.write_text(path.read_text().replace("'1'", "'2'"))
        await program.line("Worker ready")
        assert (await get(url)).text == "2"
        assert await program.stop() == 0
