"""What the tests of the command line share: programs in a directory, and the command line within this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAM = """
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
    app.ctx.args = args
    app.add_route(lambda request: text(f"made with {args.port}"), "/")
    return app


def make_by_default(name="usual"):
    app = Sanic("made")
    app.ctx.name = name
    return app


def fail():
    raise TypeError("the factory itself is wrong")


def nothing():
    return None


def make_of(name, port):
    return Sanic(name)


async def make_later():
    return app
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with programs in it."""
    (tmp_path / "server.py").write_text(PROGRAM)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "web.py").write_text(PROGRAM)
    (tmp_path / "broken.py").write_text("import a_module_that_is_missing\n")
    (tmp_path / "site").mkdir()
    (tmp_path / "site_of_files").mkdir()
    (tmp_path / "site" / "index.html").write_text("<p>hello")
    return tmp_path


@pytest.fixture
def workplace(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same, as the working directory; what is imported from there is forgotten."""
    known = set(sys.modules)
    monkeypatch.chdir(directory)
    monkeypatch.syspath_prepend(str(directory))
    yield directory
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(directory)) or name == "package":
            del sys.modules[name]


class Ended:
    """What a call of the command line has come to."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err


@pytest.fixture
def sanic(workplace: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Calls the command line within this process."""
    from sanic.cli.app import SanicCLI

    def call(*arguments: str) -> Ended:
        try:
            SanicCLI().run(arguments)
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        written = capsys.readouterr()
        return Ended(status, written.out, written.err)

    return call
