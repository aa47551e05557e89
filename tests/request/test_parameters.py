"""Parameters that may occur several times."""

from __future__ import annotations

import pytest

from sanic.request.parameters import RequestParameters


def test_items_are_lists_and_get_gives_the_first():
    parameters = RequestParameters({"a": ["1", "2"]})
    assert parameters["a"] == ["1", "2"]
    assert parameters.get("a") == "1"
    assert parameters.getlist("a") == ["1", "2"]


@pytest.mark.parametrize("parameters", [RequestParameters(), RequestParameters({"a": []})])
def test_what_is_absent_has_defaults(parameters):
    assert parameters.get("a") is None
    assert parameters.get("a", default="d") == "d"
    assert parameters.getlist("a") == []
    assert parameters.getlist("b", default=["d"]) == ["d"]


def test_an_absent_item_is_a_key_error():
    with pytest.raises(KeyError):
        RequestParameters()["a"]


def test_parameters_are_a_dict():
    assert RequestParameters(a=["1"]) == {"a": ["1"]}
    assert dict(RequestParameters(a=["1"]).items()) == {"a": ["1"]}
