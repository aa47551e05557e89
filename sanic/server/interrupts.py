"""SIGINT and SIGTERM while a server runs in this process.

Handlers of the interpreter, not of a loop: they hear a signal before there is a loop, and while the loop is blocked.
What stopping means they do not know.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Tells a server that it was asked to stop, as a context manager that puts the earlier handlers back.

    The first signal asks to stop, the second one to wait for nothing any more. A further one ends the process, and so
    does the second when the loop has not even noticed the first.

    Args:
        is_active: False leaves the signals alone.
    """

    def __init__(self, is_active: bool = True) -> None:
        self._is_active = is_active
        self._previous: dict[int, Any] = {}
        #: How often the process was asked.
        self.count = 0
        #: How many of these requests have been acted upon.
        self.noticed = 0
        #: Called with each signal, from within whatever runs in the main thread.
        self.on_signal: Callable[[], object] | None = None

    def __enter__(self) -> Interrupts:
        if self._is_active:
            for number in _SIGNALS:
                # Outside of the main thread somebody else decides about the end.
                with suppress(ValueError):
                    self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *raised: object) -> None:
        self.on_signal = None
        while self._previous:
            number, handler = self._previous.popitem()
            # None: it was not set from Python, and cannot be put back from there.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count > 2 or (self.count == 2 and not self.noticed):
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        if self.on_signal is not None:
            self.on_signal()
