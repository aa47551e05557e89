"""Why a program could not be started, as it is told to who wrote it: from their own code on."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from types import TracebackType


def describe_failure(error: BaseException) -> str:
    """The traceback of an error, without the frames of what has only led to the program's own code.

    What is raised on purpose, because the program is wrong, ends with the program's own code, too.
    """
    start = error.__traceback__
    while start is not None and _is_machinery(start):
        start = start.tb_next
    if start is None and not isinstance(error, SyntaxError):
        start = error.__traceback__
    told = traceback.TracebackException(type(error), error, start)
    if told.stack and _is_own(told.stack[-1]) and (told.stack[-1].line or "").startswith("raise "):
        # The message says what the program did wrong; how that was found out says nothing more.
        while len(told.stack) > 1 and _is_own(told.stack[-1]):
            del told.stack[-1]
    return "".join(told.format()).rstrip()


def _is_own(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith(_package())


def _is_machinery(frame: TracebackType) -> bool:
    path = frame.tb_frame.f_code.co_filename
    return path.startswith(("<frozen ", "uvloop/", *_places()))


def _places() -> tuple[str, ...]:
    library = os.path.dirname(os.__file__)
    names = ("asyncio", "importlib", "multiprocessing", "runpy.py")
    return (_package(), *(os.path.join(library, name) for name in names))


def _package() -> str:
    return os.path.join(str(Path(__file__).resolve().parent.parent), "")
