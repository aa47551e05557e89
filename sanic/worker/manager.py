"""The manager of all processes: one loop that waits for their ends, their messages, and signals, and acts on them.

It polls nothing: between two events it sleeps until the next deadline. How a process is started, what time it is, and
how one waits are arguments.
"""

from __future__ import annotations

import os
import signal as signals
import time
from collections.abc import Callable, Iterator
from enum import IntEnum, auto
from typing import TYPE_CHECKING, Any, ClassVar

from sanic.log import error_logger, logger
from sanic.worker.bulletin import Bulletin
from sanic.worker.constants import RestartOrder
from sanic.worker.development import Development
from sanic.worker.inbox import REPETITION_SECONDS
from sanic.worker.messages import Ack, Beat, Failed, Loaded, Note, Progress, Serving, Stop
from sanic.worker.pipes import understand_into
from sanic.worker.process import Event, Run, WorkerProcess
from sanic.worker.recycling import Recycling
from sanic.worker.restarter import Restarter
from sanic.worker.settings import Parcel
from sanic.worker.watch import Watch, how_it_ended
from sanic.worker.wishes import grant

if TYPE_CHECKING:
    from sanic.worker.spawner import Handle


class MonitorCycle(IntEnum):
    """Whether the manager goes on to wait."""

    BREAK = auto()
    CONTINUE = auto()


class WorkerManager:
    """Starts, watches, replaces and ends the processes of a server.

    Args:
        workers: Number of workers.
        parcel: What each of them runs.
        spawner: Starts processes.
        inbox: The signals of this process.
        commands: A pipe as `(reader, writer)`, which takes messages from elsewhere in this process; default none.
        clock: Tells the time, in seconds.
        wait: Waits until one of some objects is ready, as `multiprocessing.connection.wait` does.
        grace: Seconds that a worker has to stop in.
        linger: Seconds that clients which keep connections open have for a last request to a worker that is replaced.
        hang_timeout: Seconds without a sign of its loop, after which a worker is replaced; 0 for never.
        recycling: When a worker has done enough; default never.
        is_developed: Whether a version of the program that cannot be started is told of, and the next one waited for.
        on_stop: Called when the end begins.
    """

    #: Tenths of a second that a worker may take to start without making progress.
    THRESHOLD: ClassVar[int] = 300
    MAIN_NAME: ClassVar[str] = "Sanic-Main"

    def __init__(
        self,
        workers: int,
        parcel: Parcel,
        spawner: Any,
        inbox: Any,
        *,
        commands: tuple[Any, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[list[Any], float | None], list[Any]] | None = None,
        grace: float = 15.0,
        linger: float = 1.0,
        hang_timeout: float = 0.0,
        recycling: Recycling | None = None,
        is_developed: bool = False,
        on_stop: Callable[[], object] | None = None,
    ) -> None:
        if wait is None:
            from multiprocessing.connection import wait as wait_for_connections

            wait = wait_for_connections
        self._parcel = parcel
        self._spawner = spawner
        self._inbox = inbox
        self._commands: Any
        #: Takes messages from other places of this process: the name of a process restarts it.
        self.monitor_publisher: Any
        self._commands, self.monitor_publisher = commands or (None, None)
        self._clock = clock
        self._wait = wait
        self._grace = grace
        self._linger = linger
        self._watch = Watch(self, clock, hang_timeout)
        self._on_stop = on_stop
        #: Called whenever something has happened.
        self.on_turn: Callable[[], object] | None = None
        self.restarter = Restarter(self)
        self.development = Development(self, is_developed)
        self._recycling = recycling or Recycling()
        self._bulletin = Bulletin(clock, {self.MAIN_NAME: {"pid": self.pid}})
        #: The states of all processes, by name.
        self.worker_state: dict[str, dict[str, Any]] = self._bulletin.states
        self._processes: dict[str, WorkerProcess] = {}
        self._last_interrupt: float | None = None
        self._is_started = False
        self.is_complete = False
        self.is_stopping = False
        self.exit_code = 0
        for _ in range(workers):
            self.create_server()

    # -- What there is -----------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """Id of the main process."""
        return os.getpid()

    @property
    def processes(self) -> Iterator[WorkerProcess]:
        """All processes."""
        return iter(tuple(self._processes.values()))

    @property
    def all_workers(self) -> list[WorkerProcess]:
        """All processes, as a list."""
        return list(self.processes)

    @property
    def workers(self) -> list[WorkerProcess]:
        """The workers, which serve."""
        return [process for process in self.processes if process.is_server]

    @property
    def num_server(self) -> int:
        """How many of them are wanted."""
        return sum(not worker.is_removed for worker in self.workers)

    @property
    def transient_processes(self) -> Iterator[WorkerProcess]:
        """Those that are replaced together with the workers."""
        return (process for process in self.processes if process.transient)

    @property
    def durable_processes(self) -> Iterator[WorkerProcess]:
        """Those that are not."""
        return (process for process in self.processes if not process.transient)

    def create_server(self) -> WorkerProcess:
        """Add one worker; it is started with the others, or at once if they are."""
        number = next(n for n in range(len(self._processes) + 1) if f"Sanic-Server-{n}-0" not in self._processes)
        process = WorkerProcess(
            f"Sanic-Server-{number}-0",
            f"Sanic-Server-{number}",
            f"Srv {number:>2}",
            self._parcel,
            transient=True,
            restartable=True,
            is_server=True,
        )
        self._add(process)
        return process

    def manage(
        self,
        name: str,
        func: Callable[..., Any],
        kwargs: dict[str, Any],
        transient: bool = False,
        restartable: bool | None = None,
        tracked: bool = True,
        auto_start: bool = True,
        workers: int = 1,
        ident: str = "",
    ) -> None:
        """Run a function in a process of its own; it must end on SIGINT, which it sees as a KeyboardInterrupt.

        Args:
            name: Its name; the process is called `Sanic-<name>-<number>`.
            func: The function.
            kwargs: Its arguments.
            transient: Whether it is replaced together with the workers.
            restartable: Whether it may be started again; default if it is transient.
            tracked: Whether it is known of when it has ended.
            auto_start: Whether it starts with the server.
            workers: Number of processes.
            ident: What its log lines begin with, at most five letters; default the name.

        Raises:
            ValueError: The name is taken, or it is transient and not restartable.
        """
        self.manage_parcel(name, Parcel((func, kwargs)), transient, restartable, tracked, auto_start, workers, ident)

    def manage_parcel(
        self,
        name: str,
        parcel: Parcel,
        transient: bool,
        restartable: bool | None,
        tracked: bool,
        auto_start: bool,
        workers: int,
        ident: str = "",
    ) -> None:
        """Run what is packed up already; for the other arguments see `manage`.

        Args:
            parcel: The function and its arguments.

        Raises:
            ValueError: The name is taken, or it is transient and not restartable.
        """
        names = {f"Sanic-{name}-{number}" for number in range(workers)}
        if any(name in (process.group, process.name) or process.name in names for process in self.processes):
            raise ValueError(f"There is a process {name!r} already: give each one a name of its own.")
        if transient and restartable is False:
            raise ValueError(f"The process {name!r} cannot be transient and not restartable: choose one.")
        for number in range(workers):
            process = WorkerProcess(
                f"Sanic-{name}-{number}",
                name,
                (ident or name)[:5],
                parcel,
                transient=transient,
                restartable=transient if restartable is None else restartable,
                tracked=tracked,
                auto_start=auto_start,
            )
            self._add(process)

    def _add(self, process: WorkerProcess) -> None:
        self._processes[process.name] = process
        if self._is_started and process.auto_start:
            self.start_process(process)

    def remove_worker(self, worker: WorkerProcess) -> None:
        """Stop a process, and forget it when it has ended."""
        worker.is_removed = True
        worker.start_at = None
        self.restarter.forget(worker)
        for run in worker.runs:
            self._stop(worker, run, lingers=True)
        if worker.is_over:
            self._processes.pop(worker.name, None)

    # -- From start to end -------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Start all processes, watch them until the end, and return the exit status."""
        try:
            self.start()
            self.wait_for_ack()
            self.monitor()
        finally:
            self.kill()
            self.join()
        return self.exit_code

    def start(self) -> None:
        """Start the processes."""
        self._is_started = True
        for process in self.processes:
            self._take_signals()
            if process.auto_start and not self.is_stopping:
                self.start_process(process)

    def wait_for_ack(self) -> None:
        """Wait until all workers have started, or the end has begun."""
        while not self.is_stopping and not self.is_complete:
            self._turn()

    def monitor(self) -> None:
        """Watch the processes until all of them have ended."""
        while self._turn() is MonitorCycle.CONTINUE:
            continue

    def join(self) -> None:
        """Wait until all processes have ended; they have been told to."""
        while any(True for process in self.processes for _ in process.runs):
            self._turn()
        for process in self.processes:
            process.advance(Event.JOIN)

    def cleanup(self) -> None:
        """Forget all processes."""
        self._processes.clear()

    def shutdown(self) -> None:
        """Begin the end: every process finishes what it does."""
        if self.is_stopping:
            return
        self.is_stopping = True
        if self._on_stop is not None:
            self._on_stop()
        for process in self.processes:
            process.start_at = None
            process.is_restarting = False
            for run in process.runs:
                self._stop(process, run)

    terminate = shutdown

    def shutdown_server(self, name: str | None = None) -> None:
        """Stop one worker for good; without a name the last one."""
        workers = [worker for worker in self.workers if not worker.is_removed and name in (None, worker.name)]
        if not workers:
            error_logger.error("There is no worker %s to stop.", name or "left")
            return
        self.remove_worker(workers[-1])

    def shutdown_signal(self, signal: int, frame: Any) -> None:
        """End because of a signal: in order for the first, at once for the second."""
        now = self._clock()
        previous, self._last_interrupt = self._last_interrupt, now
        if previous is None:
            logger.info("Received signal %s. Shutting down.", signals.Signals(signal).name)
            self.shutdown()
        elif now - previous > REPETITION_SECONDS:
            logger.info("Received signal %s again. Killing all processes.", signals.Signals(signal).name)
            self.exit_code = self.exit_code or 1
            self.kill()

    def kill(self) -> None:
        """End all processes at once."""
        self.shutdown()
        for process in self.processes:
            for run in process.runs:
                run.kill_at = None
                run.handle.signal(signals.SIGKILL)

    def restart(
        self,
        process_names: list[str] | None = None,
        restart_order: RestartOrder = RestartOrder.SHUTDOWN_FIRST,
        **kwargs: Any,
    ) -> None:
        """Replace processes.

        Args:
            process_names: Their names; default all that are transient.
            restart_order: Whether a worker is stopped before, or after, the other one has started.
        """
        if not self.is_stopping:
            self.restarter.restart(process_names or (), restart_order)

    def scale(self, num_worker: int) -> None:
        """Have so many workers.

        Raises:
            ValueError: It is less than one.
        """
        if num_worker <= 0:
            raise ValueError(f"Cannot scale to {num_worker} workers: at least one is needed.")
        if self.is_stopping:
            return
        difference = num_worker - self.num_server
        logger.info("Scaling to %s workers.", num_worker)
        for _ in range(difference):
            self.create_server()
        for _ in range(-difference):
            self.shutdown_server()

    # -- Single processes --------------------------------------------------------------------------------------------

    def start_process(self, process: WorkerProcess) -> bool:
        """Start a process, or the one that is to take its place; returns whether there is one now."""
        if self.is_stopping:
            return False
        environment = {
            "SANIC_WORKER_NAME": process.name,
            "SANIC_WORKER_IDENTIFIER": process.ident,
            "SANIC_WORKER_PROCESS": "true",
        }
        try:
            handle: Handle = self._spawner.spawn(
                process.name, process.parcel, environment, is_server=process.is_server, grace=self._grace
            )
        except Exception as error:
            # What it is given cannot be pickled, or the machine has no room for another process.
            process.start_at = None
            if process.is_server and not self.is_complete:
                self.fail(f"{process.name} cannot be started: {type(error).__name__}: {error}")
            else:
                error_logger.error("%s cannot be started.", process.name, exc_info=error)
                is_wanted = process.is_server or process.is_revived or process.is_restarting
                if is_wanted and process.run is None:
                    process.failures += 1
                    self._watch.start_later(process)
            return False
        run = Run(handle, self._clock(), self._recycling.limit())
        process.begin(run)
        self._bulletin.tell_all(run)
        return True

    def replace(self, process: WorkerProcess) -> None:
        """Stop a process, and start it when it has ended."""
        process.is_restarting = True
        process.advance(Event.RESTART)
        for run in process.runs:
            self._stop(process, run, lingers=True)

    def retire(self, process: WorkerProcess, run: Run) -> None:
        """Stop a run whose successor has started."""
        self._stop(process, run, lingers=True)

    def _stop(self, process: WorkerProcess, run: Run, lingers: bool = False) -> None:
        if run.is_stopping:
            return
        run.is_stopping = True
        if run is process.run and not process.is_restarting:
            process.advance(Event.STOP)
        if not run.is_loaded:
            # It has nothing to lose, and does not hear before it has imported everything.
            run.handle.signal(signals.SIGKILL)
            return
        run.kill_at = self._clock() + self._grace
        if lingers and process.is_server:
            run.kill_at += self._linger
            run.handle.send(Stop(self._linger))
        else:
            run.handle.signal(signals.SIGINT)

    def fail(self, reason: str) -> None:
        """End everything, because the server cannot be started."""
        if not self.is_stopping:
            self.exit_code = 1
            error_logger.error("%s", reason)
            error_logger.error("Not all workers acknowledged a successful startup. Shutting down.")
            self.kill()

    # -- The loop ----------------------------------------------------------------------------------------------------

    def _turn(self) -> MonitorCycle:
        if self.is_stopping and all(process.is_over for process in self.processes):
            return MonitorCycle.BREAK
        runs = [(process, run) for process in self.processes for run in process.runs]
        waited_for = [self._inbox.waitable, *([self._commands] if self._commands is not None else [])]
        waited_for += [run.handle.sentinel for _, run in runs]
        waited_for += [run.handle.mailbox for _, run in runs if run.handle.mailbox is not None]
        now = self._clock()
        due = min((*self._watch.deadlines(), *self._bulletin.deadlines()), default=None)
        ready = self._wait(waited_for, None if due is None else max(0.0, due - now))
        self._watch.forgive(due)
        if self._commands in ready:
            self._take_commands()
        for process, run in runs:
            if run.handle.mailbox in ready or run.handle.sentinel in ready:
                for message in run.handle.receive():
                    self._hear(process, run, message)
        # After the messages, so that who has just been loaded is not taken for one with nothing to lose; and before the
        # ends, since a signal to the whole group explains them.
        self._take_signals()
        self.is_complete = self.is_complete or self._have_all_started()
        for process, run in runs:
            if run.handle.sentinel in ready and (code := run.handle.reap()) is not None:
                self._ended(process, run, code)
        self._watch.act()
        if self.on_turn is not None:
            self.on_turn()
        self._bulletin.tell(self.processes)
        return MonitorCycle.CONTINUE

    def _take_signals(self) -> None:
        for number in self._inbox.take():
            if number in (signals.SIGINT, signals.SIGTERM):
                self.shutdown_signal(number, None)
            elif self.is_stopping:
                continue
            elif number == signals.SIGHUP:
                logger.info("Received signal SIGHUP. Replacing all workers.")
                self.restart(restart_order=RestartOrder.STARTUP_FIRST)
            elif number == signals.SIGTTIN:
                self.scale(self.num_server + 1)
            elif number == signals.SIGTTOU and self.num_server > 1:
                self.scale(self.num_server - 1)

    def _take_commands(self) -> None:
        wishes: list[Any] = []
        while self._commands.poll():
            understand_into(wishes, self._commands.recv_bytes())
        for wish in wishes:
            grant(self, wish)

    def _hear(self, process: WorkerProcess, run: Run, message: Any) -> None:
        # What an application says must not bring down everything.
        try:
            self._take(process, run, message)
        except Exception:
            error_logger.exception("What %s has told the manager cannot be handled.", process.name)

    def _take(self, process: WorkerProcess, run: Run, message: Any) -> None:
        if isinstance(message, (Progress, Beat, Loaded, Ack)):
            run.sign(self._clock())
        if isinstance(message, Loaded):
            run.is_loaded = True
            if run is process.run:
                process.advance(Event.LOADED)
        elif isinstance(message, Ack):
            self._acked(process, run)
        elif isinstance(message, Failed):
            run.reason = message.reason
        elif isinstance(message, Serving):
            process.set_serving(run, message.is_serving)
        elif isinstance(message, Note):
            process.note(run, message.key, message.value)
        elif isinstance(message, Beat):
            self._count(process, run, message)
        elif not isinstance(message, Progress):
            grant(self, message)

    def _count(self, process: WorkerProcess, run: Run, beat: Beat) -> None:
        run.count(beat)
        reason = self._recycling.reason(process, run, self._clock())
        if reason and not self.is_stopping:
            logger.info("%s (pid %s) %s: it is replaced.", process.name, run.handle.pid, reason)
            self.restart([process.name], RestartOrder.STARTUP_FIRST)

    def _acked(self, process: WorkerProcess, run: Run) -> None:
        if run.acked_at is not None:
            return
        run.acked_at = self._clock()
        if run is process.successor:
            process.advance(Event.ACK)
            self.restarter.started(process)
        elif run is process.run:
            process.advance(Event.ACK)

    def _have_all_started(self) -> bool:
        wanted = [worker.run for worker in self.workers if not worker.is_removed]
        return bool(wanted) and all(run is not None and run.acked_at is not None for run in wanted)

    # -- Ends ------------------------------------------------------------------------------------------

    def _ended(self, process: WorkerProcess, run: Run, code: int) -> None:
        if trace := run.handle.trace():
            error_logger.error("%s (pid %s) left these stacks:\n%s", process.name, run.handle.pid, trace.rstrip())
        run.handle.close()
        self.development.ended(process, code)
        was_run, was_successor = run is process.run, run is process.successor
        process.end(run, code == 0)
        if self.is_stopping:
            return
        if was_successor and run.is_stopping and not run.reason:
            self.restarter.forget(process)
        elif was_successor:
            self.restarter.failed(process, run, run.reason or how_it_ended(code))
        elif was_run and process.is_removed:
            pass
        elif was_run and process.is_restarting:
            self.start_process(process)
        elif was_run and self.development.takes(process, run, code):
            pass
        elif was_run and process.is_server:
            self._watch.ended(process, run, code)
        elif was_run and process.is_revived:
            self._watch.revive(process, run, code)
        elif was_run and code and not run.is_stopping:
            what = f"could not be started: {run.reason}" if run.reason else f"{how_it_ended(code)}."
            error_logger.error("%s (pid %s) %s", process.name, run.handle.pid, what)
        if process.is_over and (process.is_removed or (not process.tracked and process.start_at is None)):
            self._processes.pop(process.name, None)
