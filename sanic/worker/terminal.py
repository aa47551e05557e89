"""The terminal that a program was started in, whether it is still there, and what the debugger of a developer needs.

What is said there this module does not know.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

_TERMINAL = "/dev/tty"


def has_terminal() -> bool:
    """Whether this process has a terminal, which has not been closed."""
    try:
        os.close(os.open(_TERMINAL, os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def let_go() -> None:
    """Have nowhere what is still said to a terminal that has been closed: it would fail, and once more at the exit."""
    for descriptor in (1, 2):
        if _is_lost(descriptor):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            if nowhere != descriptor:
                os.close(nowhere)


def _is_lost(descriptor: int) -> bool:
    try:
        os.write(descriptor, b"")
    except OSError:
        return True
    return False


def is_in_front() -> bool:
    """Whether this process is what somebody runs in a terminal at the moment, and not in its background."""
    try:
        terminal = os.open(_TERMINAL, os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def read_from_terminal() -> None:
    """Let this process read from the terminal, so that a `breakpoint()` in it can be talked to.

    A process of multiprocessing cannot read anything, which is right as long as there are several that might.
    """
    try:
        terminal = os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return
    try:
        os.dup2(terminal, 0)
    finally:
        os.close(terminal)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for as long as the process runs


class TerminalSettings:
    """What the terminal is like at the moment, to be put right when a debugger has been killed."""

    def __init__(self) -> None:
        self._attributes: list[Any] | None = None
        with suppress(ImportError, OSError, ValueError):
            import termios

            with suppress(termios.error):
                self._attributes = termios.tcgetattr(0)

    def restore(self) -> None:
        """Put it right."""
        if self._attributes is not None:
            import termios

            # From the background, this would have to wait until the program is in front again.
            with suppress(termios.error, OSError):
                if os.tcgetpgrp(0) == os.getpgrp():
                    termios.tcsetattr(0, termios.TCSANOW, self._attributes)
