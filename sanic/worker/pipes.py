"""The manager's ends of its pipes: they never wait, whatever the process at the other end does or does not.

That process uses an ordinary `Connection` of `multiprocessing`, whose framing this is. What is said is not known here.
"""

from __future__ import annotations

import os
import struct
from multiprocessing.reduction import ForkingPickler
from typing import Any

from sanic.log import error_logger

_SIZE = struct.Struct("!i")
_PIECE = 1 << 16
#: Bytes that are read at a time, so that one talkative process does not keep the manager from all others.
_MOST = 1 << 20


class Outlet:
    """What is said to a process that may not listen at the moment, since it computes, is stopped, or has ended.

    Args:
        connection: The writing end.
    """

    def __init__(self, connection: Any) -> None:
        os.set_blocking(connection.fileno(), False)
        self._connection = connection
        self._unsent = bytearray()

    @property
    def is_behind(self) -> bool:
        """Whether something waits for the process to listen."""
        return bool(self._unsent)

    def send(self, message: Any) -> None:
        """Say something, as soon as there is room for it."""
        data = ForkingPickler.dumps(message)
        self._unsent += _SIZE.pack(len(data))
        self._unsent += data
        self.flush()

    def flush(self) -> None:
        """Say what has waited, as far as there is room; to a process that has ended, nothing."""
        while self._unsent:
            try:
                size = os.write(self._connection.fileno(), self._unsent)
            except BlockingIOError:
                return
            except OSError:
                self._unsent.clear()
                return
            del self._unsent[:size]

    def close(self) -> None:
        """Say nothing more."""
        self._unsent.clear()
        self._connection.close()


class Inlet:
    """What a process says; half of a message is waited for with all others, not for itself.

    Args:
        connection: The reading end.
    """

    def __init__(self, connection: Any) -> None:
        os.set_blocking(connection.fileno(), False)
        self._connection = connection
        self._unread = bytearray()

    def receive(self) -> tuple[list[Any], bool]:
        """The messages that have come, and whether more may come."""
        size, is_open = 0, True
        while is_open and size < _MOST:
            try:
                data = os.read(self._connection.fileno(), _PIECE)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            is_open = bool(data)
            size += len(data)
            self._unread += data
        messages: list[Any] = []
        while len(self._unread) >= _SIZE.size:
            (length,) = _SIZE.unpack_from(self._unread)
            end = _SIZE.size + length
            if length < 0:
                error_logger.error("A process has sent more than the manager can take: it is not heard any more.")
                return messages, False
            if len(self._unread) < end:
                break
            understand_into(messages, bytes(self._unread[_SIZE.size : end]))
            del self._unread[:end]
        return messages, is_open


def understand_into(messages: list[Any], data: bytes) -> None:
    """Add a message; what cannot be understood is logged, and never brings the manager down."""
    try:
        messages.append(ForkingPickler.loads(data))
    except Exception:
        error_logger.exception("A message to the manager cannot be understood.")
