"""What processes and their manager tell each other: small objects that can be pickled, and nothing that acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# -- From a process to the manager ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """The process is still on its way, for example importing."""


@dataclass(frozen=True)
class Loaded:
    """What the process runs has been imported; from now on it ends in order when it is told to."""


@dataclass(frozen=True)
class Ack:
    """The worker has started."""


@dataclass(frozen=True)
class Beat:
    """The event loop of the worker turns, and this is what it does.

    Args:
        requests: How many requests it has answered.
        connections: How many connections are open.
        rss: Bytes of memory that it occupies.
    """

    requests: int = 0
    connections: int = 0
    rss: int = 0


@dataclass(frozen=True)
class Failed:
    """The process could not be started."""

    reason: str


@dataclass(frozen=True)
class Serving:
    """Whether the worker accepts connections."""

    is_serving: bool


@dataclass(frozen=True)
class Note:
    """Something that the process wants to be known of it."""

    key: str
    value: Any


@dataclass(frozen=True)
class Restart:
    """Processes are to be replaced: those of the names, or all that are transient."""

    names: tuple[str, ...] = ()
    zero_downtime: bool = False


@dataclass(frozen=True)
class Reload:
    """Files have changed, so all that is transient is to be replaced."""

    changed: tuple[str, ...]


@dataclass(frozen=True)
class Scale:
    """So many workers are wanted."""

    workers: int


@dataclass(frozen=True)
class Terminate:
    """Everything is to end; early means without waiting for anything."""

    early: bool = False


@dataclass(frozen=True)
class Manage:
    """A process of the application's own is to be started; its function and arguments are pickled."""

    name: str
    parcel: bytes
    transient: bool
    restartable: bool | None
    tracked: bool
    auto_start: bool
    workers: int


# -- From the manager to a process ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class States:
    """The states of processes that have changed, by name; None for those that are no more.

    If it is complete, there are no others.
    """

    states: dict[str, dict[str, Any] | None]
    is_complete: bool = False


@dataclass(frozen=True)
class Stop:
    """The worker is to stop, and gives clients that keep connections open so many seconds to go elsewhere."""

    linger: float
