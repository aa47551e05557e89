"""What befalls a fleet that is at work, and how many requests are lost by it: none, but those that a dead worker held.

Each test says what it counts. `make e2e` runs these; the shorter ones of their kind are in `test_fleets.py`.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import pytest

from tests.harness import read_response
from tests.processes import PATIENCE, Program, get, running
from tests.worker.load import steady_load
from tests.worker.test_fleets import REPLACING, RUN, WHO, gone, is_alive, ready, workers_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

HOST = "127.0.0.1"


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


async def read_until(program: Program, pattern: str, count: int) -> None:
    """Read until so many lines hold the pattern, all that were read before included."""
    while sum(pattern in line for line in program.lines) < count:
        await program.line(pattern)


def group_of(pgid: int) -> list[int]:
    """The processes of a group that have not ended."""
    members = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == pgid and fields[0] != "Z":
                members.append(int(path.parent.name))
    return members


# -- Deaths -----------------------------------------------------------------------------------------------------------


async def test_a_killed_worker_takes_no_requests_with_it_but_those_that_it_held(tmp_path: Path) -> None:
    source = """
    @app.get("/hold")
    async def hold(request):
        response = await request.respond()
        await response.send(str(os.getpid()))
        await asyncio.sleep(4)
        await response.eof()
    """
    async with running(WHO + dedent(source) + RUN, directory=tmp_path) as program:
        url = await ready(program)
        held = []
        for _ in range(12):
            reader, writer = await asyncio.open_connection(HOST, port_of(url))
            writer.write(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            await reader.readline()
            held.append((int(await reader.readline()), reader, writer))
        victim = held[0][0]
        by_others = [reader for pid, reader, _ in held if pid != victim]
        async with steady_load(HOST, port_of(url), "/pid") as load:
            await load.until(100)
            os.kill(victim, signal.SIGKILL)
            await program.line(rf"pid {victim}\) was ended by SIGKILL")
            await program.line("Worker ready")
            await load.until(200)
        # One request at a time and client, and of those only what the dead one was about to answer.
        assert len(load.lost) <= 4, load.lost
        assert set(load.lost_with) <= {str(victim), ""}
        assert len(load.answers) >= 2
        rests = await asyncio.gather(*(reader.read(10) for reader in by_others))
        assert rests == [b"0\r\n\r\n"] * len(by_others)
        for pid, reader, writer in held:
            if pid == victim:
                with suppress(ConnectionResetError):
                    assert await reader.read() == b""
            writer.close()
        assert await program.stop() == 0


async def test_workers_that_are_killed_one_after_the_other_leave_a_server_that_serves(tmp_path: Path) -> None:
    async with running(WHO + RUN, directory=tmp_path) as program:
        url = await ready(program)
        async with steady_load(HOST, port_of(url), "/pid") as load:
            victims = []
            for _ in range(4):
                await load.until(50)
                alive = [pid for pid in workers_of(program) if is_alive(pid)]
                victims.append(alive[0])
                os.kill(alive[0], signal.SIGKILL)
                await program.line("Worker ready")
            await load.until(100)
        assert len(load.lost) <= 4 * len(victims)
        assert set(load.lost_with) <= {"", *map(str, victims)}
        assert await program.stop() == 0


async def test_a_worker_that_hangs_loses_its_own_requests_and_no_others(tmp_path: Path) -> None:
    source = """
    import time
    app.config.WORKER_HANG_TIMEOUT = 2

    @app.get("/hang")
    async def hang_for_ever(request):
        print("hangs", os.getpid(), flush=True)
        time.sleep(1000)
    """
    async with running(WHO + dedent(source) + RUN, directory=tmp_path) as program:
        url = await ready(program)
        async with steady_load(HOST, port_of(url), "/pid") as load:
            await load.until(50)
            request = asyncio.create_task(get(url, "/hang"))
            victim = await program.line(r"hangs (\d+)")
            await program.line("hangs: its loop stood for 2 s")
            await program.line("in hang_for_ever")
            await program.line("Worker ready")
            await load.until(100)
        assert set(load.lost_with) <= {victim, ""}
        assert len(load.lost) <= 4
        with suppress(Exception):
            await request
        assert await program.stop() == 0


async def test_nothing_outlives_a_killed_manager_that_was_busy(tmp_path: Path) -> None:
    source = "os.setpgrp() if __name__ == '__main__' else None\napp.config.DRAIN_SECONDS = 3600\n" + REPLACING
    async with running(source + RUN, directory=tmp_path) as program:
        url = await ready(program)
        program.send(signal.SIGHUP)
        await get(url, "/scale/4")
        await program.line("Scaling")
        program.process.kill()
        assert await program.end() == -signal.SIGKILL
        await gone(*group_of(program.process.pid))


async def test_a_worker_that_is_stopped_keeps_neither_the_others_nor_the_end_waiting(tmp_path: Path) -> None:
    source = """
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 1
    app.config.WORKER_HANG_TIMEOUT = 0

    @app.get("/talk")
    async def talk(request):
        # Much more than a pipe holds: nobody may wait for the one who does not listen.
        for number in range(100):
            app.m.state["word"] = f"{number} " + "x" * 10_000
        return text("ok")
    """
    async with running(WHO + dedent(source) + RUN, directory=tmp_path) as program:
        url = await ready(program)
        stopped, other = workers_of(program)
        os.kill(stopped, signal.SIGSTOP)
        answers = await asyncio.gather(*(get_or_nothing(url, "/talk") for _ in range(6)))
        assert "ok" in answers
        program.send(signal.SIGTTIN)
        await program.line("Worker ready")
        assert await program.stop() == 0
        assert f"(pid {stopped}) did not end in time, and is killed" in program.output
        await gone(stopped, other)


async def get_or_nothing(url: str, path: str) -> str:
    # What the stopped one has taken it keeps.
    with suppress(asyncio.TimeoutError, OSError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection(HOST, port_of(url))
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
            return (await asyncio.wait_for(read_response(reader), 2)).text
        finally:
            writer.close()
    return ""


async def test_many_replacements_leave_no_descriptors_and_no_processes_behind(tmp_path: Path) -> None:
    source = "os.setpgrp() if __name__ == '__main__' else None\n" + RUN
    async with running(source, directory=tmp_path) as program:
        await ready(program)

        def open_descriptors() -> int:
            return len(list(Path(f"/proc/{program.process.pid}/fd").iterdir()))

        async def settled(count: int) -> int:
            await read_until(program, "Worker complete", count)
            while len(group_of(program.process.pid)) > 4:  # noqa: ASYNC110 - of processes that are not our children
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.2)
            return open_descriptors()

        program.send(signal.SIGHUP)
        before = await settled(2)
        for turn in range(2, 7):
            program.send(signal.SIGHUP)
            assert await settled(2 * turn) == before
        assert await program.stop() == 0


# -- The end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_end_that_is_announced_loses_no_request_of_clients_that_heed_it(tmp_path: Path, number: int) -> None:
    source = """
    os.setpgrp() if __name__ == "__main__" else None
    app.config.DRAIN_SECONDS = 2

    @app.get("/ready")
    async def ready(request):
        return text("", 200 if app.state.is_ready else 503)
    """
    async with running(WHO + dedent(source) + RUN, directory=tmp_path) as program:
        url = await ready(program)
        async with steady_load(HOST, port_of(url), "/pid", clients=8) as load:
            await load.until(200)
            if number == signal.SIGINT:
                # As a terminal does it.
                os.killpg(program.process.pid, number)
            else:
                program.send(number)
            while (await get(url, "/ready")).status_code == 200:  # noqa: ASYNC110 - what a load balancer does
                await asyncio.sleep(0.05)
            await load.until(100)
        assert load.lost == []
        assert await program.end() == 0
        assert "Traceback" not in program.output
        await gone(*group_of(program.process.pid))


@pytest.mark.parametrize(
    ("method", "number", "count", "step"),
    [
        ("spawn", signal.SIGTERM, 60, 0.05),
        ("spawn", signal.SIGINT, 15, 0.2),
        ("fork", signal.SIGTERM, 15, 0.2),
        ("forkserver", signal.SIGTERM, 15, 0.2),
    ],
)
async def test_a_signal_at_any_moment_of_the_first_seconds_ends_every_process_in_order(
    tmp_path: Path, method: str, number: int, count: int, step: float
) -> None:
    source = f"""
    Sanic.start_method = "{method}"
    os.setpgrp() if __name__ == "__main__" else None

    @app.main_process_start
    async def begun(app):
        print("has begun", flush=True)

    """
    turns = asyncio.Semaphore(3)

    async def attempt(turn: int) -> tuple[int, int, bool]:
        directory = tmp_path / str(turn)
        directory.mkdir()
        async with turns, running(dedent(source) + RUN, directory=directory) as program:
            await asyncio.sleep(turn * step)
            if number == signal.SIGINT and group_of(program.process.pid):
                # As a terminal does it.
                os.killpg(program.process.pid, number)
            else:
                program.send(number)
            code = await program.end()
            has_begun = "has begun" in program.output
            assert "Traceback" not in program.output or not has_begun, program.output
            await gone(*group_of(program.process.pid))
            return turn, code, has_begun

    outcomes = await asyncio.gather(*(attempt(turn) for turn in range(count)))
    # Before the program has come as far as that, Python itself ends of the signal, or of a KeyboardInterrupt.
    early = (0, -number, 1) if number == signal.SIGINT else (0, -number)
    bad = [outcome for outcome in outcomes if outcome[1] not in ((0,) if outcome[2] else early)]
    assert bad == []
    # However slow the machine is at the moment.
    assert any(has_begun for *_, has_begun in outcomes)


# -- Replacements -----------------------------------------------------------------------------------------------------


async def test_whatever_replaces_adds_or_takes_away_workers_loses_no_request(tmp_path: Path) -> None:
    async with running(REPLACING + RUN, directory=tmp_path) as program:
        url = await ready(program)
        async with steady_load(HOST, port_of(url), "/pid", clients=8) as load:
            # The whole fleet each time: so many have been started, and so many of these have ended.
            started, ended = 2, 0

            async def replaced(more: int, fewer: int) -> None:
                nonlocal started, ended
                started, ended = started + more, ended + fewer
                await read_until(program, "Worker ready", started)
                await read_until(program, "Worker complete", ended)
                await load.until(50)

            for _ in range(2):
                program.send(signal.SIGHUP)
                await replaced(2, 2)
                program.send(signal.SIGTTIN)
                await replaced(1, 0)
                program.send(signal.SIGTTOU)
                await replaced(0, 1)
                await get(url, "/restart?zero=1")
                await replaced(2, 2)
                await get(url, "/restart")
                await replaced(2, 2)
                await get(url, "/scale/4")
                await replaced(2, 0)
                await get(url, "/scale/2")
                await replaced(0, 2)
        assert load.lost == []
        assert len(load.answers) > 5
        assert await program.stop() == 0


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
async def test_workers_that_are_replaced_by_the_number_of_their_requests_lose_none_under_wrk(tmp_path: Path) -> None:
    source = """
    app.config.WORKER_MAX_REQUESTS = 1000
    app.config.WORKER_MAX_REQUESTS_JITTER = 500
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        url = await ready(program)
        wrk = await asyncio.create_subprocess_exec(
            "wrk", "-t1", "-c16", "-d8s", url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await wrk.communicate()
        assert await program.stop() == 0
        assert program.output.count("(WORKER_MAX_REQUESTS): it is replaced.") >= 3
    report = output.decode()
    found = re.search(r"(\d+) requests in", report)
    assert found, report
    assert int(found[1]) > 3000
    assert "Socket errors" not in report, report
    assert "Non-2xx" not in report, report


async def test_workers_that_grow_too_large_are_replaced_and_lose_no_request(tmp_path: Path) -> None:
    source = """
    app.config.WORKER_MAX_RSS = 200
    kept = []

    @app.get("/leak")
    async def leak(request):
        kept.append(b"x" * 300_000_000)
        return text(str(app.m.state["rss"]))

    @app.get("/state")
    async def state(request):
        from sanic import json
        return json({name: {key: value for key, value in known.items() if not key.endswith("_at")}
                     for name, known in app.m.workers.items()})
    """
    async with running(WHO + dedent(source) + RUN, directory=tmp_path) as program:
        url = await ready(program)
        async with steady_load(HOST, port_of(url), "/pid") as load:
            await load.until(100)
            # What is too large sooner is so because of the application.
            await asyncio.sleep(10)
            assert int((await get(url, "/leak")).text) > 10_000_000
            await program.line(r"occupies \d+ MiB of memory \(WORKER_MAX_RSS\): it is replaced")
            await program.line("Worker complete")
            await load.until(300)
            for _ in range(2):
                await asyncio.sleep(1.1)
                states = (await get(url, "/state")).json()
        assert load.lost == []
        workers = [state for state in states.values() if state.get("server")]
        assert sorted(worker["restarts"] for worker in workers) == [0, 1]
        assert all(worker["requests"] > 0 for worker in workers)
        # Half of the clients keep theirs, wherever that is.
        assert sum(worker["connections"] for worker in workers) >= 2
        assert all(10_000_000 < worker["rss"] < 200_000_000 for worker in workers)
        assert await program.stop() == 0


# -- A machine without room -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uvloop", [True, False])
async def test_a_server_without_descriptors_serves_again_when_there_are_some_and_does_not_flood_its_log(
    tmp_path: Path, uvloop: bool
) -> None:
    source = f"""
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    app.config.USE_UVLOOP = {uvloop}
    """
    async with running(dedent(source) + RUN, directory=tmp_path) as program:
        url = await ready(program)
        idle = [socket.create_connection((HOST, port_of(url))) for _ in range(150)]
        await program.line(r"No file descriptors are left \(the limit is 64\)")
        await asyncio.sleep(3)
        for connection in idle:
            connection.close()

        async def served() -> None:
            for _ in range(20):
                reader, writer = await asyncio.open_connection(HOST, port_of(url))
                writer.write(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                assert (await read_response(reader)).text == "hello"
                writer.close()

        async def until_served() -> None:
            while True:
                with suppress(OSError, asyncio.IncompleteReadError):
                    return await served()
                await asyncio.sleep(0.1)

        await asyncio.wait_for(until_served(), PATIENCE)
        assert await program.stop() == 0
        assert len(program.lines) < 40, program.output


@pytest.mark.parametrize("uvloop", [True, False])
async def test_a_server_whose_log_is_full_serves_on(tmp_path: Path, uvloop: bool) -> None:
    source = f"""
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, 2)
    app.config.USE_UVLOOP = {uvloop}

    @app.before_server_start
    async def begun(app):
        print("Worker ready", flush=True)
        os.dup2(full, 1)

    @app.get("/fail")
    async def fail(request):
        raise ValueError("logged nowhere")

    if __name__ == "__main__":
        app.run(port=0, workers=2, access_log=True)
    """
    async with running(WHO + dedent(source), directory=tmp_path) as program:
        url = await ready(program)
        async with steady_load(HOST, port_of(url), "/pid") as load:
            for _ in range(10):
                assert (await get(url, "/fail")).status_code == 500
            await load.until(300)
        assert load.lost == []
        assert await program.stop() == 0


async def test_a_port_that_is_taken_is_told_in_one_line_and_nothing_is_left(tmp_path: Path) -> None:
    async with running(WHO + RUN, directory=tmp_path) as first:
        url = await ready(first)
        second = tmp_path / "second"
        second.mkdir()
        source = "os.setpgrp() if __name__ == '__main__' else None\n" + RUN.replace("port=0", f"port={port_of(url)}")
        async with steady_load(HOST, port_of(url), "/pid") as load:
            async with running(source, directory=second) as program:
                assert await program.end() == 1
            await load.until(50)
        assert [line for line in program.lines if "ERROR" in line] == program.lines
        assert len(program.lines) == 1, program.output
        assert f"Address already in use: {HOST}:{port_of(url)}" in program.output
        await gone(*group_of(program.process.pid))
        assert load.lost == []
        assert await first.stop() == 0
