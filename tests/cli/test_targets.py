"""What a target of the command line stands for, and what is said where it stands for nothing."""

from __future__ import annotations

import pickle
import sysconfig
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sanic import Sanic
from sanic.worker.loader import AppLoader


@pytest.mark.parametrize(
    ("target", "options", "name"),
    [
        ("server:app", {}, "server"),
        ("server.app", {}, "server"),
        ("server", {}, "server"),
        ("package.web:app", {}, "server"),
        ("package.web.app", {}, "server"),
        ("package.web", {}, "server"),
        ("server:make()", {}, "made"),
        ("server:make", {"as_factory": True}, "made"),
        ("server:make", {}, "made"),
        ("server:make_with", {"args": Namespace(port=1)}, "made"),
        ("./site", {}, "SimpleServer"),
        ("site", {"as_simple": True}, "SimpleServer"),
    ],
)
def test_a_target_names_an_app(workplace: Path, target: str, options: dict[str, Any], name: str) -> None:
    assert AppLoader(target, **options).load().name == name


def test_a_factory_gets_the_arguments_if_there_are_some(workplace: Path) -> None:
    args = Namespace(port=1)
    assert AppLoader("server:make_with", args=args).load().ctx.args is args


def test_a_factory_that_needs_nothing_is_called_without(workplace: Path) -> None:
    assert AppLoader("server:make_by_default", as_factory=True).load().ctx.name == "usual"


def test_a_factory_may_be_given_as_it_is() -> None:
    assert AppLoader(factory=lambda: Sanic("given")).load().name == "given"


def test_a_program_is_loaded_where_it_was_started_even_by_a_process_elsewhere(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (workplace / "relative.py").write_text(
        "from pathlib import Path\nfrom sanic import Sanic\napp = Sanic('relative')\napp.ctx.cwd = Path.cwd()\n"
    )
    loader = AppLoader("relative")
    loader.directory = str(workplace)
    monkeypatch.chdir(elsewhere)
    app = pickle.loads(pickle.dumps(loader)).load()
    assert app.ctx.cwd == workplace
    assert Path.cwd() == elsewhere


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nowhere:app", "No module named nowhere found."),
        ("package.nowhere:app", "No module named package.nowhere found."),
        ("server:missing", "Module server has no 'missing'. Perhaps you meant server:app?"),
        ("server:other", "Module is not a Sanic app, it is a dict: server:other. Perhaps you meant server:app?"),
        ("server:nothing()", "server:nothing() makes no Sanic app, but a NoneType. Return the app."),
        ("server:other()", "server:other() is no factory: it is a dict, not a function."),
        ("package.web:sys", "has no 'sys'"),
        ("./nowhere", "Cannot setup Sanic Simple Server without a path to a directory"),
        ("./server.py", "./server.py is no directory. For a module give its name, such as server:app."),
        ("package/web:make", "package/web:make is no directory. For a module give its name, such as package.web:make."),
        (":app", "is no name of a module"),
        ("server.py", "server.py is a file. Give the name of its module, such as server:app."),
        ("server.py:other", "server.py is a file. Give the name of its module, such as server:other."),
        ("server:make_of", "server:make_of takes (name, port), but a factory is called with the parsed options alone"),
        ("server:make_later()", "server:make_later() is an async function. Make the app in one that is not"),
        ("site_of_files", "To serve the directory as it is, write 'site_of_files/'."),
        (".", ". is a directory. To serve the directory as it is, write './'."),
    ],
)
def test_a_target_that_names_no_app_is_told_in_one_line(sanic: Callable[..., Any], target: str, said: str) -> None:
    ended = sanic(target)
    assert ended.status == 1
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert not ended.out


def test_a_file_with_the_name_of_a_module_that_comes_first_is_told_of(
    sanic: Callable[..., Any], workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workplace / "colorsys.py").write_text("from sanic import Sanic\napp = Sanic('colors')\n")
    monkeypatch.syspath_prepend(sysconfig.get_path("stdlib"))
    ended = sanic("colorsys:app")
    assert ended.status == 1
    assert ended.err.startswith("Module colorsys has no 'app'. It is /")
    assert ended.err.endswith("colorsys.py, which hides colorsys.py: choose another name for yours.\n")


def test_a_working_directory_that_is_gone_is_told_of(
    sanic: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path_factory.mktemp("gone")
    monkeypatch.chdir(gone)
    gone.rmdir()
    ended = sanic("server")
    assert (ended.status, ended.err) == (1, "The working directory does not exist any more: change to one that does.\n")


def test_the_working_directory_is_looked_at_last(
    directory: Path, monkeypatch: pytest.MonkeyPatch, sanic: Callable[..., Any]
) -> None:
    # Not before the modules of the standard library, which a file beside the program could hide.
    (directory / "json").mkdir()
    (directory / "json" / "__init__.py").write_text("raise RuntimeError")
    assert sanic("server", "--routes").status == 0


def test_a_factory_that_fails_shows_its_own_traceback(sanic: Callable[..., Any], workplace: Path) -> None:
    ended = sanic("server:fail()")
    assert ended.status == 1
    first, place, *_, last = ended.err.splitlines()
    assert first == "Traceback (most recent call last):"
    assert place.startswith(f'  File "{workplace}/server.py"')
    assert last == "TypeError: the factory itself is wrong"


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ('Sanic("my app")', "SanicException: Sanic instance named 'my app' uses an invalid format."),
        ('app.config.REQUEST_TIMEOUT = "soon"', "ValueError: REQUEST_TIMEOUT cannot be 'soon'"),
        ("app.get(print)", "TypeError: builtins.print stands where the path of a route is expected."),
        ("app.route('/', methods='POST')", "TypeError: The methods of '/' are the text 'POST'"),
        ("app.run(port=0)", "ServerError: wrong is being loaded in order to be served"),
        ("app.run(port=0, single_process=True)", "ServerError: wrong is being loaded in order to be served"),
    ],
)
def test_a_mistake_of_the_program_is_shown_with_its_own_code_only(
    sanic: Callable[..., Any], workplace: Path, mistake: str, message: str
) -> None:
    (workplace / "wrong.py").write_text(f"from sanic import Sanic\napp = Sanic('wrong')\n{mistake}\n")
    ended = sanic("wrong")
    assert ended.status == 1
    assert ended.err.count("  File ") == 1
    assert message in ended.err.splitlines()[-1]


def test_options_that_are_not_known_here_reach_the_factory(
    sanic: Callable[..., Any], workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workplace / "tell.py").write_text(
        "from sanic import Sanic\n"
        "def make(args):\n"
        "    print(args.tenant, args.very_new, args.port)\n"
        "    app = Sanic('told')\n"
        "    app.add_route(print, '/')\n"
        "    return app\n"
    )
    ended = sanic("tell:make", "--factory", "--tenant=acme", "--very-new", "-p", "7", "--routes")
    assert ended.out.splitlines()[0] == "acme True 7"


@pytest.mark.parametrize("arguments", [["--tenant", "acme"], ["--target=x"], ["extra"]])
def test_what_no_factory_could_want_is_refused(sanic: Callable[..., Any], arguments: list[str]) -> None:
    assert sanic("server:make_with", "--factory", *arguments).status == 2
