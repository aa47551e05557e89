"""The URLs of routes: every form of `url_for`, and that what is built is what is matched."""

from __future__ import annotations

import datetime
import string
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanic.exceptions import URLBuildError
from sanic.router import Router, build_url
from tests.router.tools import handler, router_of


def url_for(router: Router, view_name: str, server_name: str | None = None, /, **kwargs: Any) -> str:
    return build_url("app", router, {"SERVER_NAME": server_name}, view_name, **kwargs)


@pytest.mark.parametrize(
    ("uri", "kwargs", "expected"),
    [
        ("/", {}, "/"),
        ("/x/", {}, "/x"),
        ("/p/<v>", {"v": "a"}, "/p/a"),
        ("/p/<v>", {"v": 1}, "/p/1"),
        ("/p/<v>", {"v": "a b?#é"}, "/p/a%20b%3F%23%C3%A9"),
        ("/p/<v>", {"v": "a%20b"}, "/p/a%20b"),
        ("/p/<v>", {"v": "50%"}, "/p/50%25"),
        ("/p/<v>", {"v": "a:b@c+d"}, "/p/a:b@c+d"),
        ("/p/<v:int>", {"v": -3}, "/p/-3"),
        ("/p/<v:float>", {"v": 1e-7}, "/p/0.0000001"),
        ("/p/<v:path>", {"v": "a/b c"}, "/p/a/b%20c"),
        ("/p/<v:path>/edit", {"v": ""}, "/p//edit"),
        ("/p/<v:strorempty>", {"v": ""}, "/p/"),
        ("/p/<v:ymd>", {"v": datetime.date(2021, 2, 3)}, "/p/2021-02-03"),
        ("/p/<v:uuid>", {"v": UUID(int=0)}, "/p/00000000-0000-0000-0000-000000000000"),
        ("/p/<v:[a-z]+/x>", {"v": "a/x"}, "/p/a/x"),
        ("/<f:ext>", {"f": "a.txt"}, "/a.txt"),
        ("/<f:ext>", {"f": "a", "ext": "txt"}, "/a.txt"),
        ("/<f=int:ext=jpg>", {"f": 1}, "/1.jpg"),
        ("/x", {"q": 1}, "/x?q=1"),
        ("/x", {"b": "a b&", "a": None}, "/x?b=a+b%26&a=None"),
        ("/x", {"q": [1, 2], "r": ("x",)}, "/x?q=1&q=2&r=x"),
        ("/x", {"_anchor": "top", "q": 1}, "/x?q=1#top"),
        ("/x", {"_method": "POST"}, "/x"),
        ("/<router>/<config>", {"router": "a", "config": "b"}, "/a/b"),
    ],
)
def test_a_url_is_built_from_the_path_and_the_keywords(uri: str, kwargs: dict[str, Any], expected: str) -> None:
    assert url_for(router_of((uri, {"name": "app.x"})), "x", **kwargs) == expected


@pytest.mark.parametrize(
    ("kwargs", "server_name", "expected"),
    [
        ({"_external": True, "_server": "x.com"}, None, "http://x.com/x"),
        ({"_external": True, "_server": "x.com:81"}, None, "http://x.com:81/x"),
        ({"_external": True, "_server": "https://x.com"}, None, "https://x.com/x"),
        ({"_external": True, "_server": "https://x.com", "_scheme": "ftp"}, None, "ftp://x.com/x"),
        ({"_external": True}, "y.com", "http://y.com/x"),
        ({"_external": True}, "https://y.com/api/", "https://y.com/api/x"),
        ({"_external": True, "_server": "x.com"}, "y.com", "http://x.com/x"),
        ({"_external": True}, None, "/x"),
        ({"_server": "x.com"}, None, "//x.com/x"),
        ({"_server": "https://x.com"}, None, "//x.com/x"),
        ({}, "y.com", "/x"),
        ({"_external": True, "a": 1, "_anchor": "b c"}, "y.com", "http://y.com/x?a=1#b%20c"),
    ],
)
def test_a_url_may_name_its_server(kwargs: dict[str, Any], server_name: str | None, expected: str) -> None:
    assert url_for(router_of("/x"), "/x", server_name, **kwargs) == expected


def test_a_scheme_needs_an_external_url() -> None:
    with pytest.raises(ValueError, match="_scheme"):
        url_for(router_of("/x"), "/x", _scheme="https")


def test_a_strict_url_keeps_its_slash() -> None:
    assert url_for(router_of(("/x/", {"strict_slashes": True})), "/x/") == "/x/"


@pytest.mark.parametrize("name", ["bp.view", "app.bp.view"])
def test_a_name_is_completed_with_that_of_the_application(name: str) -> None:
    assert url_for(router_of(("/x", {"name": "app.bp.view"})), name) == "/x"


@pytest.mark.parametrize(
    ("name", "kwargs", "words"),
    [
        ("nope", {}, "Endpoint with name `nope` was not found"),
        ("x", {}, "`v`"),
        ("x", {"v": "a"}, r"`int`: \^-\?\\d\+\$"),
        ("p", {"v": "a/b"}, "`str`"),
        ("p", {"v": ""}, "`str`"),
        ("f", {"f": "a", "ext": "png"}, "ext=jpg"),
    ],
)
def test_a_url_that_would_not_be_matched_is_not_built(name: str, kwargs: dict[str, Any], words: str) -> None:
    router = router_of(
        ("/<v:int>", {"name": "app.x"}), ("/p/<v>", {"name": "app.p"}), ("/<f:ext=jpg|gif>", {"name": "app.f"})
    )
    with pytest.raises(URLBuildError, match=words):
        url_for(router, name, **kwargs)


def test_a_route_bound_to_hosts_is_built_with_one_of_them() -> None:
    router = router_of(("/one", {"host": "a.com"}), ("/two", {"host": ["a.com", "b.com"]}), "/none")
    assert url_for(router, "/one") == "/one"
    assert url_for(router, "/one", "https://y.com/api", _external=True) == "https://a.com/one"
    assert url_for(router, "/two", _host="b.com") == "http://b.com/two"
    assert url_for(router, "/two", _host="b.com", _scheme="https") == "https://b.com/two"
    with pytest.raises(ValueError, match=r"Host is ambiguous: a\.com, b\.com"):
        url_for(router, "/two", _external=True)
    for name in ("/two", "/none"):
        with pytest.raises(ValueError, match="not available"):
            url_for(router, name, _host="c.com")


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, "ws://x.com/w"), ({"_scheme": "https"}, "wss://x.com/w"), ({"_server": "https://x.com"}, "wss://x.com/w")],
)
def test_websocket_routes_have_websocket_schemes(options: dict[str, Any], expected: str) -> None:
    router = router_of("/w")
    router.routes[0].extra.websocket = True
    assert url_for(router, "/w", "x.com", _external=True, **options) == expected


@pytest.mark.parametrize(
    ("view", "kwargs", "expected"),
    [
        ("static", {"filename": "a.txt"}, "/s/a.txt"),
        ("static", {"filename": "/d/a b%.txt"}, "/s/d/a%20b%25.txt"),
        ("static", {}, "/s/"),
        ("app.static", {"filename": "a"}, "/s/a"),
        ("static", {"name": "static", "filename": "a"}, "/s/a"),
        ("static", {"name": "uploads", "filename": "a", "q": 1}, "/up/a?q=1"),
        ("static", {"name": "bp.uploads", "filename": "a"}, "/bp/a"),
        ("bp.static", {"name": "uploads", "filename": "a"}, "/bp/a"),
        ("bp.static", {"name": "bp.uploads", "filename": "a"}, "/bp/a"),
        ("uploads", {"filename": "a"}, "/up/a"),
        ("static", {"name": "icon"}, "/favicon.ico"),
        ("static", {"name": "icon", "filename": "favicon.ico"}, "/favicon.ico"),
    ],
)
def test_static_files_are_found_by_view_or_by_name(view: str, kwargs: dict[str, Any], expected: str) -> None:
    router = router_of(
        ("/s/<__file_uri__:path>", {"static": True, "name": "app.static"}),
        ("/up/<__file_uri__:path>", {"static": True, "name": "app.uploads"}),
        ("/bp/<__file_uri__:path>", {"static": True, "name": "app.bp.uploads"}),
        ("/favicon.ico", {"static": True, "name": "app.icon"}),
    )
    assert url_for(router, view, **kwargs) == expected


def test_a_view_that_happens_to_be_called_static_keeps_its_keywords() -> None:
    router = router_of(("/<name>/<filename>", {"name": "app.static"}))
    assert url_for(router, "static", name="a", filename="b") == "/a/b"


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=8)
WORD = st.text(string.ascii_lowercase, min_size=1, max_size=6)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXT,
    "strorempty": TEXT | st.just(""),
    "int": st.integers(),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "alpha": st.text(string.ascii_letters, min_size=1),
    "slug": st.from_regex(r"[a-z0-9]+(?:-[a-z0-9]+)*", fullmatch=True),
    "path": st.lists(TEXT | st.just(""), max_size=4).map("/".join),
    "ymd": st.dates(min_value=datetime.date(1000, 1, 1), max_value=datetime.date(2999, 12, 31)),
    "uuid": st.uuids(),
    "[a-z]{2}": st.text(string.ascii_lowercase, min_size=2, max_size=2),
    "[0-9]+/[a-z]+": st.from_regex(r"[0-9]+/[a-z]+", fullmatch=True),
}


@st.composite
def declarations(draw: st.DrawFn) -> tuple[str, dict[str, Any], bool]:
    """A path of literals and parameters, values for it, and whether they are decoded."""
    labels = draw(st.lists(st.sampled_from([*VALUES, "literal", "ext"]), min_size=1, max_size=5))
    parts: list[str] = []
    values: dict[str, Any] = {}
    for index, label in enumerate(labels):
        name = f"p{index}"
        if label == "literal":
            parts.append(draw(WORD | st.just("é ü")))
        elif label == "ext":
            if "ext" in values:
                continue
            parts.append(f"<{name}=slug:ext=jpg|png>")
            values |= {name: draw(VALUES["slug"]), "ext": draw(st.sampled_from(["jpg", "png"]))}
        else:
            parts.append(f"<{name}:{label}>")
            values[name] = draw(VALUES[label])
    return "/" + "/".join(parts), values, draw(st.booleans())


@settings(max_examples=300, deadline=None)
@given(declarations())
def test_a_route_is_reached_by_the_url_built_for_it(declaration: tuple[str, dict[str, Any], bool]) -> None:
    uri, values, decoded = declaration
    # Strict, as a value may be empty and the path then end in a slash.
    router = router_of((uri, {"unquote": decoded, "name": "app.x", "strict_slashes": True}))
    url = url_for(router, "x", **values)
    assert url.isascii()
    assert "?" not in url
    route, _, params = router.get(url, "GET", None)
    assert route.name == "app.x"
    spanning = sum(matcher.spans for matcher in route.matchers)
    if decoded and spanning < 2:
        assert params == values
    if spanning < 2:
        # Values are passed as they stand in the URL, so they spell it again.
        assert url_for(router, "x", **params) == url


@settings(max_examples=100, deadline=None)
@given(st.lists(declarations(), min_size=2, max_size=8, unique_by=lambda declaration: declaration[0]))
def test_a_url_reaches_a_route_whatever_else_is_declared(several: list[tuple[str, dict[str, Any], bool]]) -> None:
    router = Router()
    for number, (uri, _, decoded) in enumerate(several):
        # A prefix of its own for each, so that the routes cannot shadow each other.
        router.add(f"/r{number}{uri}", ["GET"], handler, name=f"app.r{number}", unquote=decoded, strict_slashes=True)
    router.finalize()
    for number, (_, values, _) in enumerate(several):
        assert router.get(url_for(router, f"r{number}", **values), "GET", None)[0].name == f"app.r{number}"
