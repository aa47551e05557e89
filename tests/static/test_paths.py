"""Nothing outside of the root is served, however the path is written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import quote, quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanic import Sanic
from sanic.handlers.file_root import FileRoot
from tests.harness import responses_in, serving

SECRET = b"secret"

BAD_PATHS = [
    "..",
    "../",
    "../secret.txt",
    "../outside/secret.txt",
    "sub/../../secret.txt",
    "sub/../ten.txt",
    "sub/..",
    "%2e%2e/secret.txt",
    "%2E%2E/secret.txt",
    ".%2e/secret.txt",
    "%2e./secret.txt",
    "..%2fsecret.txt",
    "..%2Fsecret.txt",
    "%2e%2e%2fsecret.txt",
    "sub%2f..%2f..%2fsecret.txt",
    "..%5csecret.txt",
    "..\\secret.txt",
    "%5c..%5csecret.txt",
    "sub%5cinner.txt",
    "sub\\inner.txt",
    "%252e%252e/secret.txt",
    "%252e%252e%252fsecret.txt",
    "..%252fsecret.txt",
    "%c0%ae%c0%ae/secret.txt",
    "%c0%ae%c0%ae%c0%afsecret.txt",
    "%e0%80%ae%e0%80%ae/secret.txt",
    "%uff0e%uff0e/secret.txt",
    "%ef%bc%8e%ef%bc%8e/secret.txt",
    "..;/secret.txt",
    "....//secret.txt",
    "..../secret.txt",
    ".../secret.txt",
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "%2Fetc/passwd",
    "file:///etc/passwd",
    "C:/Windows/win.ini",
    "C:%5cWindows%5cwin.ini",
    "ten.txt%00",
    "ten.txt%00.html",
    "%00",
    "..%00/secret.txt",
    "ten.txt%0a",
    "ten.txt%20",
    "ten.txt.",
    "ten.txt::$DATA",
    "TEN.TXT",
    "~/ten.txt",
    "%zz",
    "%",
    "sub/%",
    "a" * 255,
    "a" * 256,
    "a" * 5000,
    "%41" * 300,
    "a/" * 3000,
    "ten.txt/x",
    "*",
]


@pytest.mark.parametrize("path", BAD_PATHS, ids=lambda path: path[:40])
async def test_a_bad_path_is_not_found(app: Sanic, root: Path, path: str) -> None:
    app.static("/static", root, directory_view=True, index="ten.txt")
    async with serving(app) as server:
        request = f"GET /static/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        response = (await responses_in(await server.send_raw(request.encode("latin-1"))))[0]
        missing = await server.get("/static/missing.txt")
    assert response.status == 404
    assert response.body == missing.content  # what is forbidden looks like what is missing
    assert SECRET not in response.body


@pytest.mark.parametrize(
    "path", ["/static%2f..%2fsecret.txt", "/%2e%2e/secret.txt", "/static/..", "/..", "//..//secret.txt"]
)
async def test_a_bad_path_below_a_mount_at_the_top_is_not_found(app: Sanic, root: Path, path: str) -> None:
    app.static("/", root)
    async with serving(app) as server:
        raw = await server.send_raw(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert raw.startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("ten.txt", b"0123456789"),
        ("%74%65%6e.txt", b"0123456789"),
        ("sub/inner.txt", b"inner"),
        ("sub//inner.txt", b"inner"),
        ("./sub/./inner.txt", b"inner"),
        ("sub%2Finner.txt", b"inner"),
        ("ten.txt?x=../secret.txt", b"0123456789"),
    ],
)
async def test_one_file_has_several_spellings(app: Sanic, root: Path, path: str, expected: bytes) -> None:
    app.static("/static", root)
    async with serving(app) as server:
        raw = await server.send_raw(f"GET /static/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert raw.endswith(b"\r\n\r\n" + expected)


@pytest.mark.parametrize(
    "name",
    ["ü.txt", "日本 語.txt", "100%.txt", "a+b&c=d.txt", "e\u0301.txt", "%2e%2e", "a;b", "..a", "a..", "...", "🦄"],
)
async def test_any_name_is_served_when_it_is_encoded(app: Sanic, root: Path, name: str) -> None:
    (root / name).write_text(name)
    app.static("/static", root)
    async with serving(app) as server:
        assert (await server.get("/static/" + quote(name))).text == name
        assert (await server.get(app.url_for("static", filename=name))).text == name


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_what_may_not_be_read_is_missing(app: Sanic, root: Path) -> None:
    (root / "ten.txt").chmod(0)
    app.static("/", root)
    async with serving(app) as server:
        assert (await server.get("/ten.txt")).status_code == 404


# -- Links -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def linked(root: Path) -> Path:
    """The root, with every kind of link in it."""
    outside = root.parent / "outside"
    (outside / "further").mkdir()
    (outside / "further" / "far.txt").write_bytes(b"far")
    (outside / "link-to-secret").symlink_to(root.parent / "secret.txt")
    (root / "file-inside").symlink_to("ten.txt")
    (root / "directory-inside").symlink_to("sub")
    (root / "file-outside").symlink_to(outside / "secret.txt")
    (root / "directory-outside").symlink_to(outside)
    (root / "sub" / "up-and-out").symlink_to("../../secret.txt")
    (root / "broken").symlink_to("nothing")
    (root / "loop").symlink_to("loop")
    (root.parent / "root-and-more").mkdir()
    (root.parent / "root-and-more" / "sibling.txt").write_bytes(b"sibling")
    (root / "sibling").symlink_to(root.parent / "root-and-more" / "sibling.txt")
    return root


ALWAYS = {"file-inside", "directory-inside/inner.txt"}
FILES = {"file-outside", "sub/up-and-out", "sibling"}
DIRECTORIES = {"directory-outside/secret.txt", "directory-outside/further/far.txt"}
BOTH = {"directory-outside/link-to-secret"}
NEVER = {"broken", "loop", "loop/x"}


@pytest.mark.parametrize(
    ("files", "directories", "served"),
    [
        (False, False, ALWAYS),
        (True, False, ALWAYS | FILES),
        (False, True, ALWAYS | DIRECTORIES),
        (True, True, ALWAYS | FILES | DIRECTORIES | BOTH),
    ],
)
async def test_links_outside_are_followed_only_when_allowed(
    app: Sanic, linked: Path, files: bool, directories: bool, served: set[str]
) -> None:
    app.static(
        "/",
        linked,
        directory_view=True,
        follow_external_symlink_files=files,
        follow_external_symlink_dirs=directories,
    )
    async with serving(app) as server:
        found = {
            path
            for path in ALWAYS | FILES | DIRECTORIES | BOTH | NEVER
            if (await server.get("/" + path)).status_code == 200
        }
        listing = (await server.get("/")).text
        outside = await server.get("/directory-outside/")
    assert found == served
    names = ["file-inside", "directory-inside", "file-outside", "directory-outside", "broken", "loop"]
    visible = {"file-inside", "directory-inside"}
    visible |= {"file-outside"} if files else set()
    visible |= {"directory-outside"} if directories else set()
    assert {name for name in names if f">{name}" in listing} == visible
    assert outside.status_code == (200 if directories else 404)


async def test_the_root_may_be_a_link_that_is_changed(app: Sanic, tmp_path: Path) -> None:
    for release in ("one", "two"):
        (tmp_path / release).mkdir()
        (tmp_path / release / "a.txt").write_text(release)
    current = tmp_path / "current"
    current.symlink_to("one")
    app.static("/", current)
    async with serving(app) as server:
        assert (await server.get("/a.txt")).text == "one"
        (tmp_path / "new").symlink_to("two")
        os.replace(tmp_path / "new", current)
        assert (await server.get("/a.txt")).text == "two"


# -- Any path --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tree() -> Iterator[Path]:
    """Like `linked`, but for many examples."""
    top = Path(mkdtemp())
    root = top / "root"
    (root / "sub").mkdir(parents=True)
    (root / "a.txt").write_bytes(b"inside")
    (root / "sub" / "b.txt").write_bytes(b"inside")
    (top / "secret.txt").write_bytes(SECRET)
    (top / "root2").mkdir()
    (top / "root2" / "secret.txt").write_bytes(SECRET)
    (root / "link").symlink_to(top / "secret.txt")
    (root / "dir").symlink_to(top)
    (root / "sub" / "up").symlink_to("../..")
    yield root
    shutil.rmtree(top)


PIECES = [
    *("..", ".", "/", "//", "\\", "%2e", "%2E", "%2f", "%2F", "%5c", "%5C", "%00", "%25", "%252e", "%252f", "%c0%ae"),
    *(
        "a.txt",
        "sub",
        "b.txt",
        "link",
        "dir",
        "up",
        "root",
        "root2",
        "secret.txt",
        "%",
        "~",
        ":",
        "C:",
        ";",
        "%ff",
        "%0a",
    ),
]


@settings(max_examples=1000, deadline=None)
@given(
    path=st.one_of(
        st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
        st.lists(st.sampled_from(PIECES), max_size=8).map("/".join),
        st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
        st.binary(max_size=60).map(quote_from_bytes),
    )
)
def test_nothing_outside_of_the_root_is_ever_opened(tree: Path, path: str) -> None:
    root = FileRoot(str(tree))
    located = root.locate(path)
    if located is None:
        return
    assert located == str(tree) or located.startswith(str(tree) + "/")
    try:
        opened = root.open(located)
    except OSError:
        return
    try:
        real = os.path.realpath(f"/proc/self/fd/{opened.descriptor}") if os.path.isdir("/proc/self/fd") else None
        assert real is None or real == str(tree) or real.startswith(str(tree) + "/")
        assert not opened.is_regular or os.pread(opened.descriptor, 10, 0) == b"inside"
    finally:
        opened.close()
