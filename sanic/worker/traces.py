"""Why a program could not be started, as it is told to who wrote it: from their own code on."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from types import TracebackType


def describe_failure(error: BaseException) -> str:
    """The traceback of an error, without the frames of what has only led to the program's own code."""
    start = error.__traceback__
    while start is not None and _is_machinery(start):
        start = start.tb_next
    if start is None and not isinstance(error, SyntaxError):
        start = error.__traceback__
    return "".join(traceback.format_exception(type(error), error, start)).rstrip()


def _is_machinery(frame: TracebackType) -> bool:
    path = frame.tb_frame.f_code.co_filename
    return path.startswith(("<frozen ", *_places()))


def _places() -> tuple[str, ...]:
    library = os.path.dirname(os.__file__)
    names = ("asyncio", "importlib", "multiprocessing", "runpy.py")
    package = str(Path(__file__).resolve().parent.parent)
    return (os.path.join(package, ""), *(os.path.join(library, name) for name in names))
