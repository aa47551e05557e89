"""Conditional requests, in the order of RFC 9110 section 13.2.2."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from sanic import Request, Sanic
from sanic.headers.dates import format_http_date, parse_http_date
from sanic.response import HTTPResponse, file
from tests.harness import serving

#: When the file was modified, in the three forms of RFC 9110 section 5.6.7.
MODIFIED = 784111777
SAME = "Sun, 06 Nov 1994 08:49:37 GMT"
SAME_RFC_850 = "Sunday, 06-Nov-94 08:49:37 GMT"
SAME_ASCTIME = "Sun Nov  6 08:49:37 1994"
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
AFTER = "Sun, 06 Nov 1994 08:49:38 GMT"

# `{etag}` is the one of the file.
CASES: list[tuple[dict[str, str], int]] = [
    ({}, 200),
    # If-Modified-Since
    ({"if-modified-since": SAME}, 304),
    ({"if-modified-since": SAME_RFC_850}, 304),
    ({"if-modified-since": SAME_ASCTIME}, 304),
    ({"if-modified-since": AFTER}, 304),
    ({"if-modified-since": "Fri, 31 Dec 9999 23:59:59 GMT"}, 304),
    ({"if-modified-since": BEFORE}, 200),
    ({"if-modified-since": ""}, 200),
    ({"if-modified-since": "yesterday"}, 200),
    ({"if-modified-since": "784111777"}, 200),
    ({"if-modified-since": "Sun, 99 Nov 1994 08:49:37 GMT"}, 200),
    ({"if-modified-since": "Sun, 31 Feb 2094 08:49:37 GMT"}, 200),
    ({"if-modified-since": "Sun, 06 Nov 99999999999 08:49:37 GMT"}, 200),
    ({"if-modified-since": "Sun, 06 Nov 2094 99:99:99 GMT"}, 200),
    ({"if-modified-since": ",;\"\\"}, 200),
    ({"if-modified-since": "0" * 3000}, 200),
    # If-None-Match, by weak comparison
    ({"if-none-match": "{etag}"}, 304),
    ({"if-none-match": "W/{etag}"}, 304),
    ({"if-none-match": '"a", {etag} , "b"'}, 304),
    ({"if-none-match": '"a,b",W/{etag}'}, 304),
    ({"if-none-match": "*"}, 304),
    ({"if-none-match": '"other"'}, 200),
    ({"if-none-match": 'W/"other"'}, 200),
    ({"if-none-match": ""}, 200),
    ({"if-none-match": '"'}, 200),
    ({"if-none-match": "," * 3000}, 200),
    ({"if-none-match": '"' * 3001}, 200),
    ({"if-none-match": "{etag}x"}, 304),
    # If-None-Match beats If-Modified-Since
    ({"if-none-match": '"other"', "if-modified-since": SAME}, 200),
    ({"if-none-match": "{etag}", "if-modified-since": BEFORE}, 304),
    # If-Match, by strong comparison
    ({"if-match": "{etag}"}, 200),
    ({"if-match": '"a", {etag}'}, 200),
    ({"if-match": "*"}, 200),
    ({"if-match": "W/{etag}"}, 412),
    ({"if-match": '"other"'}, 412),
    ({"if-match": ""}, 412),
    ({"if-match": "{etag}", "if-none-match": "{etag}"}, 304),
    ({"if-match": '"other"', "if-none-match": "{etag}"}, 412),
    # If-Unmodified-Since, unless there is If-Match
    ({"if-unmodified-since": SAME}, 200),
    ({"if-unmodified-since": AFTER}, 200),
    ({"if-unmodified-since": BEFORE}, 412),
    ({"if-unmodified-since": "yesterday"}, 200),
    ({"if-unmodified-since": BEFORE, "if-match": "{etag}"}, 200),
    ({"if-unmodified-since": BEFORE, "if-none-match": "{etag}"}, 412),
    ({"if-unmodified-since": SAME, "if-modified-since": SAME}, 304),
    # Conditions come before ranges
    ({"if-none-match": "{etag}", "range": "bytes=0-1"}, 304),
    ({"if-modified-since": SAME, "range": "bytes=99-"}, 304),
    ({"if-match": '"other"', "range": "bytes=0-1"}, 412),
    ({"if-match": "{etag}", "range": "bytes=0-1"}, 206),
]  # fmt: skip


@pytest.fixture
def dated(root: Path) -> Path:
    os.utime(root / "ten.txt", (MODIFIED + 0.75, MODIFIED + 0.75))
    return root


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_conditions_decide(app: Sanic, dated: Path, method: str) -> None:
    app.static("/", dated, use_content_range=True)
    wrong: list[Any] = []
    async with serving(app) as server:
        etag = (await server.get("/ten.txt")).headers["etag"]
        for headers, expected in CASES:
            sent = {name: value.replace("{etag}", etag) for name, value in headers.items()}
            response = await server.request(method, "/ten.txt", headers=sent)
            if method == "HEAD" and expected == 206:
                expected = 200
            if response.status_code != expected:
                wrong.append((headers, expected, response.status_code))
            if response.status_code == 304:
                assert response.headers["etag"] == etag
                assert response.headers["last-modified"] == SAME
                assert response.headers["cache-control"] == "no-cache"
                assert "content-type" not in response.headers
                assert response.content == b""
    assert wrong == []


async def test_two_dates_are_no_date(app: Sanic, dated: Path) -> None:
    app.static("/", dated)
    async with serving(app) as server:
        response = await server.get("/ten.txt", headers=[("if-modified-since", SAME), ("if-modified-since", SAME)])
    assert response.status_code == 200


async def test_several_lines_of_tags_are_one_list(app: Sanic, dated: Path) -> None:
    app.static("/", dated)
    async with serving(app) as server:
        etag = (await server.get("/ten.txt")).headers["etag"]
        response = await server.get("/ten.txt", headers=[("if-none-match", '"a"'), ("if-none-match", etag)])
    assert response.status_code == 304


async def test_without_use_modified_since_all_is_sent_always(app: Sanic, dated: Path) -> None:
    app.static("/", dated, use_modified_since=False)
    async with serving(app) as server:
        first = await server.get("/ten.txt")
        for name, value in (("if-modified-since", SAME), ("if-none-match", first.headers["etag"])):
            response = await server.get("/ten.txt", headers={name: value})
            assert (response.status_code, response.content) == (200, b"0123456789")
            assert response.headers["last-modified"] == SAME


async def test_copies_of_a_directory_share_their_tags(app: Sanic, dated: Path, tmp_path: Path) -> None:
    other = tmp_path / "copy"
    other.mkdir()
    status = (dated / "ten.txt").stat()
    (other / "ten.txt").write_bytes(b"0123456789")
    os.utime(other / "ten.txt", ns=(status.st_atime_ns, status.st_mtime_ns))
    app.static("/a", dated, name="a")
    app.static("/b", other, name="b")
    async with serving(app) as server:
        assert (await server.get("/a/ten.txt")).headers["etag"] == (await server.get("/b/ten.txt")).headers["etag"]


# -- If-Range --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{etag}", 206),
        ("W/{etag}", 200),
        ('"other"', 200),
        (SAME, 206),
        (SAME_ASCTIME, 206),
        (BEFORE, 200),
        (AFTER, 200),
        ("yesterday", 200),
        ("", 200),
        ("*", 200),
        ('{etag}, "a"', 200),
    ],
)
async def test_a_part_is_sent_only_of_what_the_client_has(
    app: Sanic, dated: Path, condition: str, expected: int
) -> None:
    app.static("/", dated, use_content_range=True)
    async with serving(app) as server:
        etag = (await server.get("/ten.txt")).headers["etag"]
        headers = {"range": "bytes=2-3", "if-range": condition.replace("{etag}", etag)}
        response = await server.get("/ten.txt", headers=headers)
    assert response.status_code == expected
    assert response.content == (b"23" if expected == 206 else b"0123456789")


async def test_a_date_of_this_very_second_does_not_identify_a_file(app: Sanic, root: Path) -> None:
    # It could be changed once more within it (RFC 9110 section 8.8.2.2); a time to come stands for that here.
    moment = time.time() + 3600
    os.utime(root / "ten.txt", (moment, moment))
    app.static("/", root, use_content_range=True)
    async with serving(app) as server:
        headers = {"range": "bytes=2-3", "if-range": format_http_date(moment)}
        assert (await server.get("/ten.txt", headers=headers)).status_code == 200


async def test_if_range_saves_from_416(app: Sanic, root: Path) -> None:
    app.static("/", root, use_content_range=True)
    async with serving(app) as server:
        response = await server.get("/ten.txt", headers={"range": "bytes=99-", "if-range": '"old"'})
    assert (response.status_code, response.content) == (200, b"0123456789")


# -- file() ----------------------------------------------------------------------------------------------------------


async def test_file_decides_like_a_mount(app: Sanic, dated: Path) -> None:
    @app.get("/")
    async def handler(request: Request) -> HTTPResponse:
        return await file(dated / "ten.txt", request_headers=request.headers)

    async with serving(app) as server:
        etag = (await server.get("/")).headers["etag"]
        for headers, expected in CASES:
            sent = {name: value.replace("{etag}", etag) for name, value in headers.items()}
            response = await server.get("/", headers=sent)
            assert response.status_code == (200 if expected == 206 else expected), headers


# -- Dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timestamp", [0, 1, MODIFIED, 951782400, 1709164800, 2**31, 253402300799])
def test_a_date_that_is_written_is_read_as_the_same(timestamp: int) -> None:
    assert parse_http_date(format_http_date(timestamp)) == timestamp


@pytest.mark.parametrize(("timestamp", "nearest"), [(-1e20, 0), (-1, 0), (1e20, 253402300799), (0.999, 0)])
def test_times_that_no_date_can_tell_are_written_as_the_nearest(timestamp: float, nearest: int) -> None:
    assert parse_http_date(format_http_date(timestamp)) == nearest
