"""`sanic TARGET --routes`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.processes import PATIENCE

ROUTES = """
from functools import wraps
from sanic import Blueprint, Sanic
from sanic.views import HTTPMethodView

app = Sanic("shop")


def guarded(handler):
    @wraps(handler)
    async def guard(request, **values):
        return await handler(request, **values)

    return guard


@app.get("/")
async def index(request): ...


@app.route("/orders/<order:int>", methods=["GET", "DELETE"], host="example.com")
@guarded
async def order(request, order): ...


@app.websocket("/feed")
async def feed(request, ws): ...


class Items(HTTPMethodView):
    async def get(self, request): ...

    async def post(self, request): ...


app.add_route(Items.as_view(), "/items")
bp = Blueprint("admin", url_prefix="/admin", version=2)


@bp.put("/users")
async def users(request): ...


class Callable:
    async def __call__(self, request): ...


app.add_route(Callable(), "/object", name="object")
app.add_route(print, "/built-in", name="built_in")
app.blueprint(bp)
"""


def test_the_routes_are_a_table_with_the_place_of_each_handler(sanic: Callable[..., Any], workplace: Path) -> None:
    (workplace / "shop.py").write_text(ROUTES)
    ended = sanic("shop", "--routes")
    assert ended.status == 0
    lines = [line.split() for line in ended.out.splitlines()]
    assert lines[0] == ["methods", "path", "name", "handler"]
    assert lines[2:] == [
        ["GET", "/", "shop.index", "shop.py:17"],
        ["GET", "/built-in", "shop.built_in", "builtins.print"],
        ["WEBSOCKET", "/feed", "shop.feed", "shop.py:26"],
        ["GET,POST", "/items", "shop.Items", "shop.py:30"],
        ["GET", "/object", "shop.object", "shop.py:44"],
        ["PUT", "/v2/admin/users", "shop.admin.users", "shop.py:40"],
        ["DELETE,GET", "example.com/orders/<order:int>", "shop.order", "shop.py:21"],
    ]


def test_an_app_without_routes_says_so(sanic: Callable[..., Any], workplace: Path) -> None:
    (workplace / "bare.py").write_text("from sanic import Sanic\napp = Sanic('bare')\n")
    assert sanic("bare", "--routes").out == "bare has no routes.\n"


def test_a_reader_that_has_had_enough_is_no_failure(tmp_path: Path) -> None:
    # More than a pipe holds.
    (tmp_path / "large.py").write_text(
        "from sanic import Sanic\n"
        "app = Sanic('large')\n"
        "for number in range(3000):\n"
        "    app.add_route(print, f'/{number}', name=f'route_{number}')\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-m", "sanic", "large", "--routes"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdout
    assert program.stderr
    with program, program.stdout, program.stderr:
        assert program.stdout.readline().startswith(b"methods")
        program.stdout.close()
        assert program.stderr.read() == b""
        assert program.wait(PATIENCE) == 141
