"""The signals that the main process gets, as something that can be waited for; what they mean it does not know."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from sanic.worker.terminal import has_terminal, is_in_front, let_go

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGTTIN", "SIGTTOU") if hasattr(signal, name)
)
#: What comes twice within so many seconds is one wish, told to a process and to its group.
REPETITION_SECONDS = 0.3

_ENDS = (signal.SIGINT, signal.SIGTERM)


class SignalInbox:
    """Collects signals, as a context manager that puts the earlier handlers back."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._first_end = 0.0
        self._is_breakable = False
        self._ends_with_terminal = False
        self._previous: dict[int, Any] = {}
        self._previous_fd = -1
        self.waitable, self._writer = socket.socketpair()
        self.waitable.setblocking(False)
        self._writer.setblocking(False)

    def __enter__(self) -> SignalInbox:
        # Elsewhere than in the main thread, somebody else decides about the end.
        with suppress(ValueError):
            if hasattr(signal, "SIGHUP"):
                # After `nohup` it is ignored.
                self._ends_with_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_DFL and is_in_front()
            self._previous_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
            for number in SIGNALS:
                self._previous[number] = signal.signal(number, self._handle)
            if hasattr(signal, "SIGCHLD") and signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
                # Inherited from who started this process, and then nobody could learn how processes end.
                self._previous[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        return self

    def __exit__(self, *raised: object) -> None:
        if self._previous:
            signal.set_wakeup_fd(self._previous_fd)
        while self._previous:
            number, handler = self._previous.popitem()
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self.waitable.close()
        self._writer.close()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._ends_with_terminal and number == signal.SIGHUP and not has_terminal():
            # Nobody wants anything to be replaced: the window was closed, or the connection has broken. The shell
            # may tell it again.
            self._ends_with_terminal = False
            let_go()
            number = signal.SIGTERM
        is_again = self.is_interrupted
        self._numbers.append(number)
        if number not in _ENDS:
            return
        now = time.monotonic()
        if not is_again:
            self._first_end = now
        elif self._is_breakable and now - self._first_end > REPETITION_SECONDS:
            raise KeyboardInterrupt

    @contextmanager
    def breakable(self) -> Iterator[None]:
        """Meanwhile, who asks for the end a second time breaks off whatever runs, with a `KeyboardInterrupt`."""
        self._is_breakable = True
        try:
            yield
        finally:
            self._is_breakable = False

    @property
    def is_interrupted(self) -> bool:
        """Whether one of those that have not been taken asks for the end."""
        return any(number in _ENDS for number in self._numbers)

    def drain(self) -> None:
        """Wait for what comes from now on."""
        with suppress(BlockingIOError):
            while self.waitable.recv(4096):
                continue

    def take(self) -> list[int]:
        """The signals that have come since."""
        self.drain()
        numbers, self._numbers = self._numbers, []
        return numbers
