"""The header container, and files opened without blocking."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanic.compat import Header, open_async, stat_async


@pytest.fixture
def headers() -> Header:
    return Header([("user-agent", "a"), ("X-Thing", "1"), ("x-thing", "2"), ("from", "me@example.com")])


def test_items_give_the_first_value_in_any_case(headers: Header) -> None:
    assert headers["x-THING"] == headers.get("X-thing") == headers.getone("x-thing") == "1"


def test_all_values_are_found_in_order(headers: Header) -> None:
    assert headers.getall("x-thing") == headers.get_all("X-Thing") == ["1", "2"]


def test_absent_headers_have_no_values(headers: Header) -> None:
    assert headers.get_all("absent") == []
    assert headers.getall("absent", []) == []
    with pytest.raises(KeyError):
        headers.getall("absent")


def test_attributes_are_all_values_as_one_text(headers: Header) -> None:
    assert headers.user_agent == "a"
    assert headers.x_thing == "1,2"
    assert headers.absent == ""


def test_one_trailing_underscore_is_dropped(headers: Header) -> None:
    assert headers.from_ == "me@example.com"
    assert headers.from__ == ""


def test_names_with_a_leading_underscore_are_ordinary_attributes(headers: Header) -> None:
    with pytest.raises(AttributeError, match="_private"):
        headers._private  # noqa: B018


async def test_a_file_is_read_and_measured(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    async with await open_async(path, "rb") as file:
        assert await file.read() == b"content"
    assert (await stat_async(path)).st_size == 7
