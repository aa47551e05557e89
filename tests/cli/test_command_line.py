"""`sanic TARGET [options]` and `python -m sanic`, as processes of their own."""

from __future__ import annotations

import signal
import ssl
import sys
from pathlib import Path

import httpx
import pytest

from tests.certificates import AUTHORITY, write_certificate
from tests.processes import command, get

CHAIN, KEY = "certificate/fullchain.pem", "certificate/privkey.pem"


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["server:app"], "server"),
        (["server:make_with", "--factory", "--extra=1"], "made with 0"),
        (["./site"], "<p>hello"),
        (["package.web", "--single-process"], "server"),
    ],
)
async def test_a_target_is_served(directory: Path, arguments: list[str], answer: str) -> None:
    async with command(sys.executable, "-m", "sanic", *arguments, "--port", "0", directory=directory) as program:
        assert (await get(await program.url())).text == answer
        assert await program.stop() == 0


async def test_the_command_is_installed(directory: Path) -> None:
    sanic = Path(sys.executable).with_name("sanic")
    if not sanic.is_file():
        pytest.skip("the package is not installed with its command")
    async with command(str(sanic), "server", "-p", "0", directory=directory) as program:
        assert (await get(await program.url())).text == "server"
        assert await program.stop() == 0


async def test_workers_are_processes_that_are_replaced(directory: Path) -> None:
    arguments = ["server", "-p", "0", "--workers", "2", "--max-requests", "3", "--max-requests-jitter", "0"]
    async with command(sys.executable, "-m", "sanic", *arguments, directory=directory) as program:
        url = await program.url()
        await program.line("Worker ready")
        assert "w/ 2 workers" in program.output
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(10):
                assert (await client.get(url)).text == "server"
        await program.line("Worker ready")
        assert await program.stop(signal.SIGINT) == 0


async def test_the_package_can_be_run_without_a_module_of_it_on_the_path(directory: Path) -> None:
    async with command(sys.executable, "-m", "sanic", "--version", directory=directory) as program:
        assert await program.end() == 0
        assert program.lines[0].startswith("Sanic ")


async def test_a_failure_of_the_program_is_shown_from_its_own_code_on(directory: Path) -> None:
    async with command(sys.executable, "-m", "sanic", "broken:app", directory=directory) as program:
        assert await program.end() == 1
        assert program.lines[1:] == [
            f'  File "{directory}/broken.py", line 1, in <module>',
            "    import a_module_that_is_missing",
            "ModuleNotFoundError: No module named 'a_module_that_is_missing'",
        ]


@pytest.mark.parametrize("options", [[], ["--single-process"]])
async def test_a_listener_that_fails_is_shown_from_its_own_code_on(directory: Path, options: list[str]) -> None:
    (directory / "listening.py").write_text(
        f"{(directory / 'server.py').read_text()}\n@app.before_server_start\nasync def fail(app):\n    1 / 0\n"
    )
    async with command(sys.executable, "-m", "sanic", "listening", "-p", "0", *options, directory=directory) as program:
        assert await program.end() == 1
        places = [line for line in program.lines if line.startswith("  File ")]
        assert places == [f'  File "{directory}/listening.py", line {places[0].split()[3][:-1]}, in fail']
        assert program.output.count("ZeroDivisionError: division by zero") == 1


async def test_a_port_that_is_taken_ends_it_with_status_1(directory: Path) -> None:
    async with command(sys.executable, "-m", "sanic", "server", "-p", "0", directory=directory) as program:
        port = (await program.url()).rpartition(":")[2]
        async with command(sys.executable, "-m", "sanic", "server", "-p", port, directory=directory) as second:
            assert await second.end() == 1
            assert "Startup failed: Address already in use" in second.output
        assert await program.stop() == 0


async def test_an_interrupt_during_the_import_ends_it_without_a_traceback(directory: Path) -> None:
    (directory / "slow.py").write_text("print('importing', flush=True)\nimport time\ntime.sleep(60)\n")
    async with command(sys.executable, "-m", "sanic", "slow", directory=directory) as program:
        await program.line("importing")
        assert await program.stop(signal.SIGINT) == 130
        assert "Traceback" not in program.output


async def test_options_reach_the_app(directory: Path) -> None:
    path = str(directory / "app.sock")
    arguments = ["server", "--unix", path, "--debug", "--access-logs", "--no-motd"]
    async with command(sys.executable, "-m", "sanic", *arguments, directory=directory) as program:
        await program.line("Worker ready")
        assert (await get("http://localhost", unix=path)).status_code == 200
        assert await program.stop() == 0
        assert "Goin' Fast" not in program.output
        assert "GET http://localhost/ 200" in program.output


async def test_access_logs_may_be_off_in_debug_mode(directory: Path) -> None:
    arguments = ["server", "--port", "0", "--debug", "--no-access-logs"]
    async with command(sys.executable, "-m", "sanic", *arguments, directory=directory) as program:
        await get(await program.url())
        assert await program.stop() == 0
        assert "mode: debug, single worker" in program.output
        assert " 200 " not in program.output


@pytest.mark.parametrize("method", ["fork", "forkserver"])
async def test_a_factory_serves_however_processes_are_started(directory: Path, method: str) -> None:
    path = directory / "server.py"
    path.write_text(f"{path.read_text()}\n\nSanic.start_method = {method!r}\n")
    arguments = ["server:make_with", "--factory", "-p", "0"]
    async with command(sys.executable, "-m", "sanic", *arguments, directory=directory) as program:
        assert (await get(await program.url())).text == "made with 0"
        assert await program.stop() == 0


@pytest.mark.parametrize("arguments", [["--tls", "certificate"], ["--cert", CHAIN, "--key", KEY]])
async def test_certificates_are_given_as_a_directory_or_as_files(directory: Path, arguments: list[str]) -> None:
    write_certificate(directory / "certificate", "127.0.0.1")
    async with command(sys.executable, "-m", "sanic", "server", "-p", "0", *arguments, directory=directory) as program:
        url = await program.url()
        assert url.startswith("https://")
        trust = ssl.create_default_context()
        AUTHORITY.configure_trust(trust)
        async with httpx.AsyncClient(verify=trust, trust_env=False) as client:
            assert (await client.get(url)).text == "server"
        assert await program.stop() == 0


async def test_a_changed_file_is_reloaded_in_development(directory: Path) -> None:
    async with command(sys.executable, "-m", "sanic", "server", "-p", "0", "--dev", directory=directory) as program:
        url = await program.url()
        assert (await get(url)).text == "server"
        program_file = directory / "server.py"
        program_file.write_text(program_file.read_text().replace("text(request.app.name)", "text('changed')"))
        await program.line("Worker ready")
        assert (await get(url)).text == "changed"
        assert await program.stop() == 0


async def test_without_a_terminal_there_is_no_console_but_a_server(directory: Path) -> None:
    async with command(sys.executable, "-m", "sanic", "server", "-p", "0", "--repl", directory=directory) as program:
        assert (await get(await program.url())).text == "server"
        assert await program.stop() == 0
        assert "ERROR: There is no console: --repl needs a terminal." in program.output
