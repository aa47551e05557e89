"""Reloading: programs that are edited while they run, and what they answer then."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

import httpx
import pytest

from tests.processes import PATIENCE, Program, command, get

MAIN = """
import os
from sanic import Sanic, text
import part

app = Sanic("program")


@app.get("/")
async def index(request):
    return text(part.VALUE)


if __name__ == "__main__":
    app.run(port=0, dev=True, access_log=False)
"""

#: Hides watchfiles, as if it were not installed.
HIDDEN = "raise ImportError('hidden by the test')\n"


@asynccontextmanager
async def developed(directory: Path, *, has_events: bool = True, **files: str) -> AsyncIterator[tuple[Program, str]]:
    """A program of some files, `main.py` and `part.py` at least, and where it serves."""
    for name, source in {"main": MAIN, "part": "VALUE = 'one'\n", **files}.items():
        write(directory / f"{name}.py", source)
    hiding = directory / "hiding"
    hiding.mkdir()
    (hiding / "watchfiles.py").write_text(HIDDEN)
    environment = {} if has_events else {"PYTHONPATH": os.pathsep.join([str(hiding), *sys.path])}
    async with command(sys.executable, "main.py", directory=directory, **environment) as program:
        url = await program.line(r"Goin' Fast @ (\S+)")
        await program.line("Worker ready|Waiting for a change")
        yield program, url


def write(path: Path, source: str) -> None:
    path.write_text(dedent(source))


def replace(path: Path, source: str) -> None:
    """As many editors do: another file takes the place of the old one."""
    other = path.with_name(f".{path.name}.swp")
    write(other, source)
    os.replace(other, path)


def rewrite(path: Path, source: str) -> None:
    """As other editors do: the old file is kept under another name."""
    os.replace(path, path.with_name(f"{path.name}~"))
    write(path, source)


async def answers(url: str, text: str, path: str = "/") -> None:
    """Wait for an answer."""

    async def ask() -> None:
        while True:
            # Before a first version has been started, nobody listens.
            with suppress(httpx.ConnectError):
                if (await get(url, path)).text == text:
                    return
            await asyncio.sleep(0.02)

    await asyncio.wait_for(ask(), PATIENCE)


def events(program: Program, word: str) -> list[str]:
    return [line for line in program.lines if word in line]


# -- What is answered -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_events", [True, pytest.param(False, marks=pytest.mark.e2e)], ids=["events", "polling"])
async def test_a_module_that_is_saved_is_answered_with_and_an_error_in_it_waits_for_the_next_change(
    tmp_path: Path, has_events: bool
) -> None:
    async with developed(tmp_path, has_events=has_events) as (program, url):
        assert (await get(url)).text == "one"
        # Of the same length and within the same second: what the interpreter has compiled is no help.
        write(tmp_path / "part.py", "VALUE = 'two'\n")
        await answers(url, "two")
        write(tmp_path / "part.py", "VALUE = \n")
        await program.line("SyntaxError")
        await program.line("Waiting for a change of the files")
        write(tmp_path / "part.py", "VALUE = 'six'\n")
        await answers(url, "six")
        assert await program.stop() == 0
        assert "Reloading: part.py changed." in program.output
        # The traceback begins with the program's own code.
        before, _, trace = program.output.partition("Traceback (most recent call last):\n")
        assert trace.lstrip().startswith(f'File "{tmp_path / "main.py"}", line 4')
        assert "Traceback" not in before


async def test_the_first_version_too_may_be_one_that_cannot_be_started(tmp_path: Path) -> None:
    main = MAIN.replace("import part", "if __name__ != '__main__': import part")
    async with developed(tmp_path, main=main, part="import missing\nVALUE = missing.VALUE") as (program, url):
        assert "No module named 'missing'" in program.output
        # Not a file that was loaded, but the one that was looked for.
        write(tmp_path / "missing.py", "VALUE = 'found'\n")
        await answers(url, "found")
        assert await program.stop() == 0


# -- How it is saved --------------------------------------------------------------------------------------------------


@pytest.mark.e2e
@pytest.mark.parametrize("has_events", [True, False], ids=["events", "polling"])
async def test_files_are_seen_to_change_however_an_editor_saves_them(tmp_path: Path, has_events: bool) -> None:
    async with developed(tmp_path, has_events=has_events) as (program, url):
        for number, save in enumerate([write, replace, rewrite, replace, write]):
            save(tmp_path / "part.py", f"VALUE = '{number}'\n")
            await answers(url, str(number))
        assert await program.stop() == 0
        assert "Traceback" not in program.output
        assert len(events(program, "Reloading: part.py changed.")) == 5


@pytest.mark.e2e
@pytest.mark.parametrize("has_events", [True, False], ids=["events", "polling"])
async def test_a_link_that_is_set_anew_is_a_change(tmp_path: Path, has_events: bool) -> None:
    for number in (1, 2):
        (tmp_path / f"v{number}").mkdir()
        write(tmp_path / f"v{number}" / "part.py", f"VALUE = 'v{number}, ' + 'x' * {number}\n")
    links = tmp_path / "links"
    (links / "current").mkdir(parents=True)
    (links / "current").rmdir()
    (links / "current").symlink_to(tmp_path / "v1")
    main = MAIN.replace("import part", f"import sys; sys.path.insert(0, {str(links / 'current')!r})\nimport part")
    (tmp_path / "part.py").unlink(missing_ok=True)
    async with developed(tmp_path, has_events=has_events, main=main) as (program, url):
        await answers(url, "v1, x")
        (links / "next").symlink_to(tmp_path / "v2")
        os.replace(links / "next", links / "current")
        await answers(url, "v2, xx")
        assert await program.stop() == 0


# -- What is watched --------------------------------------------------------------------------------------------------


@pytest.mark.e2e
@pytest.mark.parametrize("has_events", [True, False], ids=["events", "polling"])
async def test_modules_that_a_worker_imports_later_and_files_of_the_configuration_are_watched(
    tmp_path: Path, has_events: bool
) -> None:
    main = MAIN.replace(
        "if __name__",
        """
@app.get("/late")
async def late(request):
    import late
    return text(late.VALUE)

@app.get("/config")
async def config(request):
    return text(app.config.COLOUR)

app.update_config("./settings.conf")

if __name__""",
        1,
    )
    (tmp_path / "settings.conf").write_text("COLOUR = 'red'\n")
    async with developed(tmp_path, has_events=has_events, main=main, late="VALUE = 'l'\n") as (program, url):
        await answers(url, "l", "/late")
        write(tmp_path / "late.py", "VALUE = 'L'\n")
        await answers(url, "L", "/late")
        (tmp_path / "settings.conf").write_text("COLOUR = 'blue'\n")
        await answers(url, "blue", "/config")
        assert await program.stop() == 0


@pytest.mark.e2e
@pytest.mark.parametrize("has_events", [True, False], ids=["events", "polling"])
async def test_everything_below_a_directory_is_watched_but_what_nobody_edits(tmp_path: Path, has_events: bool) -> None:
    pages = tmp_path / "pages"
    main = MAIN.replace("dev=True", f"dev=True, reload_dir={str(pages)!r}").replace(
        "text(part.VALUE)",
        f"text(','.join(sorted(p.name for p in __import__('pathlib').Path({str(pages)!r}).rglob('*.html'))))",
    )
    async with developed(tmp_path, has_events=has_events, main=main) as (program, url):
        assert f"auto-reload: enabled, {pages}" in program.output
        assert "could not be located" in program.output

        async def reloaded(name: str) -> None:
            await program.line(f"Reloading: .*{name}.* changed")
            await program.line("Worker ready")

        # Not there when the program was started, nor is the directory in it.
        pages.mkdir()
        (pages / "a.html").write_text("a")
        await reloaded("a.html")
        (pages / "deep" / "deeper").mkdir(parents=True)
        (pages / "deep" / "deeper" / "b.html").write_text("b")
        await reloaded("b.html")
        for noise in ("__pycache__/x.pyc", ".git/index", "node_modules/x.js", "env/pyvenv.cfg", "env/x.py", "a.html~"):
            (pages / noise).parent.mkdir(exist_ok=True)
            (pages / noise).write_text("noise")
        (pages / "passing.html").write_text("")
        (pages / "passing.html").unlink()
        (pages / "deep" / "deeper" / "b.html").unlink()
        await reloaded("b.html")
        await answers(url, "a.html")
        assert await program.stop() == 0
        assert len(events(program, "Reloading: ")) == 3
        assert not any(word in program.output for word in ("noise", "pyvenv", "node_modules", "passing"))


# -- How it goes on ---------------------------------------------------------------------------------------------------

LISTENERS = """
def tell(text):
    # At once, since several processes write.
    os.write(1, f"{text}\\n".encode())

for event in ("reload_process_start", "before_reload_trigger", "reload_process_stop", "main_process_stop"):
    def listener(app, event=event):
        tell(f"{event} {os.environ.get('SANIC_RELOADER_PROCESS')} {os.environ.get('SANIC_WORKER_NAME')}")
    app.register_listener(listener, event)

@app.after_reload_trigger
async def after(app, loop, changed):
    tell(f"after_reload_trigger {sorted(map(os.path.basename, changed))}")

@app.before_reload_trigger
async def broken(app):
    raise LookupError("broken on purpose")

if __name__"""


async def test_listeners_of_the_reloader_run_in_it_once_and_around_each_reload(tmp_path: Path) -> None:
    async with developed(tmp_path, main=MAIN.replace("if __name__", LISTENERS, 1)) as (program, url):
        await program.line("reload_process_start") if not events(program, "reload_process_start") else None
        write(tmp_path / "part.py", "VALUE = 'new'\n")
        await answers(url, "new")
        assert await program.stop() == 0
        told = [line for line in program.lines if line.startswith(("reload_", "before_", "after_", "main_"))]
        assert told == [
            "reload_process_start true Sanic-Reloader-0",
            "before_reload_trigger true Sanic-Reloader-0",
            "after_reload_trigger ['part.py']",
            "reload_process_stop true Sanic-Reloader-0",
            "main_process_stop None None",
        ]
        assert "LookupError: broken on purpose" in program.output


@pytest.mark.e2e
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
async def test_an_app_of_a_factory_reloads_and_logs_in_its_own_way(tmp_path: Path, method: str) -> None:
    main = f"""
import logging
import sys
from copy import deepcopy
from multiprocessing import Value
from sanic import Sanic, text
from sanic.log import LOGGING_CONFIG_DEFAULTS
import part

class Shouting(logging.Formatter):
    def format(self, record):
        return super().format(record).upper()

CONFIG = deepcopy(LOGGING_CONFIG_DEFAULTS)
CONFIG["formatters"]["generic"] = {{"()": Shouting}}

def create():
    app = Sanic("program", log_config=CONFIG)

    @app.main_process_start
    async def share(app):
        app.shared_ctx.count = Value("i", 7)

    @app.reload_process_start
    async def start(app):
        # In one piece: others write their lines at the same time.
        sys.stdout.write(f"reload_process_start {{app.shared_ctx.count.value}}\\n")

    @app.get("/")
    async def index(request):
        return text(part.VALUE)

    return app

if __name__ == "__main__":
    Sanic.start_method = {method!r}
    app = create()
    app.prepare(port=0, dev=True, access_log=False)
    Sanic.serve(primary=app, factory=create)
"""
    async with command_of(tmp_path, main) as program:
        url = (await program.line(r"GOIN' FAST @ (\S+)")).lower()
        await program.line("reload_process_start 7")
        await answers(url, "one")
        write(tmp_path / "part.py", "VALUE = 'new'\n")
        await answers(url, "new")
        assert await program.stop() == 0
        assert "RELOADING: PART.PY CHANGED" in program.output


@pytest.mark.e2e
async def test_open_streams_do_not_keep_a_reload_nor_the_end_waiting(tmp_path: Path) -> None:
    source = """
@app.get("/stream")
async def stream(request):
    response = await request.respond(content_type="text/plain")
    await response.send("begun")
    await __import__("asyncio").sleep(600)

if __name__"""
    async with developed(tmp_path, main=MAIN.replace("if __name__", source, 1)) as (program, url):
        host, _, port = url.removeprefix("http://").partition(":")
        clock = asyncio.get_running_loop()
        writers = []
        for number in range(2):
            reader, writer = await asyncio.open_connection(host, int(port))
            writers.append(writer)
            writer.write(b"GET /stream HTTP/1.1\r\nHost: test\r\n\r\n")
            await asyncio.wait_for(reader.readuntil(b"begun"), PATIENCE)
            began = clock.time()
            if number:
                assert await program.stop() == 0
            else:
                write(tmp_path / "part.py", "VALUE = 'new'\n")
                await answers(url, "new")
            assert clock.time() - began < 8
        for writer in writers:
            writer.close()


@pytest.mark.e2e
async def test_several_workers_fail_with_one_traceback_and_a_process_of_the_users_own_is_replaced_with_them(
    tmp_path: Path,
) -> None:
    main = MAIN.replace("dev=True", "dev=True, workers=3").replace(
        "if __name__",
        """
def tell():
    print("own process:", part.VALUE, flush=True)
    import time
    try:
        time.sleep(600)
    except KeyboardInterrupt:
        pass

@app.main_process_ready
async def ready(app):
    app.manager.manage("own", tell, {}, transient=True)

if __name__""",
        1,
    )
    async with developed(tmp_path, main=main) as (program, url):
        await program.line("own process: one") if not events(program, "own process") else None
        write(tmp_path / "part.py", "VALUE = 1 / 0\n")
        await program.line("Waiting for a change")
        write(tmp_path / "part.py", "VALUE = 'new'\n")
        await program.line("own process: new")
        await answers(url, "new")
        assert await program.stop() == 0
        assert program.output.count("Traceback") == 1
        assert program.output.count("Waiting for a change") == 1


@pytest.mark.e2e
async def test_a_version_that_dies_while_it_serves_is_started_again_and_at_last_waits_for_a_change(
    tmp_path: Path,
) -> None:
    dying = """
import threading, os, multiprocessing
VALUE = 'dying'
if multiprocessing.parent_process() is not None:
    threading.Timer(0.3, os._exit, [7]).start()
"""
    async with developed(tmp_path) as (program, url):
        write(tmp_path / "part.py", dying)
        await program.line("ended with status 7. It is replaced")
        write(tmp_path / "part.py", "VALUE = 'healthy'\n")
        await answers(url, "healthy")
        assert await program.stop() == 0


@pytest.mark.e2e
async def test_a_reloader_that_is_killed_is_replaced_and_learns_what_there_is_to_watch(tmp_path: Path) -> None:
    main = MAIN.replace(
        "if __name__",
        """
@app.get("/reloader")
async def reloader(request):
    return text(str(app.m.workers["Sanic-Reloader-0"]["pid"]))

if __name__""",
        1,
    )
    async with developed(tmp_path, main=main) as (program, url):
        pid = int((await get(url, "/reloader")).text)
        os.kill(pid, signal.SIGKILL)
        await program.line(r"Sanic-Reloader-0 \(pid \d+\) was ended by SIGKILL")
        write(tmp_path / "part.py", "VALUE = 'new'\n")
        await answers(url, "new")
        assert await program.stop() == 0


@pytest.mark.e2e
async def test_a_single_process_says_that_it_does_not_reload(tmp_path: Path) -> None:
    main = MAIN.replace("dev=True", "single_process=True")
    async with command_of(tmp_path, main, SANIC_AUTO_RELOAD="true") as program:
        await program.line("Changed files are not reloaded")
        await program.line("Worker ready")
        assert await program.stop() == 0


@asynccontextmanager
async def command_of(directory: Path, main: str, **environment: str) -> AsyncIterator[Any]:
    write(directory / "main.py", main)
    write(directory / "part.py", "VALUE = 'one'\n")
    async with command(sys.executable, "main.py", directory=directory, **environment) as program:
        yield program
