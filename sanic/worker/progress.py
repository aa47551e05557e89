"""How far a server has come with its start, and with its end, as a line on a terminal that changes in place.

What is told elsewhere, as lines of the log, it does not repeat: without a terminal it shows nothing.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from sanic.logging.color import is_terminal

if TYPE_CHECKING:
    from sanic.worker.manager import WorkerManager

# The cursor goes back to the beginning: what another process writes takes the place of the line.
_SHOW = "\r\033[K{}\r"
_CLEAR = "\r\033[K"


class Progress:
    """The line of one server.

    Args:
        manager: What is told of.
        stream: Where it is shown; default standard output.
    """

    def __init__(self, manager: WorkerManager, stream: TextIO | None = None) -> None:
        self._manager = manager
        self._stream: Any = sys.stdout if stream is None else stream
        self._is_shown = is_terminal(self._stream) and os.environ.get("TERM", "dumb") != "dumb"
        self._text = ""

    def show(self) -> None:
        """Show what has changed."""
        if not self._is_shown:
            return
        text = self._describe()
        if text != self._text:
            self._text = text
            self._write(_SHOW.format(text) if text else _CLEAR)

    def close(self) -> None:
        """Leave an empty line."""
        if self._text:
            self._text = ""
            self._write(_CLEAR)

    def _describe(self) -> str:
        manager = self._manager
        if manager.is_stopping:
            left = sum(len(list(process.runs)) for process in manager.processes)
            return f"Stopping, {left} process{'es' if left != 1 else ''} left" if left else ""
        if manager.is_complete:
            return ""
        ready = sum(run.acked_at is not None for worker in manager.workers for run in worker.runs)
        return f"Starting workers, {ready} of {manager.num_server} ready"

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            # The terminal is gone; the server goes on.
            self._is_shown = False
