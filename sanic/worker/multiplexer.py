"""What a worker tells the manager through, as `app.m`; it only sends, what becomes of it the manager decides."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from sanic.worker.messages import Ack, Manage, Note, Restart, Scale, Serving, Terminate

#: Kept by the manager.
RESTRICTED = frozenset(("health", "pid", "requests", "restart_at", "server", "start_at", "starts", "state"))


class WorkerState(MutableMapping[str, Any]):
    """The state of this process: what the manager says of it, and what the application has added.

    Args:
        name: Name of the process.
        publisher: Takes what is added to the manager.
        states: The states of all processes, by name.
    """

    def __init__(self, name: str, publisher: Any, states: Mapping[str, Any]) -> None:
        self._name = name
        self._publisher = publisher
        self._states = states
        self._own: dict[str, Any] = {}

    def _all(self) -> dict[str, Any]:
        return {**self._states.get(self._name, {}), **self._own}

    def __getitem__(self, key: str) -> Any:
        return self._all()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __setitem__(self, key: str, value: Any) -> None:
        if key in RESTRICTED:
            raise LookupError(f"The key {key!r} of a worker's state is kept by the manager: use another name.")
        self._publisher.send(Note(key, value))
        self._own[key] = value

    def __delitem__(self, key: str) -> None:
        raise LookupError(f"Cannot delete {key!r}: keys of a worker's state stay. Set it to None.")

    def __repr__(self) -> str:
        return repr(self._all())


class WorkerMultiplexer:
    """Tells a worker of itself and of its siblings, and takes wishes to the manager.

    Args:
        monitor_publisher: Takes messages to the manager.
        worker_state: The states of all processes, by name.
    """

    def __init__(self, monitor_publisher: Any, worker_state: Mapping[str, Any]) -> None:
        self._monitor_publisher = monitor_publisher
        self._worker_state = worker_state
        self._state = WorkerState(self.name, monitor_publisher, worker_state)

    @property
    def name(self) -> str:
        """Name of this process."""
        return os.environ.get("SANIC_WORKER_NAME", "")

    @property
    def pid(self) -> int:
        """Its id."""
        return os.getpid()

    @property
    def state(self) -> WorkerState:
        """Its state; keys of the application's own may be set."""
        return self._state

    @property
    def workers(self) -> dict[str, Any]:
        """The states of all processes, by name."""
        return dict(self._worker_state)

    def ack(self) -> None:
        """Tell that this worker has started."""
        self._monitor_publisher.send(Ack())

    def set_serving(self, serving: bool) -> None:
        """Tell whether this worker accepts connections."""
        self._monitor_publisher.send(Serving(serving))

    def restart(self, name: str = "", all_workers: bool = False, zero_downtime: bool = False) -> None:
        """Replace processes; without arguments this one.

        Args:
            name: The name of a process, or several with commas between them.
            all_workers: Replace all workers.
            zero_downtime: Stop a process only when the one that takes its place has started.

        Raises:
            ValueError: A name is given, and `all_workers`, or what is given names nothing.
        """
        if name and all_workers:
            raise ValueError("Restart either the processes of some names, or all workers: not both.")
        names = () if all_workers else tuple(part.strip() for part in (name or self.name).split(",") if part.strip())
        if not names and not all_workers:
            raise ValueError(f"{name!r} names no process to restart: give a name, or all_workers=True.")
        self._monitor_publisher.send(Restart(names, zero_downtime))

    def reload(self, name: str = "", all_workers: bool = False, zero_downtime: bool = False) -> None:
        """The same as `restart`."""
        self.restart(name, all_workers, zero_downtime)

    def scale(self, num_workers: int) -> None:
        """Have so many workers.

        Raises:
            TypeError: It is no whole number.
            ValueError: It is less than one.
        """
        if isinstance(num_workers, bool) or not isinstance(num_workers, int):
            raise TypeError(f"Cannot scale to {num_workers!r} workers: give a whole number.")
        if num_workers <= 0:
            raise ValueError(f"Cannot scale to {num_workers} workers: at least one is needed.")
        self._monitor_publisher.send(Scale(num_workers))

    def terminate(self, early: bool = False) -> None:
        """End everything.

        Args:
            early: Wait for nothing.
        """
        self._monitor_publisher.send(Terminate(early))

    def manage(
        self,
        ident: str,
        func: Callable[..., Any],
        kwargs: dict[str, Any],
        transient: bool = False,
        restartable: bool | None = None,
        tracked: bool = False,
        auto_start: bool = True,
        workers: int = 1,
    ) -> None:
        """Start a process of the application's own; for the arguments see `WorkerManager.manage`.

        Raises:
            TypeError: The function or its arguments cannot be sent to another process.
        """
        from multiprocessing.reduction import ForkingPickler

        try:
            parcel = bytes(ForkingPickler.dumps((func, kwargs)))
        except Exception as error:
            raise TypeError(
                f"The function of process {ident!r}, or one of its arguments, cannot be sent to another process: "
                f"{error}. Give a function that stands at the top of a module, and arguments that can be pickled."
            ) from error
        self._monitor_publisher.send(Manage(ident, parcel, transient, restartable, tracked, auto_start, workers))

    def exit(self) -> None:
        """Tell the manager nothing more."""
        self._monitor_publisher.close()
