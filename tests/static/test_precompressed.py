"""Neighbours `NAME.br` and `NAME.gz` stand for `NAME`, where a mount and a client say so."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path

import pytest

from sanic import Sanic
from sanic.headers.encoding import preferred_encodings
from sanic.response.open_file import OpenFile
from tests.harness import serving

PLAIN = b"body { color: red }\n" * 50


@pytest.fixture
def assets(root: Path) -> Path:
    (root / "a.css").write_bytes(PLAIN)
    (root / "a.css.gz").write_bytes(gzip.compress(PLAIN))
    (root / "a.css.br").write_bytes(b"brotli, as far as a server knows")
    (root / "only.css").write_bytes(PLAIN)
    return root


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("deflate, zstd", None),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("gzip;q=0, br;q=0", None),
        ("gzip; q=0.3 , br;q=0", "gzip"),
        ("*", "br"),
        ("*;q=0", None),
        ("br;q=0, *", "gzip"),
        ("gzip;q=x", None),
        ("gzip;q=nan", None),
        ("gzip;q=-1", None),
        ("gzip;q=99", None),
        ("," * 1000, None),
    ],
)
async def test_the_client_chooses(app: Sanic, assets: Path, accepted: str | None, coding: str | None) -> None:
    app.static("/", assets, precompressed=True)
    headers = f"accept-encoding: {accepted}\r\n" if accepted is not None else ""
    async with serving(app) as server, server.connect() as connection:
        await connection.send(f"GET /a.css HTTP/1.1\r\nhost: x\r\n{headers}\r\n".encode())
        response = await connection.response()
    assert response.get("content-encoding") == coding
    assert response.get("vary") == "Accept-Encoding"
    assert response.get("content-type") == "text/css; charset=utf-8"
    expected = {None: "a.css", "gzip": "a.css.gz", "br": "a.css.br"}[coding]
    assert response.body == (assets / expected).read_bytes()


async def test_each_coding_has_a_tag_of_its_own(app: Sanic, assets: Path) -> None:
    app.static("/", assets, precompressed=True)
    async with serving(app) as server:
        tags = {}
        for coding in ("identity", "gzip", "br"):
            response = await server.request("HEAD", "/a.css", headers={"accept-encoding": coding})
            tags[coding] = response.headers["etag"]
            same = await server.get("/a.css", headers={"accept-encoding": coding, "if-none-match": tags[coding]})
            assert (same.status_code, same.headers["vary"]) == (304, "Accept-Encoding")
        other = await server.get("/a.css", headers={"accept-encoding": "gzip", "if-none-match": tags["identity"]})
    assert len(set(tags.values())) == 3
    assert other.status_code == 200
    assert other.content == PLAIN  # unpacked by the client


async def test_parts_are_parts_of_what_is_sent(app: Sanic, assets: Path) -> None:
    app.static("/", assets, precompressed=True, use_content_range=True)
    async with serving(app) as server, server.connect() as connection:
        await connection.send(b"GET /a.css HTTP/1.1\r\nhost: x\r\naccept-encoding: br\r\nrange: bytes=0-5\r\n\r\n")
        response = await connection.response()
    assert response.body == b"brotli"
    assert response.get("content-range") == f"bytes 0-5/{(assets / 'a.css.br').stat().st_size}"


async def test_a_neighbour_that_is_older_than_the_file_is_left(app: Sanic, assets: Path) -> None:
    os.utime(assets / "a.css.gz", (1, 1))
    app.static("/", assets, precompressed=True)
    async with serving(app) as server:
        response = await server.get("/a.css", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in response.headers
    assert response.content == PLAIN


@pytest.mark.parametrize("kind", ["missing", "directory", "outside"])
async def test_a_neighbour_must_be_a_file_below_the_root(app: Sanic, assets: Path, kind: str) -> None:
    if kind == "directory":
        (assets / "only.css.gz").mkdir()
    elif kind == "outside":
        (assets / "only.css.gz").symlink_to(assets.parent / "secret.txt")
    app.static("/", assets, precompressed=True)
    async with serving(app) as server:
        response = await server.get("/only.css", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in response.headers
    assert response.content == PLAIN


async def test_large_neighbours_and_single_files_work_too(app: Sanic, root: Path) -> None:
    plain = os.urandom(3_000_000)
    (root / "big.bin").write_bytes(plain)
    (root / "big.bin.gz").write_bytes(gzip.compress(plain, 1))
    app.static("/one", root / "big.bin", precompressed=True)
    async with serving(app) as server:
        response = await server.get("/one", headers={"accept-encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.content == plain


async def test_neighbours_are_just_files_unless_asked_for(app: Sanic, assets: Path) -> None:
    app.static("/", assets)
    async with serving(app) as server:
        response = await server.get("/a.css", headers={"accept-encoding": "gzip, br"})
        packed = await server.get("/a.css.gz")
    assert "vary" not in response.headers
    assert response.content == PLAIN
    assert packed.headers["content-type"] == "application/gzip"


def test_codings_come_best_first() -> None:
    assert preferred_encodings("gzip;q=0.9, br;q=0.8, zstd", ["br", "gzip", "zstd"]) == ["zstd", "gzip", "br"]


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are listed in /proc")
@pytest.mark.parametrize("neighbour", ["newer", "older", "pipe", "none"])
@pytest.mark.parametrize(
    ("method", "header", "statuses"),
    [
        ("GET", "", {200}),
        ("HEAD", "", {200}),
        ("GET", "if-none-match: *\r\n", {304}),
        ("GET", 'if-match: "other"\r\n', {412}),
        ("GET", "range: bytes=999999999-\r\n", {416}),
    ],
    ids=["sent", "head", "304", "412", "416"],
)
async def test_what_was_opened_is_closed(
    app: Sanic,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    neighbour: str,
    method: str,
    header: str,
    statuses: set[int],
) -> None:
    monkeypatch.delattr(OpenFile, "__del__")  # nothing is closed by collecting it
    large, packed = root / "large.bin", root / "large.bin.gz"
    large.write_bytes(bytes(100_000))
    if neighbour == "pipe":
        os.mkfifo(packed)
    elif neighbour != "none":
        packed.write_bytes(bytes(90_000))
        moment = large.stat().st_mtime + (10 if neighbour == "newer" else -10)
        os.utime(packed, (moment, moment))
    app.static("/", root, precompressed=True, use_content_range=True, stream_large_files=95_000)

    def opened() -> list[str]:
        links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
        return [path for path in (os.readlink(link) for link in links if os.path.islink(link)) if str(root) in path]

    async with serving(app) as server, server.connect() as connection:
        request = f"{method} /large.bin HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\n{header}\r\n"
        await connection.send(request.encode())
        response = await connection.response(method)
        assert response.status in statuses
    assert opened() == []
