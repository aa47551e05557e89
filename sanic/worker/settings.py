"""What a worker process has to know, as one object that can be sent to it; how it is sent it does not know."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from multiprocessing.reduction import ForkingPickler
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.worker.loader import AppLoader
    from sanic.worker.sources import SourceReporter

#: What the main process was told, and workers could not find out by themselves.
_PASSED_ON = ("ACCESS_LOG", "NOISY_EXCEPTIONS", "AUTO_RELOAD", "DRAIN_SECONDS")
#: Of the main process only.
_KEPT_BACK = ("app", "loop", "run_async", "register_sys_signals")


@dataclass(frozen=True)
class AppSettings:
    """One application.

    Args:
        name: Its name.
        addresses: The arguments of `serve` for each of its addresses, with the bound socket.
        config: Configuration that was decided in the main process.
        is_debug: Whether it runs in debug mode.
        verbosity: How much is told, 0 to 2.
        state: Attributes of its state.
        shared: What stands in its `shared_ctx`.
    """

    name: str
    addresses: tuple[dict[str, Any], ...]
    config: dict[str, Any]
    is_debug: bool = False
    verbosity: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, app: Sanic[Any, Any]) -> AppSettings:
        """What a worker has to know of an application that is prepared to be served."""
        addresses = (
            {key: value for key, value in info.settings.items() if key not in _KEPT_BACK}
            for info in app.state.server_info
        )
        state = app.state
        return cls(
            name=app.name,
            addresses=tuple(addresses),
            config={key: app.config[key] for key in _PASSED_ON if key in app.config},
            is_debug=state.is_debug,
            verbosity=state.verbosity,
            state={"fast": state.fast, "workers": state.workers, "auto_reload": state.auto_reload},
            shared={key: value for key, value in vars(app.shared_ctx).items() if key != "_is_locked"},
        )


@dataclass(frozen=True)
class WorkerSettings:
    """Everything that a worker serves.

    Args:
        apps: The applications, the primary one first.
        loader: Loads the primary application; without one it is there when the main module has been imported.
    """

    apps: tuple[AppSettings, ...]
    loader: AppLoader | None = None


@dataclass(frozen=True)
class MainModule:
    """The main module, which a process that was not forked has to import, too.

    Args:
        data: As `multiprocessing.spawn.prepare` wants it; empty if there is nothing to import.
    """

    data: dict[str, str]

    @classmethod
    def current(cls) -> MainModule:
        """That of this process."""
        import os

        module = sys.modules["__main__"]
        spec = getattr(module, "__spec__", None)
        path = getattr(module, "__file__", None)
        if spec is not None:
            return cls({"init_main_from_name": spec.name})
        # What was read from standard input has a name, but no other process can read it again.
        return cls({"init_main_from_path": os.path.abspath(path)} if path and os.path.isfile(path) else {})

    def load(self) -> None:
        """Import it, as `__mp_main__`."""
        name = self.data.get("init_main_from_name", "")
        if name.rpartition(".")[2] == "__main__":
            # Of a package, which multiprocessing leaves alone.
            from runpy import run_module

            module = ModuleType("__mp_main__")
            vars(module).update(run_module(name, run_name="__mp_main__", alter_sys=True))
            sys.modules["__main__"] = sys.modules["__mp_main__"] = module
        elif self.data:
            from multiprocessing.spawn import prepare

            prepare(self.data)


class Parcel:
    """Something for another process, which opens it when it has imported what the contents refer to.

    Args:
        content: A function and its keyword arguments, or these as bytes.
    """

    #: Whether the main module is imported before it is opened; decided by who sends it.
    imports_main = True

    def __init__(self, content: Any) -> None:
        self._content = content

    def __getstate__(self) -> bytes:
        # While a process is being started: now sockets and semaphores can be pickled.
        content = self._content
        return content if isinstance(content, bytes) else bytes(ForkingPickler.dumps(content))

    def __setstate__(self, content: bytes) -> None:
        self._content = content

    def open(self) -> Any:
        """The contents."""
        if isinstance(self._content, bytes):
            return ForkingPickler.loads(self._content)
        return self._content


@dataclass(frozen=True)
class Orders:
    """What a process is started with.

    Args:
        name: Its name.
        up: The pipe to the manager.
        down: The pipe from the manager.
        trace: The pipe that takes the stacks of a process that is in trouble.
        main: The main module to import.
        parcel: What it is to run.
        environment: Variables of its environment.
        is_server: Whether it is a worker that serves.
        grace: Seconds that it has to end in when the manager is gone.
        reporter: Tells the reloader which files it has loaded, None if nobody wants to know.
        logging: How a function of the application's own logs, None if that is settled.
        unwanted: Sockets that it has inherited, and must not keep open.
    """

    name: str
    up: Any
    down: Any
    trace: Any
    main: MainModule
    parcel: Parcel
    environment: dict[str, str]
    is_server: bool
    grace: float
    reporter: SourceReporter | None = None
    logging: Parcel | None = None
    unwanted: tuple[Any, ...] = ()
