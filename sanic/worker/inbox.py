"""The signals that the main process gets, as something that can be waited for; what they mean it does not know."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from types import FrameType
from typing import Any

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGTTIN", "SIGTTOU") if hasattr(signal, name)
)


class SignalInbox:
    """Collects signals, as a context manager that puts the earlier handlers back."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._previous: dict[int, Any] = {}
        self._previous_fd = -1
        self.waitable, self._writer = socket.socketpair()
        self.waitable.setblocking(False)
        self._writer.setblocking(False)

    def __enter__(self) -> SignalInbox:
        # Elsewhere than in the main thread, somebody else decides about the end.
        with suppress(ValueError):
            self._previous_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
            for number in SIGNALS:
                self._previous[number] = signal.signal(number, self._handle)
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
        self._numbers.append(number)

    @property
    def is_interrupted(self) -> bool:
        """Whether one of those that have not been taken asks for the end."""
        return signal.SIGINT in self._numbers or signal.SIGTERM in self._numbers

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
