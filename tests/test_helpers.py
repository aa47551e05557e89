"""Facts about HTTP and small tools."""

from __future__ import annotations

import io
import pickle
import sys
from http import HTTPStatus
from pathlib import Path
from types import ModuleType

import pytest

from sanic.helpers import (
    STATUS_CODES,
    Default,
    _default,
    has_message_body,
    import_string,
    is_atty,
    is_entity_header,
    is_hop_by_hop_header,
)


@pytest.mark.parametrize("status", [100, 101, 102, 103, 199, 204, 304])
def test_these_statuses_have_no_body(status: int) -> None:
    assert not has_message_body(status)


@pytest.mark.parametrize("status", [200, 201, 203, 205, 206, 301, 303, 305, 400, 404, 500, 599])
def test_other_statuses_may_have_a_body(status: int) -> None:
    assert has_message_body(status)


def test_every_registered_status_has_a_reason_phrase() -> None:
    assert {int(status) for status in HTTPStatus} <= set(STATUS_CODES)


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (200, b"OK"),
        (404, b"Not Found"),
        (413, b"Request Entity Too Large"),
        (416, b"Requested Range Not Satisfiable"),
        (418, b"I'm a teapot"),
        (421, b"Misdirected Request"),
        (431, b"Request Header Fields Too Large"),
    ],
)
def test_reason_phrases_are_the_known_ones(status: int, phrase: bytes) -> None:
    assert STATUS_CODES[status] == phrase


@pytest.mark.parametrize("name", ["content-length", "Content-Type", "ALLOW", "last-modified", "expires"])
def test_a_header_about_the_body_is_an_entity_header(name: str) -> None:
    assert is_entity_header(name)
    assert not is_hop_by_hop_header(name)


@pytest.mark.parametrize("name", ["connection", "Keep-Alive", "TE", "trailer", "Transfer-Encoding", "upgrade"])
def test_a_header_about_the_connection_is_hop_by_hop(name: str) -> None:
    assert is_hop_by_hop_header(name)
    assert not is_entity_header(name)


def test_the_default_marker_stays_itself_when_sent_to_another_process() -> None:
    assert repr(_default) == str(_default) == "<Default>"
    assert isinstance(_default, Default)
    assert pickle.loads(pickle.dumps(_default)) is _default


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "importable_things"
    folder.mkdir()
    (folder / "__init__.py").write_text("class Thing:\n    pass\n")
    (folder / "inner.py").write_text("value = 1\n")
    (folder / "broken.py").write_text("import does_not_exist_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder.name  # type: ignore[misc]
    for name in [name for name in sys.modules if name.split(".")[0] == folder.name]:
        del sys.modules[name]


def test_a_dotted_name_of_a_module_gives_the_module(package: str) -> None:
    module = import_string(f"{package}.inner")
    assert isinstance(module, ModuleType)
    assert module.value == 1


def test_a_dotted_name_of_a_class_gives_an_instance(package: str) -> None:
    assert type(import_string(f"{package}.Thing")).__name__ == "Thing"


def test_a_name_that_is_not_there_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match="nothing"):
        import_string(f"{package}.nothing")


def test_a_module_that_fails_to_import_tells_its_own_reason(package: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="does_not_exist_anywhere"):
        import_string(f"{package}.broken")


def test_a_name_without_a_dot_is_refused() -> None:
    with pytest.raises(ValueError, match="dotted path"):
        import_string("nodots")


def test_a_closed_or_missing_output_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    assert not is_atty()
    monkeypatch.setattr(sys, "stdout", None)
    assert not is_atty()
