"""Starting processes, and holding on to them: their pipes, signals, exit codes. What they run it does not know."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from sanic.worker.child import run_child
from sanic.worker.pipes import Inlet, Outlet
from sanic.worker.settings import MainModule, Orders, Parcel

if TYPE_CHECKING:
    from sanic.worker.sources import SourceReporter

_TRACE_SIZE = 1 << 20
#: What multiprocessing, too, says of a process whose exit code nobody knows.
_UNKNOWN_CODE = 255


class Handle(Protocol):
    """A process that has been started."""

    pid: int
    #: What `multiprocessing.connection.wait` finds ready when the process has ended, and when it has sent something.
    sentinel: Any
    mailbox: Any

    def receive(self) -> list[Any]:
        """What it has sent since."""

    def send(self, message: Any) -> None:
        """Tell it something; never waits."""

    @property
    def is_behind(self) -> bool:
        """Whether it has not taken all that it was told."""

    def flush(self) -> None:
        """Tell it what it has not taken, as far as it listens."""

    def signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""

    def reap(self) -> int | None:
        """Its exit code if it has ended."""

    def processor_time(self) -> float:
        """Seconds of processor time that it has used; 0 where that cannot be known."""

    def trace(self) -> str:
        """The stacks that it has left."""

    def close(self) -> None:
        """Let go of it."""


class ProcessHandle:
    """A process of `multiprocessing`."""

    def __init__(self, process: Any, up: Any, down: Any, trace: Any) -> None:
        self._process = process
        self._inlet = Inlet(up)
        self._outlet = Outlet(down)
        self._trace = trace
        self.pid: int = process.pid
        self.mailbox = up
        self._pidfd = _open_pidfd(process)
        self.sentinel = process.sentinel if self._pidfd is None else self._pidfd

    def receive(self) -> list[Any]:
        """What it has sent since."""
        if self.mailbox is None:
            return []
        messages, is_open = self._inlet.receive()
        if not is_open:
            self.mailbox.close()
            self.mailbox = None
        return messages

    def send(self, message: Any) -> None:
        """Tell it something; what it does not take at once waits."""
        self._outlet.send(message)

    @property
    def is_behind(self) -> bool:
        """Whether it has not taken all that it was told."""
        return self._outlet.is_behind

    def flush(self) -> None:
        """Tell it what it has not taken, as far as it listens."""
        self._outlet.flush()

    def signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self._process.exitcode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def reap(self) -> int | None:
        """Its exit code if it has ended."""
        self._process.join(0)
        code: int | None = self._process.exitcode
        return _UNKNOWN_CODE if code is None and self._is_taken() else code

    def _is_taken(self) -> bool:
        # Whether somebody else in this process has waited for it, so that nobody learns its exit code any more.
        if self._pidfd is None:
            return False
        try:
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        return False

    def processor_time(self) -> float:
        """Seconds of processor time that it has used; 0 where that cannot be known."""
        with suppress(OSError, ValueError, IndexError), open(f"/proc/{self.pid}/stat", "rb") as file:
            # After the name, which may hold anything: see proc(5).
            fields = file.read().rpartition(b")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0

    def trace(self) -> str:
        """The stacks that it has left."""
        with suppress(BlockingIOError):
            return os.read(self._trace.fileno(), _TRACE_SIZE).decode(errors="replace")
        return ""

    def close(self) -> None:
        """Let go of it."""
        if self.mailbox is not None:
            self.mailbox.close()
            self.mailbox = None
        self._outlet.close()
        self._trace.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None
        with suppress(ValueError):
            self._process.close()


class Spawner:
    """Starts processes.

    Args:
        context: A context of `multiprocessing`.
        main: The main module that processes import.
        reporter: Tells the reloader which files they have loaded.
        logging: How functions of the application's own log; in a forked process that is settled.
        listeners: Sockets of the workers, which other processes must not keep open; only forked ones have them.
    """

    def __init__(
        self,
        context: Any,
        main: MainModule,
        reporter: SourceReporter | None = None,
        logging: Parcel | None = None,
        listeners: Iterable[Any] = (),
    ) -> None:
        self._context = context
        self._reporter = reporter
        self._main = main
        self._imports = context.get_start_method() != "fork"
        self._logging = logging if self._imports else None
        self._listeners = () if self._imports else tuple(listeners)

    def spawn(
        self, name: str, parcel: Parcel, environment: dict[str, str], *, is_server: bool, grace: float
    ) -> ProcessHandle:
        """Start a process.

        Args:
            name: Its name.
            parcel: What it is to run.
            environment: Variables of its environment.
            is_server: Whether it is a worker that serves.
            grace: Seconds that it has to end in when the manager is gone.

        Raises:
            TypeError: What it is given cannot be sent to another process.
        """
        up, up_end = self._context.Pipe(duplex=False)
        down_end, down = self._context.Pipe(duplex=False)
        trace, trace_end = self._context.Pipe(duplex=False)
        main = self._main if self._imports and parcel.imports_main else MainModule({})
        reporter = self._reporter if parcel.imports_main else None
        orders = Orders(
            name,
            up_end,
            down_end,
            trace_end,
            main,
            parcel,
            environment,
            is_server,
            grace,
            reporter,
            logging=None if is_server else self._logging,
            unwanted=() if is_server else self._listeners,
        )
        process = self._context.Process(target=run_child, args=(orders,), name=name)
        try:
            with _signals_held(), _main_hidden(self._imports):
                process.start()
        except BaseException:
            for end in (up, down, trace):
                end.close()
            raise
        finally:
            for end in (up_end, down_end, trace_end):
                end.close()
        os.set_blocking(trace.fileno(), False)
        return ProcessHandle(process, up, down, trace)


def _open_pidfd(process: Any) -> int | None:
    # Sees the end of exactly this process; the pipe of multiprocessing may be held open by children of it. The
    # processes of a fork server are not our own.
    if hasattr(os, "pidfd_open") and not type(process).__name__.startswith("ForkServer"):
        with suppress(OSError):
            return os.pidfd_open(process.pid)
    return None


@contextmanager
def _signals_held() -> Iterator[None]:
    # The process begins its life with these signals held back, until it can handle them in order.
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing.resource_tracker import ensure_running

    # Which lets signals pass when it starts its process.
    ensure_running()
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


@contextmanager
def _main_hidden(is_hidden: bool) -> Iterator[None]:
    # multiprocessing would import the main module before anything of ours runs in the process: nobody would know how
    # far it is, and errors would reach no log. So it is not told where that module is; `run_child` imports it.
    main = sys.modules["__main__"]
    if not is_hidden:
        yield
        return
    double = ModuleType("__main__")
    vars(double).update(vars(main))
    double.__spec__ = None
    vars(double).pop("__file__", None)
    sys.modules["__main__"] = double
    try:
        yield
    finally:
        sys.modules["__main__"] = main
