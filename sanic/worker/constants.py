"""What the processes of a server can be in, and how they are replaced."""

from __future__ import annotations

from enum import Enum, IntEnum, auto


class RestartOrder(Enum):
    """Which comes first when a process is replaced."""

    SHUTDOWN_FIRST = "SHUTDOWN_FIRST"
    STARTUP_FIRST = "STARTUP_FIRST"


class ProcessState(IntEnum):
    """How far a process has come."""

    NONE = auto()
    IDLE = auto()
    RESTARTING = auto()
    STARTING = auto()
    STARTED = auto()
    ACKED = auto()
    JOINED = auto()
    TERMINATED = auto()
    FAILED = auto()
    COMPLETED = auto()
