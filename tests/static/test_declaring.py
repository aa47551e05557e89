"""Declaring static routes, on applications and blueprints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sanic import Blueprint, Request, Sanic, text
from sanic.exceptions import SanicException
from sanic.handlers import DirectoryHandler
from tests.harness import serving


@pytest.mark.parametrize("wrong", [None, 1, 1.5, [], object(), {"a": 1}])
def test_what_is_served_must_be_a_path(app: Sanic, wrong: Any) -> None:
    with pytest.raises(ValueError, match="path"):
        app.static("/static", wrong)


@pytest.mark.parametrize(
    ("name", "resource_type", "error"),
    [
        ("ten.txt", "dir", TypeError),
        ("sub", "file", TypeError),
        ("sub", "directory", ValueError),
        ("ten.txt", "", ValueError),
        ("ten.txt", "file", None),
        ("sub", "dir", None),
        ("missing", "file", None),
        ("missing", "dir", None),
    ],
)
def test_the_resource_type_must_fit(
    app: Sanic, root: Path, name: str, resource_type: str, error: type[Exception] | None
) -> None:
    if error is None:
        app.static("/static", root / name, resource_type=resource_type)
    else:
        with pytest.raises(error, match=r"(?i)resource.type"):
            app.static("/static", root / name, resource_type=resource_type)


@pytest.mark.parametrize("options", [{"index": "index.html"}, {"directory_view": True}])
def test_a_directory_handler_excludes_its_own_options(app: Sanic, root: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="directory_handler"):
        app.static("/static", root, directory_handler=DirectoryHandler("/static", root), **options)


def test_apply_false_only_looks(app: Sanic, root: Path) -> None:
    app.static("/static", root, apply=False)
    assert not app.router.routes


@pytest.mark.parametrize("convert", [str, lambda path: str(path).encode(), Path])
async def test_any_kind_of_path_will_do(app: Sanic, root: Path, convert: Any) -> None:
    app.static("/static", convert(root))
    async with serving(app) as server:
        assert (await server.get("/static/ten.txt")).status_code == 200


async def test_a_relative_path_counts_from_where_it_is_declared(
    app: Sanic, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root.parent)
    app.static("/static", "root")
    app.static("/one", "./root/ten.txt", name="one")
    monkeypatch.chdir("/")
    async with serving(app) as server:
        assert (await server.get("/static/ten.txt")).status_code == 200
        assert (await server.get("/one")).status_code == 200


@pytest.mark.parametrize("uri", ["/static", "/static/", "static"])
async def test_slashes_around_the_uri_do_not_matter(app: Sanic, root: Path, uri: str) -> None:
    app.static(uri, root)
    async with serving(app) as server:
        assert (await server.get("/static/ten.txt")).status_code == 200
        assert (await server.get("/static")).status_code == 404


def test_urls_are_built_by_name(app: Sanic, root: Path) -> None:
    app.static("/static", root)
    app.static("/up", root, name="uploads")
    app.static("/one.txt", root / "ten.txt", name="one")
    blueprint = Blueprint("bp", url_prefix="/bp")
    blueprint.static("/static", root)
    blueprint.static("/up", root, name="uploads")
    app.blueprint(blueprint)
    assert app.url_for("static", filename="a b.txt") == "/static/a%20b.txt"
    assert app.url_for("static", filename="/sub/a.txt") == "/static/sub/a.txt"
    assert app.url_for("static") == "/static/"
    assert app.url_for("static", name="uploads", filename="a.txt") == "/up/a.txt"
    assert app.url_for("static", name="one") == "/one.txt"
    assert app.url_for("static", name="bp.uploads", filename="a.txt") == "/bp/up/a.txt"
    assert app.url_for("bp.static", name="uploads", filename="a.txt") == "/bp/up/a.txt"
    assert app.url_for("bp.static", filename="a.txt") == "/bp/static/a.txt"
    assert app.url_for("static", filename="a.txt", _external=True, _server="x.org") == "http://x.org/static/a.txt"


async def test_a_blueprint_lays_its_own_over_it(app: Sanic, root: Path) -> None:
    blueprint = Blueprint("bp", url_prefix="/bp", host="example.com", version=2)
    blueprint.static("/static", root, directory_view=True)
    blueprint.static("/one.txt", root / "ten.txt", name="one")
    app.blueprint(blueprint)
    assert {route.name.partition(".")[2] for route in blueprint.statics} == {"bp.static", "bp.one"}
    assert all(route.extra.static for route in blueprint.statics)
    async with serving(app) as server:
        for path in ("/v2/bp/static/ten.txt", "/v2/bp/one.txt"):
            assert (await server.get(path)).status_code == 404
            assert (await server.get(path, headers={"host": "example.com"})).content == b"0123456789"
        listing = await server.get("/v2/bp/static/sub/", headers={"host": "example.com"})
    assert "inner.txt" in listing.text


async def test_a_group_lays_more_over_it(app: Sanic, root: Path) -> None:
    blueprint = Blueprint("bp", url_prefix="/bp")
    blueprint.static("/static", root)
    app.blueprint(Blueprint.group(blueprint, url_prefix="/group", version=1))
    async with serving(app) as server:
        assert (await server.get("/v1/group/bp/static/ten.txt")).status_code == 200


async def test_middleware_of_a_blueprint_runs_for_its_files(app: Sanic, root: Path) -> None:
    blueprint = Blueprint("bp", url_prefix="/bp")
    blueprint.static("/static", root)

    @blueprint.on_request
    async def refuse(request: Request) -> Any:
        return text("refused", 403) if "no" in request.args else None

    app.blueprint(blueprint)
    app.static("/static", root)
    async with serving(app) as server:
        assert (await server.get("/bp/static/ten.txt?no=1")).status_code == 403
        assert (await server.get("/bp/static/ten.txt")).status_code == 200
        assert (await server.get("/static/ten.txt?no=1")).status_code == 200


async def test_one_blueprint_serves_on_two_prefixes(app: Sanic, root: Path) -> None:
    blueprint = Blueprint("bp")
    blueprint.static("/static", root, index="ten.txt")
    app.blueprint(blueprint, url_prefix="/a")
    app.blueprint(blueprint, url_prefix="/b", name_prefix="b")
    async with serving(app) as server:
        for prefix in ("/a", "/b"):
            assert (await server.get(f"{prefix}/static/")).content == b"0123456789"


async def test_a_static_route_that_is_declared_late_is_served(app: Sanic, root: Path) -> None:
    blueprint = Blueprint("bp", url_prefix="/bp")
    app.blueprint(blueprint)
    blueprint.static("/static", root)
    async with serving(app) as server:
        assert (await server.get("/bp/static/ten.txt")).status_code == 200


async def test_a_copy_serves_the_same_files(app: Sanic, root: Path) -> None:
    blueprint = Blueprint("bp", url_prefix="/bp")
    blueprint.static("/static", root)
    copied = blueprint.copy("copied", url_prefix="/copied")
    app.blueprint(blueprint)
    app.blueprint(copied)
    assert app.url_for("copied.static", filename="a") == "/copied/static/a"
    async with serving(app) as server:
        assert (await server.get("/copied/static/ten.txt")).status_code == 200


def test_a_registered_blueprint_with_files_is_not_copied_with_its_registration(app: Sanic, root: Path) -> None:
    blueprint = Blueprint("bp", url_prefix="/bp")
    blueprint.static("/static", root)
    app.blueprint(blueprint)
    with pytest.raises(SanicException, match="static"):
        blueprint.copy("copied")
    blueprint.copy("other", with_registration=False)
