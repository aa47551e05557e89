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
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

from sanic.exceptions import ServerError
from sanic.log import error_logger
from sanic.server.interrupts import Interrupts
from sanic.worker.messages import Failed, Loaded, Progress, States, Stop
from sanic.worker.settings import Orders

_INTERVAL = 1.0
#: Seconds of processor time within an interval that count as progress.
_BUSY = 0.02


class StartRefused(Exception):
    """A process cannot be started, for a reason that its message explains without a traceback."""


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
        self.is_loaded = False
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
                    self._take(self._down.recv())
            except (EOFError, OSError):
                break
            if time.monotonic() >= due:
                due = time.monotonic() + _INTERVAL
                message = self.beat()
                if message is not None:
                    self.send(message)
        self._end_alone()

    def _take(self, message: Any) -> None:
        if isinstance(message, Stop):
            self.linger = message.linger
            os.kill(os.getpid(), signal.SIGINT)
        elif isinstance(message, States):
            for name, state in message.states.items():
                if state is None:
                    self.states.pop(name, None)
                else:
                    self.states[name] = state

    def _end_alone(self) -> None:
        # Nothing may outlive the manager: nobody would ever stop it.
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
    requests = Requests()
    _prepare_signals(orders, requests)
    link = Link(orders.up, orders.down, orders.grace)
    link.start()
    try:
        orders.main.load()
        function, arguments = orders.parcel.open()
    except BaseException as error:
        raise _give_up(link, error) from None
    link.is_loaded = True
    link.send(Loaded())
    if orders.is_server:
        try:
            function(link, requests, **arguments)
        except Exception as error:
            raise _give_up(link, error) from None
        return
    _run_function(function, arguments, requests)


def _run_function(function: Callable[..., Any], arguments: dict[str, Any], requests: Requests) -> None:
    try:
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


def _give_up(link: Link, error: BaseException) -> SystemExit:
    # The manager says it: once, however many workers fail for the same reason.
    if isinstance(error, SystemExit):
        reason = f"it exited with status {error.code!r} while it was loading."
    elif isinstance(error, StartRefused) or type(error) is ServerError:
        reason = str(error)
    else:
        reason = "".join(traceback.format_exception(error)).rstrip()
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
