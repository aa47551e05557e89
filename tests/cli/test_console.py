"""The console of `--repl`, on a terminal of its own."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.processes import PATIENCE

PROGRAM = """
from sanic import Sanic, json, text

app = Sanic("shop")
app.repl_ctx.add({"a": "teapot"}, "stock", "what there is")


@app.get("/")
async def index(request):
    return text("from the server")


@app.post("/orders")
async def order(request):
    return json({"order": request.json, "by": request.headers.get("x-customer")}, 201)


@app.get("/pieces")
async def pieces(request):
    response = await request.respond()
    await response.send(b"one ")
    await response.send(b"two")
    await response.eof()


@app.get("/stock/<name>")
async def stock(request, name):
    return text(f"/stock/{name}?{request.query_string}")


@app.get("/broken")
async def broken(request):
    raise ValueError("no luck")


@app.before_server_start
async def connect(app):
    app.ctx.database = "connected"


@app.after_server_stop
async def disconnect(app):
    print("disconnected")
"""

#: Makes its standard input the terminal of its session, so that CTRL-C on it is a signal, and becomes the interpreter.
ON_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
if "--background" in sys.argv and (child := os.fork()):
    # What a shell makes of &.
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
if "--background" in sys.argv:
    sys.argv.remove("--background")
    os.setpgid(0, 0)
    print("pid", os.getpid(), flush=True)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


class Terminal:
    """A program on a terminal."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self._descriptor = descriptor
        self.process = process
        self.output = ""

    def until(self, text: str) -> str:
        """What it writes up to a text."""
        seen = ""
        end = time.monotonic() + PATIENCE
        while text not in seen and time.monotonic() < end:
            if select.select([self._descriptor], [], [], 0.5)[0]:
                try:
                    seen += os.read(self._descriptor, 1).decode(errors="replace")
                except OSError:
                    break
        self.output += seen
        assert text in seen, self.output
        return seen

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def ask(self, line: str) -> str:
        """What the console answers to a line."""
        self.type(line + "\n")
        return self.until("\n>>> ").replace("\r\n", "\n")

    def end(self) -> int:
        with suppress(OSError):
            while os.read(self._descriptor, 4096):
                continue
        return self.process.wait(PATIENCE)


@contextmanager
def terminal(directory: Path, *arguments: str) -> Iterator[Terminal]:
    (directory / "shop.py").write_text(PROGRAM)
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1", "INPUTRC": os.devnull, "COLUMNS": "200"}
    descriptor, other_end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", ON_TERMINAL, "-m", "sanic", "shop", "-p", "0", "--no-motd", *arguments],
        cwd=directory,
        env=environment,
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
        start_new_session=True,
    )
    os.close(other_end)
    try:
        yield Terminal(descriptor, process)
    finally:
        process.kill()
        process.wait()
        os.close(descriptor)


def test_the_console_knows_the_app_and_handles_requests(tmp_path: Path) -> None:
    with terminal(tmp_path, "--repl") as console:
        greeting = console.until("\n>>> ")
        assert "stock   what there is" in greeting
        assert "'teapot'" in console.ask("stock['a']")
        assert "'connected'" in console.ask("app.ctx.database")
        assert "<module 'sanic'" in console.ask("sanic")
        console.ask("import asyncio; await asyncio.sleep(0)")
        console.ask("handled = await do('/orders?x=1', method='post', body=[7], headers={'X-Customer': 'Ann'})")
        assert '(201, \'1\', b\'{"order":[7],"by":"Ann"}\')' in console.ask(
            "handled.response.status, handled.request.args.get('x'), handled.response.body"
        )
        assert "b'one two'" in console.ask("(await do('/pieces')).response.body")
        assert "b'/stock/a%20b%20%C3%A4?q=%C3%A9'" in console.ask(
            "(await do('/stock/a%20b \\xe4?q=\\xe9')).response.body"
        )
        assert "500" in console.ask("(await do('/broken')).response.status")
        assert "404" in console.ask("(await do('/nowhere')).response.status")
        assert "ZeroDivisionError" in console.ask("1 / 0")
        assert "Sanic-Server-0-0" in console.ask("sorted(app.m.workers)")
        pytest.importorskip("httpx")
        assert "'from the server'" in console.ask("(await client.get('/')).text")
        console.type("\x04")
        console.until("The console is closed, the server goes on.")
        console.process.terminate()
        console.until("Server Stopped")
        assert console.end() == 0


def test_in_development_it_is_opened_by_enter_and_ends_with_the_server(tmp_path: Path) -> None:
    with terminal(tmp_path, "--dev") as console:
        console.until("Press ENTER for a console.")
        console.type("\n")
        console.until("\n>>> ")
        assert "'connected'" in console.ask("app.ctx.database")
        console.type("half a line \x03")
        console.until("Server Stopped")
        assert console.end() == 0
        assert "did not end in time" not in console.output
        assert "goes on" not in console.output


def test_a_console_is_closed_by_exit_and_says_so_once(tmp_path: Path) -> None:
    with terminal(tmp_path, "--repl") as console:
        console.until("\n>>> ")
        console.type("exit()\n")
        console.until("disconnected")
        assert console.output.count("The console is closed, the server goes on.") == 1
        console.process.terminate()
        console.until("Server Stopped")
        assert console.end() == 0


@pytest.mark.parametrize("option", ["--reload", "--reload-dir=."])
def test_a_console_is_replaced_with_the_workers(tmp_path: Path, option: str) -> None:
    with terminal(tmp_path, "--repl", option) as console:
        console.until("\n>>> ")
        (tmp_path / "shop.py").write_text(PROGRAM.replace("what there is", "what there will be"))
        assert "what there will be" in console.until("\n>>> ")
        console.type("\x03")
        console.until("Server Stopped")
        assert console.end() == 0


def test_in_the_background_of_a_terminal_no_console_is_offered(tmp_path: Path) -> None:
    with terminal(tmp_path, "--dev", "--background") as console:
        console.until("pid ")
        pid = int(console.until("\n"))
        try:
            console.until("Worker ready")
        finally:
            os.kill(pid, signal.SIGTERM)
        console.until("Server Stopped")
        assert console.end() == 0
        assert "ENTER" not in console.output
