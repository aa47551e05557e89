"""`file`, `file_stream` and `validate_file`, as handlers use them."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import sanic
from sanic import Request, Sanic, response
from sanic.headers.disposition import format_content_disposition
from sanic.models.protocol_types import Range
from sanic.response import HTTPResponse, ResponseStream, file, file_stream, validate_file
from sanic.response.open_file import OpenFile
from tests.harness import serving

MODIFIED = 784111777
SAME = "Sun, 06 Nov 1994 08:49:37 GMT"


LISTS_DESCRIPTORS = pytest.mark.skipif(sys.platform != "linux", reason="descriptors are listed in /proc")


class Part(Range):
    """A part of ten bytes."""

    def __init__(self, start: int | None, end: int | None, size: int | None) -> None:
        self.start, self.end, self.size, self.total = start, end, size, 10


@pytest.fixture
def ten(root: Path) -> Path:
    os.utime(root / "ten.txt", (MODIFIED, MODIFIED))
    return root / "ten.txt"


async def test_a_file_is_a_response(ten: Path) -> None:
    answer = await file(ten)
    assert isinstance(answer, HTTPResponse)
    assert (answer.status, answer.body, answer.content_type) == (200, b"0123456789", "text/plain; charset=utf-8")
    assert answer.headers["last-modified"] == SAME
    assert answer.headers["cache-control"] == "no-cache"
    assert sanic.file is response.file is file


@pytest.mark.parametrize("convert", [str, os.fsencode, Path])
async def test_a_location_may_be_any_kind_of_path(ten: Path, convert: Any) -> None:
    assert (await file(convert(ten))).body == b"0123456789"


@LISTS_DESCRIPTORS
@pytest.mark.parametrize("condition", [{"if-modified-since": SAME}, {"if-match": '"other"'}], ids=["304", "412"])
async def test_a_file_that_is_not_sent_is_closed(
    ten: Path, condition: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(OpenFile, "__del__")  # nothing is closed by collecting it
    before = set(os.listdir("/proc/self/fd"))
    answer = await file(ten, request_headers=condition)
    assert answer.status in (304, 412)
    assert set(os.listdir("/proc/self/fd")) <= before


@LISTS_DESCRIPTORS
async def test_a_file_that_cannot_be_read_is_closed(ten: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(OpenFile, "__del__")
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(TypeError):
        await file(ten, _range=Part("a", 1, None))  # type: ignore[arg-type]
    assert set(os.listdir("/proc/self/fd")) <= before


async def test_a_missing_file_is_an_error_of_the_server(app: Sanic, root: Path) -> None:
    for function in (file, file_stream):
        with pytest.raises(FileNotFoundError):
            await function(root / "missing")
        with pytest.raises(IsADirectoryError):
            await function(root)

    @app.get("/")
    async def handler(request: Request) -> HTTPResponse:
        return await file(root / "missing")

    async with serving(app) as server:
        assert (await server.get("/")).status_code == 500


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"cache-control": "no-cache", "expires": None}),
        ({"max_age": 0}, {"cache-control": "no-cache", "expires": None}),
        ({"max_age": 60}, {"cache-control": "public, max-age=60"}),
        ({"no_store": True}, {"cache-control": "no-store", "expires": None}),
        ({"no_store": True, "max_age": 60}, {"cache-control": "no-store", "expires": None}),
        ({"no_store": False}, {"cache-control": "no-cache"}),
        ({"max_age": 60, "headers": {"Cache-Control": "own", "Expires": "x"}}, {"cache-control": "own"}),
        ({"last_modified": MODIFIED + 1}, {"last-modified": "Sun, 06 Nov 1994 08:49:38 GMT"}),
        ({"last_modified": float(MODIFIED)}, {"last-modified": SAME}),
        ({"last_modified": datetime.fromtimestamp(MODIFIED)}, {"last-modified": SAME}),
        ({"last_modified": datetime.fromtimestamp(MODIFIED, timezone.utc)}, {"last-modified": SAME}),
        ({"last_modified": None}, {"last-modified": None, "etag": None}),
        ({"headers": {"last-modified": "own"}}, {"last-modified": "own"}),
        ({"headers": {"ETag": '"own"'}}, {"etag": '"own"'}),
        ({"filename": "a.txt"}, {"content-disposition": 'attachment; filename="a.txt"'}),
        ({"filename": "a.txt", "headers": {"Content-Disposition": "inline"}}, {"content-disposition": "inline"}),
    ],
)  # fmt: skip
async def test_headers_follow_from_the_arguments(ten: Path, options: dict[str, Any], expected: dict[str, Any]) -> None:
    answer = await file(ten, **options)
    assert {name: answer.headers.get(name) for name in expected} == expected
    for name in answer.headers:
        assert len(answer.headers.getall(name)) == 1


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("a.html", {}, "text/html; charset=utf-8"),
        ("a.png", {}, "image/png"),
        ("a", {}, "text/plain; charset=utf-8"),
        ("a", {"filename": "b.png"}, "image/png"),
        ("a.html", {"mime_type": "own/type"}, "own/type"),
    ],
)
async def test_the_content_type_follows_from_the_name(
    root: Path, name: str, options: dict[str, Any], expected: str
) -> None:
    (root / name).write_bytes(b"x")
    assert (await file(root / name, **options)).content_type == expected
    streamed = await file_stream(root / name, **options)
    assert streamed.content_type == expected.replace("text/plain; charset=utf-8", "text/plain")


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("report.pdf", 'attachment; filename="report.pdf"'),
        ("a b.pdf", 'attachment; filename="a b.pdf"'),
        ('say "hi".txt', 'attachment; filename="say \\"hi\\".txt"'),
        ("back\\slash", 'attachment; filename="back\\\\slash"'),
        ("résumé.pdf", "attachment; filename=\"r?sum?.pdf\"; filename*=UTF-8''r%C3%A9sum%C3%A9.pdf"),
        ("€ rates", "attachment; filename=\"? rates\"; filename*=UTF-8''%E2%82%AC%20rates"),
        ("100%25.txt", "attachment; filename=\"100%25.txt\"; filename*=UTF-8''100%2525.txt"),
        ("a\r\nSet-Cookie: x=1", 'attachment; filename="aSet-Cookie: x=1"'),
        ("a;b'c*", 'attachment; filename="a;b\'c*"'),
    ],
)
def test_a_filename_is_written_so_that_every_client_reads_it(filename: str, expected: str) -> None:
    assert format_content_disposition(filename) == expected


@pytest.mark.parametrize(
    ("part", "body", "content_range"),
    [
        (Part(2, 5, 4), b"2345", "bytes 2-5/10"),
        (Part(2, 5, None), b"2345", "bytes 2-5/10"),
        (Part(7, None, None), b"789", "bytes 7-9/10"),
        (Part(None, 2, None), b"012", "bytes 0-2/10"),
    ],
)
async def test_any_range_is_sent_exactly(app: Sanic, ten: Path, part: Range, body: bytes, content_range: str) -> None:
    @app.get("/file")
    async def whole(request: Request) -> HTTPResponse:
        return await file(ten, _range=part)

    @app.get("/stream")
    async def stream(request: Request) -> ResponseStream:
        return await file_stream(ten, chunk_size=3, _range=part)

    async with serving(app) as server:
        for path in ("/file", "/stream"):
            answer = await server.get(path)
            assert (answer.status_code, answer.content) == (206, body)
            assert answer.headers["content-range"] == content_range


async def test_conditions_count_only_for_what_would_be_a_success(ten: Path) -> None:
    headers = {"If-Modified-Since": SAME}
    assert (await file(ten, request_headers=headers)).status == 304
    assert (await file(ten, request_headers=headers)).body == b""
    assert (await file(ten, 404, request_headers=headers)).status == 404
    assert (await file(ten, request_headers=headers, validate_when_requested=False)).status == 200
    assert (await file(ten, request_headers=headers, last_modified=MODIFIED + 1)).status == 200
    assert (await file(ten, request_headers=headers, last_modified=None)).status == 200
    assert (await file(ten, request_headers={"if-none-match": '"own"'}, headers={"etag": '"own"'})).status == 304


@pytest.mark.parametrize("size", [0, 1, 4096, 100_000, 3_000_000])
async def test_files_of_all_sizes_come_out_whole(app: Sanic, root: Path, size: int) -> None:
    content = os.urandom(size)
    (root / "blob").write_bytes(content)

    @app.get("/file")
    async def whole(request: Request) -> HTTPResponse:
        return await file(root / "blob")

    @app.get("/stream")
    async def stream(request: Request) -> ResponseStream:
        return await file_stream(root / "blob")

    @app.get("/known")
    async def known(request: Request) -> ResponseStream:
        return await file_stream(root / "blob", chunk_size=65536, headers={"Content-Length": str(size)})

    async with serving(app) as server:
        for path in ("/file", "/stream", "/known"):
            answer = await server.get(path)
            head = await server.request("HEAD", path)
            assert answer.content == content
            assert ("transfer-encoding" in answer.headers) is (path == "/stream" and size > 0)
            assert head.status_code == 200
            if path != "/stream":
                assert head.headers["content-length"] == str(size)


async def test_a_file_may_be_removed_before_it_is_sent(app: Sanic, root: Path) -> None:
    @app.get("/<kind:str>")
    async def handler(request: Request, kind: str) -> Any:
        (root / "temporary").write_bytes(b"x" * 2_000_000)
        answer = await (file if kind == "file" else file_stream)(root / "temporary")
        (root / "temporary").unlink()
        return answer

    async with serving(app) as server:
        for kind in ("file", "stream"):
            assert len((await server.get("/" + kind)).content) == 2_000_000


async def test_a_large_response_that_is_never_sent_can_be_read(root: Path) -> None:
    (root / "big").write_bytes(b"x" * 2_000_000)
    answer = await file(root / "big")
    assert len(answer.body) == 2_000_000
    answer.body = b"other"
    assert answer.body == b"other"


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="there is no /proc")
async def test_what_tells_no_size_is_read_to_its_end() -> None:
    assert b"Linux" in (await file("/proc/version")).body


@pytest.mark.parametrize("chunk_size", [0, -1])
async def test_a_chunk_has_at_least_a_byte(ten: Path, chunk_size: int) -> None:
    with pytest.raises(ValueError, match="chunk_size"):
        await file_stream(ten, chunk_size=chunk_size)


@pytest.mark.parametrize(
    ("headers", "is_current"),
    [
        ({}, False),
        ({"if-modified-since": SAME}, True),
        ({"If-Modified-Since": SAME}, True),
        ({"if-modified-since": "Sun, 06 Nov 1994 08:49:36 GMT"}, False),
        ({"if-modified-since": "nonsense"}, False),
        ({"if-none-match": "*"}, False),
    ],
)
@pytest.mark.parametrize("moment", [MODIFIED, MODIFIED + 0.9, datetime.fromtimestamp(MODIFIED, timezone.utc)])
async def test_validate_file_tells_whether_the_client_has_it(
    headers: dict[str, str], is_current: bool, moment: Any
) -> None:
    answer = await validate_file(headers, moment)
    assert (answer is not None) is is_current
    assert answer is None or (answer.status, answer.body) == (304, b"")


async def test_a_date_that_is_none_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING", "sanic.root"):
        assert await validate_file({"if-modified-since": "nonsense"}, 0) is None
    assert "nonsense" in caplog.text
