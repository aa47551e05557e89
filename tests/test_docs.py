"""The pages of the documentation: their Python is Python, and what they say of requests is true.

All Python blocks of a page together are one program. Where a page has lines like `GET /x → 200 body`, the program is
run, its first application is served, and each of these requests is made.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from sanic import Sanic
from tests.harness import serving

PAGES = sorted((Path(__file__).parent.parent / "docs").rglob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXCHANGE = re.compile(r"^([A-Z]+) (\S+) → (\d{3})(?: (.*))?$", re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    return [code for found, code in BLOCK.findall(page.read_text()) if found == language]


def exchanges(page: Path) -> list[tuple[str, str, str, str]]:
    return [exchange for block in blocks(page, "text") for exchange in EXCHANGE.findall(block)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_block_can_be_compiled(page: Path) -> None:
    for code in blocks(page, "python"):
        compile(code, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("page", [page for page in PAGES if exchanges(page)], ids=lambda page: page.stem)
async def test_requests_are_answered_as_the_page_says(page: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "page"}
    for code in blocks(page, "python"):
        exec(compile(code, str(page), "exec"), namespace)
    app = next(value for value in namespace.values() if isinstance(value, Sanic))
    async with serving(app) as server:
        for method, path, status, body in exchanges(page):
            response = await server.request(method, path)
            assert response.status_code == int(status), (method, path)
            if body:
                assert response.text == body


async def test_the_order_of_middleware_is_as_the_page_says() -> None:
    page = next(page for page in PAGES if page.stem == "middleware")
    namespace: dict[str, Any] = {"__name__": "page"}
    for code in blocks(page, "python"):
        exec(compile(code, str(page), "exec"), namespace)
    app, ran = namespace["ordered"], namespace["ran"]
    app.add_route(lambda request: namespace["text"](""), "/", name="index")
    async with serving(app) as server:
        await server.get("/")
    assert "This runs `q2 q1 q3`, the handler, and then `s3 s1 s2`." in page.read_text()
    assert ran == ["q2", "q1", "q3", "s3", "s1", "s2"]
