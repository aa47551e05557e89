"""Blueprints: what is laid over their declarations, and what becomes of them on an application."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sanic import Blueprint, Sanic
from sanic.exceptions import SanicException, ServerError
from sanic.response import text
from sanic.signals import Event
from tests.harness import serving


async def handler(request: Any, **parameters: Any) -> Any:
    return text(f"{request.route.name} {parameters}")


def uris(app: Any) -> list[str]:
    return [route.uri for route in app.router.routes]


def names(app: Any) -> list[str]:
    return [route.name.removeprefix(f"{app.name}.") for route in app.router.routes]


async def get(app: Any, path: str, method: str = "GET", **options: Any) -> Any:
    async with serving(app) as server:
        return await server.request(method, path, **options)


# -- Paths


@pytest.mark.parametrize(
    ("prefix", "uri", "path"),
    [
        (None, "/x", "/x"),
        ("", "/x", "/x"),
        ("/", "/x", "/x"),
        ("/p", "/x", "/p/x"),
        ("/p/", "/x", "/p/x"),
        ("p", "/x", "/p/x"),
        ("/p", "x", "/p/x"),
        ("/p", "", "/p"),
        ("/p", "/", "/p"),
        (None, "x", "/x"),
        (None, "/", "/"),
        ("/p/<a:int>", "/<b>", "/p/<a:int>/<b:str>"),
    ],
)
def test_a_prefix_stands_in_front_of_each_path(app: Any, prefix: str | None, uri: str, path: str) -> None:
    bp = Blueprint("bp", url_prefix=prefix)
    bp.add_route(handler, uri)
    app.blueprint(bp)
    assert uris(app) == [path]


async def test_parameters_of_the_prefix_reach_the_handler(app: Any) -> None:
    bp = Blueprint("bp", url_prefix="/<shop>/<number:int>")
    bp.add_route(handler, "/<item>")
    app.blueprint(bp)
    assert (await get(app, "/a/7/b")).text.endswith("bp.handler {'shop': 'a', 'number': 7, 'item': 'b'}")


@pytest.mark.parametrize(
    ("version", "path"),
    [
        (1, "/v1"),
        ("1", "/v1"),
        ("v1", "/v1"),
        ("/v1/", "/v1"),
        (1.1, "/v1.1"),
        ("v1.1", "/v1.1"),
        (0, "/v0"),
        ("beta", "/vbeta"),
    ],
)
def test_the_version_is_the_first_part(app: Any, version: Any, path: str) -> None:
    bp = Blueprint("bp", url_prefix="/p", version=version)
    bp.add_route(handler, "/x")
    app.blueprint(bp)
    assert uris(app) == [f"{path}/p/x"]


async def test_a_version_prefix_may_hold_parameters(app: Any) -> None:
    bp = Blueprint("bp", version=2, version_prefix="/<area>/v", url_prefix="/p")
    bp.add_route(handler, "/x")
    app.blueprint(bp)
    assert (await get(app, "/eu/v2/p/x")).text.endswith("{'area': 'eu'}")


async def test_a_host_is_for_the_routes_without_one(app: Any) -> None:
    bp = Blueprint("bp", host="a.com")
    bp.add_route(handler, "/x", name="blueprint")
    bp.add_route(handler, "/y", host="b.com", name="own")
    app.blueprint(bp)
    async with serving(app) as server:
        for path, host, status in (("/x", "a.com", 200), ("/x", "b.com", 404), ("/y", "b.com", 200)):
            assert (await server.get(path, headers={"host": host})).status_code == status


def test_several_hosts_make_several_routes(app: Any) -> None:
    bp = Blueprint("bp", host=["a.com", "b.com"])
    bp.add_route(handler, "/x")
    app.blueprint(bp)
    assert [route.requirements["host"] for route in app.router.routes] == ["a.com", "b.com"]


def test_a_route_is_named_after_app_and_blueprint(app: Any) -> None:
    bp = Blueprint("bp", url_prefix="/p")
    bp.add_route(handler, "/x", name="own")
    bp.get("/y")(handler)
    bp.add_route(handler, "/z", name="bp.given")
    app.blueprint(bp)
    assert names(app) == ["bp.own", "bp.handler", "bp.given"]
    assert app.url_for("bp.own") == "/p/x"


# -- Precedence


@pytest.mark.parametrize(
    ("route", "blueprint", "inner", "outer", "given", "expected"),
    [
        (1, 2, 3, 4, 5, 1),
        (None, 2, 3, 4, 5, 2),
        (None, None, 3, 4, 5, 3),
        (None, None, None, 4, 5, 4),
        (None, None, None, None, 5, 5),
        (None, None, None, None, None, None),
        (0, 2, 3, 4, 5, 0),
        (None, 0, 3, 4, 5, 0),
        (None, None, 0, 4, 5, 0),
        (None, 2, None, 4, None, 2),
    ],
)
def test_precedence_of_versions_in_groups(
    app: Any, route: Any, blueprint: Any, inner: Any, outer: Any, given: Any, expected: Any
) -> None:
    bp = Blueprint("bp", version=blueprint)
    bp.add_route(handler, "/x", version=route)
    app.blueprint(Blueprint.group(Blueprint.group(bp, version=inner), version=outer), version=given)
    assert uris(app) == ["/x" if expected is None else f"/v{expected}/x"]


@pytest.mark.parametrize(
    ("route", "blueprint", "given", "expected"), [(1, 2, 3, 1), (None, 2, 3, 3), (None, 2, None, 2), (None, 2, 0, 0)]
)
def test_precedence_of_versions_given_directly(app: Any, route: Any, blueprint: Any, given: Any, expected: int) -> None:
    bp = Blueprint("bp", version=blueprint)
    bp.add_route(handler, "/x", version=route)
    app.blueprint(bp, version=given)
    assert uris(app) == [f"/v{expected}/x"]


@pytest.mark.parametrize(
    ("route", "blueprint", "inner", "outer", "given", "expected"),
    [
        ("/a/v", "/b/v", "/c/v", "/d/v", "/e/v", "/a/v"),
        ("/v", "/b/v", "/c/v", "/d/v", "/e/v", "/b/v"),
        ("/v", "/v", "/c/v", "/d/v", "/e/v", "/c/v"),
        ("/v", "/v", "/v", "/d/v", "/e/v", "/d/v"),
        ("/v", "/v", "/v", "/v", "/e/v", "/e/v"),
        ("/v", "/v", "/v", "/v", None, "/v"),
    ],
)
def test_precedence_of_version_prefixes_in_groups(
    app: Any, route: str, blueprint: str, inner: str, outer: str, given: str | None, expected: str
) -> None:
    bp = Blueprint("bp", version_prefix=blueprint, version=1)
    bp.add_route(handler, "/x", version_prefix=route)
    group = Blueprint.group(Blueprint.group(bp, version_prefix=inner), version_prefix=outer)
    app.blueprint(group, version_prefix=given)
    assert uris(app) == [f"{expected}1/x"]


def test_a_version_prefix_given_directly_comes_before_the_blueprints(app: Any) -> None:
    bp = Blueprint("bp", version_prefix="/b/v", version=1)
    bp.add_route(handler, "/x")
    app.blueprint(bp, version_prefix="/given/v")
    assert uris(app) == ["/given/v1/x"]


@pytest.mark.parametrize(
    ("route", "blueprint", "group", "app_wide", "expected"),
    [
        (True, False, False, False, True),
        (False, True, True, True, False),
        (None, True, False, False, True),
        (None, False, True, True, False),
        (None, None, True, False, True),
        (None, None, False, True, False),
        (None, None, None, True, True),
        (None, None, None, False, False),
    ],
)
def test_precedence_of_strict_slashes(
    app_name: str, route: Any, blueprint: Any, group: Any, app_wide: bool, expected: bool
) -> None:
    app: Any = Sanic(app_name, strict_slashes=app_wide)
    bp = Blueprint("bp", strict_slashes=blueprint)
    bp.add_route(handler, "/x", strict_slashes=route)
    app.blueprint(Blueprint.group(bp, strict_slashes=group))
    assert [found.strict for found in app.router.routes] == [expected]
    assert bp.strict_slashes is blueprint


@pytest.mark.parametrize(("given", "expected"), [("/given", "/given/x"), ("", "/x"), (None, "/own/x")])
def test_a_prefix_given_directly_takes_the_place_of_the_blueprints(app: Any, given: Any, expected: str) -> None:
    bp = Blueprint("bp", url_prefix="/own")
    bp.add_route(handler, "/x")
    app.blueprint(bp, url_prefix=given)
    assert uris(app) == [expected]


def test_prefixes_of_groups_add_up(app: Any) -> None:
    bp = Blueprint("bp", url_prefix="/own")
    bp.add_route(handler, "/x")
    app.blueprint(Blueprint.group(Blueprint.group(bp, url_prefix="/inner"), url_prefix="/outer"), url_prefix="/given")
    assert uris(app) == ["/given/outer/inner/own/x"]


@pytest.mark.parametrize(
    ("inner", "outer", "given", "expected"),
    [
        ("i", "o", "g", "g_bp.handler"),
        ("i", "o", None, "o_bp.handler"),
        ("i", "", None, "i_bp.handler"),
        (None, "", None, "bp.handler"),
    ],
)
def test_the_outermost_name_prefix_counts(app: Any, inner: Any, outer: Any, given: Any, expected: str) -> None:
    bp = Blueprint("bp")
    bp.add_route(handler, "/x")
    group = Blueprint.group(Blueprint.group(bp, name_prefix=inner), name_prefix=outer)
    app.blueprint(group, name_prefix=given)
    assert names(app) == [expected]


@pytest.mark.parametrize(
    ("route", "fallback", "expected"),
    [("text", "json", "text"), (None, "json", "json"), (None, "auto", None), ("auto", "html", "html")],
)
def test_error_format_is_the_routes_then_the_fallback(
    app: Any, route: Any, fallback: str, expected: str | None
) -> None:
    app.config.FALLBACK_ERROR_FORMAT = fallback

    async def plain(request: Any) -> Any: ...

    bp = Blueprint("bp")
    bp.add_route(plain, "/x", error_format=route)
    app.blueprint(bp)
    assert [found.extra.error_format for found in app.router.routes] == [expected]


# -- Registering


@pytest.mark.parametrize("wrap", [lambda bp: bp, lambda bp: [bp], lambda bp: (bp,), lambda bp: [[bp], []]])
def test_blueprints_are_registered_alone_or_in_lists(app: Any, wrap: Any) -> None:
    bp = Blueprint("bp")
    bp.add_route(handler, "/x")
    assert bp.registered is False
    with pytest.raises(SanicException, match="not yet been registered"):
        _ = bp.apps
    app.blueprint(wrap(bp), url_prefix="/p")
    assert bp.registered is True
    assert bp.apps == {app}
    assert app.blueprints == {"bp": bp}
    assert uris(app) == ["/p/x"]


def test_registering_again_to_the_same_effect_does_nothing(app: Any) -> None:
    bp = Blueprint("bp", url_prefix="/p")
    bp.add_route(handler, "/x")
    bp.exception(ValueError)(handler)
    app.blueprint(bp)
    app.blueprint(bp)
    app.blueprint(bp, url_prefix="/p")
    assert uris(app) == ["/p/x"]


async def test_registering_under_another_name_adds_routes(app: Any) -> None:
    bp = Blueprint("bp", url_prefix="/p")
    bp.add_route(handler, "/x")
    seen: list[str] = []
    bp.on_request(lambda request: seen.append(request.name))
    bp.exception(ValueError)(handler)
    app.blueprint(bp)
    app.blueprint(bp, url_prefix="/q", name_prefix="second")
    assert dict(zip(names(app), uris(app), strict=True)) == {"bp.handler": "/p/x", "second_bp.handler": "/q/x"}
    async with serving(app) as server:
        await server.get("/p/x")
        await server.get("/q/x")
    assert seen == [f"{app.name}.bp.handler", f"{app.name}.second_bp.handler"]


@pytest.mark.parametrize("mistake", ["bp", None, [None], pytest])
def test_what_is_no_blueprint_is_refused(app: Any, mistake: Any) -> None:
    with pytest.raises(TypeError, match="Expected a Blueprint"):
        app.blueprint(mistake)
    with pytest.raises(TypeError, match="Expected a Blueprint"):
        Blueprint.group("bp")


async def test_names_that_collide_do_not_start(app: Any) -> None:
    bp = Blueprint("bp", url_prefix="/p")
    bp.add_route(handler, "/x")
    bp.exception(ValueError)(handler)
    app.blueprint(bp)
    app.blueprint(bp, url_prefix="/q")
    with pytest.raises(ServerError, match="Duplicate route names"):
        async with serving(app):
            pass


def test_another_blueprint_of_the_same_name_is_refused(app: Any) -> None:
    app.blueprint(Blueprint("bp"))
    with pytest.raises(AssertionError, match='"bp" is already registered'):
        app.blueprint(Blueprint("bp"))


def test_one_blueprint_may_be_on_several_apps() -> None:
    one: Any = Sanic("one")
    two: Any = Sanic("two")
    bp = Blueprint("bp")
    bp.add_route(handler, "/x")
    one.blueprint(bp)
    two.blueprint(bp, url_prefix="/two")
    assert bp.apps == {one, two}
    bp.add_route(handler, "/late", name="late")
    assert uris(one) == ["/x", "/late"]
    assert uris(two) == ["/two/x", "/two/late"]


def test_what_was_applied_can_be_looked_up(app: Any, tmp_path: Any) -> None:
    bp = Blueprint("bp")
    bp.add_route(handler, "/x")
    bp.static("/files", tmp_path)
    bp.on_request(handler)
    bp.exception(ValueError)(handler)
    bp.before_server_start(handler)
    assert bp.routes == []
    app.blueprint(bp)
    assert [route.name for route in bp.routes] == [f"{app.name}.bp.handler", f"{app.name}.bp.static"]
    assert [route.name for route in bp.statics] == [f"{app.name}.bp.static"]
    assert [future.middleware for future in bp.middlewares] == [handler]
    assert [future.handler for future in bp.exceptions] == [handler]
    assert bp.listeners["before_server_start"] == [handler]


# -- Late additions


async def test_what_is_added_to_a_registered_blueprint_is_applied_at_once(app: Any) -> None:
    log: list[str] = []
    bp = Blueprint("bp", url_prefix="/p")
    bp.add_route(handler, "/x")
    bp.on_request(lambda request: log.append("early middleware"))

    @bp.exception(ValueError)
    async def handle(request: Any, exception: Exception) -> Any:
        return text("handled")

    app.blueprint(bp)

    @bp.get("/fail")
    async def fail(request: Any) -> Any:
        raise ValueError

    bp.on_response(lambda request, response: log.append("late middleware"))
    async with serving(app) as server:
        assert (await server.get("/p/fail")).text == "handled"
        assert log == ["early middleware", "late middleware"]

        log.clear()
        bp.add_route(handler, "/after", name="after")
        bp.on_request(lambda request: log.append("after the start"))
        assert (await server.get("/p/after")).status_code == 200
        assert log == ["early middleware", "after the start", "late middleware"]
        bp.exception(KeyError)(lambda request, exception: text("key"))

        @bp.get("/key")
        async def key(request: Any) -> Any:
            raise KeyError

        assert (await server.get("/p/key")).text == "key"


async def test_a_blueprint_without_routes_attaches_nothing_until_it_has_one(app: Any) -> None:
    log: list[str] = []
    bp = Blueprint("bp", url_prefix="/p")
    bp.on_request(lambda request: log.append("bp"))
    app.blueprint(bp)
    app.add_route(handler, "/")
    async with serving(app) as server:
        await server.get("/")
        await server.get("/p")
        assert log == []
        bp.add_route(handler, "/x")
        await server.get("/p/x")
    assert log == ["bp"]


# -- Signals


async def test_the_app_dispatches_to_all_and_a_blueprint_to_its_own(app: Any) -> None:
    log: list[tuple[str, int]] = []
    bp, other = Blueprint("bp"), Blueprint("other")
    for name, owner in (("app", app), ("bp", bp), ("other", other)):

        async def hear(number: int, name: str = name) -> None:
            log.append((name, number))

        owner.signal("shop.order.placed")(hear)
        if owner is not app:
            app.blueprint(owner)
    await app.dispatch("shop.order.placed", context={"number": 1}, inline=True)
    assert log == [("app", 1), ("bp", 1), ("other", 1)]
    log.clear()
    tasks = await bp.dispatch("shop.order.placed", context={"number": 2})
    await asyncio.gather(*tasks)
    assert log == [("bp", 2)]


async def test_a_blueprint_waits_for_the_first_of_its_apps() -> None:
    one: Any = Sanic("one")
    two: Any = Sanic("two")
    bp = Blueprint("bp")
    bp.add_signal(None, "shop.order.placed")
    one.blueprint(bp)
    two.blueprint(bp)
    waiting = asyncio.ensure_future(bp.event("shop.order.placed", timeout=5))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await two.dispatch("shop.order.placed", context={"number": 3})
    assert await waiting == {"number": 3}
    with pytest.raises(asyncio.TimeoutError):
        await bp.event("shop.order.placed", timeout=0.01)


async def test_built_in_signals_reach_a_blueprint(app: Any) -> None:
    log: list[str] = []
    bp = Blueprint("bp")
    bp.add_route(handler, "/")
    bp.signal(Event.HTTP_LIFECYCLE_RESPONSE)(lambda request, response: log.append(request.path))
    app.blueprint(bp)
    await get(app, "/")
    assert log == ["/"]


async def test_a_signal_added_late_to_a_registered_blueprint_is_heard(app: Any) -> None:
    log: list[str] = []
    bp = Blueprint("bp")
    app.blueprint(bp)
    bp.signal("a.b.c")(lambda: log.append("late"))
    await app.dispatch("a.b.c", inline=True)
    assert log == ["late"]


# -- Copies


def original() -> Blueprint:
    bp = Blueprint("bp", url_prefix="/p", version=1, strict_slashes=True, host="a.com", version_prefix="/api/v")
    bp.ctx.things = [1]
    bp.add_route(handler, "/bp", name="bp")
    return bp


def test_a_copy_has_everything_but_its_name_and_context(app: Any) -> None:
    bp = original()
    new = bp.copy("new")
    assert (new.name, new.copied_from, bp.copied_from) == ("new", "bp", "")
    assert (new.url_prefix, new.version, new.strict_slashes, new.host, new.version_prefix) == (
        "/p",
        1,
        True,
        "a.com",
        "/api/v",
    )
    assert vars(new.ctx) == {}
    app.blueprint(bp)
    app.blueprint(new, url_prefix="/q")
    assert names(app) == ["bp.bp", "new.bp"]


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, "/api/v1/p/bp"),
        ({"url_prefix": "/q/"}, "/api/v1/q/bp"),
        ({"url_prefix": None}, "/api/v1/bp"),
        ({"version": 2}, "/api/v2/p/bp"),
        ({"version": None}, "/p/bp"),
        ({"version_prefix": "/v"}, "/v1/p/bp"),
        ({"version": 0, "version_prefix": "/x/v"}, "/x/v0/p/bp"),
    ],
)
def test_what_is_given_to_copy_overrides(app: Any, options: dict[str, Any], path: str) -> None:
    app.blueprint(original().copy("new", **options))
    assert uris(app) == [path]
    assert names(app) == ["new.bp"]


def test_a_copy_may_be_less_strict(app: Any) -> None:
    app.blueprint(original().copy("new", strict_slashes=False))
    assert app.router.routes[0].strict is False


def test_a_copy_may_have_the_context_too() -> None:
    bp = original()
    new = bp.copy("new", with_ctx=True)
    assert new.ctx.things == [1]
    assert new.ctx.things is not bp.ctx.things


def test_a_copy_needs_a_name_that_can_be_one() -> None:
    with pytest.raises(SanicException, match="invalid format"):
        original().copy("a b")


async def test_a_copy_has_middleware_handlers_listeners_and_signals(app: Any) -> None:
    log: list[str] = []
    bp = Blueprint("bp", url_prefix="/p")

    @bp.get("/")
    async def fail(request: Any) -> Any:
        raise ValueError

    bp.on_request(lambda request: log.append("middleware"))
    bp.exception(ValueError)(lambda request, exception: text("handled"))
    bp.before_server_start(lambda app: log.append("listener"))
    bp.signal("a.b.c")(lambda: log.append("signal"))
    app.blueprint(bp.copy("new", url_prefix="/q"))
    async with serving(app) as server:
        assert (await server.get("/q")).text == "handled"
        await app.dispatch("a.b.c", inline=True)
    assert log == ["listener", "middleware", "signal"]


def test_a_copy_of_a_registered_blueprint_is_registered_too(app: Any) -> None:
    bp = Blueprint("bp", url_prefix="/p")
    bp.add_route(handler, "/x")
    app.blueprint(bp)
    new = bp.copy("new", url_prefix="/q")
    apart = bp.copy("apart", with_registration=False)
    assert uris(app) == ["/p/x", "/q/x"]
    assert (new.registered, apart.registered) == (True, False)


def test_a_registered_copy_cannot_have_static_routes(app: Any, tmp_path: Any) -> None:
    bp = Blueprint("bp")
    bp.static("/files", tmp_path)
    app.blueprint(bp)
    with pytest.raises(SanicException, match="static routes"):
        bp.copy("new")
    bp.copy("new", with_registration=False)


def test_what_is_declared_later_is_on_one_of_them_only(app: Any) -> None:
    bp = Blueprint("bp", url_prefix="/p")
    new = bp.copy("new", url_prefix="/q")
    bp.add_route(handler, "/x")
    app.blueprint([bp, new])
    assert uris(app) == ["/p/x"]


async def test_a_copy_may_take_the_place_of_routes(app: Any) -> None:
    bp = Blueprint("bp", url_prefix="/p")
    bp.add_route(handler, "/x")
    bp.add_route(handler, "/y", name="y")
    app.blueprint(bp)
    with pytest.raises(Exception, match="already registered"):
        bp.copy("failing")
    new = bp.copy("new", allow_route_overwrite=True)
    assert new.registered
    assert (await get(app, "/p/x")).text.startswith(f"{app.name}.new.handler")


def test_lazy_returns_the_function() -> None:
    from sanic.blueprints import lazy

    assert lazy(handler) is handler
    assert lazy(handler, as_decorator=False) is handler
