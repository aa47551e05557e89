"""Processes of the application's own, as `app.manager.manage` and `app.m.manage` run them, in real programs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import pytest

from tests.processes import get, running
from tests.worker.test_fleets import RUN, ready

ONE = RUN.replace("workers=2", "workers=1")


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
async def test_a_function_logs_as_the_application_does(tmp_path: Path, method: str) -> None:
    source = f"""
    from sanic.log import logger
    Sanic.start_method = {method!r}

    def work():
        logger.info("at work")

    @app.main_process_ready
    async def manage(app):
        app.manager.manage("job", work, {{}}, ident="Job")
    """
    async with running(dedent(source) + ONE, directory=tmp_path) as program:
        await ready(program, 1)
        if "at work" not in program.output:
            await program.line("at work")
        assert await program.stop() == 0
        assert [line[:6] for line in program.lines if line.endswith("INFO: at work")] == ["Job   "]


async def test_a_function_that_other_processes_do_not_find_is_told_of(tmp_path: Path) -> None:
    source = """
    if __name__ == "__main__":
        def work():
            return None

        @app.main_process_ready
        async def manage(app):
            app.manager.manage("job", work, {})
    """
    async with running(dedent(source) + ONE, directory=tmp_path) as program:
        await ready(program, 1)
        if "Can't get attribute 'work'" not in program.output:
            await program.line("Can't get attribute 'work'")
        assert await program.stop() == 0
        assert program.output.count("Sanic-job-0 (pid") == 1
        assert "could not be started: " in program.output


async def test_what_cannot_be_sent_to_another_process_is_refused_where_it_is_given(tmp_path: Path) -> None:
    source = """
    import threading

    @app.get("/manage")
    async def manage(request):
        try:
            app.m.manage("job", lambda: None, {})
        except TypeError as error:
            return text(str(error))

    @app.get("/note")
    async def note(request):
        try:
            app.m.state["lock"] = threading.Lock()
        except TypeError:
            return text(str("lock" in app.m.state))
    """
    async with running(dedent(source) + ONE, directory=tmp_path) as program:
        url = await ready(program, 1)
        told = (await get(url, "/manage")).text
        assert told.startswith("The function of process 'job', or one of its arguments, cannot be sent")
        assert "at the top of a module" in told
        assert (await get(url, "/note")).text == "False"
        assert await program.stop() == 0


async def test_a_forked_process_that_ends_late_does_not_keep_clients_waiting_for_the_server(tmp_path: Path) -> None:
    source = """
    import time
    Sanic.start_method = "fork"

    def work():
        try:
            time.sleep(100)
        except KeyboardInterrupt:
            while not os.path.exists("enough"):
                time.sleep(0.02)

    @app.main_process_ready
    async def manage(app):
        app.manager.manage("job", work, {})
    """
    async with running(dedent(source) + ONE, directory=tmp_path) as program:
        url = await ready(program, 1)
        program.send(15)
        await program.line("Worker complete")

        async def until_refused() -> None:
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
                except ConnectionRefusedError:
                    return
                writer.close()
                await asyncio.sleep(0.05)

        await asyncio.wait_for(until_refused(), 10)
        (tmp_path / "enough").touch()
        assert await program.end() == 0


async def test_nothing_is_started_when_the_end_has_begun(tmp_path: Path) -> None:
    source = """
    def work():
        import time
        time.sleep(100)

    @app.main_process_stop
    async def manage(app):
        app.manager.manage("job", work, {})
    """
    async with running(dedent(source) + ONE, directory=tmp_path) as program:
        await ready(program, 1)
        assert await program.stop() == 0
