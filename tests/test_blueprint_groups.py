"""Groups of blueprints: a sequence that may be nested, and that is settled once it is registered."""

from __future__ import annotations

import inspect
from collections.abc import MutableSequence
from typing import Any

import pytest

from sanic import Blueprint
from sanic.blueprint_group import BlueprintGroup as OldName
from sanic.blueprints import BlueprintGroup
from sanic.exceptions import SanicException, ServerError
from sanic.response import text
from tests.harness import serving


async def handler(request: Any, **parameters: Any) -> Any:
    return text("ok")


def blueprint(name: str, **options: Any) -> Blueprint:
    bp = Blueprint(name, url_prefix=f"/{name}", **options)
    bp.add_route(handler, "/x")
    return bp


def uris(app: Any) -> list[str]:
    return [route.uri for route in app.router.routes]


def test_the_class_has_two_homes() -> None:
    assert OldName is BlueprintGroup
    assert isinstance(Blueprint.group(), BlueprintGroup)


def test_settings_can_be_read_back() -> None:
    group = Blueprint.group(url_prefix="/g", version=0, strict_slashes=True, version_prefix="/api/v", name_prefix="n")
    assert (group.url_prefix, group.version, group.strict_slashes) == ("/g", 0, True)
    assert (group.version_prefix, group.name_prefix) == ("/api/v", "n")
    usual = Blueprint.group()
    assert (usual.url_prefix, usual.version, usual.strict_slashes) == (None, None, None)
    assert (usual.version_prefix, usual.name_prefix, usual.blueprints) == ("/v", "", [])


def test_lists_are_flattened_and_groups_are_kept() -> None:
    one, two, three, four = map(blueprint, ("one", "two", "three", "four"))
    inner = Blueprint.group(three)
    group = Blueprint.group(one, [two, (inner, [four])])
    assert group.blueprints == [one, two, inner, four]


def test_a_group_is_a_mutable_sequence() -> None:
    one, two, three, four = map(blueprint, ("one", "two", "three", "four"))
    group = Blueprint.group(one)
    assert isinstance(group, MutableSequence)
    group.append(three)
    group.insert(1, two)
    assert list(group) == [one, two, three]
    assert (len(group), group[0], group[-1], group[1:]) == (3, one, three, [two, three])
    group[0] = four
    assert group[0] is four
    del group[0]
    group.extend([four])
    assert list(group) == [two, three, four]
    group.remove(three)
    assert group.pop() is four
    group[0:1] = [one, three]
    assert list(reversed(group)) == [three, one]
    assert one in group
    assert group.index(three) == 1


@pytest.mark.parametrize("thing", ["bp", None, 7, handler])
def test_only_blueprints_and_groups_may_be_in_a_group(thing: Any) -> None:
    group = Blueprint.group(blueprint("one"))
    for put in (
        lambda: group.append(thing),
        lambda: group.insert(0, thing),
        lambda: group.__setitem__(0, thing),
        lambda: group.__setitem__(slice(0, 1), [thing]),
    ):
        with pytest.raises(TypeError, match="Expected a Blueprint instance"):
            put()
    assert len(group) == 1


def test_settings_flow_inwards_where_the_inner_one_is_unset(app: Any) -> None:
    bp1, bp2 = blueprint("bp1"), blueprint("bp2", version=2)
    group = Blueprint.group(bp1, bp2, url_prefix="/g", version=1, version_prefix="/api/v")
    app.blueprint(Blueprint.group(group, url_prefix="/parent"))
    assert uris(app) == ["/api/v1/parent/g/bp1/x", "/api/v2/parent/g/bp2/x"]


def test_parameters_in_prefixes_of_groups(app: Any) -> None:
    app.blueprint(Blueprint.group(blueprint("bp"), url_prefix="/<shop:int>"))
    assert uris(app) == ["/<shop:int>/bp/x"]


def test_a_blueprint_may_be_in_several_groups_under_different_names(app: Any) -> None:
    bp = blueprint("bp")
    for prefix in ("a", "b"):
        app.blueprint(Blueprint.group(bp, url_prefix=prefix, name_prefix=prefix))
    assert [route.name.split(".", 1)[1] for route in app.router.routes] == ["a_bp.handler", "b_bp.handler"]
    assert uris(app) == ["/a/bp/x", "/b/bp/x"]


async def test_without_different_names_it_does_not_start(app: Any) -> None:
    bp = blueprint("bp")
    for prefix in ("a", "b"):
        app.blueprint(Blueprint.group(bp, url_prefix=prefix))
    with pytest.raises(ServerError, match="Duplicate route names"):
        async with serving(app):
            pass


async def test_what_is_declared_on_a_group_is_on_all_its_blueprints(app: Any) -> None:
    log: list[str] = []
    one, two = Blueprint("one", url_prefix="/one"), Blueprint("two", url_prefix="/two")
    inner = Blueprint.group(two)
    group = Blueprint.group(one, inner, two)

    async def fail(request: Any) -> Any:
        raise KeyError("x")

    for bp in (one, two):
        bp.add_route(fail, "/", name="fail")

    for number, attach in enumerate(
        (
            group.middleware,
            group.middleware("request"),
            lambda fn: group.middleware(fn, "request"),
            group.on_request,
            group.on_request(),
            group.on_request(priority=-1),
        )
    ):

        def note(request: Any, number: int = number) -> None:
            log.append(f"request {number}")

        assert attach(note) is note
    for number, attach in enumerate(
        (
            group.middleware("response"),
            lambda fn: group.middleware(fn, "response"),
            group.on_response,
            group.on_response(priority=-1),
        )
    ):

        def note_response(request: Any, response: Any, number: int = number) -> None:
            log.append(f"response {number}")

        assert attach(note_response) is note_response

    async def handle(request: Any, exception: Exception) -> Any:
        return text("handled")

    assert group.exception(KeyError)(handle) is handle
    app.blueprint(group[0:2])
    async with serving(app) as server:
        for path in ("/one", "/two"):
            log.clear()
            assert (await server.get(path)).text == "handled"
            assert log == [
                *(f"request {number}" for number in range(6)),
                *(f"response {number}" for number in (3, 2, 1, 0)),
            ]


async def test_what_is_declared_later_on_a_registered_group_works_too(app: Any) -> None:
    group = Blueprint.group(blueprint("one"), blueprint("two"))
    app.blueprint(group)
    log: list[str] = []
    async with serving(app) as server:
        group.on_request(lambda request: log.append(request.path))
        await server.get("/one/x")
        await server.get("/two/x")
    assert log == ["/one/x", "/two/x"]


@pytest.mark.parametrize(
    ("change", "verb"),
    [
        (lambda group, bp: group.append(bp), "added"),
        (lambda group, bp: group.insert(0, bp), "added"),
        (lambda group, bp: group.extend([bp]), "added"),
        (lambda group, bp: group.__setitem__(0, bp), "added"),
        (lambda group, bp: group[0].append(bp), "added"),
        (lambda group, bp: group.__delitem__(0), "removed"),
        (lambda group, bp: group.pop(), "removed"),
    ],
)
def test_a_registered_group_is_settled_and_both_places_are_named(app: Any, change: Any, verb: str) -> None:
    frame = inspect.currentframe()
    assert frame is not None
    group = Blueprint.group(Blueprint.group(blueprint("one")))
    line = frame.f_lineno + 1
    app.blueprint(group)
    with pytest.raises(SanicException) as caught:
        change(group, blueprint("late"))
    message = str(caught.value)
    assert f"is {verb} at {__file__}:" in message
    assert f"was registered at {__file__}:{line} " in message
    assert message.count(__file__) == 2


def test_an_empty_group_registers_nothing(app: Any) -> None:
    app.blueprint(Blueprint.group())
    assert app.blueprints == {}
