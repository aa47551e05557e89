"""`sanic TARGET [options]` and `python -m sanic`, as processes of their own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.processes import command, get

MODULE = """
from sanic import Sanic, text

app = Sanic("server")
other = {"no": "app"}


@app.get("/")
async def index(request):
    return text(request.app.name)


def make():
    app = Sanic("made")
    app.add_route(lambda request: text("made"), "/")
    return app


def make_with(args):
    app = Sanic("made")
    app.add_route(lambda request: text(f"made with {args.port}"), "/")
    return app


def fail():
    raise TypeError("the factory itself is wrong")
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "server.py").write_text(MODULE)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "web.py").write_text(MODULE)
    (tmp_path / "broken.py").write_text("import a_module_that_is_missing\n")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<p>hello")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["server:app"], "server"),
        (["server.app"], "server"),
        (["server"], "server"),
        (["package.web:app"], "server"),
        (["package.web.app"], "server"),
        (["package.web"], "server"),
        (["server:make()"], "made"),
        (["server:make", "--factory"], "made"),
        (["server:make"], "made"),
        (["server:make_with", "--factory"], "made with 0"),
        (["./site"], "<p>hello"),
        (["site", "--simple"], "<p>hello"),
    ],
)
async def test_a_target_names_an_app(directory: Path, arguments: list[str], answer: str) -> None:
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


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nowhere:app", "No module named nowhere found"),
        ("package.nowhere:app", "No module named package.nowhere found"),
        ("server:missing", "Module server has no 'missing'"),
        ("server:other", "server:other is not a Sanic app: it is a dict."),
        ("package.web:sys", "has no 'sys'"),
        ("./nowhere", "Cannot setup Sanic Simple Server without a path to a directory"),
        (":app", "is no name of a module"),
    ],
)
async def test_a_target_that_names_none_is_told_in_one_line(directory: Path, target: str, said: str) -> None:
    async with command(sys.executable, "-m", "sanic", target, directory=directory) as program:
        assert await program.end() == 1
        assert len(program.lines) == 1
        assert said in program.lines[0]


async def test_a_module_that_lacks_another_shows_its_own_traceback(directory: Path) -> None:
    async with command(sys.executable, "-m", "sanic", "broken:app", directory=directory) as program:
        assert await program.end() == 1
        assert program.lines[-1] == "ModuleNotFoundError: No module named 'a_module_that_is_missing'"
        assert "broken.py" in program.output


async def test_a_factory_that_fails_shows_its_own_traceback(directory: Path) -> None:
    async with command(sys.executable, "-m", "sanic", "server:fail()", directory=directory) as program:
        assert await program.end() == 1
        assert program.lines[-1] == "TypeError: the factory itself is wrong"


@pytest.mark.parametrize("arguments", [["server", "--unknown"], ["server", "--port", "many"], ["--debug"]])
async def test_wrong_arguments_end_with_status_2(directory: Path, arguments: list[str]) -> None:
    async with command(sys.executable, "-m", "sanic", *arguments, directory=directory) as program:
        assert await program.end() == 2
        assert program.lines[0].startswith("usage: sanic")


@pytest.mark.parametrize("option", ["--workers=2", "--fast", "--dev", "--reload", "--daemon", "--cert=x"])
async def test_an_option_that_does_not_exist_yet_is_unknown(directory: Path, option: str) -> None:
    async with command(sys.executable, "-m", "sanic", "server", option, directory=directory) as program:
        assert await program.end() == 2
        assert "unrecognized arguments" in program.output


@pytest.mark.parametrize("option", ["--version", "-v"])
async def test_the_versions_are_told(directory: Path, option: str) -> None:
    from sanic import __version__

    async with command(sys.executable, "-m", "sanic", option, directory=directory) as program:
        assert await program.end() == 0
        assert program.lines[0].startswith(f"Sanic {__version__}; Routing ")


@pytest.mark.parametrize("arguments", [[], ["--help"]])
async def test_help_is_shown(directory: Path, arguments: list[str]) -> None:
    async with command(sys.executable, "-m", "sanic", *arguments, directory=directory) as program:
        assert await program.end() == 0
        assert "--unix" in program.output


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
