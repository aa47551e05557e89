"""`sanic TARGET exec`: functions of the application, with options made of their parameters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]

COMMANDS = """
import inspect
import os
from pathlib import Path
from typing import Literal, Optional

from sanic import Sanic
from sanic.models.futures import FutureCommand

app = Sanic("shop")


@app.command
async def greet(name="world", times: int = 1, loud: bool = False):
    '''Say hello.

    As often as wanted.
    '''
    print(*[f"hello {name}{'!' if loud else ''}"] * times)


@app.command
def show(first, second: str, some_path: Optional[Path] = None, kind: Literal["a", "b"] = "a", share: "float" = 0.5):
    print(repr((first, second, some_path, kind, share)))


@app.command(name="re-index")
def anything(n=None, port=None, help="no"):
    print("reindex", n, port, help)


@app.command
def positional(a: int, b: int, /, *rest, c: int | None = None, **more):
    print(a, b, c, rest, more)


@app.command
def fail():
    raise ValueError("no luck")


@app.command
def leave():
    raise SystemExit(7)


def wrapped(**values):
    print(sorted(values.items()))


wrapped.__signature__ = inspect.Signature(
    [inspect.Parameter("given", inspect.Parameter.KEYWORD_ONLY, annotation=int, default=3)]
)
app.command(wrapped)


class Commands(set):
    pass


app._future_commands = Commands(app._future_commands)
app._future_commands.add(FutureCommand("late", lambda: print("from an extension")))
"""


@pytest.fixture
def run(sanic: Call, workplace: Path) -> Call:
    (workplace / "shop.py").write_text(COMMANDS)
    (workplace / "bare.py").write_text("from sanic import Sanic\napp = Sanic('bare')\n")
    return lambda *arguments: sanic("shop", "exec", *arguments)


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["greet"], "hello world"),
        (["greet", "--name=Ann", "--times=2", "--loud"], "hello Ann! hello Ann!"),
        (["greet", "--loud=yes", "--no-loud"], "hello world"),
        (["greet", "--loud=off"], "hello world"),
        (["show", "--first", "1"], "('1', None, None, 'a', 0.5)"),
        (
            ["show", "--second=2", "--some-path", "x/y", "--kind=b", "--share", "1e3"],
            "(None, '2', PosixPath('x/y'), 'b', 1000.0)",
        ),
        (["show", "--some_path=z"], "(None, None, PosixPath('z'), 'a', 0.5)"),
        # Options of the server mean nothing to a command.
        (["re-index", "--n=5", "--port", "x", "--help=me"], "reindex 5 x me"),
        (["positional", "--a=1", "--b=2", "--c=3"], "1 2 3 () {}"),
        (["wrapped"], "[('given', 3)]"),
        (["wrapped", "--given=4"], "[('given', 4)]"),
        (["late"], "from an extension"),
    ],
)
def test_options_become_arguments(run: Call, arguments: list[str], printed: str) -> None:
    ended = run(*arguments)
    assert ended.err == ""
    assert ended.out == f"{printed}\n"
    assert ended.status == 0


def test_options_of_the_server_may_stand_before_it(sanic: Call, run: Call) -> None:
    assert sanic("--debug", "shop:app", "-p", "1", "exec", "greet", "--name=exec").out.endswith("hello exec\n")


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_without_a_name_the_commands_are_listed(run: Call, arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.status == 0
    assert "commands of shop:\n  fail\n  greet       Say hello.\n" in ended.out


def test_an_app_without_commands_is_told_how_to_get_one(sanic: Call, run: Call) -> None:
    ended = sanic("bare", "exec")
    assert ended.status == 0
    assert "bare has no commands. A function with the decorator @app.command becomes one." in ended.out


def test_a_command_that_is_not_known_is_told_with_those_that_are(run: Call) -> None:
    ended = run("gret")
    assert ended.status == 2
    assert "There is no command 'gret'." in ended.err
    assert "  greet " in ended.err


def test_a_command_explains_its_options(run: Call) -> None:
    ended = run("greet", "--help")
    assert ended.status == 0
    assert "Say hello." in ended.out
    assert "--times VALUE    int, default 1" in ended.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["greet", "--times=x"], "argument --times: invalid int value: 'x'"),
        (["greet", "--loud=maybe"], "argument --loud: 'maybe' is neither yes nor no"),
        (["greet", "--nam=x"], "unrecognized arguments: --nam=x"),
        (["show", "--kind=c"], "invalid choice: 'c'"),
    ],
)
def test_wrong_options_of_a_command_end_with_status_2(run: Call, arguments: list[str], said: str) -> None:
    ended = run(*arguments)
    assert ended.status == 2
    assert said in ended.err


def test_a_command_that_fails_shows_its_own_traceback(run: Call, workplace: Path) -> None:
    ended = run("fail")
    assert ended.status == 1
    assert ended.err.splitlines()[1].startswith(f'  File "{workplace}/shop.py"')
    assert ended.err.endswith("ValueError: no luck\n")


def test_a_command_may_choose_its_exit_status(run: Call) -> None:
    assert run("leave").status == 7
