"""Which route a path reaches, and with which values."""

from __future__ import annotations

import ipaddress
import time
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from sanic.exceptions import MethodNotAllowed, NotFound
from tests.router.tools import handler, router_of, winner

SOME_UUID = "123e4567-e89b-12d3-a456-426614174000"


@pytest.mark.parametrize(
    ("label", "text", "value"),
    [
        ("str", "abc", "abc"),
        ("str", "a%20b", "a%20b"),
        ("str", "", None),
        ("strorempty", "", ""),
        ("strorempty", "x", "x"),
        ("int", "12", 12),
        ("int", "-12", -12),
        ("int", "+1", None),
        ("int", "1_0", None),
        ("int", "٣", None),
        ("int", "9" * 10_000, None),
        ("float", "10", 10.0),
        ("float", "-1.5", -1.5),
        ("float", ".5", 0.5),
        ("float", "5.", 5.0),
        ("float", "1e3", None),
        ("float", "nan", None),
        ("float", ".", None),
        ("alpha", "aZ", "aZ"),
        ("alpha", "é", None),
        ("alpha", "a1", None),
        ("slug", "a-b-1", "a-b-1"),
        ("slug", "A-b", None),
        ("slug", "a--b", None),
        ("slug", "-a", None),
        ("path", "", ""),
        ("path", "a/b//c", "a/b//c"),
        ("ymd", "2021-02-28", date(2021, 2, 28)),
        ("ymd", "2021-02-31", None),
        ("ymd", "0021-01-01", None),
        ("ymd", "2021-1-1", None),
        ("uuid", SOME_UUID, UUID(SOME_UUID)),
        ("uuid", SOME_UUID.upper(), UUID(SOME_UUID)),
        ("uuid", SOME_UUID.replace("-", ""), None),
        ("[a-z]{3}", "abc", "abc"),
        ("[a-z]{3}", "abcd", None),
        ("[a-z]{3}", "abc\n", None),
        (r"([a-z]{3})\.txt", "abc.txt", "abc"),
        (r"(?P<v>[a-z]{3})\.txt", "abc.txt", "abc"),
        (r"(?:a|b)c", "bc", "bc"),
        (r"\d+", "12", "12"),
        (".*", "", ""),
        (".*", "a/b", None),
        ("[^/]+", "a/b", None),
        ("unknown", "unknown", "unknown"),
        ("unknown", "other", None),
        ("([a-z]+)/foo", "bar/foo", "bar"),
        ("[a-z]+/foo", "bar/foo", "bar/foo"),
        ("[a-z]+/foo", "bar/fo", None),
    ],
)
def test_a_value_is_what_the_pattern_of_its_type_allows(label: str, text: str, value: Any) -> None:
    found = winner(router_of((f"/p/<v:{label}>", {"name": "app.p"})), f"/p/{text}")
    assert found == (None if value is None else ("p", {"v": value}))
    if found is not None:
        assert type(found[1]["v"]) is type(value)


@pytest.mark.parametrize(
    ("definition", "text", "params"),
    [
        ("<f:ext>", "page.txt", {"f": "page", "ext": "txt"}),
        ("<f:ext>", "a.tar.gz", {"f": "a.tar", "ext": "gz"}),
        ("<f:ext>", "page", None),
        ("<f:ext>", ".txt", None),
        ("<f:ext>", "page.", None),
        ("<f:ext>", "a..txt", None),
        ("<f:ext=jpg>", "cat.jpg", {"f": "cat", "ext": "jpg"}),
        ("<f:ext=jpg>", "cat.png", None),
        ("<f:ext=jpg|png>", "cat.png", {"f": "cat", "ext": "png"}),
        ("<f=int:ext>", "12.txt", {"f": 12, "ext": "txt"}),
        ("<f=int:ext>", "x.txt", None),
        ("<f=float:ext=tar.gz>", "3.14.tar.gz", {"f": 3.14, "ext": "tar.gz"}),
        ("<f=ymd:ext>", "2021-02-31.txt", None),
    ],
)
def test_an_extension_is_split_from_the_name(definition: str, text: str, params: dict[str, Any] | None) -> None:
    found = winner(router_of((f"/{definition}", {"name": "app.f"})), f"/{text}")
    assert found == (None if params is None else ("f", params))


@pytest.mark.parametrize(
    ("declared", "path", "expected"),
    [
        # A literal path wins.
        (["/<a>/<b>", "/a/b"], "/a/b", "/a/b"),
        # Literal before parameter, with a way back.
        (["/b/<c:int>", "/<a>/x"], "/b/x", "/<a>/x"),
        (["/b/<c:int>", "/<a>/x"], "/b/1", "/b/<c:int>"),
        # An unrelated route does not move the segment behind its siblings.
        (["/<q:int>", "/<b:int>/<c>", "/<a>/x"], "/3/x", "/<b:int>/<c>"),
        (["/<b:int>/<c>", "/<a>/x"], "/3/x", "/<b:int>/<c>"),
        # By type, whatever the order of declaration.
        (
            ["/<v:strorempty>", "/<v:[0-9]+>", "/<v>", "/<v:ext>", "/<v:slug>", "/<v:alpha>", "/<v:float>", "/<v:int>"],
            "/1",
            "/<v:int>",
        ),
        (
            ["/<v:strorempty>", "/<v:[0-9.]+>", "/<v>", "/<v:ext>", "/<v:slug>", "/<v:alpha>", "/<v:float>"],
            "/1.5",
            "/<v:float>",
        ),
        (["/<v:strorempty>", "/<v:[a-z]+>", "/<v>", "/<v:ext>", "/<v:slug>", "/<v:alpha>"], "/a", "/<v:alpha>"),
        (["/<v:strorempty>", "/<v:[a-z]+>", "/<v>", "/<v:ext>", "/<v:slug>"], "/a", "/<v:slug>"),
        (["/<v:strorempty>", "/<v:[a-z.]+>", "/<v>", "/<v:ext>"], "/a.b", "/<v:ext>"),
        (["/<v:strorempty>", "/<v:[a-z]+>", "/<v>"], "/a", "/<v>"),
        (["/<v:strorempty>", "/<v:[a-z]+>"], "/a", "/<v:[a-z]+>"),
        (["/<v>", "/<v:ymd>", "/<v:uuid>"], "/2021-01-01", "/<v:ymd>"),
        (["/<v>", "/<v:ymd>", "/<v:uuid>"], f"/{SOME_UUID}", "/<v:uuid>"),
        # The extension that asks for more, the longer expression.
        (["/<v:ext>", "/<v:ext=jpg>", "/<v=int:ext>", "/<v=int:ext=jpg>"], "/1.jpg", "/<v=int:ext=jpg>"),
        (["/<v:ext>", "/<v:ext=jpg>", "/<v=int:ext>"], "/1.png", "/<v=int:ext>"),
        (["/<v:ext>", "/<v:ext=jpg>"], "/1.jpg", "/<v:ext=jpg>"),
        (["/<v:[a-z]+>", "/<v:[a-z0-9]+>"], "/a", "/<v:[a-z0-9]+>"),
        # What spans segments comes last, longer definitions first.
        (["/<p:path>", "/<v:[a-z]+>"], "/a", "/<v:[a-z]+>"),
        (["/<p:path>", "/<a>/<b>"], "/a/b", "/<a>/<b>"),
        (["/<p:path>", "/<a>/<p:path>", "/lit/<p:path>"], "/lit/b", "/lit/<p:path>"),
        (["/lit/<p:path>", "/<a>/<b>/<p:path>"], "/lit/x/y", "/<a>/<b>/<p:path>"),
        (["/lit/<p:path>", "/<a>/<b>/<p:path>"], "/lit/x", "/lit/<p:path>"),
        (["/<p:path>", "/<p:path>/edit"], "/a/b/edit", "/<p:path>/edit"),
        (["/<p:path>", "/<r:[a-z]+/x>"], "/a/x", "/<r:[a-z]+/x>"),
        (["/<p:path>"], "/", "/<p:path>"),
        (["/s/<p:path>"], "/s/", "/s/<p:path>"),
        (["/s/<p:path>"], "/s", None),
        # Paths are compared as received.
        (["/x"], "//x", None),
        (["/x"], "/X", None),
        (["/a/x"], "/a/../a/x", None),
        (["/x"], "/%78", None),
        (["/a b"], "/a%20b", "/a b"),
        (["/x"], "", None),
        (["/x"], "*", None),
        (["/<a>"], "x.com/b", None),
        (["/<a:path>"], "x.com/b", None),
        (["/<a>"], "/a/b", None),
        (["/a/<b>"], "/a", None),
    ],
)
def test_the_route_that_is_reached(declared: list[str], path: str, expected: str | None) -> None:
    for order in (declared, declared[::-1]):
        found = winner(router_of(*order), path)
        assert (found and found[0]) == expected


@pytest.mark.parametrize(
    ("uri", "path", "params"),
    [
        ("/<p:path>/edit", "/a/b/edit", {"p": "a/b"}),
        ("/<p:path>/edit", "//edit", {"p": ""}),
        ("/<p:path>/edit", "/edit", None),
        ("/<p:path>/edit", "/a/edit/edit", {"p": "a/edit"}),
        ("/<p:path>/x/<q:path>", "/a/x/b/x/c", {"p": "a", "q": "b/x/c"}),
        ("/<p:path>/x/<q:path>/y", "/a/x/b/y/y", {"p": "a", "q": "b/y"}),
        ("/<p:path>/<n:int>/<q:path>/<m:int>", "/a/b/1/c/2/3", {"p": "a/b", "n": 1, "q": "c/2", "m": 3}),
        ("/<p:path>/<q:path>", "/a/b/c", {"p": "a", "q": "b/c"}),
        ("/<p:path>/x/<q:path>/y", "/a/x/y", None),
        ("/s/<p:path>/<n:int>", "/s/a/x", None),
        ("/<l:(en|fr)/docs>/<p:path>", "/fr/docs/a/b", {"l": "fr", "p": "a/b"}),
        ("/<l:[a-z]+/docs>/<n:int>", "/fr/docs/1", {"l": "fr/docs", "n": 1}),
        ("/<l:[a-z]+/docs>/<n:int>", "/fr/docs/x", None),
        ("/<p:path>/<l:[a-z]+/docs>/<n:int>", "/1/fr/docs/fr/docs/1", {"p": "1/fr/docs", "l": "fr/docs", "n": 1}),
        (r"/<v:(a)/\1>", "/a/a", {"v": "a"}),
    ],
)
def test_parameters_that_span_segments_may_stand_anywhere(uri: str, path: str, params: dict[str, Any] | None) -> None:
    found = winner(router_of(uri), path)
    assert (found and found[1]) == params


def test_values_are_decoded_only_for_the_routes_that_ask_for_it() -> None:
    router = router_of(
        ("/u/<v>/<n:int>/<f:ext>", {"unquote": True}),
        "/r/<v>",
        ("/é/x", {"unquote": True}),
        ("/é/<v>", {"unquote": True}),
    )
    assert winner(router, "/u/%C3%A9%2F/1/a%20b.txt") == (
        "/u/<v>/<n:int>/<f:ext>",
        {"v": "é/", "n": 1, "f": "a b", "ext": "txt"},
    )
    assert winner(router, "/r/%C3%A9") == ("/r/<v>", {"v": "%C3%A9"})
    for path in ("/%C3%A9/x", "/%c3%a9/x"):
        assert winner(router, path) == ("/é/x", {})
    assert winner(router, "/%c3%a9/%20") == ("/é/<v>", {"v": " "})


def test_paths_with_a_decoded_beginning_may_end_in_a_path_parameter() -> None:
    router = router_of(("/é/<p:path>", {"unquote": True}))
    assert winner(router, "/%c3%a9/a/%C3%BC") == ("/é/<p:path>", {"p": "a/ü"})


def test_each_route_of_a_path_has_its_own_parameter_names() -> None:
    router = router_of("/<a:int>", ("/<b:int>", {"methods": ["POST"]}), "/<c:int>/x")
    assert winner(router, "/1") == ("/<a:int>", {"a": 1})
    assert winner(router, "/1", "POST") == ("/<b:int>", {"b": 1})
    assert winner(router, "/1/x") == ("/<c:int>/x", {"c": 1})


def test_every_request_gets_a_dictionary_of_its_own() -> None:
    router = router_of("/", "/<a>")
    for path in ("/", "/x"):
        router.get(path, "GET", None)[2]["spoilt"] = True
        assert "spoilt" not in router.get(path, "GET", None)[2]


def test_a_registered_type_matches_its_pattern_and_then_casts() -> None:
    router = router_of(
        "/<v:ipv4>", "/<v>", prepare=lambda router: router.register_pattern("ipv4", ipaddress.ip_address, r"^[0-9.]+$")
    )
    assert winner(router, "/1.2.3.4") == ("/<v:ipv4>", {"v": ipaddress.ip_address("1.2.3.4")})
    assert winner(router, "/1.2.3.400") == ("/<v>", {"v": "1.2.3.400"})
    assert winner(router, "/::1") == ("/<v>", {"v": "::1"})


@pytest.mark.parametrize(
    ("declared", "strict", "path", "reached"),
    [
        ("/x", False, "/x", True),
        ("/x", False, "/x/", True),
        ("/x", False, "/x///", True),
        ("/x/", False, "/x", True),
        ("/x/", False, "/x/", True),
        ("/x", True, "/x", True),
        ("/x", True, "/x/", False),
        ("/x/", True, "/x/", True),
        ("/x/", True, "/x", False),
        ("/x/", True, "/x//", False),
        ("/x/<a>", False, "/x/1/", True),
        ("/x/<a>", True, "/x/1/", False),
        ("/x/<a>/", True, "/x/1/", True),
        ("/x/<a>/", True, "/x/1", False),
        ("/<p:path>/x", True, "/a/x/", False),
        ("/", False, "/", True),
        ("/", False, "//", True),
    ],
)
def test_a_trailing_slash_matters_to_strict_routes_only(declared: str, strict: bool, path: str, reached: bool) -> None:
    router = router_of((declared, {"strict_slashes": strict}))
    assert (winner(router, path) is not None) is reached


def test_strict_routes_may_differ_in_the_trailing_slash_alone() -> None:
    router = router_of(("/x", {"strict_slashes": True}), ("/x/", {"strict_slashes": True}))
    assert winner(router, "/x") == ("/x", {})
    assert winner(router, "/x/") == ("/x/", {})


def test_a_path_with_its_slash_is_matched_before_it_is_taken_away() -> None:
    router = router_of("/x", "/<a>/<b:strorempty>")
    assert winner(router, "/x/") == ("/<a>/<b:strorempty>", {"a": "x", "b": ""})


@pytest.mark.parametrize(
    ("path", "named"), [("/nope", "/nope"), ("/nope/", "/nope"), ("/", ""), ("/f/a.png", "/f/a.png"), ("/s/1/", "/s/1")]
)
def test_a_404_names_the_last_path_tried(path: str, named: str) -> None:
    router = router_of("/x", "/f/<a:ext=jpg>", ("/s/<a>", {"strict_slashes": True}))
    with pytest.raises(NotFound) as caught:
        router.get(path, "GET", None)
    assert str(caught.value) == f"Requested URL {named} not found"


@pytest.mark.parametrize("method", ["DELETE", "FOO", "get"])
def test_a_405_lists_the_methods_of_the_path(method: str) -> None:
    router = router_of("/x", ("/x", {"methods": ["POST"], "name": "app.post"}))
    router.reset()
    router.auto_head = False
    router.finalize()
    for path in ("/x", "/x/"):
        with pytest.raises(MethodNotAllowed) as caught:
            router.get(path, method, None)
        assert str(caught.value) == f"Method {method} not allowed for URL {path}"
        assert caught.value.headers["Allow"] == "GET, POST"


def test_the_path_found_decides_about_the_method() -> None:
    router = router_of(("/<a:int>", {"methods": ["POST"]}), "/<a:str>")
    with pytest.raises(MethodNotAllowed):
        router.get("/1", "GET", None)
    assert winner(router, "/x") == ("/<a:str>", {"a": "x"})


def test_head_is_answered_by_the_get_route_unless_switched_off() -> None:
    router = router_of(
        "/x",
        "/d/<a>",
        ("/h", {"name": "app.get"}),
        ("/h", {"methods": ["HEAD"], "name": "app.head"}),
        ("/p", {"methods": ["POST"]}),
    )
    assert winner(router, "/x", "HEAD") == ("/x", {})
    assert winner(router, "/d/1", "HEAD") == ("/d/<a>", {"a": "1"})
    assert winner(router, "/h", "HEAD") == ("head", {})
    assert router.allowed_methods("/x/") == ("GET", "HEAD")
    assert router.routes[0].methods == {"GET"}
    with pytest.raises(MethodNotAllowed):
        router.get("/p", "HEAD", None)
    router.reset()
    router.auto_head = False
    router.auto_options = True
    router.finalize()
    with pytest.raises(MethodNotAllowed) as caught:
        router.get("/x", "HEAD", None)
    assert caught.value.headers["Allow"] == "GET, OPTIONS"
    assert router.allowed_methods("/x") == ("GET", "OPTIONS")
    with pytest.raises(NotFound):
        router.allowed_methods("/nope")


@pytest.mark.parametrize(
    ("path", "host", "expected"),
    [
        ("/x", "a.com", "a"),
        ("/x", "A.Com", "a"),
        ("/x", "b.com:81", "b"),
        ("/x", "b.com", None),
        ("/x", "a.com:80", None),
        ("/x", None, None),
        ("/x", "c.com", None),
        ("/d/1", "a.com", "d"),
        ("/d/1", "b.com", None),
        ("/free", "anything", "free"),
    ],
)
def test_a_route_bound_to_a_host_is_reached_under_it_alone(path: str, host: str | None, expected: str | None) -> None:
    router = router_of(
        ("/x", {"host": "a.com", "name": "app.a"}),
        ("/x", {"host": "B.com:81", "name": "app.b"}),
        ("/<v>", {"name": "app.v", "methods": ["POST"]}),
        ("/d/<v>", {"host": ("a.com", "e.com"), "name": "app.d"}),
        ("/free", {"name": "app.free"}),
    )
    assert router.uses_hosts
    found = winner(router, path, host=host)
    assert (found and found[0]) == expected


def test_a_host_allows_its_own_methods() -> None:
    router = router_of(("/x", {"host": "a.com"}), ("/x", {"host": "b.com", "methods": ["POST"], "name": "app.b"}))
    with pytest.raises(MethodNotAllowed) as caught:
        router.get("/x", "POST", "a.com")
    assert caught.value.headers["Allow"] == "GET, HEAD"


def test_without_hosts_the_host_does_not_matter() -> None:
    router = router_of("/x")
    assert not router.uses_hosts
    assert winner(router, "/x", host="anything") == ("/x", {})


def test_a_handler_exchanged_after_start_is_the_one_found() -> None:
    router = router_of("/x")

    def other(request: Any) -> None: ...

    assert router.get("/x", "GET", None)[1] is handler
    router.routes[0].handler = other
    assert router.get("/x", "GET", None)[1] is other


LONG = 65_536


@pytest.mark.parametrize(
    "path",
    [
        "/" * LONG,
        "/a" * (LONG // 2),
        "/x" * (LONG // 2) + "/",
        "/f/" + "a." * (LONG // 2) + "!",
        "/f/" + "." * LONG,
        "/g/" + "a-" * (LONG // 2) + "!",
        "/g/" + "1" * LONG + "X",
        "/p/" + "x/" * (LONG // 2),
        "/p" + "/" * LONG + "!",
        "/p/" + "x" * LONG,
    ],
)
def test_hostile_paths_take_linear_time(path: str) -> None:
    router = router_of(
        *(f"/g/<v:{label}>" for label in ("uuid", "ymd", "int", "float", "alpha", "slug", "ext")),
        "/f/<v:ext=tar.gz>",
        "/f/<v=float:ext>",
        "/p/<a:path>/x/<b:path>/x/<c:path>/y",
        "/<a:path>/x/<b:path>/z",
    )
    started = time.process_time()
    with pytest.raises(NotFound):
        router.get(path, "GET", None)
    # Quadratic time would be minutes.
    assert time.process_time() - started < 2
