"""JSON responses, which can be changed until they are sent."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from sanic import Sanic, json
from sanic.exceptions import SanicException
from sanic.response import JSONResponse
from tests.harness import serving

# Writing


@pytest.mark.parametrize(
    ("body", "written"),
    [
        ({"a": [1, 2.5, None, True]}, b'{"a":[1,2.5,null,true]}'),
        (None, b"null"),
        ("/ä", b'"/\\u00e4"'),
        (math.nan, b"NaN"),
    ],
)
def test_json_is_compact_ascii(body: Any, written: bytes) -> None:
    assert json(body).body == written


@pytest.mark.parametrize("body", [object(), {1, 2}, b"bytes"])
def test_what_is_no_json_is_a_type_error(body: Any) -> None:
    with pytest.raises(TypeError):
        json(body)


def test_further_arguments_go_to_the_writer() -> None:
    assert json({"b": "ä", "a": 1}, ensure_ascii=False, sort_keys=True).body == '{"a":1,"b":"ä"}'.encode()


def test_a_call_may_bring_its_own_writer() -> None:
    def dumps(body: Any, mark: str = "") -> str:
        return f"{mark}{body!r}"

    assert json(1, dumps=dumps).body == b"1"
    assert json(1, dumps=dumps, mark="ä").body == "ä1".encode()
    assert json(1, dumps=lambda body: b"bytes").body == b"bytes"


async def test_an_app_may_bring_its_own_writer(app_name: str) -> None:
    app: Any = Sanic(app_name, dumps=lambda body: f"app:{body}")

    @app.get("/app")
    async def by_app(request: Any) -> Any:
        return json(1)

    @app.get("/call")
    async def by_call(request: Any) -> Any:
        return json(1, dumps=lambda body: f"call:{body}")

    @app.on_response
    async def change(request: Any, response: JSONResponse) -> None:
        response.raw_body = 2

    async with serving(app) as server:
        assert (await server.get("/app")).text == "app:2"
        assert (await server.get("/call")).text == "call:2"


async def test_what_cannot_be_written_is_answered_with_500(app: Any) -> None:
    @app.get("/")
    async def handler(request: Any) -> Any:
        return json(object())

    async with serving(app) as server:
        assert (await server.get()).status_code == 500


# Changing


@pytest.mark.parametrize(
    ("body", "change", "result", "written"),
    [
        ([1], lambda response: response.append(2), None, b"[1,2]"),
        ([1], lambda response: response.extend([2, 3]), None, b"[1,2,3]"),
        ({"a": 1}, lambda response: response.update({"b": 2}, c=3), None, b'{"a":1,"b":2,"c":3}'),
        ({"a": 1}, lambda response: response.update([("a", 2)]), None, b'{"a":2}'),
        ([1, 2], lambda response: response.pop(0), 1, b"[2]"),
        ([1, 2], lambda response: response.pop(-1), 2, b"[1]"),
        ({"a": 1}, lambda response: response.pop("a"), 1, b"{}"),
        ({"a": 1}, lambda response: response.pop("b", None), None, b'{"a":1}'),
        ({"a": 1}, lambda response: response.pop("b", 5), 5, b'{"a":1}'),
        (1, lambda response: response.set_body([2]), None, b"[2]"),
        (1, lambda response: setattr(response, "raw_body", {"a": 2}), None, b'{"a":2}'),
        ([1], lambda response: response.raw_body.append(2), None, b"[1]"),
    ],
)
def test_a_body_can_be_changed(body: Any, change: Callable[[Any], Any], result: Any, written: bytes) -> None:
    response = json(body)

    assert change(response) == result
    assert response.body == written


@pytest.mark.parametrize(
    ("body", "change", "error", "message"),
    [
        ({}, lambda response: response.append(1), SanicException, "Cannot append to a non-list"),
        ("a", lambda response: response.extend([1]), SanicException, "Cannot extend a non-list"),
        ([], lambda response: response.update(a=1), SanicException, "Cannot update a non-dict"),
        (1, lambda response: response.pop(0), SanicException, "Cannot pop from a non-list and non-dict"),
        ([1], lambda response: response.pop(0, None), TypeError, "pop doesn't accept a default argument for lists"),
        ([], lambda response: response.pop(0), IndexError, "empty"),
        ({}, lambda response: response.pop("a"), KeyError, "a"),
    ],
)
def test_a_change_that_does_not_fit_the_body_is_an_error(
    body: Any, change: Callable[[Any], Any], error: type[Exception], message: str
) -> None:
    response = json(body)
    before = response.body

    with pytest.raises(error, match=message):
        change(response)
    assert response.body == before


CHANGES: list[Callable[[Any], Any]] = [
    lambda response: response.raw_body,
    lambda response: response.append(1),
    lambda response: response.extend([1]),
    lambda response: response.update(a=1),
    lambda response: response.pop(0),
]


@pytest.mark.parametrize("change", CHANGES)
def test_after_bytes_were_assigned_there_is_no_object_to_change(change: Callable[[Any], Any]) -> None:
    response = json([1])
    response.body = b"bytes"

    with pytest.raises(SanicException, match="bytes"):
        change(response)
    assert response.body == b"bytes"


@pytest.mark.parametrize(
    "give", [lambda response: response.set_body([2]), lambda response: setattr(response, "raw_body", [2])]
)
def test_a_new_object_can_be_changed_again(give: Callable[[Any], Any]) -> None:
    response = json([1])
    response.body = b"bytes"

    give(response)
    response.append(3)

    assert (response.raw_body, response.body) == ([2, 3], b"[2,3]")


def test_changes_are_written_as_the_response_was() -> None:
    response = json({"b": "ä"}, ensure_ascii=False, sort_keys=True)

    response.update(a=1)
    assert response.body == '{"a":1,"b":"ä"}'.encode()
    response.set_body({"b": "ä"}, sort_keys=True)
    assert response.body == b'{"b":"\\u00e4"}'
    response.update(a=1)
    assert response.body == b'{"a":1,"b":"\\u00e4"}'


def test_a_writer_given_for_a_new_body_writes_later_changes_too() -> None:
    response = json([1], sort_keys=True)

    response.set_body([2], dumps=repr)
    response.append(3)

    assert response.body == b"[2, 3]"


async def test_response_middleware_changes_the_body(app: Any) -> None:
    @app.on_response
    async def sign(request: Any, response: JSONResponse) -> None:
        response.update(path=request.path)

    @app.get("/<name>")
    async def handler(request: Any, name: str) -> Any:
        return json({"name": name})

    async with serving(app) as server:
        response = await server.get("/ada")

    assert response.json() == {"name": "ada", "path": "/ada"}
    assert response.headers["content-length"] == str(len(response.content))
