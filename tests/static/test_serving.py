"""What a static mount answers: bodies, headers, HEAD, content types, directories."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from sanic import Request, Sanic, text
from sanic.exceptions import FileNotFound
from sanic.handlers import DirectoryHandler
from sanic.response import HTTPResponse, html
from tests.harness import serving


def test_extensions_can_evaluate_the_annotations_of_its_handler(app: Sanic, root: Path) -> None:
    app.static("/static", root)
    assert get_type_hints(app.router.routes[0].handler)["return"] is HTTPResponse


async def test_a_file_is_served_with_its_headers(app: Sanic, root: Path) -> None:
    os.utime(root / "ten.txt", (784111777, 784111777))
    app.static("/static", root)
    async with serving(app) as server:
        response = await server.get("/static/ten.txt")
    assert response.status_code == 200
    assert response.content == b"0123456789"
    assert response.headers["last-modified"] == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["content-length"] == "10"
    assert response.headers["cache-control"] == "no-cache"
    assert re.fullmatch(r'"[^"]+"', response.headers["etag"])
    assert "accept-ranges" not in response.headers


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 1024 * 1024 - 1, 1024 * 1024, 3 * 1024 * 1024 + 1])
@pytest.mark.parametrize("threshold", [False, True, 1000])
async def test_files_of_all_sizes_come_out_whole(app: Sanic, root: Path, size: int, threshold: bool | int) -> None:
    content = os.urandom(size)
    (root / "blob").write_bytes(content)
    app.static("/", root, stream_large_files=threshold)
    async with serving(app) as server:
        response = await server.get("/blob")
        head = await server.request("HEAD", "/blob")
        again = await server.get("/blob")
    assert response.content == again.content == content
    assert response.headers["content-length"] == head.headers["content-length"] == str(size)
    assert "transfer-encoding" not in response.headers


async def test_head_tells_what_get_would(app: Sanic, root: Path) -> None:
    app.static("/", root, use_content_range=True)
    async with serving(app) as server:
        get = await server.get("/ten.txt")
        head = await server.request("HEAD", "/ten.txt", headers={"range": "bytes=0-1"})
    assert head.status_code == 200
    assert head.content == b""
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.html", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("A.JSON", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.wasm", "application/wasm"),
        ("a.woff2", "font/woff2"),
        ("a.webp", "image/webp"),
        ("a.tar.gz", "application/gzip"),
        ("a.tgz", "application/octet-stream"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("a", "application/octet-stream"),
        ("a.unheardof", "application/octet-stream"),
        (".html", "application/octet-stream"),
        ("data:text,a.png", "image/png"),
    ],
)
async def test_the_content_type_follows_from_the_name(app: Sanic, root: Path, name: str, expected: str) -> None:
    (root / name).write_bytes(b"x")
    app.static("/", root)
    async with serving(app) as server:
        assert (await server.get("/" + name)).headers["content-type"] == expected


async def test_a_given_content_type_is_that_of_all_files(app: Sanic, root: Path) -> None:
    app.static("/", root, content_type="application/x-own")
    async with serving(app) as server:
        assert (await server.get("/ten.txt")).headers["content-type"] == "application/x-own"


async def test_one_file_is_served_at_exactly_its_path(app: Sanic, root: Path) -> None:
    app.static("/one.txt", root / "ten.txt")
    async with serving(app) as server:
        assert (await server.get("/one.txt")).content == b"0123456789"
        assert (await server.get("/one.txt/")).status_code == 404
        (root / "ten.txt").unlink()
        assert (await server.get("/one.txt")).status_code == 404


async def test_other_methods_are_refused(app: Sanic, root: Path) -> None:
    app.static("/", root)
    async with serving(app) as server:
        response = await server.post("/ten.txt")
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_a_directory_may_be_made_later(app: Sanic, tmp_path: Path) -> None:
    app.static("/", tmp_path / "later")
    async with serving(app) as server:
        assert (await server.get("/a.txt")).status_code == 404
        (tmp_path / "later").mkdir()
        (tmp_path / "later" / "a.txt").write_text("now")
        assert (await server.get("/a.txt")).text == "now"


async def test_a_changed_file_is_served_as_it_is_now(app: Sanic, root: Path) -> None:
    target = root / "ten.txt"
    long_ago = time.time() - 1000
    os.utime(target, (long_ago, long_ago))
    app.static("/", root)
    async with serving(app) as server:
        etags = []
        for number in range(5):
            for _ in range(3):
                response = await server.get("/ten.txt")
                assert response.content == target.read_bytes()
            etags.append(response.headers["etag"])
            target.write_bytes(b"%010d" % number)
        target.unlink()
        assert (await server.get("/ten.txt")).status_code == 404
    assert len(set(etags)) == 5


async def test_a_file_that_shrinks_while_it_is_sent_looks_broken(app: Sanic, root: Path) -> None:
    (root / "big").write_bytes(b"x" * (16 * 1024 * 1024))
    app.static("/", root)
    async with serving(app) as server, server.connect() as connection:
        await connection.send(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
        await connection.reader.readuntil(b"\r\n\r\n")
        os.truncate(root / "big", 1024)
        assert len(await connection.read_until_closed()) < 16 * 1024 * 1024


async def test_response_middleware_may_look_at_a_large_body_and_replace_it(app: Sanic, root: Path) -> None:
    content = os.urandom(2 * 1024 * 1024)
    (root / "big").write_bytes(content)
    app.static("/", root)
    seen = []

    @app.on_response
    async def look(request: Request, response: HTTPResponse) -> None:
        if request.args.get("look"):
            seen.append(response.body)
        if request.args.get("replace"):
            response.body = b"short"

    async with serving(app) as server:
        assert (await server.get("/big?look=1")).content == content
        replaced = await server.get("/big?replace=1")
        assert (await server.get("/big")).content == content
    assert seen == [content]
    assert replaced.content == b"short"
    assert replaced.headers["content-length"] == "5"


async def test_middleware_may_answer_instead_of_a_large_file(app: Sanic, root: Path) -> None:
    (root / "big").write_bytes(b"x" * (2 * 1024 * 1024))
    app.static("/", root)

    @app.on_response
    async def replace(request: Request, response: HTTPResponse) -> HTTPResponse:
        return text("no")

    async with serving(app) as server:
        assert (await server.get("/big")).text == "no"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files with /proc")
async def test_no_file_stays_open(app: Sanic, root: Path) -> None:
    (root / "big").write_bytes(b"x" * (8 * 1024 * 1024))
    app.static("/", root, use_content_range=True, precompressed=True, index="ten.txt", directory_view=True)
    requests: list[tuple[str, str, dict[str, str]]] = [
        ("GET", "/big", {}),
        ("HEAD", "/big", {}),
        ("GET", "/big", {"range": "bytes=5-"}),
        ("GET", "/big", {"range": "bytes=99999999-"}),
        ("GET", "/big", {"if-none-match": "*"}),
        ("GET", "/big", {"if-match": '"x"'}),
        ("GET", "/ten.txt", {}),
        ("GET", "/missing", {}),
        ("GET", "/", {}),
        ("GET", "/sub/", {}),
        ("GET", "/sub/deep", {}),
    ]

    def open_below_root() -> list[str]:
        links = (Path("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
        return [path for path in map(os.path.realpath, links) if path.startswith(str(root))]

    async with serving(app) as server:
        for method, path, headers in requests:
            await server.request(method, path, headers=headers)
        async with server.connect() as connection:  # a client that leaves in the midst of it
            await connection.send(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
            await connection.reader.readuntil(b"\r\n\r\n")
        assert (await server.get("/ten.txt")).status_code == 200
    import gc

    gc.collect()
    assert open_below_root() == []


async def test_what_is_no_regular_file_is_missing(app: Sanic, root: Path) -> None:
    os.mkfifo(root / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(root)  # the path of a socket must be short
    try:
        listener.bind("sock")
    finally:
        os.chdir(here)
    (root / "null").symlink_to("/dev/null")
    app.static("/", root, directory_view=True, follow_external_symlink_files=True)
    async with serving(app) as server:
        for name in ("pipe", "sock", "null"):
            assert (await server.get("/" + name)).status_code == 404
        listing = (await server.get("/")).text
    listener.close()
    assert not re.search("pipe|sock|null", listing)


async def test_a_missing_file_raises_one_exception_and_is_logged(
    app: Sanic, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app.static("/static", root)
    raised: list[FileNotFound] = []

    @app.exception(FileNotFound)
    async def keep(request: Request, exception: FileNotFound) -> HTTPResponse:
        raised.append(exception)
        return text(str(exception), 404)

    with caplog.at_level("ERROR", "sanic.error"):
        async with serving(app) as server:
            response = await server.get("/static/sub/none%FF.txt")
    assert response.text == "File not found"
    assert os.fspath(raised[0].path or "") == os.fsdecode(os.fsencode(root) + b"/sub/none\xff.txt")
    assert raised[0].relative_url == "sub/none%FF.txt"
    assert "File not found" in caplog.text


# -- Directories -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/d", "/d/", "/d/sub", "/d/sub/"])
async def test_without_index_and_listing_a_directory_is_missing(app: Sanic, root: Path, path: str) -> None:
    app.static("/d", root)
    async with serving(app) as server:
        assert (await server.get(path)).status_code == 404


async def test_the_first_index_that_exists_is_served_like_any_file(app: Sanic, root: Path) -> None:
    (root / "sub" / "index.htm").write_text("index")
    app.static("/d", root, index=["index.html", "index.htm"], use_content_range=True)
    async with serving(app) as server:
        response = await server.get("/d/sub/")
        part = await server.get("/d/sub/", headers={"range": "bytes=1-2"})
        same = await server.get("/d/sub/", headers={"if-none-match": response.headers["etag"]})
        assert (await server.get("/d/")).status_code == 404
    assert (response.text, response.headers["content-type"]) == ("index", "text/html; charset=utf-8")
    assert (part.status_code, part.content) == (206, b"nd")
    assert same.status_code == 304


async def test_the_index_may_not_lead_outside(app: Sanic, root: Path) -> None:
    (root / "sub" / "index.html").symlink_to(root.parent / "secret.txt")
    app.static("/", root, index="index.html")
    async with serving(app) as server:
        assert (await server.get("/sub/")).status_code == 404


async def test_a_listing_links_to_everything_in_it(app: Sanic, root: Path) -> None:
    names = ["a b.txt", "ü.txt", "100%.txt", "javascript:alert(1)", "<b>.txt", "a?b#c.txt", "..."]
    for name in names:
        (root / "sub" / name).write_text(name)
    app.static("/d", root, directory_view=True)
    async with serving(app) as server:
        response = await server.get("/d/sub/")
        hrefs = re.findall(r'href="?([^">\s]+)', response.text)
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        served = {(await server.get("/d/sub/" + href)).text for href in hrefs}
    assert "<b>.txt" not in response.text
    assert response.text.index("deep/") < response.text.index("100%.txt") < response.text.index("inner.txt")
    assert set(names) <= served
    assert "../" in hrefs
    assert "deep/" in hrefs
    assert not [href for href in hrefs if ":" in href or href.startswith("/")]


@pytest.mark.skipif(sys.platform != "linux", reason="names need not be text there")
async def test_a_name_that_is_no_text_is_listed_and_served(app: Sanic, root: Path) -> None:
    (root / os.fsdecode(b"\xff.txt")).write_text("odd")
    app.static("/", root, directory_view=True)
    async with serving(app) as server:
        assert "%FF.txt" in (await server.get("/")).text
        assert (await server.get("/%FF.txt")).text == "odd"


async def test_a_listed_directory_without_slash_is_redirected_to(app: Sanic, root: Path) -> None:
    app.static("/", root, directory_view=True)
    async with serving(app) as server:
        response = await server.get("/sub?x=1", follow_redirects=False)
        raw = await server.send_raw(b"GET //sub HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert (response.status_code, response.headers["location"]) == (302, "/sub/?x=1")
    # Two slashes in front would lead to another host.
    assert b"Location: /sub/\r\n" in raw


async def test_a_listing_of_nothing_says_so(app: Sanic, tmp_path: Path) -> None:
    app.static("/", tmp_path, directory_view=True)
    async with serving(app) as server:
        assert "empty" in (await server.get("/")).text


async def test_a_directory_handler_of_ones_own_answers_for_directories(app: Sanic, root: Path) -> None:
    class Own(DirectoryHandler):
        async def handle(self, request: Request, path: str) -> HTTPResponse:
            if path.endswith("/deep/"):
                return html("own")
            return await super().handle(request, path)

    app.static("/d", root, directory_handler=Own("/d", root, directory_view=True))
    async with serving(app) as server:
        assert (await server.get("/d/sub/deep/")).text == "own"
        assert "inner.txt" in (await server.get("/d/sub/")).text


async def test_a_directory_handler_works_without_a_mount(app: Sanic, root: Path) -> None:
    (root / "index.html").write_text("index")
    handler = DirectoryHandler("/files", root, directory_view=True, index="index.html")

    @app.get("/files/<path:path>")
    async def files(request: Request, path: str) -> HTTPResponse:
        return await handler.handle(request, request.path)

    async with serving(app) as server:
        assert (await server.get("/files/")).text == "index"
        assert "inner.txt" in (await server.get("/files/sub/")).text
        assert (await server.get("/files/none/")).status_code == 404


async def test_parameters_may_stand_before_the_file(app: Sanic, root: Path) -> None:
    app.static("/of/<user:str>/files", root, directory_view=True)
    async with serving(app) as server:
        assert (await server.get("/of/me/files/ten.txt")).content == b"0123456789"
        assert "inner.txt" in (await server.get("/of/me/files/sub/")).text


async def test_two_mounts_and_a_route_share_a_tree(app: Sanic, root: Path, tmp_path: Path) -> None:
    app.static("/a", root, name="a")
    app.static("/a/outside", tmp_path / "outside", name="b")

    @app.get("/a/dynamic")
    async def dynamic(request: Request) -> Any:
        return text("dynamic")

    async with serving(app) as server:
        assert (await server.get("/a/ten.txt")).content == b"0123456789"
        assert (await server.get("/a/outside/secret.txt")).content == b"secret"
        assert (await server.get("/a/dynamic")).text == "dynamic"
