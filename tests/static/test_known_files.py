"""Small files are kept in memory, and never longer than they are what the path leads to."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sanic import Sanic
from sanic.handlers.known_files import LARGEST_KEPT, KnownFile, KnownFiles
from sanic.models.futures import StaticSpec
from sanic.response.open_file import OpenFile
from sanic.static import StaticMount
from tests.harness import serving


def later() -> int:
    """A clock by which everything that has just been written is old."""
    return time.time_ns() + 10_000_000_000


def read(path: Path) -> KnownFile:
    opened = OpenFile(str(path))
    known = KnownFile(opened, path.read_bytes())
    opened.close()
    return known


def test_an_unchanged_file_is_known(root: Path) -> None:
    files = KnownFiles(clock=later)
    files.keep(read(root / "ten.txt"))
    known = files.get(str(root / "ten.txt"))
    assert known is not None
    assert known.body == b"0123456789"


def test_what_has_just_been_written_is_not_kept(root: Path) -> None:
    files = KnownFiles()
    (root / "ten.txt").write_bytes(b"0123456789")
    files.keep(read(root / "ten.txt"))
    assert files.get(str(root / "ten.txt")) is None


@pytest.mark.parametrize(
    ("size", "is_kept"), [(LARGEST_KEPT - 1, True), (LARGEST_KEPT, True), (LARGEST_KEPT + 1, False)]
)
def test_only_small_files_are_kept(root: Path, size: int, is_kept: bool) -> None:
    files = KnownFiles(clock=later)
    (root / "blob").write_bytes(bytes(size))
    files.keep(read(root / "blob"))
    assert (files.get(str(root / "blob")) is not None) is is_kept


@pytest.mark.parametrize("change", ["append", "rewrite", "replace", "remove", "mode", "directory"])
def test_a_changed_file_is_no_longer_known(root: Path, change: str) -> None:
    files = KnownFiles(clock=later)
    target = root / "ten.txt"
    files.keep(read(target))
    status = target.stat()
    if change == "append":
        target.write_bytes(b"0123456789a")
    elif change == "rewrite":
        # The times that `utime` sets do not hide that it was written.
        target.write_bytes(b"9876543210")
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "replace":
        (root / "new").write_bytes(b"9876543210")
        os.replace(root / "new", target)
    elif change == "mode":
        target.chmod(0)
    else:
        target.unlink()
        if change == "directory":
            target.mkdir()
    assert files.get(str(target)) is None


@pytest.mark.parametrize("limits", [{"most_files": 3}, {"most_bytes": 30}])
def test_no_more_is_kept_than_the_limit(root: Path, limits: dict[str, int]) -> None:
    files = KnownFiles(clock=later, **limits)
    paths = [root / f"{number}.txt" for number in range(10)]
    for path in paths:
        path.write_bytes(b"0123456789")
        files.keep(read(path))
        files.keep(read(path))
        assert files.get(str(path)) is not None
        assert sum(files.get(str(each)) is not None for each in paths if each.exists()) <= 3


async def test_a_mount_serves_what_is_there_now(app: Sanic, root: Path) -> None:
    spec = StaticSpec(uri="/", file_or_directory=str(root), is_file=False, name="static")
    app.route("/<__file_uri__:path>", static=True, name="files")(StaticMount(spec, KnownFiles(clock=later)).serve)
    async with serving(app) as server:
        for _ in range(3):
            assert (await server.get("/ten.txt")).content == b"0123456789"
        (root / "new").write_bytes(b"9876543210")
        os.replace(root / "new", root / "ten.txt")
        for _ in range(3):
            assert (await server.get("/ten.txt")).content == b"9876543210"
        (root / "ten.txt").unlink()
        (root / "ten.txt").symlink_to(root.parent / "secret.txt")
        for _ in range(3):
            assert (await server.get("/ten.txt")).status_code == 404
