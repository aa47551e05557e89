"""The application that serves a directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanic.simple import create_simple_server
from tests.harness import serving


async def test_it_serves_files_lists_directories_and_prefers_the_index(tmp_path: Path) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "with" / "index.html").write_text("index")
    (tmp_path / "a.txt").write_text("file")
    async with serving(create_simple_server(tmp_path)) as server:
        assert (await server.get("/a.txt")).text == "file"
        assert "a.txt" in (await server.get("/")).text
        assert (await server.get("/with/")).text == "index"
        assert (await server.get("/../simple.txt")).status_code == 404


def test_it_needs_a_directory(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="directory"):
        create_simple_server(tmp_path / "missing")
