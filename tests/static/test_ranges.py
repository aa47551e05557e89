"""Range requests (RFC 9110 section 14)."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanic import Request, Sanic
from sanic.exceptions import HeaderNotFound, RangeNotSatisfiable
from sanic.handlers import ContentRangeHandler
from sanic.response import HTTPResponse, ResponseStream, file, file_stream
from tests.harness import serving

PARTS = [
    ("bytes=0-3", "0-3", b"0123"),
    ("bytes=2-", "2-9", b"23456789"),
    ("bytes=-3", "7-9", b"789"),
    ("bytes=0-0", "0-0", b"0"),
    ("bytes=9-9", "9-9", b"9"),
    ("bytes=-1", "9-9", b"9"),
    ("bytes=0-", "0-9", b"0123456789"),
    ("bytes=0-9", "0-9", b"0123456789"),
    ("bytes=0-100", "0-9", b"0123456789"),
    ("bytes=5-100", "5-9", b"56789"),
    ("bytes=-10", "0-9", b"0123456789"),
    ("bytes=-100", "0-9", b"0123456789"),
    ("Bytes=0-3", "0-3", b"0123"),
    ("bytes= 0-3", "0-3", b"0123"),
    ("bytes=,0-3,", "0-3", b"0123"),
    ("bytes=000000000000000000000000-3", "0-3", b"0123"),
    ("bytes=0-" + "9" * 5000, "0-9", b"0123456789"),
    ("bytes=-" + "9" * 5000, "0-9", b"0123456789"),
]

BAD = [
    "bytes=5-2",
    "bytes=-0",
    "bytes=-",
    "bytes=",
    "bytes",
    "bytes=a-b",
    "bytes=1-b",
    "bytes=0x1-2",
    "bytes=1.0-2",
    "bytes=--1",
    "bytes=1--2",
    "bytes=+1-2",
    "bytes=1-2-3",
    "bytes=1_0-",
    "bytes=10-",
    "bytes=20-30",
    "bytes=" + "9" * 5000 + "-",
    "bytes=0-1,3-4",
    "bytes=0-0,-1",
    "bytes=0-1, 0-1",
    "bytes=" + ",".join(["0-"] * 1500),
    "bytes=" + ",".join(f"{n}-{n}" for n in range(800)),
    "bytes=,",
    "=0-1",
    "",
    "0-1",
    "items=0-1",
    "seconds=0-1",
    "bytes 0-1",
]


@pytest.mark.parametrize(("field", "content_range", "body"), PARTS, ids=[part[0][:30] for part in PARTS])
async def test_a_part_is_sent(app: Sanic, root: Path, field: str, content_range: str, body: bytes) -> None:
    app.static("/", root, use_content_range=True)
    async with serving(app) as server:
        response = await server.get("/ten.txt", headers={"range": field})
    assert (response.status_code, response.content) == (206, body)
    assert response.headers["content-range"] == f"bytes {content_range}/10"
    assert response.headers["content-length"] == str(len(body))
    assert response.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("field", BAD, ids=lambda field: field[:30])
async def test_a_range_that_cannot_be_sent_is_refused(app: Sanic, root: Path, field: str) -> None:
    app.static("/", root, use_content_range=True)
    async with serving(app) as server:
        response = await server.get("/ten.txt", headers={"range": field})
    assert response.status_code == 416
    assert response.headers["content-range"] == "bytes */10"


async def test_an_empty_file_has_no_parts(app: Sanic, root: Path) -> None:
    app.static("/", root, use_content_range=True)
    async with serving(app) as server:
        for field in ("bytes=0-", "bytes=0-0", "bytes=-1"):
            response = await server.get("/empty.txt", headers={"range": field})
            assert (response.status_code, response.headers["content-range"]) == (416, "bytes */0")


async def test_ranges_are_off_unless_asked_for(app: Sanic, root: Path) -> None:
    app.static("/", root)
    async with serving(app) as server:
        for field in ("bytes=0-3", "bytes=99-", "nonsense"):
            response = await server.get("/ten.txt", headers={"range": field})
            assert (response.status_code, response.content) == (200, b"0123456789")


async def test_head_ignores_ranges(app: Sanic, root: Path) -> None:
    app.static("/", root, use_content_range=True)
    async with serving(app) as server:
        for field in ("bytes=0-3", "bytes=99-"):
            response = await server.request("HEAD", "/ten.txt", headers={"range": field})
            assert (response.status_code, response.headers["content-length"]) == (200, "10")


@pytest.mark.parametrize("size", [100_000, 5_000_000])
async def test_parts_of_large_files_are_exact(app: Sanic, root: Path, size: int) -> None:
    content = os.urandom(size)
    (root / "big").write_bytes(content)
    app.static("/", root, use_content_range=True)
    async with serving(app) as server:
        for start, end in ((0, 0), (1, 70_000), (65_536, size - 1), (size - 1, size - 1), (3, size - 4)):
            response = await server.get("/big", headers={"range": f"bytes={start}-{end}"})
            assert response.status_code == 206
            assert response.content == content[start : end + 1]


@given(
    field=st.text(st.sampled_from("bytes=-,0123456789 \t"), max_size=20)
    | st.from_regex(r"bytes=\d*-\d*", fullmatch=True)
)
def test_every_range_is_either_within_the_file_or_refused(field: str) -> None:
    class Stats:
        st_size = 10

    app = Sanic.get_app("ranges", force_create=True)
    request: Request = Request(b"/", [(b"range", field.encode())], "1.1", "GET", None, app)  # type: ignore[arg-type]
    try:
        part = ContentRangeHandler(request, Stats())
    except RangeNotSatisfiable:
        return
    assert part.start is not None
    assert part.end is not None
    assert 0 <= part.start <= part.end <= 9
    assert part.size == part.end - part.start + 1


async def test_handlers_send_parts_with_file_and_file_stream(app: Sanic, root: Path) -> None:
    target = root / "ten.txt"

    @app.get("/file")
    async def whole(request: Request) -> HTTPResponse:
        return await file(target, _range=ContentRangeHandler(request, target.stat()))

    @app.get("/stream")
    async def stream(request: Request) -> ResponseStream:
        return await file_stream(target, chunk_size=3, _range=ContentRangeHandler(request, target.stat()))

    @app.exception(HeaderNotFound)
    async def missing(request: Request, exception: HeaderNotFound) -> HTTPResponse:
        return HTTPResponse(str(exception), 400)

    async with serving(app) as server:
        for path in ("/file", "/stream"):
            for field, content_range, body in PARTS:
                response = await server.get(path, headers={"range": field})
                assert (response.status_code, response.content) == (206, body)
                assert response.headers["content-range"] == f"bytes {content_range}/10"
            assert (await server.get(path, headers={"range": "bytes=99-"})).status_code == 416
            assert (await server.get(path)).text == "Range Header Not Found"


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_curl_resumes_a_download(app: Sanic, root: Path, tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (root / "big").write_bytes(content)
    app.static("/", root, use_content_range=True)

    async def curl(*arguments: str) -> int:
        process = await asyncio.create_subprocess_exec("curl", "-sS", *arguments)
        return await asyncio.wait_for(process.wait(), 30)

    async with serving(app) as server:
        for received in (0, 1, 1_000_000, 2_999_999):
            target = tmp_path / f"resumed-{received}"
            target.write_bytes(content[:received])
            assert await curl("--fail", "-C", "-", "-o", str(target), f"{server.url}/big") == 0
            assert target.read_bytes() == content
