"""Which one of several worker processes serves a UDP port, and how one follows another.

The kernel hands the datagrams of a shared socket to anyone, but those of a QUIC connection must all reach the process
that knows it. So one process at a time has the port, and reads from it; one at a time accepts new connections. While a
process finishes what it has begun, these may be two: the one with the port then forwards what is not its own to its
successor. A process that ends, however that comes, loses both.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

try:
    import fcntl
except ImportError:  # only POSIX systems have it
    fcntl = None  # type: ignore[assignment]

#: To read from the port.
PORT = 0
#: To accept connections.
ACCEPTANCE = 1

_LONGEST_MESSAGE = 2**16


class Succession:
    """What a process needs to follow others at a port; it can be sent to processes that are being started.

    Args:
        descriptor: The file whose locks stand for what a process has; default a new one.
        ends: The two ends of the way from the process with the port to its successor; default new ones.
    """

    def __init__(self, descriptor: int | None = None, ends: tuple[socket.socket, socket.socket] | None = None) -> None:
        if descriptor is None:
            # Records of a file are locked for a process (POSIX), not for whoever has the descriptor.
            descriptor = _new_file()
        self._descriptor = descriptor
        if ends is None and fcntl is not None:
            ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ends = ends
        for end in ends or ():
            end.setblocking(False)

    def __reduce__(self) -> Any:
        from multiprocessing.reduction import DupFd

        return _receive, (DupFd(self._descriptor), self._ends)

    def __del__(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)
        for end in self._ends or ():
            end.close()

    def take(self, what: int) -> bool:
        """Take something, if no other process has it.

        Args:
            what: `PORT` or `ACCEPTANCE`.

        Returns:
            Whether this process has it now.
        """
        if fcntl is None:
            return True
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, what)
        except OSError:
            return False
        return True

    def wait(self, what: int, on_turn: Callable[[], object]) -> None:
        """Call a function, in a thread of its own, when this process has something; that keeps no process running."""

        def run() -> None:
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, what)
            except OSError:
                return  # closed in the meantime
            on_turn()

        threading.Thread(target=run, name="succession at a port", daemon=True).start()

    def give_up(self, what: int) -> None:
        """Let another process have something."""
        if fcntl is not None:
            with suppress(OSError):
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, what)

    # -- From one process to the next --------------------------------------------------------------------------------

    def forward(self, data: bytes, address: Any) -> None:
        """Hand a datagram to the successor; like any datagram, it may be lost."""
        if self._ends is not None:
            with suppress(OSError):
                self._ends[0].send(json.dumps(address).encode() + b"\n" + data)

    @property
    def inlet(self) -> int:
        """The descriptor where forwarded datagrams arrive, -1 where there are none."""
        return self._ends[1].fileno() if self._ends is not None else -1

    def receive(self) -> tuple[bytes, Any] | None:
        """A forwarded datagram and the address that it came from, None if there is none."""
        if self._ends is None:
            return None
        try:
            message = self._ends[1].recv(_LONGEST_MESSAGE + 256)
        except OSError:
            return None
        address, _, data = message.partition(b"\n")
        return data, tuple(json.loads(address))


def _new_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("succession at a port")
    descriptor, path = tempfile.mkstemp(prefix="sanic-")
    with suppress(OSError):  # where a file that is open cannot be removed
        os.unlink(path)
    return descriptor


def _receive(descriptor: Any, ends: Any) -> Succession:
    return Succession(descriptor.detach(), ends)
