"""Programs that call `app.run`: how they start, what they say, how they end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
from pathlib import Path
from textwrap import dedent

import httpx
import pytest

from tests.processes import get, running

RUN = "app.run(port=0, single_process=True)"

LISTENERS = """
for name in ("before_server_start", "after_server_start", "before_server_stop", "after_server_stop"):
    for number in (1, 2):
        app.register_listener(lambda app, loop, name=name, number=number: print(name, number), name)
"""


def dedented(source: str) -> str:
    return dedent(source) + "\n"


def errors(output: str) -> list[str]:
    return [line for line in output.splitlines() if " ERROR: " in line or "Traceback" in line]


# -- The ordinary life ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_program_serves_and_ends_with_status_0_when_it_is_asked_to(tmp_path: Path, number: int) -> None:
    async with running(RUN + "\nprint('after run')", directory=tmp_path) as program:
        url = await program.url()
        assert (await get(url)).text == "hello"
        assert await program.stop(number) == 0
        assert "after run" in program.output
        assert not errors(program.output)


async def test_listeners_run_around_serving_and_those_of_the_stop_in_reverse(tmp_path: Path) -> None:
    async with running(LISTENERS + RUN, directory=tmp_path) as program:
        await program.url()
        await program.stop()
        said = [line for line in program.lines if line.partition(" ")[0].endswith(("_start", "_stop"))]
        assert said == [
            "before_server_start 1",
            "before_server_start 2",
            "after_server_start 1",
            "after_server_start 2",
            "before_server_stop 2",
            "before_server_stop 1",
            "after_server_stop 2",
            "after_server_stop 1",
        ]


async def test_the_life_of_a_worker_is_told_in_four_lines(tmp_path: Path) -> None:
    async with running(RUN, directory=tmp_path) as program:
        await program.url()
        await program.stop()
        pid = program.process.pid
        said = [line.partition("INFO: ")[2] for line in program.lines if f"[{pid}]" in line]
        assert said == [
            f"Starting worker [{pid}]",
            f"Worker ready [{pid}]",
            f"Stopping worker [{pid}]",
            f"Worker complete [{pid}]",
        ]


async def test_the_banner_tells_the_port_that_was_found(tmp_path: Path) -> None:
    async with running(RUN, directory=tmp_path) as program:
        url = await program.url()
        assert httpx.URL(url).port
        for row in (
            "Sanic v",
            "app: program",
            "mode: production, single worker",
            "server: sanic, HTTP/1.1",
            "python: ",
        ):
            assert row in program.output


async def test_without_motd_nothing_is_said_of_the_app(tmp_path: Path) -> None:
    async with running("app.run(port=0, single_process=True, motd=False)", directory=tmp_path) as program:
        await program.line("Worker ready")
        await program.stop()
        assert "Goin' Fast" not in program.output


async def test_logging_is_configured_by_running_and_not_by_making_an_app(tmp_path: Path) -> None:
    source = """
        import logging
        assert not logging.getLogger("sanic.root").handlers
        @app.after_server_start
        async def stop(app):
            print("handlers", len(logging.getLogger("sanic.root").handlers))
            app.stop()
        """
    async with running(dedented(source) + RUN, directory=tmp_path) as program:
        assert await program.end() == 0
        assert "handlers 1" in program.output


@pytest.mark.parametrize(("setting", "module"), [("True", "uvloop"), ("False", "asyncio.unix_events")])
async def test_use_uvloop_decides_on_the_loop(tmp_path: Path, setting: str, module: str) -> None:
    source = f"""
        app.config.USE_UVLOOP = {setting}
        @app.after_server_start
        async def stop(app):
            print("loop", type(app.loop).__module__, type(asyncio.get_running_loop()).__module__)
            app.stop()
        """
    async with running(dedented(source) + RUN, directory=tmp_path) as program:
        assert await program.end() == 0
        assert f"loop {module} {module}" in program.output


async def test_the_state_tells_how_far_it_is(tmp_path: Path) -> None:
    source = """
        def tell(name):
            async def listener(app):
                state = app.state
                print(name, state.is_running, state.is_started, state.is_stopping, state.stage.name)
            return listener
        for name in ("before_server_start", "after_server_start", "before_server_stop", "after_server_stop"):
            app.register_listener(tell(name), name)
        app.run(port=0, single_process=True)
        tell("end")
        print("end", app.state.is_running, app.state.is_started, app.state.is_stopping, app.state.server_info)
        """
    async with running(source, directory=tmp_path) as program:
        await program.url()
        await program.stop()
        assert "before_server_start True True False STOPPED" in program.lines
        assert "after_server_start True True False SERVING" in program.lines
        assert "before_server_stop True True True SERVING" in program.lines
        assert "after_server_stop True True True STOPPED" in program.lines
        assert "end False False False []" in program.lines


async def test_an_app_runs_again_and_again(tmp_path: Path) -> None:
    source = """
        import http.client, socket
        count = 0
        @app.after_server_start
        async def ask(app):
            global count
            count += 1
            sock = app.state.server_info[0].settings["sock"]
            connection = http.client.HTTPConnection("127.0.0.1", sock.getsockname()[1])
            def fetch():
                connection.request("GET", "/")
                print(count, connection.getresponse().read())
                connection.close()
            await asyncio.to_thread(fetch)
            app.stop()
        for _ in range(3):
            sock = socket.socket()
            sock.bind(("127.0.0.1", 0))
            app.run(single_process=True, sock=sock)
            app.run(single_process=True, port=0)
        print("open files", len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else "unknown")
        """
    async with running(source, directory=tmp_path) as program:
        assert await program.end() == 0
        assert [line for line in program.lines if line.endswith("b'hello'")] == [
            f"{number} b'hello'" for number in range(1, 7)
        ]
        assert not errors(program.output)


# -- Starts that fail -------------------------------------------------------------------------------------------------


async def only_error(program_source: str, directory: Path, **environment: str) -> str:
    """The one line that a program which cannot start says; that it says nothing else is checked."""
    async with running(program_source, directory=directory, **environment) as program:
        assert await program.end() == 1
        assert "Traceback" not in program.output
        lines = [line for line in program.lines if " INFO: " not in line]
        assert len(lines) == 1, program.output
        assert " ERROR: Startup failed: " in lines[0]
        return lines[0].partition("Startup failed: ")[2]


async def test_a_port_in_use_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = await only_error(f"app.run(port={port}, single_process=True)", tmp_path)
    assert (
        line
        == f"Address already in use: 127.0.0.1:{port}. Choose another port, or stop the process that uses this one."
    )


async def test_an_address_of_another_machine_is_told_in_one_line(tmp_path: Path) -> None:
    line = await only_error("app.run(host='192.0.2.1', port=0, single_process=True)", tmp_path)
    assert "192.0.2.1:0" in line
    assert "0.0.0.0" in line


async def test_an_unknown_host_is_told_in_one_line(tmp_path: Path) -> None:
    line = await only_error("app.run(host='nowhere.invalid', port=0, single_process=True)", tmp_path)
    assert line.startswith("Host nowhere.invalid is unknown: ")


async def test_a_port_that_is_text_is_told_in_one_line(tmp_path: Path) -> None:
    line = await only_error("app.run(port='8000', single_process=True)", tmp_path)
    assert line == "Port '8000' is text: give a number from 0 to 65535, without quotes."


@pytest.mark.parametrize("port", ["65536", "-1"])
async def test_a_port_that_is_none_is_told_in_one_line(tmp_path: Path, port: str) -> None:
    line = await only_error(f"app.run(port={port}, single_process=True)", tmp_path)
    assert line == f"Port {port} cannot be listened on: give a number from 0 to 65535."


async def test_a_unix_socket_without_its_directory_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "app.sock"
    line = await only_error(f"app.run(unix={str(path)!r}, single_process=True)", tmp_path)
    assert str(path) in line
    assert "does not exist" in line


async def test_a_unix_socket_in_place_of_a_file_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("precious")
    line = await only_error(f"app.run(unix={str(path)!r}, single_process=True)", tmp_path)
    assert f"{path} exists and is not a socket" in line
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        ("sock.bind(('127.0.0.1', 0)); sock.close()", "is closed"),
        ("pass", "is not bound"),
        ("sock = socket.socket(type=socket.SOCK_DGRAM); sock.bind(('127.0.0.1', 0))", "is no stream socket"),
        ("sock = 'tcp'", "must be a socket"),
    ],
)
async def test_a_socket_that_cannot_be_listened_on_is_told_in_one_line(tmp_path: Path, setup: str, said: str) -> None:
    source = f"""
        import socket
        sock = socket.socket()
        {setup}
        app.run(sock=sock, single_process=True)
        """
    assert said in await only_error(source, tmp_path)


async def test_an_app_without_routes_is_told_in_one_line(tmp_path: Path) -> None:
    line = await only_error("Sanic('empty').run(port=0, single_process=True)", tmp_path)
    assert line.startswith("empty cannot be served: Cannot finalize with no routes defined.")


async def test_two_routes_of_one_name_are_told_in_one_line(tmp_path: Path) -> None:
    source = """
        app.add_route(lambda request: text(""), "/a", name="same")
        app.add_route(lambda request: text(""), "/b", name="same")
        """
    async with running(dedented(source) + RUN, directory=tmp_path) as program:
        assert await program.end() == 1
        assert "same" in program.lines[-1]


@pytest.mark.parametrize("event", ["before_server_start", "after_server_start"])
async def test_a_failing_start_listener_is_told_by_one_traceback(tmp_path: Path, event: str) -> None:
    source = f"""
        @app.{event}
        async def connect(app):
            raise ConnectionRefusedError("no database")
        @app.after_server_stop
        async def disconnect(app):
            print("disconnected")
        """
    async with running(dedented(source) + RUN, directory=tmp_path) as program:
        assert await program.end() == 1
        assert program.output.count("Traceback") == 1
        assert program.lines[-1] == "ConnectionRefusedError: no database"
        # What has started is stopped; what has not is left alone.
        assert ("disconnected" in program.lines) == (event == "after_server_start")


async def test_the_exit_code_that_a_listener_asks_for_is_that_of_the_program(tmp_path: Path) -> None:
    source = """
        @app.before_server_start
        async def leave(app):
            sys.exit(3)
        """
    async with running(dedented(source) + RUN, directory=tmp_path) as program:
        assert await program.end() == 3
        assert "Traceback" not in program.output


async def test_the_exit_code_that_a_handler_asks_for_is_that_of_the_program(tmp_path: Path) -> None:
    source = """
        @app.get("/leave")
        async def leave(request):
            sys.exit(4)
        @app.after_server_stop
        async def stopped(app):
            print("stopped")
        """
    async with running(dedented(source) + RUN, directory=tmp_path) as program:
        url = await program.url()
        with pytest.raises(httpx.HTTPError):
            await get(url, "/leave")
        assert await program.end() == 4
        assert "stopped" in program.lines


# -- Ends -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["before_server_start", "after_server_start"])
async def test_a_listener_may_stop_the_app_and_is_not_interrupted(tmp_path: Path, event: str) -> None:
    source = f"""
        @app.{event}
        async def stop(app):
            app.stop()
            await asyncio.sleep(0.05)
            print("listener ended")
        """
    async with running(LISTENERS + dedented(source) + RUN, directory=tmp_path) as program:
        assert await program.end() == 0
        assert "listener ended" in program.lines
        assert "after_server_stop 1" in program.lines
        assert ("after_server_start 1" in program.lines) == (event == "after_server_start")


async def test_a_handler_may_stop_the_app_and_is_still_answered(tmp_path: Path) -> None:
    source = """
        @app.get("/stop")
        async def stop(request):
            request.app.stop()
            return text("stopping")
        @app.get("/stop_in_a_thread")
        def stop_in_a_thread(request):
            import threading
            threading.Thread(target=request.app.stop).start()
            return text("stopping")
        """
    for path in ("/stop", "/stop_in_a_thread"):
        async with running(dedented(source) + RUN, directory=tmp_path) as program:
            response = await get(await program.url(), path)
            assert response.text == "stopping"
            assert await program.end() == 0


async def test_a_request_in_progress_is_answered_before_the_end(tmp_path: Path) -> None:
    source = """
        @app.get("/slow")
        async def slow(request):
            print("begun")
            await asyncio.sleep(0.5)
            return text("done")
        """
    async with running(dedented(source) + RUN, directory=tmp_path) as program:
        url = await program.url()
        request = asyncio.ensure_future(get(url, "/slow"))
        await program.line("begun")
        program.send(signal.SIGTERM)
        response = await request
        assert response.text == "done"
        assert response.headers["connection"] == "close"
        assert await program.end() == 0


async def test_background_tasks_end_after_the_requests_and_before_the_last_listeners(tmp_path: Path) -> None:
    source = """
        async def background(app):
            try:
                await asyncio.sleep(3600)
            finally:
                print("task ended")
        app.add_task(background)
        @app.get("/slow")
        async def slow(request):
            print("begun")
            await asyncio.sleep(0.3)
            print("request ended")
            return text("done")
        @app.after_server_stop
        async def stopped(app):
            print("stopped")
        """
    async with running(dedented(source) + RUN, directory=tmp_path) as program:
        url = await program.url()
        request = asyncio.ensure_future(get(url, "/slow"))
        await program.line("begun")
        program.send(signal.SIGTERM)
        await request
        assert await program.end() == 0
        order = [program.lines.index(line) for line in ("request ended", "task ended", "stopped")]
        assert order == sorted(order)


STUBBORN = """
async def refuse():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass
"""


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("app.add_task(refuse())", "refuse"),
        ("@app.after_server_start\nasync def begin(app):\n    app.add_task(refuse(), name='stubborn')", "stubborn"),
        ("@app.after_server_start\nasync def begin(app):\n    app.ctx.task = asyncio.create_task(refuse())", "refuse"),
        ("@app.before_server_stop\nasync def hang(app):\n    await refuse()", "before_server_stop"),
        ("@app.after_server_stop\nasync def hang(app):\n    await asyncio.sleep(3600)", "after_server_stop"),
    ],
)
async def test_what_refuses_to_end_is_abandoned_and_named(tmp_path: Path, source: str, named: str) -> None:
    source = STUBBORN + source + "\napp.config.GRACEFUL_SHUTDOWN_TIMEOUT = 0.2\n" + RUN
    async with running(source, directory=tmp_path) as program:
        await program.url()
        assert await program.stop(timeout=10) == 0
        abandoned = [line for line in program.lines if "abandoned" in line]
        assert len(abandoned) == 1, program.output
        assert named in abandoned[0]


async def test_a_handler_that_refuses_to_end_is_abandoned_and_named(tmp_path: Path) -> None:
    source = """
        @app.get("/refuse")
        async def handler(request):
            print("begun")
            await refuse()
        app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 0.2
        """
    async with running(STUBBORN + dedented(source) + RUN, directory=tmp_path) as program:
        url = await program.url()
        request = asyncio.ensure_future(get(url, "/refuse"))
        await program.line("begun")
        assert await program.stop(timeout=10) == 0
        with pytest.raises(httpx.HTTPError):
            await request
        abandoned = [line for line in program.lines if "abandoned" in line]
        assert len(abandoned) == 1, program.output
        assert "refuse" in abandoned[0]


async def test_a_failing_stop_listener_is_logged_and_the_others_run(tmp_path: Path) -> None:
    source = """
        @app.before_server_stop
        async def fail(app):
            raise ValueError("cannot stop")
        @app.after_server_stop
        async def last(app):
            print("last")
        """
    async with running(dedented(source) + RUN, directory=tmp_path) as program:
        await program.url()
        assert await program.stop() == 0
        assert "last" in program.lines
        assert program.output.count("ValueError: cannot stop") == 1


async def test_a_second_signal_waits_for_nothing_any_more(tmp_path: Path) -> None:
    source = """
        @app.get("/slow")
        async def slow(request):
            print("begun")
            await asyncio.sleep(3600)
        @app.before_server_stop
        async def stopping(app):
            print("stopping")
        @app.after_server_stop
        async def stopped(app):
            print("stopped")
        """
    async with running(dedented(source) + RUN, directory=tmp_path) as program:
        url = await program.url()
        request = asyncio.ensure_future(get(url, "/slow"))
        await program.line("begun")
        program.send(signal.SIGTERM)
        await program.line("stopping")
        assert await program.stop(timeout=8) == 0
        assert "stopped" in program.lines
        with pytest.raises(httpx.HTTPError):
            await request


async def test_a_second_signal_ends_a_program_whose_loop_is_blocked(tmp_path: Path) -> None:
    source = """
        @app.get("/block")
        async def block(request):
            import time
            print("begun")
            while True:
                time.sleep(0.05)
        """
    async with running(dedented(source) + RUN, directory=tmp_path) as program:
        url = await program.url()
        request = asyncio.ensure_future(get(url, "/block"))
        await program.line("begun")
        program.send(signal.SIGTERM)
        # Two signals of one number that arrive before the first is handled are one.
        await asyncio.sleep(0.3)
        assert await program.stop() == -signal.SIGTERM
        with pytest.raises(httpx.HTTPError):
            await request


async def test_a_thread_that_keeps_the_process_from_ending_is_named(tmp_path: Path) -> None:
    source = """
        import threading
        event = threading.Event()
        def wait_for_nothing():
            event.wait()
        @app.after_server_start
        async def begin(app):
            app.ctx.future = asyncio.get_running_loop().run_in_executor(None, wait_for_nothing)
            app.stop()
        app.run(port=0, single_process=True)
        event.set()
        """
    async with running(source, directory=tmp_path) as program:
        assert await program.end() == 0
        assert any("Thread " in line and "still runs" in line for line in program.lines), program.output


async def test_threads_of_a_pool_that_have_nothing_to_do_keep_nobody_waiting(tmp_path: Path) -> None:
    source = """
        import time
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(4)

        @app.main_process_start
        @app.before_server_start
        async def begin(app):
            list(pool.map(time.sleep, [0.1] * 4))

        if __name__ == "__main__":
            app.run(port=0, workers=1)
        """
    async with running(source, directory=tmp_path) as program:
        await program.url()
        assert await program.stop() == 0
        assert "still runs" not in program.output


async def test_a_thread_that_keeps_the_main_process_from_ending_is_named(tmp_path: Path) -> None:
    source = """
        import threading
        event = threading.Event()
        @app.main_process_start
        async def begin(app):
            threading.Thread(target=event.wait, name="keeper").start()
        if __name__ == "__main__":
            app.run(port=0, workers=1)
            event.set()
        """
    async with running(source, directory=tmp_path) as program:
        await program.url()
        assert await program.stop() == 0
        assert any("Thread keeper still runs" in line for line in program.lines), program.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_interrupts_a_start_that_waits(tmp_path: Path, number: int) -> None:
    source = """
        @app.before_server_start
        async def connect(app):
            print("connecting")
            try:
                await asyncio.sleep(3600)
            finally:
                print("gave up")
        @app.after_server_stop
        async def disconnect(app):
            print("disconnected")
        """
    async with running(dedented(source) + RUN, directory=tmp_path) as program:
        await program.line("connecting")
        assert await program.stop(number, timeout=5) == 0
        assert "gave up" in program.lines
        assert "disconnected" not in program.lines
        assert not errors(program.output)


async def test_a_signal_ends_a_start_that_refuses_to_be_interrupted(tmp_path: Path) -> None:
    source = """
        @app.before_server_start
        async def connect(app):
            print("connecting")
            await refuse()
        """
    async with running(STUBBORN + dedented(source) + RUN, directory=tmp_path) as program:
        await program.line("connecting")
        assert await program.stop(timeout=10) == 0
        assert any("abandoned" in line and "refuse" in line for line in program.lines), program.output


async def test_a_program_may_keep_its_own_signal_handlers(tmp_path: Path) -> None:
    source = """
        import signal
        def mine(number, frame):
            print("mine")
            app.stop()
        signal.signal(signal.SIGTERM, mine)
        app.run(port=0, single_process=True, register_sys_signals=False)
        """
    async with running(source, directory=tmp_path) as program:
        await program.url()
        assert await program.stop() == 0
        assert "mine" in program.lines


async def test_the_handlers_of_a_program_are_back_after_the_run(tmp_path: Path) -> None:
    source = """
        import signal
        def mine(number, frame): ...
        signal.signal(signal.SIGTERM, mine)
        app.after_server_start(lambda app: app.stop())
        app.run(port=0, single_process=True)
        print(signal.getsignal(signal.SIGTERM) is mine, signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        """
    async with running(source, directory=tmp_path) as program:
        assert await program.end() == 0
        assert "True True" in program.lines


async def test_term_at_any_moment_of_the_start_ends_the_program(tmp_path: Path) -> None:
    """Status 0 from when `run` has been called; before that the program is not ours, and ends as any other does."""

    async def end_after(milliseconds: int) -> None:
        directory = tmp_path / str(milliseconds)
        directory.mkdir()
        source = "import signal\nprint('imported')\n" + RUN
        async with running(source, directory=directory) as program:
            await asyncio.sleep(milliseconds / 1000)
            code = await program.stop(timeout=10)
            is_running = any("Goin' Fast" in line for line in program.lines)
            assert code == 0 or (code == -signal.SIGTERM and not is_running), program.output
            if code == 0:
                assert not errors(program.output)
                assert "Worker complete" in program.output

    for milliseconds in range(0, 1500, 150):
        await asyncio.gather(end_after(milliseconds), end_after(milliseconds + 50), end_after(milliseconds + 100))


# -- Addresses --------------------------------------------------------------------------------------------------------


async def test_a_unix_socket_is_open_to_all_and_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    async with running(f"app.run(unix={str(path)!r}, single_process=True)", directory=tmp_path) as program:
        await program.line("Worker ready")
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        assert (await get("http://localhost", unix=str(path))).text == "hello"
        assert str(path) in program.output
        assert await program.stop() == 0
        assert os.listdir(tmp_path) == ["program.py"]


async def test_a_server_takes_the_unix_socket_of_another_over_without_a_gap(tmp_path: Path) -> None:
    path = str(tmp_path / "app.sock")
    source = f"""
        @app.get("/pid")
        async def pid(request):
            return text(str(os.getpid()))
        app.run(unix={path!r}, single_process=True)
        """
    async with running(source, directory=tmp_path) as first:
        await first.line("Worker ready")
        async with running(source, directory=tmp_path) as second:
            await second.line("Worker ready")
            assert (await get("http://localhost", "/pid", unix=path)).text == str(second.process.pid)
            assert await first.stop() == 0
            assert (await get("http://localhost", "/pid", unix=path)).text == str(second.process.pid)
            assert await second.stop() == 0
    assert os.listdir(tmp_path) == ["program.py"]


async def test_a_stale_unix_socket_is_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "app.sock")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    async with running(f"app.run(unix={path!r}, single_process=True)", directory=tmp_path) as program:
        await program.line("Worker ready")
        assert (await get("http://localhost", unix=path)).text == "hello"


async def test_ipv6_and_names_are_addresses(tmp_path: Path) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            hosts = ["::1", "[::1]", "localhost"]
    except OSError:
        hosts = ["localhost"]
    for host in hosts:
        async with running(f"app.run(host={host!r}, port=0, single_process=True)", directory=tmp_path) as program:
            assert (await get(await program.url())).text == "hello"
            assert await program.stop() == 0


TWO_APPS = """
other = Sanic("other")

@other.get("/")
async def other_index(request):
    return text("other")

for each in (app, other):
    for name in ("before_server_start", "after_server_start", "before_server_stop", "after_server_stop"):
        each.register_listener(lambda app, name=name: print(app.name, name), name)
"""


async def test_several_apps_on_several_addresses_live_in_one_process(tmp_path: Path) -> None:
    first, second, third = (str(tmp_path / name) for name in "abc")
    source = f"""
        app.prepare(unix={first!r}, single_process=True)
        app.prepare(unix={second!r}, single_process=True)
        other.prepare(unix={third!r}, single_process=True)
        Sanic.serve_single(primary=app)
        """
    async with running(TWO_APPS + dedented(source), directory=tmp_path) as program:
        await program.line("Worker ready")
        answers = [(await get("http://localhost", unix=path)).text for path in (first, second, third)]
        assert answers == ["hello", "hello", "other"]
        assert await program.stop() == 0
        events = [line for line in program.lines if line.startswith(("program ", "other "))]
        assert events == [
            "program before_server_start",
            "other before_server_start",
            "program after_server_start",
            "other after_server_start",
            "other before_server_stop",
            "program before_server_stop",
            "other after_server_stop",
            "program after_server_stop",
        ]
        assert program.output.count("Worker complete") == 1


async def test_a_secondary_app_that_cannot_be_served_is_warned_of_and_the_rest_goes_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        source = f"""
            app.prepare(port=0, single_process=True)
            other.prepare(port={port}, single_process=True)
            Sanic.serve_single()
            """
        async with running(TWO_APPS + dedented(source), directory=tmp_path) as program:
            assert (await get(await program.url())).text == "hello"
            assert await program.stop() == 0
            assert f"other is not served: Address already in use: 127.0.0.1:{port}" in program.output


async def test_an_app_that_was_not_prepared_serves_nothing(tmp_path: Path) -> None:
    async with running("Sanic.serve_single(app); Sanic.serve(app); print('nothing')", directory=tmp_path) as program:
        assert await program.end() == 0
        assert program.lines == ["nothing"]


async def test_serving_without_any_app_is_an_error(tmp_path: Path) -> None:
    source = "app.unregister_app(app)\nSanic.serve()"
    async with running(source, directory=tmp_path) as program:
        assert await program.end() == 1
        assert program.lines[-1] == "RuntimeError: Did not find any applications."
