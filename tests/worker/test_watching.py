"""Which changes of files are seen: real files in a directory of the test, and no waiting for a clock."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sanic.worker.watching import Events, Polling, WatchedFiles, Watcher, is_ignored, look_at


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "module.py"
    path.write_text("one = 1")
    return path


def watched(*paths: Path, directories: tuple[Path, ...] = ()) -> WatchedFiles:
    files = WatchedFiles()
    files.add_files({str(path): look_at(str(path)) for path in paths})
    for directory in directories:
        files.add_directory(str(directory))
    return files


def names(changed: set[str]) -> list[str]:
    return sorted(os.path.basename(path) for path in changed)


def save(path: Path) -> None:
    path.write_text("two = 2 + 2")


def touch(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


def change_size_only(path: Path) -> None:
    before = path.stat()
    path.write_text("two = 2 + 2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def exchange(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("two = 2 + 2")
    os.replace(other, path)


def remove(path: Path) -> None:
    path.unlink()


def move_away_and_write(path: Path) -> None:
    os.replace(path, path.with_name("old"))
    path.write_text("two = 2 + 2")


@pytest.mark.parametrize("change", [save, touch, change_size_only, exchange, remove, move_away_and_write])
def test_a_file_has_changed(module: Path, change: Callable[[Path], None]) -> None:
    files = watched(module)
    assert files.settled() == set()
    change(module)
    assert names(files.settled()) == ["module.py"]
    assert files.settled() == set()


def remove_and_put_back(path: Path) -> None:
    other = path.with_name("aside")
    os.replace(path, other)
    os.replace(other, path)


@pytest.mark.parametrize("change", [remove_and_put_back, lambda path: path.read_text(), lambda path: path.chmod(0o600)])
def test_a_file_has_not_changed(module: Path, change: Callable[[Path], object]) -> None:
    files = watched(module)
    change(module)
    assert files.settled() == set()


def test_a_file_that_is_not_there_is_seen_to_come_and_to_go(tmp_path: Path) -> None:
    path = tmp_path / "package" / "missing.py"
    files = watched(path)
    assert files.settled() == set()
    path.parent.mkdir()
    save(path)
    assert names(files.settled()) == ["missing.py"]
    path.unlink()
    path.parent.rmdir()
    assert names(files.settled()) == ["missing.py"]


def test_a_file_that_changed_after_it_was_loaded_but_before_it_was_known_has_changed(module: Path) -> None:
    modified = module.stat().st_mtime_ns
    files = WatchedFiles()
    files.add_file(str(module), modified + 1)
    assert files.settled() == set()
    files = WatchedFiles()
    files.add_file(str(module), modified - 1)
    assert files.has_news
    assert names(files.settled()) == ["module.py"]
    # The clock of another machine may be ahead.
    os.utime(module, ns=(0, time.time_ns() + 10**12))
    files = WatchedFiles()
    files.add_file(str(module), modified)
    assert files.settled() == set()


def test_directories_are_watched_with_all_that_is_below_them_but_noise(tmp_path: Path) -> None:
    root = tmp_path / "root"
    files = watched(directories=(root,))
    assert files.settled() == set()
    (root / "deep" / "deeper").mkdir(parents=True)
    for name in ("a.html", "deep/b", "deep/deeper/c.txt"):
        (root / name).write_text("text")
    for name in (".git/HEAD", "deep/__pycache__/a.pyc", "node_modules/x.js", ".a.swp", "a.html~", "#a.html#", "4913"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("noise")
    (root / "environment").mkdir()
    (root / "environment" / "pyvenv.cfg").write_text("home = /usr/bin")
    (root / "environment" / "script").write_text("noise")
    assert names(files.settled()) == ["a.html", "b", "c.txt"]
    (root / "deep").rename(root / "depth")
    assert len(files.settled()) == 4


def test_a_file_may_be_given_where_directories_are(module: Path) -> None:
    files = watched(directories=(module,))
    save(module)
    assert names(files.settled()) == ["module.py"]


def test_links_are_followed_but_not_in_circles(tmp_path: Path, module: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    (root / "link").symlink_to(elsewhere)
    (root / "circle").symlink_to(root)
    (root / "dangling").symlink_to(root / "nowhere")
    (root / "module.py").symlink_to(module)
    files = watched(directories=(root,))
    (elsewhere / "page.html").write_text("text")
    save(module)
    assert names(files.settled()) == ["module.py", "page.html"]


@pytest.mark.parametrize(
    ("name", "is_noise"),
    [
        ("app.py", False),
        ("app.pyc", True),
        ("app.so", False),
        ("__pycache__", True),
        (".git", True),
        (".gitignore", False),
        (".env", False),
        (".venv", True),
        (".app.py.swp", True),
        ("app.py~", True),
        (".#app.py", True),
        ("#app.py#", True),
        ("app.py___jb_tmp___", True),
        ("index.html", False),
        ("venv", False),
    ],
)
def test_noise_is_known_by_its_name(name: str, is_noise: bool) -> None:
    assert is_ignored(name) is is_noise


def test_only_what_happens_to_watched_files_concerns(tmp_path: Path, module: Path) -> None:
    root = tmp_path / "root"
    files = watched(module, directories=(root,))
    assert files.concerns(str(module))
    assert files.concerns(str(root / "any" / "file"))
    assert files.concerns(str(root))
    assert not files.concerns(str(tmp_path / "database.sqlite"))
    assert not files.concerns(str(root / "__pycache__" / "x.pyc"))
    assert not files.concerns(str(tmp_path / "rooted"))


@pytest.mark.parametrize("way", [Events, pytest.param(Polling, marks=pytest.mark.e2e)])
def test_a_look_at_thousands_of_files_is_cheap(tmp_path: Path, way: type[Events] | type[Polling]) -> None:
    for number in range(30):
        (tmp_path / f"{number:03}").mkdir()
        for file in range(100):
            (tmp_path / f"{number:03}" / f"{file:03}.txt").touch()
    files = watched(directories=(tmp_path,))
    watcher = Watcher(files, way())
    assert watcher.turn() == set()
    for path in tmp_path.glob("0*/*.txt"):
        touch(path)
    changed: set[str] = set()
    deadline = time.monotonic() + 20
    while len(changed) < 3_000 and time.monotonic() < deadline:
        changed |= watcher.turn()
    assert len(changed) == 3_000
    assert files.cost < 1


def test_without_events_the_files_are_looked_at(tmp_path: Path, module: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Exhausted(Events):
        def __init__(self) -> None:
            super().__init__()
            self._watch = self.refuse

        def refuse(self, *folders: str, **options: object) -> object:
            raise OSError(28, "OS file watch limit reached")

    watcher = Watcher(watched(module), Exhausted())
    save(module)
    assert names(watcher.turn()) == ["module.py"]
    assert "OS file watch limit reached" in caplog.text
    exchange(module)
    assert names(watcher.turn()) == ["module.py"]


def test_events_reach_directories_that_take_the_place_of_others(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "module.py").write_text("one = 1")
    watcher = Watcher(watched(package / "module.py"), Events())
    assert watcher.turn() == set()

    def turns(count: int = 20) -> set[str]:
        changed: set[str] = set()
        while not changed and count:
            changed, count = watcher.turn(), count - 1
        return changed

    package.rename(tmp_path / "old")
    package.mkdir()
    (package / "module.py").write_text("two = 2 + 2")
    assert names(turns()) == ["module.py"]
    (package / "module.py").write_text("three = 3 + 3 + 3")
    assert names(turns()) == ["module.py"]
