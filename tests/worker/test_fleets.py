"""Real fleets: programs that call `app.run` with several workers, and what becomes of them and of their requests."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import pytest

from tests.processes import PATIENCE, PREAMBLE, Program, command, get, running
from tests.worker.load import steady_load

RUN = """
if __name__ == "__main__":
    app.run(port=0, workers=2, access_log=False)
"""

WHO = """
@app.get("/pid")
async def pid(request):
    return text(str(os.getpid()))

"""


async def ready(program: Program, workers: int = 2) -> str:
    """Where it serves, once all of its workers do."""
    url = await program.line(r"Goin' Fast @ (\S+)")
    for _ in range(workers):
        await program.line(r"Worker ready")
    return url


def workers_of(program: Program) -> list[int]:
    found = [line.rpartition("[")[2].rstrip("]") for line in program.lines if "Worker ready [" in line]
    return [int(pid) for pid in found]


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return status != "Z"


async def gone(*pids: int) -> None:
    """Wait until processes have ended."""

    async def wait() -> None:
        while any(is_alive(pid) for pid in pids):  # noqa: ASYNC110 - of processes that are not our children
            await asyncio.sleep(0.02)

    await asyncio.wait_for(wait(), PATIENCE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("to_group", [False, True], ids=["manager", "group"])
async def test_a_signal_lets_requests_finish_and_ends_every_process_with_status_0(
    tmp_path: Path, number: int, to_group: bool
) -> None:
    source = """
    os.setpgrp() if __name__ == "__main__" else None

    @app.get("/slow")
    async def slow(request):
        print("began", flush=True)
        await asyncio.sleep(1)
        return text("done")
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        url = await ready(program)
        request = asyncio.create_task(get(url, "/slow"))
        await program.line("began")
        if to_group:
            os.killpg(program.process.pid, number)
        else:
            program.send(number)
        assert (await request).text == "done"
        assert await program.end() == 0
        assert "Traceback" not in program.output
        assert program.output.count("Worker complete") == 2
        await gone(*workers_of(program))


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
async def test_every_start_method_serves_shares_and_ends(tmp_path: Path, method: str) -> None:
    source = f"""
    import multiprocessing
    Sanic.start_method = {method!r}

    @app.main_process_start
    async def share(app):
        app.shared_ctx.hits = multiprocessing.Value("i", 0)

    @app.get("/hit")
    async def hit(request):
        with app.shared_ctx.hits.get_lock():
            app.shared_ctx.hits.value += 1
        return text(str(app.shared_ctx.hits.value))

    @app.get("/lock")
    async def lock(request):
        try:
            app.shared_ctx.other = 1
        except RuntimeError:
            return text("locked")
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        url = await ready(program)
        assert [(await get(url, "/hit")).text for _ in range(8)] == [str(n) for n in range(1, 9)]
        assert (await get(url, "/lock")).text == "locked"
        assert await program.stop() == 0
        assert "Traceback" not in program.output


async def test_listeners_of_the_main_process_run_there_once_and_in_order(tmp_path: Path) -> None:
    source = """
    for event in ("main_process_start", "main_process_ready", "main_process_stop"):
        for number in (1, 2):
            def listener(app, event=event, number=number):
                has_manager = app._manager is not None
                print(f"{event} {number} {os.getpid()} {has_manager}", flush=True)
            app.register_listener(listener, event)
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        await ready(program)
        assert await program.stop() == 0
        pid = program.process.pid
        assert [line for line in program.lines if line.startswith("main_process")] == [
            f"main_process_start 1 {pid} False",
            f"main_process_start 2 {pid} False",
            f"main_process_ready 1 {pid} True",
            f"main_process_ready 2 {pid} True",
            f"main_process_stop 2 {pid} True",
            f"main_process_stop 1 {pid} True",
        ]


async def test_a_worker_knows_its_name_its_siblings_and_its_environment(tmp_path: Path) -> None:
    source = """
    @app.get("/me")
    async def me(request):
        from sanic import json
        app.m.state["colour"] = "blue"
        names = ("SANIC_WORKER_NAME", "SANIC_WORKER_IDENTIFIER", "SANIC_WORKER_PROCESS")
        return json({
            "name": app.m.name, "pid": app.m.pid, "workers": sorted(app.m.workers), "state": app.m.state["state"],
            "colour": app.m.state["colour"], "environment": [os.environ[name] for name in names],
            "main": app.m.workers["Sanic-Main"]["pid"],
        })
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        url = await ready(program)
        me = (await get(url, "/me")).json()
        number = me["name"].split("-")[2]
        assert me["environment"] == [f"Sanic-Server-{number}-0", f"Srv  {number}", "true"]
        assert me["pid"] in workers_of(program)
        assert me["workers"] == ["Sanic-Main", "Sanic-Server-0-0", "Sanic-Server-1-0"]
        assert (me["state"], me["colour"], me["main"]) == ("ACKED", "blue", program.process.pid)
        await program.stop()


async def test_several_apps_are_served_on_their_ports_by_the_same_workers(tmp_path: Path) -> None:
    source = """
    other = Sanic("other")

    @other.get("/")
    async def other_index(request):
        return text("from other")

    @other.before_server_start
    async def started(app):
        print("other at", app.state.server_info[0].settings["sock"].getsockname()[1], flush=True)

    if __name__ == "__main__":
        app.prepare(port=0, workers=2)
        other.prepare(port=0)
        Sanic.serve(primary=app)
    """
    async with running(dedent(source), directory=tmp_path) as program:
        url = await program.line(r"Goin' Fast @ (\S+)")
        port = await program.line(r"other at (\d+)")
        await program.line("Worker ready")
        assert (await get(url)).text == "hello"
        assert (await get(f"http://127.0.0.1:{port}")).text == "from other"
        assert await program.stop() == 0


async def test_a_function_runs_in_a_process_of_its_own_and_ends_with_the_server(tmp_path: Path) -> None:
    source = """
    def work(word):
        import time
        try:
            print(f"{word} {os.environ['SANIC_WORKER_NAME']}", flush=True)
            time.sleep(100)
        finally:
            print("work is over", flush=True)

    @app.main_process_ready
    async def manage(app):
        app.manager.manage("job", work, {"word": "working"})

    @app.get("/more")
    async def more(request):
        app.m.manage("more", work, {"word": "at run time"})
        return text("ok")
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        url = await ready(program)
        if "working Sanic-job-0" not in program.output:
            await program.line("working Sanic-job-0")
        await get(url, "/more")
        await program.line("at run time Sanic-more-0")
        assert await program.stop() == 0
        assert program.output.count("work is over") == 2
        assert "Traceback" not in program.output


@pytest.mark.parametrize("body", ["app.stop()", "app.m.terminate()"])
async def test_a_worker_can_end_everything(tmp_path: Path, body: str) -> None:
    source = f"""
    @app.get("/end")
    async def end(request):
        {body}
        return text("bye")
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        url = await ready(program)
        assert (await get(url, "/end")).text == "bye"
        assert await program.end() == 0
        await gone(*workers_of(program))


async def test_a_factory_makes_the_app_in_each_worker(tmp_path: Path) -> None:
    source = """
    def create():
        made = Sanic("made")

        @made.get("/")
        async def of_factory(request):
            return text("made by the factory in " + request.app.m.name)

        return made

    if __name__ == "__main__":
        made = create()
        made.prepare(port=0, workers=2)
        Sanic.serve(primary=made, factory=create)
    """
    async with running(dedent(source), directory=tmp_path) as program:
        url = await ready(program)
        assert (await get(url)).text.startswith("made by the factory in Sanic-Server-")
        assert await program.stop() == 0


async def test_a_context_that_cannot_be_sent_to_workers_is_refused_with_what_to_do(tmp_path: Path) -> None:
    source = """
    import ssl

    if __name__ == "__main__":
        app.run(port=0, ssl=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    """
    async with running(dedent(source), directory=tmp_path) as program:
        assert await program.end() == 1
        assert "Sanic.start_method = 'fork'" in program.output
        assert "Traceback" not in program.output


async def test_another_start_method_than_the_one_in_use_is_refused(tmp_path: Path) -> None:
    source = """
    import multiprocessing

    if __name__ == "__main__":
        multiprocessing.set_start_method("fork")
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        assert await program.end() == 1
        assert "Start method 'spawn' was requested, but 'fork' was already set" in program.output


WRONG = [
    ('Sanic.start_method = "frok"', "", "Start method 'frok' is none: set Sanic.start_method to one of "),
    ("", '"2"', "workers='2' is no number of worker processes: give a whole number"),
    ("", "None", "workers=None is no number of worker processes"),
]


@pytest.mark.parametrize(("source", "workers", "message"), WRONG)
async def test_settings_of_processes_that_cannot_work_are_named(
    tmp_path: Path, source: str, workers: str, message: str
) -> None:
    run = RUN.replace("workers=2", f"workers={workers}") if workers else RUN
    async with running(source + run, directory=tmp_path) as program:
        assert await program.end() == 1
        assert message in program.lines[-1]


# -- Starts that fail -------------------------------------------------------------------------------------------------

FAILING = [
    ("@app.before_server_start\nasync def fail(app):\n    raise RuntimeError('no database')\n", "no database"),
    ("if __name__ == '__mp_main__':\n    raise ValueError('bad import')\n", "bad import"),
    ("if __name__ == '__mp_main__':\n    app.run()\n", 'put that call under `if __name__ == "__main__":`'),
    ("if __name__ == '__mp_main__':\n    Sanic.unregister_app(app)\n", 'Sanic app name "program" not found'),
]


@pytest.mark.parametrize(("source", "message"), FAILING, ids=["listener", "import", "guard", "no-app"])
async def test_a_start_that_fails_says_why_once_and_ends_with_status_1(
    tmp_path: Path, source: str, message: str
) -> None:
    async with running(source + RUN, directory=tmp_path) as program:
        assert await program.end() == 1
        assert program.output.count(message) in (1, 2)  # in a traceback the line of the code holds it, too
        assert program.output.count("could not be started") == 1
        assert program.output.count("Not all workers acknowledged a successful startup. Shutting down.") == 1


async def test_a_program_from_standard_input_is_told_where_an_app_is_to_be(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PREAMBLE + RUN)
    async with command("sh", "-c", f"exec {sys.executable} - < program.py", directory=tmp_path) as program:
        assert await program.end() == 1
        assert "make it at the top of a module" in program.output
        assert "Traceback" not in program.output


async def test_a_main_process_listener_that_fails_ends_the_start_and_the_stop_listeners_run(tmp_path: Path) -> None:
    source = """
    @app.main_process_start
    async def fail(app):
        raise RuntimeError("not today")

    @app.main_process_stop
    async def stop(app):
        print("stopped", flush=True)
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        assert await program.end() == 1
        assert "not today" in program.output
        assert "stopped" in program.lines
        assert "Starting worker" not in program.output


async def test_a_main_process_listener_may_end_the_program_with_a_status_of_its_own(tmp_path: Path) -> None:
    source = """
    @app.main_process_start
    async def check(app):
        sys.exit(7)

    @app.main_process_stop
    async def stop(app):
        await asyncio.sleep(0)
        print("stopped", flush=True)
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        assert await program.end() == 7
        assert program.lines == ["stopped"]


@pytest.mark.parametrize("event", ["main_process_start", "main_process_ready"])
async def test_a_listener_of_the_main_process_that_blocks_it_is_broken_off_by_a_second_signal(
    tmp_path: Path, event: str
) -> None:
    source = f"""
    import time

    @app.{event}
    async def block(app):
        print("waiting for the database", flush=True)
        time.sleep(100)

    @app.main_process_stop
    async def stop(app):
        print("stopped", flush=True)
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        await program.line("waiting")
        program.send(signal.SIGTERM)
        # Less than 0.3 seconds are one signal, to the process and to its group.
        await asyncio.sleep(1)
        assert await program.stop(signal.SIGINT) == 0
        assert program.lines[-1] == "stopped"
        assert "Starting worker" not in program.output
        assert "Traceback" not in program.output


async def test_a_signal_while_a_worker_imports_ends_everything_at_once(tmp_path: Path) -> None:
    source = """
    if __name__ == "__mp_main__":
        import time
        print("importing", flush=True)
        time.sleep(60)
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        await program.line("importing")
        assert await program.stop(timeout=5) == 0


async def test_a_package_is_run_by_name(tmp_path: Path) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "words.py").write_text("GREETING = 'good day'")
    main = PREAMBLE + "from .words import GREETING\n@app.get('/greet')\nasync def greet(request):\n"
    (package / "__main__.py").write_text(main + "    return text(GREETING)\n" + RUN)
    async with command(sys.executable, "-m", "shop", directory=tmp_path) as program:
        url = await ready(program)
        assert (await get(url, "/greet")).text == "good day"
        assert await program.stop() == 0


# -- Deaths and replacements ------------------------------------------------------------------------------------------


async def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    async with running(WHO + RUN, directory=tmp_path) as program:
        url = await ready(program)
        victim = int((await get(url, "/pid")).text)
        os.kill(victim, signal.SIGKILL)
        await program.line(rf"pid {victim}\) was ended by SIGKILL. It is replaced")
        replacement = int(await program.line(r"Worker ready \[(\d+)\]"))
        assert replacement != victim
        assert (await get(url)).text == "hello"
        assert await program.stop() == 0


IGNORED = """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
"""
REAPED = """
    def reap(number, frame):
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass

    signal.signal(signal.SIGCHLD, reap)
"""


@pytest.mark.parametrize("handling", [IGNORED, REAPED], ids=["ignored", "reaped"])
async def test_deaths_are_noticed_whoever_else_waits_for_children(tmp_path: Path, handling: str) -> None:
    source = "import signal\nif __name__ == '__main__':\n" + handling
    async with running(WHO + source + RUN, directory=tmp_path) as program:
        url = await ready(program)
        os.kill(int((await get(url, "/pid")).text), signal.SIGKILL)
        await program.line("It is replaced")
        await program.line("Worker ready")
        assert await program.stop() == 0


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
async def test_no_worker_outlives_a_killed_manager(tmp_path: Path, method: str) -> None:
    async with running(f"Sanic.start_method = {method!r}\n" + RUN, directory=tmp_path) as program:
        await ready(program)
        workers = workers_of(program)
        program.process.kill()
        await gone(*workers)
        assert await program.end() == -signal.SIGKILL


async def test_a_worker_that_hangs_shows_its_stack_in_the_log_and_is_replaced(tmp_path: Path) -> None:
    source = """
    import time
    app.config.WORKER_HANG_TIMEOUT = 2

    @app.get("/hang")
    async def hang_for_ever(request):
        time.sleep(1000)
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        url = await ready(program)
        request = asyncio.create_task(get(url, "/hang"))
        await program.line(r"hangs: its loop stood for 2 s")
        await program.line("in hang_for_ever")
        await program.line("Worker ready")
        with suppress(Exception):
            await request
        assert (await get(url)).text == "hello"
        assert await program.stop() == 0


# -- Under load -------------------------------------------------------------------------------------------------------

REPLACING = (
    WHO
    + """
@app.get("/restart")
async def restart(request):
    app.m.restart(all_workers=True, zero_downtime=request.args.get("zero") == "1")
    return text("ok")

@app.get("/scale/<n:int>")
async def scale(request, n: int):
    app.m.scale(n)
    return text("ok")

"""
)


@pytest.mark.parametrize("how", ["hup", "zero-downtime", "stop-first"])
async def test_replacing_all_workers_under_load_loses_no_request(tmp_path: Path, how: str) -> None:
    async with running(REPLACING + RUN, directory=tmp_path) as program:
        url = await ready(program)
        port = urlsplit(url).port
        assert port is not None
        async with steady_load("127.0.0.1", port, "/pid") as load:
            await load.until(200)
            if how == "hup":
                program.send(signal.SIGHUP)
            else:
                await get(url, "/restart?zero=1" if how == "zero-downtime" else "/restart")
            for _ in range(2):
                await program.line("Worker ready")
            while program.output.count("Worker complete") < 2:
                await program.line("Worker complete")
            await load.until(200)
        assert load.lost == []
        assert set(workers_of(program)) >= {int(pid) for pid in load.answers}
        assert len(load.answers) >= 3
        assert await program.stop() == 0


async def test_scaling_up_and_down_under_load_loses_no_request(tmp_path: Path) -> None:
    async with running(REPLACING + RUN, directory=tmp_path) as program:
        url = await ready(program)
        port = urlsplit(url).port
        assert port is not None
        async with steady_load("127.0.0.1", port, "/pid") as load:
            await get(url, "/scale/3")
            await program.line("Worker ready")
            await load.until(200)
            await get(url, "/scale/1")
            for _ in range(2):
                await program.line("Worker complete")
            await load.until(200)
        assert load.lost == []
        assert await program.stop() == 0
