"""What the log says at the start of routes that cannot be meant as they were written."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

import pytest

from sanic import Sanic, text
from sanic.views import HTTPMethodView
from tests.harness import serving
from tests.processes import command

HERE = __file__


async def warnings_of(app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture) -> list[str]:
    async with serving(app):
        pass
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


async def nothing(request: Any) -> Any:
    return text("")


def line_of(function: Any) -> int:
    line: int = function.__code__.co_firstlineno
    return line


# -- Types of parameters


@pytest.mark.parametrize(
    ("label", "close"),
    [("integer", "int"), ("string", "str"), ("itn", "int"), ("UUID", "uuid"), ("guid", "uuid"), ("zzzz", "path, ")],
)
async def test_a_plain_word_that_names_no_type_is_told_with_the_types_like_it(
    app: Any, caplog: pytest.LogCaptureFixture, label: str, close: str
) -> None:
    async def handler(request: Any, n: Any) -> Any:
        return text(n)

    app.add_route(handler, f"/x/<n:{label}>", host=["a.example", "b.example"])
    [warning] = await warnings_of(app, caplog)
    assert warning.startswith(f"Route /x/<n:{label}> of ")
    assert f"({HERE}:{line_of(handler)}): <n:{label}> names no type" in warning
    assert close in warning.partition("Types like it: ")[2]


@pytest.mark.parametrize("label", ["int", r"\d+", "a|b", "[a-z]{3}", "x.y", "path", "strorempty", "mine"])
async def test_types_and_other_expressions_are_no_news(app: Any, caplog: pytest.LogCaptureFixture, label: str) -> None:
    async def handler(request: Any, n: Any) -> Any:
        return text(n)

    app.router.register_pattern("mine", str, "[a-z]")
    app.add_route(handler, f"/x/<n:{label}>")
    assert await warnings_of(app, caplog) == []


# -- Parameters of handlers


async def test_a_handler_that_does_not_take_a_parameter_is_told(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    app.add_route(nothing, "/a/<n:int>", host=["a.example", "b.example"])
    [warning] = await warnings_of(app, caplog)
    assert warning.startswith("Route /a/<n:int>: the handler nothing ")
    assert f"({HERE}:{line_of(nothing)}) does not take the parameter 'n'" in warning


async def test_the_handler_of_a_websocket_is_looked_at_too(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    @app.websocket("/feed/<name>")
    async def feed(request: Any, ws: Any) -> None: ...

    @app.websocket("/fine/<name>")
    async def fine(request: Any, ws: Any, name: str) -> None: ...

    [warning] = await warnings_of(app, caplog)
    assert f"({HERE}:{line_of(feed)}) does not take the parameter 'name'" in warning


async def test_the_methods_of_a_view_are_looked_at(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    class View(HTTPMethodView):
        async def get(self, request: Any, n: int) -> Any: ...

        async def post(self, request: Any) -> Any: ...

    app.add_route(View.as_view(), "/v/<n:int>")
    [warning] = await warnings_of(app, caplog)
    assert "View.post " in warning
    assert f":{line_of(View.post)}) does not take the parameter 'n'" in warning


def taking_anything(handler: Any) -> Any:
    @functools.wraps(handler)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return handler(args[0])

    return wrapper


class Callable:
    __name__ = "callable"

    async def __call__(self, request: Any) -> Any: ...


async def with_keywords(request: Any, **parameters: Any) -> Any: ...


async def keyword_only(request: Any, *, n: int) -> Any: ...


@pytest.mark.parametrize(
    "handler", [with_keywords, keyword_only, taking_anything(nothing), Callable(), functools.partial(keyword_only)]
)
async def test_handlers_that_take_it_or_cannot_be_looked_at_are_no_news(
    app: Any, caplog: pytest.LogCaptureFixture, handler: Any
) -> None:
    app.add_route(handler, "/a/<n:int>", name="a")
    assert await warnings_of(app, caplog) == []


async def test_an_extension_is_a_parameter_of_its_own(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def without(request: Any, name: str) -> Any: ...

    async def fine(request: Any, name: str, ext: str) -> Any: ...

    app.add_route(without, "/a/<name:ext>")
    app.add_route(fine, "/b/<name:ext>")
    [warning] = await warnings_of(app, caplog)
    assert "without (" in warning
    assert "the parameter 'ext'" in warning


# -- Static files


@pytest.mark.parametrize("mount", ["/x", "/"])
async def test_static_files_that_are_not_there_are_told(
    app: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path, mount: str
) -> None:
    app.static(mount, tmp_path / "missing", host=["a.example", "b.example"])
    app.static("/here", tmp_path, name="here")
    app.static("/file", HERE, name="file")
    [warning] = await warnings_of(app, caplog)
    assert warning.startswith(f"Static files at {mount}: {tmp_path / 'missing'} does not exist.")


# -- Once


async def test_several_workers_tell_it_once(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "from sanic import Sanic, text\n"
        "app = Sanic('shop')\n"
        "@app.get('/a/<n:int>')\n"
        "async def a(request):\n"
        "    return text('')\n"
    )
    arguments = ("-m", "sanic", "shop:app", "--port", "0", "--workers", "2")
    async with command(sys.executable, *arguments, directory=tmp_path) as program:
        for _ in range(2):
            await program.line("Worker ready")
        assert await program.stop() == 0
    assert program.output.count("does not take the parameter 'n'") == 1
