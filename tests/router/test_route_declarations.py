"""What may be declared, what is refused, and what a declared route tells about itself."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sanic_routing.exceptions import (
    BadMethod,
    FinalizationError,
    InvalidUsage,
    NoMethod,
    ParameterNameConflicts,
    RouteExists,
)
from sanic_routing.exceptions import NotFound as RoutingNotFound

from sanic.exceptions import SanicException
from sanic.router import Route, Router
from tests.router.tools import handler, router_of


def route_of(uri: str, **options: Any) -> Route:
    return Router().add(uri, ["GET"], handler, name="app.x", **options)[0]


@pytest.mark.parametrize(
    ("uri", "path", "segments"),
    [
        ("/", "", ("",)),
        ("", "", ("",)),
        ("a/b", "a/b", ("a", "b")),
        ("/a/b/", "a/b", ("a", "b")),
        ("/p/<x>", "p/<x:str>", ("p", "<__dynamic__:str>")),
        ("/p/<x:int>/<y:path>", "p/<x:int>/<y:path>", ("p", "<__dynamic__:int>", "<__dynamic__:path>")),
        ("/a b/é", "a%20b/%C3%A9", ("a%20b", "%C3%A9")),
        ("/a+b:c@d", "a+b:c@d", ("a+b:c@d",)),
    ],
)
def test_a_route_tells_its_path_and_segments(uri: str, path: str, segments: tuple[str, ...]) -> None:
    route = route_of(uri)
    assert (route.path, route.segments, route.uri) == (path, segments, "/" + path)
    assert str(route) == f"<Route: name=app.x path={path or '/'}>"


def test_a_route_describes_its_parameters_by_part() -> None:
    route = route_of(r"/r/<x:int>/<y:([a-z]{3})\.txt>")
    assert {index: (info.name, info.label, info.cast) for index, info in route.params.items()} == {
        1: ("x", "int", int),
        2: ("y", r"([a-z]{3})\.txt", str),
    }
    assert route.params[1].pattern.pattern == r"^-?\d+$"
    assert route.pattern == r"/r/(?P<x>-?\d+)/(?P<y>[a-z]{3})\.txt"
    assert route.regex
    assert not route.static


def test_a_route_carries_what_it_was_declared_with() -> None:
    routes = Router().add(
        "/h", ["get"], handler, host=["a.com", "b.com"], stream=True, name="app.h", error_format="json"
    )
    assert [route.requirements for route in routes] == [{"host": "a.com"}, {"host": "b.com"}]
    assert [route.extra.ident for route in routes] == ["app.h_a_com", "app.h_b_com"]
    assert routes[0].extra.hosts == ["a.com", "b.com"]
    assert routes[0].extra.stream
    assert not routes[0].extra.ignore_body
    assert routes[0].extra.error_format == "json"
    assert routes[0].methods == {"GET"}
    assert not routes[0].static
    assert route_of("/h").static


@pytest.mark.parametrize(
    ("version", "prefix", "uri", "path"),
    [
        (1, "/v", "/x", "v1/x"),
        ("1", "/v", "x", "v1/x"),
        ("v1", "/v", "/x", "v1/x"),
        (1.1, "/v", "/x", "v1.1/x"),
        ("v1.1", "/v", "/x", "v1.1/x"),
        (0, "/v", "/x", "v0/x"),
        ("beta", "/v", "/x", "vbeta/x"),
        ("/v2/", "/v", "", "v2"),
        (2, "/api/v", "/y", "api/v2/y"),
        (2, "/<tenant>/v", "/y", "<tenant:str>/v2/y"),
    ],
)
def test_the_version_is_the_first_part(version: Any, prefix: str, uri: str, path: str) -> None:
    assert route_of(uri, version=version, version_prefix=prefix).path == path


@pytest.mark.parametrize(
    ("uri", "error", "words"),
    [
        ("/pre<x>", InvalidUsage, ["pre<x>", "regular expression"]),
        ("/<a>-<b>", InvalidUsage, ["<a>-<b>", "regular expression"]),
        ("/<a:int>-<b:int>", InvalidUsage, ["<a:int>-<b:int>", "regular expression"]),
        ("/<1a>", InvalidUsage, ["<1a>"]),
        ("/<a>/<a>", ParameterNameConflicts, ["'a'", "handler"]),
        ("/<ext>/<f:ext>", ParameterNameConflicts, ["'ext'"]),
        ("/<f:[>", InvalidUsage, ["<f:[>", "valid regular expression"]),
        ("/<a:(a)(b)>", InvalidUsage, ["2 groups", "(?:"]),
        ("/<a:(?P<q>b)>", InvalidUsage, ["'q'", "'a'"]),
        ("/<f:ext=js|min.js>", InvalidUsage, ["different numbers of dots"]),
        ("/<f=path:ext>", InvalidUsage, ["'path'"]),
        ("/<f=foo:ext>", InvalidUsage, ["'foo'"]),
        ("/<f:ext=A>", InvalidUsage, ["<f:ext=A>"]),
        ("/<f:ext=a.>", InvalidUsage, ["'a.'"]),
    ],
)
def test_a_path_that_cannot_be_read_is_refused_with_its_remedy(
    uri: str, error: type[Exception], words: list[str]
) -> None:
    with pytest.raises(error) as caught:
        route_of(uri)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "uri", [r"/<x:(?P<x>[a-z]+)/b>/<y>", r"/<x:(?<=/)a>", r"/<x:[^>]+>/y", r"/<x:(?P<x>/a)>", r"/<x:a{2,3}>"]
)
def test_a_regular_expression_may_hold_slashes_and_angle_brackets(uri: str) -> None:
    assert route_of(uri).labels[0] == "x"


def typed(request: Any, a: str, b: int, c: float, d: UUID, e: list[int], f: int | None) -> None: ...


@pytest.mark.parametrize("declared", [typed, functools.partial(typed, 1), functools.wraps(typed)(lambda *a, **k: None)])
def test_an_untyped_parameter_takes_its_type_from_the_annotation(declared: Any) -> None:
    route = Router().add("/<a>/<b>/<c>/<d>/<e>/<f>/<g>", ["GET"], declared, name="app.typed")[0]
    assert route.path == "<a:str>/<b:int>/<c:float>/<d:uuid>/<e:str>/<f:str>/<g:str>"


def test_a_declared_type_beats_the_annotation() -> None:
    assert Router().add("/<b:str>", ["GET"], typed, name="app.typed")[0].path == "<b:str>"


def test_a_route_that_exists_is_refused_naming_both_handlers_and_their_lines() -> None:
    def first(request: Any) -> None: ...

    def second(request: Any) -> None: ...

    router = Router()
    router.add("/x", ["GET", "POST"], first, name="app.first")
    with pytest.raises(RouteExists) as caught:
        router.add("/x/", ["GET"], second, name="app.second")
    message = str(caught.value)
    assert message.startswith("Route already registered: x [GET]")
    for function in (first, second):
        assert f"{Path(__file__)}:{function.__code__.co_firstlineno}" in message
        assert function.__qualname__ in message


@pytest.mark.parametrize(
    ("one", "other", "error"),
    [
        ({}, {}, RouteExists),
        ({"host": "a.com"}, {"host": "A.COM"}, RouteExists),
        ({}, {"host": "a.com", "methods": ["POST"]}, RouteExists),
        ({}, {"methods": ["POST"], "strict_slashes": True}, InvalidUsage),
    ],
)
def test_routes_that_cannot_be_told_apart_are_refused(
    one: dict[str, Any], other: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        router_of(("/x", {"name": "app.one", **one}), ("/x", {"name": "app.other", **other}))


def test_parameter_names_do_not_tell_routes_apart() -> None:
    with pytest.raises(RouteExists):
        router_of("/<a:int>", "/<b:int>")


def test_an_overwriting_route_replaces_the_methods_it_has() -> None:
    router = Router()
    router.add("/x", ["GET", "POST"], handler, name="app.old")
    router.add("/x", ["GET"], handler, name="app.new", overwrite=True)
    router.finalize()
    assert router.get("/x", "GET", None)[0].name == "app.new"
    assert router.get("/x", "POST", None)[0].name == "app.old"
    router.reset()
    router.add("/x", ["POST", "GET"], handler, name="app.newest", overwrite=True)
    assert [route.name for route in router.routes] == ["app.newest"]
    assert list(router.name_index) == ["app.newest"]


def test_unknown_methods_are_refused_until_they_are_allowed() -> None:
    router = Router()
    with pytest.raises(BadMethod, match="TRACE"):
        router.add("/x", ["TRACE"], handler)
    router.ALLOWED_METHODS = (*router.ALLOWED_METHODS, "TRACE")
    router.add("/x", ["trace"], handler, name="app.x")
    router.finalize()
    assert router.get("/x", "TRACE", None)[0].name == "app.x"


def test_a_host_must_be_text_or_iterable() -> None:
    with pytest.raises(ValueError, match="host"):
        Router().add("/", ["GET"], handler, host=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"delimiter": "."}, {"stacking": True}, {"cascade_not_found": True}])
def test_options_that_would_change_nothing_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidUsage):
        Router(**options)


def test_a_router_is_finalized_once_until_it_is_reset() -> None:
    router = Router()
    with pytest.raises(FinalizationError, match=r"^Cannot finalize with no routes defined\.$"):
        router.finalize()
    router.add("/a", ["GET"], handler, name="app.a")
    with pytest.raises(FinalizationError, match="finalize"):
        router.get("/a", "GET", None)
    router.finalize()
    assert router.finalized
    with pytest.raises(FinalizationError):
        router.finalize()
    with pytest.raises(FinalizationError, match=r"router\.reset"):
        router.add("/b", ["GET"], handler, name="app.b")
    router.reset()
    with pytest.raises(FinalizationError):
        router.get("/a", "GET", None)
    router.add("/b", ["GET"], handler, name="app.b")
    router.finalize()
    assert [router.get(path, "GET", None)[0].name for path in ("/a", "/b")] == ["app.a", "app.b"]


def test_reserved_parameter_names_are_refused_at_start_except_for_static_routes() -> None:
    with pytest.raises(SanicException, match="__x"):
        router_of("/<__x>")
    with pytest.raises(SanicException, match="__file_uri__"):
        router_of("/<__file_uri__:path>")
    router_of(("/<__file_uri__:path>", {"static": True}))


def test_the_path_of_static_files_may_have_further_methods() -> None:
    static = ("/files/<__file_uri__:path>", {"static": True})
    router = router_of(static, ("/files/<__file_uri__:path>", {"methods": ["OPTIONS"], "name": "app.options"}))
    assert router.get("/files/a.txt", "OPTIONS", None)[0].name == "app.options"


def test_the_router_lists_its_routes_by_kind() -> None:
    router = router_of("/", "/a/<x>", "/b/<p:path>", ("/a/<x>", {"methods": ["POST"], "name": "app.post"}))
    assert [route.name for route in router.routes] == ["app./", "app./a/<x>", "app./b/<p:path>", "app.post"]
    assert list(router.groups) == [("",), ("a", "<__dynamic__:str>"), ("b", "<__dynamic__:path>")]
    assert list(router.routes_all) == [("",), ("a", "<x:str>"), ("b", "<p:path>")]
    assert list(router.routes_static) == [("",)]
    assert list(router.routes_dynamic) == [("a", "<__dynamic__:str>")]
    assert list(router.routes_regex) == [("b", "<__dynamic__:path>")]
    assert router.name_index["app.post"].methods == {"POST"}
    assert router.regex_types["int"][0] is int


def test_a_group_answers_for_its_routes() -> None:
    router = router_of("/a/<x>", ("/a/<y>/", {"methods": ["POST"], "name": "app.post"}))
    group = router.groups[router.routes[0].segments]
    assert group[1].name == "app.post"
    assert [route.name for route in group] == ["app./a/<x>", "app.post"]
    assert group.methods == {"GET", "POST"}
    assert (group.path, group.uri, group.raw_path) == ("a/<x:str>", "/a/<x:str>", "a/<x>")
    assert (group.strict, group.unquote, group.depth, group.requirements) == (False, False, 2, [])
    assert group.params[1].name == "x"
    assert str(group) == "<RouteGroup: path=a/<x:str> len=2>"


def test_names_are_found_with_and_without_that_of_the_application() -> None:
    router = router_of(("/a", {"name": "app.bp.a"}))
    router.ctx.app = type("App", (), {"name": "app"})
    for name in ("app.bp.a", "bp.a"):
        route = router.find_route_by_view_name(name)
        assert route is not None
        assert route.name == "app.bp.a"
    assert router.find_route_by_view_name("a") is None


def test_duplicate_names_are_told_but_not_those_of_one_route_for_several_hosts() -> None:
    router = router_of(
        ("/a", {"name": "app.a"}), ("/b", {"name": "app.a"}), ("/h", {"name": "app.h", "host": ["a.com", "b.com"]})
    )
    assert list(router.duplicate_names()) == ["app.a"]


def test_resolve_speaks_the_routing_vocabulary() -> None:
    router = router_of("/a/<x:int>")
    assert router.resolve("/a/1", extra={"host": "x"})[2] == {"x": 1}
    with pytest.raises(RoutingNotFound):
        router.resolve("/b")
    with pytest.raises(NoMethod) as caught:
        router.resolve("/a/1", method="POST")
    assert caught.value.allowed_methods == {"GET", "HEAD"}


@pytest.mark.parametrize("arguments", [(1, int, "x"), ("x", 1, "x"), ("x", int, 1), ("x", int, "["), ("x", int, b"x")])
def test_wrong_patterns_are_refused(arguments: Any) -> None:
    with pytest.raises(InvalidUsage):
        Router().register_pattern(*arguments)


@pytest.mark.parametrize("uri", ["/", "/é/a b/<x>", r"/<x:([a-z]{3})/b>", "/<f=int:ext=jpg|png>", "/<p:path>/edit"])
def test_a_path_declared_again_by_its_uri_joins_the_group(uri: str) -> None:
    router = Router()
    router.add(uri, ["GET"], handler, name="app.get")
    (group,) = router.groups.values()
    router.add(group.uri, ["HEAD"], handler, name="app.head", strict_slashes=group.strict, unquote=group.unquote)
    assert [route.name for route in group] == ["app.get", "app.head"]
