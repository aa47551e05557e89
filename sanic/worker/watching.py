"""Which of a set of files and directories have changed: what they look like is compared with what they looked like.

Events of the operating system only tell when to look. Who wants to know, and why, this module does not know.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from typing import Any

from sanic.log import error_logger

#: Directories that no version of a program consists of.
IGNORED_DIRECTORIES = frozenset(
    (
        "__pycache__", ".git", ".hg", ".svn", ".venv", ".tox", ".nox", ".idea", ".hypothesis", ".ipynb_checkpoints",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", "node_modules",
    )
)  # fmt: skip
#: Files that are in directories only because somebody edits or runs others.
_IGNORED_FILE = re.compile(r".*\.py[co]|.*~|\.#.*|#.*#|\..*\.sw[a-z]|4913|\.DS_Store|.*___jb_(tmp|old)___")
#: What marks the directory of a virtual environment.
_ENVIRONMENT = "pyvenv.cfg"

#: Seconds until it is looked again whether a change was the last one, and until a file that is gone stays so.
_SETTLE_SECONDS = 0.05
_RETURN_SECONDS = 0.4
_MOST_SETTLE_SECONDS = 2.0

#: What a file looks like: its time of change in nanoseconds and its size; None if there is none.
Look = tuple[int, int] | None
_UNSEEN: Look = (-1, -1)


def look_at(path: str) -> Look:
    """What a file looks like now."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) else None


def is_ignored(name: str) -> bool:
    """Whether a file or directory of that name is left alone."""
    return name in IGNORED_DIRECTORIES or _IGNORED_FILE.fullmatch(name) is not None


class WatchedFiles:
    """Files, and directories with all that is below them; can be sent to another process."""

    def __init__(self) -> None:
        self._files: dict[str, Look] = {}
        self._roots: dict[str, str] = {}
        self._below: dict[str, Look] = {}
        self._below_folders: set[str] = set()
        self._names: set[str] = set()
        self._folders: frozenset[tuple[str, int]] | None = None
        self._early: set[str] = set()
        #: Seconds that the last look at everything took.
        self.cost = 0.0

    def __len__(self) -> int:
        return len(self._files) + len(self._below)

    @property
    def has_news(self) -> bool:
        """Whether a file had changed before it was known."""
        return bool(self._early)

    def add_files(self, looks: dict[str, Look]) -> None:
        """Watch files, from a look that somebody has taken earlier."""
        for path, look in looks.items():
            self._add(path, look)

    def add_file(self, path: str, loaded_after: int) -> None:
        """Watch a file that was loaded after a time, given in nanoseconds; it may have changed since."""
        if path in self._files:
            return
        look = look_at(path)
        self._add(path, look)
        if look is not None and loaded_after < look[0] < time.time_ns():
            self._early.add(path)

    def _add(self, path: str, look: Look) -> None:
        self._files[path] = look
        real = os.path.realpath(path)
        self._names.update((path, real, os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))))
        self._folders = None

    def add_directory(self, path: str) -> None:
        """Watch all files below a directory, which may come into being later."""
        path = os.path.abspath(path)
        if os.path.isfile(path):
            self.add_files({path: look_at(path)})
        elif path not in self._roots:
            self._roots[path] = os.path.realpath(path)
            for file, look in _walk(path, self._below_folders, set()):
                self._below.setdefault(file, look)
            self._folders = None

    def concerns(self, path: str) -> bool:
        """Whether something that happened at a path can be a change."""
        if path in self._names:
            return True
        for root, real in self._roots.items():
            for top in (root, real):
                if path == top:
                    return True
                if path.startswith(os.path.join(top, "")):
                    return not any(is_ignored(part) for part in path[len(top) :].split(os.sep))
        return False

    # -- Looking -----------------------------------------------------------------------------------------------------

    def look(self) -> dict[str, Look]:
        """What has changed since the last time: what each of these files looked like then."""
        began = time.monotonic()
        changed: dict[str, Look] = dict.fromkeys(self._early, _UNSEEN)
        self._early.clear()
        for path, before in self._files.items():
            if (now := look_at(path)) != before:
                changed.setdefault(path, before)
                self._files[path] = now
        earlier = self._below
        self._look_below()
        if earlier != self._below:
            for path in earlier.keys() | self._below.keys():
                if earlier.get(path) != self._below.get(path):
                    changed.setdefault(path, earlier.get(path))
        self.cost = time.monotonic() - began
        return changed

    def settled(self) -> set[str]:
        """What has changed, as soon as nothing changes any more.

        Whoever saves a file may empty it first, or remove it and write it anew.
        """
        changed = self.look()
        began = time.monotonic()
        changed_at = began
        while changed and (now := time.monotonic()) - began < _MOST_SETTLE_SECONDS:
            is_missing = any(self._now(path) is None and changed[path] is not None for path in changed)
            if now - changed_at >= (_RETURN_SECONDS if is_missing else _SETTLE_SECONDS):
                break
            time.sleep(_SETTLE_SECONDS)
            if further := self.look():
                changed = {**further, **changed}
                changed_at = time.monotonic()
        return {path for path, before in changed.items() if self._now(path) != before}

    def _now(self, path: str) -> Look:
        return self._files.get(path) or self._below.get(path)

    def _look_below(self) -> None:
        self._below = {}
        folders: set[str] = set()
        visited: set[tuple[int, int]] = set()
        for root in self._roots:
            for path, look in _walk(root, folders, visited):
                self._below[path] = look
        if folders != self._below_folders:
            self._below_folders = folders
            self._folders = None

    # -- Where -------------------------------------------------------------------------------------------------------

    def folders(self, *, is_fresh: bool = False) -> frozenset[tuple[str, int]]:
        """All directories in which something can change that counts, each with its number in the file system.

        Args:
            is_fresh: Look whether these are still the same directories, not others of the same names.
        """
        if self._folders is None or is_fresh:
            parents = {os.path.dirname(name) for name in self._names}
            self._folders = frozenset(_existing(parents | self._below_folders))
        return self._folders


def _walk(root: str, folders: set[str], visited: set[tuple[int, int]]) -> Iterator[tuple[str, Look]]:
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            about = os.stat(folder)
            with os.scandir(folder) as found:
                entries = list(found)
        except OSError:
            continue
        # A link may lead to what is walked anyway, or around in a circle.
        identity = (about.st_dev, about.st_ino)
        if identity in visited:
            continue
        visited.add(identity)
        if folder != root and any(entry.name == _ENVIRONMENT for entry in entries):
            continue
        folders.add(folder)
        for entry in entries:
            if is_ignored(entry.name):
                continue
            try:
                if entry.is_dir():
                    waiting.append(entry.path)
                elif entry.is_file():
                    details = entry.stat()
                    yield entry.path, (details.st_mtime_ns, details.st_size)
            except OSError:
                continue


def _existing(folders: Iterable[str]) -> Iterator[tuple[str, int]]:
    for folder in folders:
        try:
            about = os.stat(folder)
        except OSError:
            continue
        if stat.S_ISDIR(about.st_mode) and os.access(folder, os.R_OK):
            yield folder, about.st_ino


# -- When to look -----------------------------------------------------------------------------------------------------


class Polling:
    """Looks once a second; less often where a look takes long."""

    name = "looking at the files once a second"
    _SECONDS = 1.0
    _MOST_SHARE = 0.05

    def wait(self, files: WatchedFiles) -> bool:
        """Wait for the next look; returns whether it is time for it."""
        time.sleep(max(self._SECONDS, files.cost / self._MOST_SHARE))
        return True


class Events:
    """Waits for events of the operating system, by means of watchfiles.

    They say little on network drives and in some containers, and can be lost: so there is a look now and then, too.

    Raises:
        ImportError: watchfiles is not installed.
    """

    name = "events of the operating system"
    _SECONDS = 2.0
    _MOST_SHARE = 0.02
    _TURN_SECONDS = 0.5
    _STEP_SECONDS = 0.08
    _DEBOUNCE_SECONDS = 0.4

    def __init__(self) -> None:
        from watchfiles import watch

        self._watch: Any = watch
        self._events: Any = None
        self._folders: frozenset[tuple[str, int]] = frozenset()
        self._look_at = 0.0

    def wait(self, files: WatchedFiles) -> bool:
        """Wait for events, or a while; returns whether it is time for a look.

        Raises:
            OSError: There are too many directories to be watched, or there is nothing to watch them with.
            RuntimeError: The same, in other words.
        """
        now = time.monotonic()
        is_due = now >= self._look_at
        if is_due:
            self._look_at = now + max(self._SECONDS, files.cost / self._MOST_SHARE)
        folders = files.folders(is_fresh=is_due)
        if not folders:
            time.sleep(self._TURN_SECONDS)
            return is_due
        is_new = folders != self._folders or self._events is None
        if is_new:
            self._begin(folders)
        elif is_due:
            return True
        try:
            # The first time this begins to watch: what has happened before that is only seen by a look.
            changes = next(self._events)
        except StopIteration:
            self._events = None
            return True
        return is_new or any(files.concerns(path) for _, path in changes)

    def _begin(self, folders: frozenset[tuple[str, int]]) -> None:
        if self._events is not None:
            self._events.close()
        self._folders = folders
        self._events = self._watch(
            *(path for path, _ in folders),
            watch_filter=None,
            debounce=int(self._DEBOUNCE_SECONDS * 1000),
            step=int(self._STEP_SECONDS * 1000),
            rust_timeout=int(self._TURN_SECONDS * 1000),
            yield_on_timeout=True,
            recursive=False,
        )


def best_way() -> Events | Polling:
    """Events if there is a way to get them, otherwise polling."""
    try:
        return Events()
    except ImportError:
        return Polling()


class Watcher:
    """Waits for changes.

    Args:
        files: What is watched.
        way: How it is known when to look.
    """

    def __init__(self, files: WatchedFiles, way: Events | Polling) -> None:
        self.files = files
        self._way = way

    def turn(self) -> set[str]:
        """Wait a while; returns the paths of files that have changed, most often none."""
        try:
            is_time = self._way.wait(self.files)
        except (OSError, RuntimeError) as error:
            error_logger.warning("The files are looked at once a second, since there are no events: %s", error)
            self._way = Polling()
            is_time = True
        return self.files.settled() if is_time or self.files.has_news else set()
