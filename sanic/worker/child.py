"""A process that the manager has started: its link to the manager, its signals, and what it runs.

It ends when the manager does. What serving means it does not know.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

from sanic.exceptions import ServerError
from sanic.log import error_logger
from sanic.server.interrupts import Interrupts
from sanic.worker.messages import Failed, Loaded, Progress, States, Stop
from sanic.worker.settings import Orders
from sanic.worker.stranger import understand
from sanic.worker.traces import describe_failure

if TYPE_CHECKING:
    from sanic.worker.sources import SourceReporter

_INTERVAL = 1.0
#: Seconds of processor time within an interval that count as progress.
_BUSY = 0.02


class StartRefused(Exception):
    """A process cannot be started, for a reason that its message explains without a traceback."""


@dataclass(frozen=True)
class Linked:
    """A function of our own, for a process that serves nothing, which is called with the link and the requests, too."""

    function: Callable[..., Any]

    def __call__(self, link: Link, requests: Requests, **arguments: Any) -> None:
        """Call it."""
        self.function(link, requests, **arguments)


class Requests(Interrupts):
    """Requests to end: the first one counts, all others are repetitions of it.

    A terminal, or a service manager, sends a signal to all processes of a group, and then the manager sends one, too.
    Whoever is in a hurry tells the manager, which then kills.
    """

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.count:
            self.count = 1
            if self.on_signal is not None:
                self.on_signal()


class Link:
    """The link of a process to its manager.

    Args:
        up: The pipe to the manager.
        down: The pipe from the manager.
        grace: Seconds to end in when the manager is gone.
    """

    def __init__(self, up: Any, down: Any, grace: float) -> None:
        self._up = up
        self._down = down
        self._grace = grace
        self._lock = threading.Lock()
        self._parent = os.getppid()
        self._seen: tuple[int, float] = (0, 0.0)
        #: The states of all processes, by name.
        self.states: dict[str, dict[str, Any]] = {}
        #: Seconds that clients have to go elsewhere when the worker stops.
        self.linger = 0.0
        #: Whether it stops because another one takes its place, or is enough.
        self.is_replaced = False
        #: Whether the manager is gone.
        self.is_orphaned = False
        self.is_loaded = False
        self._hearing = threading.Lock()
        self._unheard: list[bytes] = []
        self._has_complained = False
        #: Gives the message that tells that the process is well, or None if it is not.
        self.beat: Callable[[], Any] = self._progress

    def start(self) -> None:
        """Listen to the manager, and tell it regularly how it goes."""
        threading.Thread(target=self._run, name="link to the manager", daemon=True).start()

    def send(self, message: Any) -> None:
        """Tell the manager something; when it is gone, nobody listens."""
        with self._lock:
            try:
                self._up.send(message)
            except OSError:
                return

    def close(self) -> None:
        """Tell the manager nothing more."""
        with self._lock:
            self._up.close()

    def _progress(self) -> Any:
        # Not that this thread lives, but that modules are loaded, or that something is computed.
        count, used = len(sys.modules), time.process_time()
        seen, self._seen = self._seen, (count, used)
        return Progress() if count != seen[0] or used - seen[1] > _BUSY else None

    def _run(self) -> None:
        due = time.monotonic()
        while os.getppid() == self._parent:
            try:
                if self._down.poll(max(0.0, due - time.monotonic())):
                    self._hear(self._down.recv_bytes())
            except (EOFError, OSError):
                break
            if time.monotonic() >= due:
                due = time.monotonic() + _INTERVAL
                message = self.beat()
                if message is not None:
                    self.send(message)
        self._end_alone()

    def loaded(self) -> None:
        """What the process runs has been imported: now it can end in order, and understand what it was told."""
        with self._hearing:
            while self._unheard:
                self._understand(self._unheard.pop(0))
            self.is_loaded = True
        self.send(Loaded())

    def _hear(self, data: bytes) -> None:
        with self._hearing:
            if self.is_loaded:
                self._understand(data)
            else:
                # It may refer to modules of the application, whose import is no business of this thread.
                self._unheard.append(data)

    def _understand(self, data: bytes) -> None:
        try:
            self._take(understand(data))
        except Exception:
            if not self._has_complained:
                self._has_complained = True
                error_logger.exception("What the manager tells cannot be understood.")

    def _take(self, message: Any) -> None:
        if isinstance(message, Stop):
            self.is_replaced = True
            self.linger = message.linger
            os.kill(os.getpid(), signal.SIGINT)
        elif isinstance(message, States):
            if message.is_complete:
                for name in [name for name in self.states if name not in message.states]:
                    del self.states[name]
            for name, state in message.states.items():
                if state is None:
                    self.states.pop(name, None)
                else:
                    self.states[name] = state

    def _end_alone(self) -> None:
        # Nothing may outlive the manager: nobody would ever stop it.
        self.is_orphaned = True
        if self.is_loaded:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(self._grace)
        os._exit(1)


def run_child(orders: Orders) -> None:
    """What a process runs from its start to its end.

    Args:
        orders: What the manager has sent.

    Raises:
        SystemExit: It could not be started, or has failed.
    """
    os.environ.update(orders.environment)
    for sock in orders.unwanted:
        sock.close()
    requests = Requests()
    _prepare_signals(orders, requests)
    link = Link(orders.up, orders.down, orders.grace)
    link.start()
    reporter = orders.reporter
    if reporter is not None:
        reporter.start()
    try:
        orders.main.load()
        function, arguments = orders.parcel.open()
        if orders.logging is not None and not isinstance(function, Linked):
            orders.logging.open().set_up()
    except BaseException as error:
        raise _give_up(link, error, reporter) from None
    link.loaded()
    if orders.is_server:
        try:
            function(link, requests, **arguments)
        except Exception as error:
            raise _give_up(link, error, reporter) from None
        return
    _run_function(link, function, arguments, requests)


def _run_function(link: Link, function: Any, arguments: dict[str, Any], requests: Requests) -> None:
    try:
        if isinstance(function, Linked):
            function(link, requests, **arguments)
            return
        requests.on_signal = _interrupt
        if requests.count:
            return
        function(**arguments)
    except KeyboardInterrupt:
        return
    except Exception as error:
        error_logger.exception("%s failed.", os.environ.get("SANIC_WORKER_NAME"))
        raise SystemExit(1) from error


def _interrupt() -> None:
    raise KeyboardInterrupt


def _give_up(link: Link, error: BaseException, reporter: SourceReporter | None) -> SystemExit:
    if reporter is not None:
        reporter.tell_error(error)
    # The manager says it: once, however many workers fail for the same reason.
    if isinstance(error, SystemExit):
        reason = f"it exited with status {error.code!r} while it was loading."
    elif isinstance(error, StartRefused) or type(error) is ServerError:
        reason = str(error)
    else:
        reason = describe_failure(error)
    link.send(Failed(reason))
    return SystemExit(1)


def _prepare_signals(orders: Orders, requests: Requests) -> None:
    signal.set_wakeup_fd(-1)
    for name in ("SIGHUP", "SIGTTIN", "SIGTTOU"):
        if hasattr(signal, name):
            # Of the manager, but sent to the whole group at times.
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    requests.__enter__()
    faulthandler.enable(file=orders.trace.fileno(), all_threads=True)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
