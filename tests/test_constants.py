"""The fixed vocabulary: methods, certificate tools, modes."""

from __future__ import annotations

import pickle

import pytest

from sanic.application.constants import Mode, Server, ServerStage
from sanic.constants import (
    CACHEABLE_HTTP_METHODS,
    HTTP_METHODS,
    IDEMPOTENT_HTTP_METHODS,
    SAFE_HTTP_METHODS,
    HTTPMethod,
    LocalCertCreator,
)
from sanic.types import HashableDict


@pytest.mark.parametrize("method", HTTP_METHODS)
def test_a_method_is_its_text(method: HTTPMethod) -> None:
    text = method.value
    assert method == text
    assert text == method
    assert str(method) == text
    assert f"{method}" == text
    assert f"{method:>8}" == f"{text:>8}"
    assert {text: 1}[method] == 1
    assert {method: 1}[text] == 1
    assert isinstance(method, str)


def test_a_method_is_compared_without_regard_to_case() -> None:
    assert HTTPMethod.GET == "get"
    assert not HTTPMethod.GET != "get"  # noqa: SIM202
    assert HTTPMethod.GET != "post"
    assert HTTPMethod.GET != 1
    assert HTTPMethod("get") is HTTPMethod.GET


def test_an_unknown_method_is_no_member() -> None:
    with pytest.raises(ValueError, match="TRACE"):
        HTTPMethod("TRACE")


def test_the_groups_of_methods_are_those_of_rfc_9110() -> None:
    assert set(HTTP_METHODS) == {"GET", "POST", "PUT", "HEAD", "OPTIONS", "PATCH", "DELETE"}
    assert set(SAFE_HTTP_METHODS) == {"GET", "HEAD", "OPTIONS"}
    assert set(IDEMPOTENT_HTTP_METHODS) == {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}
    assert set(CACHEABLE_HTTP_METHODS) == {"GET", "HEAD"}


def test_a_mode_prints_lower_case_and_is_equal_in_any_case() -> None:
    assert str(Mode.DEBUG) == f"{Mode.DEBUG}" == "debug"
    assert Mode.DEBUG == "DEBUG"
    assert Mode.PRODUCTION != "debug"
    assert Server.ASGI == "Asgi"
    assert str(Server.SANIC) == "sanic"


def test_stages_are_ordered() -> None:
    assert ServerStage.STOPPED < ServerStage.PARTIAL < ServerStage.SERVING
    assert ServerStage.SERVING.value == 3


@pytest.mark.parametrize("member", [HTTPMethod.GET, LocalCertCreator.AUTO, Mode.DEBUG, ServerStage.PARTIAL])
def test_members_survive_pickling_as_themselves(member: object) -> None:
    assert pickle.loads(pickle.dumps(member)) is member


def test_a_hashable_dict_is_found_by_its_items_in_any_order() -> None:
    assert {HashableDict(a=1, b="x"): "found"}[HashableDict(b="x", a=1)] == "found"
    assert HashableDict(a=1) != HashableDict(a=2)
