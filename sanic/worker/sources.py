"""The files that a program consists of, found out by the process that runs it, and told to the reloader.

What becomes of that the process does not learn; a reloader that does not listen costs it nothing.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

_INTERVAL = 0.5
#: Everything is told again after so many seconds, to a reloader that has been replaced.
_REPEAT_SECONDS = 30.0
_SEND_SECONDS = 1.0
#: Bytes of a datagram, which all systems take.
_MOST_BYTES = 2000


def module_files() -> set[str]:
    """The files of all modules that are loaded."""
    found = set()
    for module in sys.modules.copy().values():
        try:
            # Past __getattr__, which would load a module that waits for its first use.
            path = object.__getattribute__(module, "__dict__").get("__file__")
        except AttributeError:
            continue
        if isinstance(path, str) and path and not path.startswith("<"):
            found.add(os.path.abspath(path))
    return found


def forget_compiled(paths: Iterable[str]) -> None:
    """Have modules compiled again that have changed.

    The interpreter compares whole seconds and the size: of two versions that are saved within a second, it would load
    the first one.
    """
    from importlib.util import cache_from_source

    for path in paths:
        if path.endswith(".py"):
            with suppress(OSError, NotImplementedError):
                os.unlink(cache_from_source(path))


def error_files(error: BaseException) -> set[str]:
    """The files that an error at the start of a program has to do with, also those whose absence may be its cause."""
    found: set[str] = set()
    for one in _chain(error):
        traceback = one.__traceback__
        while traceback is not None:
            found.add(traceback.tb_frame.f_code.co_filename)
            traceback = traceback.tb_next
        if isinstance(one, (SyntaxError, OSError)):
            found.add(_text(one.filename))
        if isinstance(one, ImportError):
            found.add(_text(one.path))
            found.update(_missing(one))
    return {os.path.abspath(path) for path in found if path and not path.startswith("<")}


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


def _text(path: Any) -> str:
    if isinstance(path, (bytes, os.PathLike)):
        path = os.fsdecode(path)
    return path if isinstance(path, str) else ""


def _missing(error: ImportError) -> Iterator[str]:
    # Where the module would have been found: there it will be when somebody writes it.
    parent, _, name = (error.name or "").rpartition(".")
    places: Iterable[str] = getattr(sys.modules.get(parent), "__path__", ()) if parent else sys.path
    if not isinstance(error, ModuleNotFoundError):
        wanted = re.search(r"cannot import name '(\w+)'", str(error))
        name = wanted.group(1) if wanted else ""
        places = [os.path.dirname(error.path)] if error.path else []
    for place in places if name else ():
        if isinstance(place, str) and os.path.isdir(place or "."):
            yield os.path.join(place, f"{name}.py")
            yield os.path.join(place, name, "__init__.py")


class SourceReporter:
    """Tells the reloader which files this process has loaded, and goes on to do so.

    Args:
        outlet: A socket that keeps the bounds of messages, with the reloader at its other end.
    """

    def __init__(self, outlet: Any) -> None:
        self._outlet = outlet
        self._told: set[str] = set()
        self._repeat_at = 0.0
        self._looked_at = 0

    def start(self) -> None:
        """Begin to tell."""
        self._looked_at = time.time_ns()
        self._outlet.settimeout(_SEND_SECONDS)
        threading.Thread(target=self._run, name="files for the reloader", daemon=True).start()

    def tell_error(self, error: BaseException) -> None:
        """This process cannot be started: tell of the files that would have to change."""
        self._tell(error_files(error))

    def _run(self) -> None:
        while self._outlet.fileno() >= 0:
            now = time.monotonic()
            if now >= self._repeat_at:
                self._told = set()
                self._repeat_at = now + _REPEAT_SECONDS
            looked_at = time.time_ns()
            self._tell(module_files() | _app_files())
            self._looked_at = looked_at
            time.sleep(_INTERVAL)

    def _tell(self, paths: set[str]) -> None:
        new = sorted(paths - self._told)
        try:
            for message in _messages(self._looked_at, new):
                self._outlet.send(message)
        except OSError:
            # Nobody reads; the next time all is told that is unknown still.
            return
        self._told.update(new)


def _app_files() -> set[str]:
    # Of an application that is just being made, some attributes may be missing still.
    found = set()
    module = sys.modules.get("sanic.app")
    for app in list(module.Sanic._app_registry.values()) if module else ():
        state, config = getattr(app, "state", None), getattr(app, "config", None)
        for directory in list(getattr(state, "reload_dirs", ())):
            found.add(os.path.join(os.path.abspath(directory), ""))
        found.update(vars(config).get("_files", ()) if config is not None else ())
    return found


def _messages(since: int, paths: Iterable[str]) -> Iterator[bytes]:
    head = str(since).encode()
    message = head
    for path in paths:
        line = b"\n" + os.fsencode(path)
        if b"\n" in line[1:]:
            continue
        if len(message) + len(line) > _MOST_BYTES and message != head:
            yield message
            message = head
        message += line
    if message != head:
        yield message


def read_message(message: bytes) -> tuple[int, list[str]]:
    """What such a message says.

    Returns:
        A time, in nanoseconds, after which these files were loaded; their paths, those of directories with a
        separator at their end.
    """
    head, *lines = message.split(b"\n")
    return int(head), [os.fsdecode(line) for line in lines]
