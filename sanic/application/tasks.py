"""The background tasks of one application.

Every task has this owner: it starts them, finds them by name, reports what they raise and ends them in time. It
does not know what an application is; it is handed one to pass on, and a callback that reports exceptions.
"""

from __future__ import annotations

import asyncio
import inspect
from asyncio import AbstractEventLoop, Future, Task
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from sanic.exceptions import SanicException
from sanic.log import error_logger

TaskLike = Callable[..., Any] | Awaitable[Any]
ExceptionReport = Callable[[Exception], Any]


class BackgroundTasks:
    """Owner of an application's background tasks, before and while its loop runs.

    Args:
        report: called with each exception that ends a task; what it returns is awaited if it can be
    """

    def __init__(self, report: ExceptionReport | None = None) -> None:
        self._report = report
        #: Given before the loop ran, in the order they came.
        self.delayed: list[TaskLike] = []
        #: Callables that were started on a loop and are started anew on the next one.
        self._portable: list[TaskLike] = []
        self._dispatched_on: AbstractEventLoop | None = None
        self._named: dict[str, Future[Any]] = {}
        #: Strong references to all that has not ended; the loop itself keeps weak ones only.
        self._alive: set[Future[Any]] = set()
        #: Cancelled because everything ends, which is nothing to warn of.
        self._dismissed: set[Future[Any]] = set()

    # Starting

    def add(
        self,
        task: TaskLike,
        *,
        app: Any,
        name: str | None = None,
        register: bool = True,
        loop: AbstractEventLoop | None = None,
    ) -> Future[Any] | None:
        """Run something in the background.

        Args:
            task: a coroutine or other awaitable, an ``asyncio.Task`` or ``Future``, or a callable taking the
                application or nothing
            app: what a callable is called with
            name: name of the task
            register: whether a named task can be found by its name, in place of an earlier one
            loop: the running loop; ``None`` keeps the work for ``dispatch_delayed``

        Returns:
            the task, or ``None`` when it was kept for later

        Raises:
            RuntimeError: a name was given while no loop runs
            TypeError: there is nothing to run
        """
        if not callable(task) and not inspect.isawaitable(task):
            raise TypeError(f"A task is a coroutine, another awaitable, or a function that makes one, not {task!r}.")
        if loop is None:
            if name:
                raise RuntimeError(
                    f"Cannot name task outside of a running application: '{name}'. "
                    "Add it from a listener or a handler, or without a name."
                )
            self.delayed.append(task)
            return None
        return self._start(task, app, loop, name, register)

    async def dispatch_delayed(self, app: Any) -> None:
        """Start what was added before the loop ran, without waiting for it.

        Coroutine objects can run once only and are forgotten; callables are kept for the next start of the same
        application.

        Args:
            app: what callables are called with
        """
        loop = asyncio.get_running_loop()
        if loop is not self._dispatched_on:
            self._dispatched_on = loop
            self.delayed[:0] = self._portable
            self._portable = []
        delayed, self.delayed = self.delayed, []
        self._portable += [task for task in delayed if not inspect.isawaitable(task)]
        for task in delayed:
            self._start(task, app, loop, None, False)

    async def run(self, task: TaskLike, app: Any) -> Any:
        """Run the work here and now, as a background task would, but without reporting.

        Args:
            task: as for ``add``
            app: what a callable is called with

        Returns:
            its result
        """
        result: Any = task if inspect.isawaitable(task) else call_with_app(task, app)
        return await result if inspect.isawaitable(result) else result

    def _start(
        self, task: TaskLike, app: Any, loop: AbstractEventLoop, name: str | None, register: bool
    ) -> Future[Any]:
        future: Future[Any]
        if isinstance(task, Future):
            future = task
        else:
            future = loop.create_task(self.run(task, app), name=name or f"background {_title(task)}")
        self._alive.add(future)
        future.add_done_callback(partial(self._ended, name=name))
        if name and register:
            self._named[name] = future
        return future

    def _ended(self, future: Future[Any], name: str | None) -> None:
        self._alive.discard(future)
        is_dismissed = future in self._dismissed
        self._dismissed.discard(future)
        title = name or _name_of(future)
        if future.cancelled():
            if not is_dismissed:
                error_logger.warning("Task %s was cancelled before it completed.", title)
            return
        exception = future.exception()
        if not isinstance(exception, Exception):
            return
        # Reading the exception silences the loop's complaint that nobody did, so it is logged here.
        error_logger.error("Task %s failed.", title, exc_info=exception)
        if self._report is None:
            return
        try:
            outcome = self._report(exception)
        except Exception:
            error_logger.exception("The exception of task %s could not be reported.", title)
            return
        if inspect.isawaitable(outcome) and not isinstance(outcome, Future):
            report = future.get_loop().create_task(_await(outcome), name=f"report of {title}")
            self._alive.add(report)
            report.add_done_callback(self._alive.discard)

    # Finding and ending

    def get(self, name: str, *, raise_exception: bool = True) -> Future[Any] | None:
        """The registered task of this name.

        Raises:
            SanicException: when there is none and ``raise_exception`` is true
        """
        task = self._named.get(name)
        if task is None and raise_exception:
            raise SanicException(
                f'Registered task named "{name}" not found. Registered: {", ".join(self._named) or "none"}.'
            )
        return task

    async def cancel(self, name: str, msg: str | None = None, *, raise_exception: bool = True) -> None:
        """Cancel the task of this name and wait for its end. It stays registered until ``purge``.

        Args:
            name: name it was registered under
            msg: passed to ``Task.cancel``
            raise_exception: whether an unknown name is an error

        Raises:
            SanicException: when there is none and ``raise_exception`` is true
        """
        task = self.get(name, raise_exception=raise_exception)
        if task is None or task.done():
            return
        task.cancel(msg=msg)
        if task is not asyncio.current_task():
            # Not ``await task``: a cancellation of the caller must not be taken for the task's own.
            await asyncio.wait([task])

    def purge(self) -> None:
        """Forget registered tasks that have ended."""
        for name in [name for name, task in self._named.items() if task.done()]:
            del self._named[name]

    def __iter__(self) -> Iterator[Future[Any]]:
        """The tasks that can be found by name and were not purged."""
        return iter(tuple(self._named.values()))

    def __len__(self) -> int:
        return len(self._named)

    def cancel_all(self) -> None:
        """Ask every task to end, without waiting."""
        current = _current_task()
        for task in tuple(self._alive):
            if task is not current and not task.get_loop().is_closed():
                self._dismiss(task)

    def _dismiss(self, task: Future[Any]) -> None:
        # One that has been cancelled already is somebody else's decision.
        if task.cancel():
            self._dismissed.add(task)

    async def shutdown(self, timeout: float, increment: float = 0.1) -> list[Future[Any]]:
        """Cancel all tasks and wait for their end, but no longer than the time limit.

        Args:
            timeout: seconds after which tasks that refuse to end are abandoned, each logged by its name
            increment: seconds between two looks for tasks that were added meanwhile

        Returns:
            the tasks that were abandoned
        """
        abandoned: list[Future[Any]] = []
        loop = asyncio.get_running_loop()
        deadline = loop.time() + max(timeout, 0.0)
        current = _current_task()
        # What an earlier run of the application left on a loop of its own can neither be cancelled nor awaited here.
        self._alive.intersection_update([task for task in self._alive if task.get_loop() is loop])
        cancelled: set[Future[Any]] = set()
        while True:
            pending = [task for task in self._alive if task is not current and not task.done()]
            if not pending:
                break
            # Once each: a second cancellation would interrupt the clean-up that answers the first.
            for task in pending:
                if task not in cancelled:
                    self._dismiss(task)
                    cancelled.add(task)
            remaining = deadline - loop.time()
            # A few cycles are granted even without any time, so that tasks can see their cancellation.
            await asyncio.wait(pending, timeout=max(min(increment, remaining), 0.01))
            if remaining <= 0:
                abandoned = [task for task in pending if not task.done()]
                self._abandon(abandoned)
                break
        self._named.clear()
        return abandoned

    def shutdown_blocking(self, loop: AbstractEventLoop, timeout: float, increment: float = 0.1) -> None:
        """``shutdown`` for a caller outside the loop; with the loop running, tasks are cancelled only.

        Args:
            loop: the loop of the tasks
            timeout: as in ``shutdown``
            increment: as in ``shutdown``
        """
        if loop.is_running() or loop.is_closed():
            self.cancel_all()
            return
        loop.run_until_complete(self.shutdown(timeout, increment))

    def _abandon(self, tasks: list[Future[Any]]) -> None:
        for task in tasks:
            error_logger.warning("Task %s did not end in time and is abandoned.", _name_of(task))
            self._alive.discard(task)


def call_with_app(task: Callable[..., Any], app: Any) -> Any:
    """Call with the application, or with nothing when the callable takes no argument.

    The signature decides where there is one to look at, so that a ``TypeError`` raised inside is not mistaken for
    a wrong number of arguments.
    """
    try:
        signature = inspect.signature(task)
    except (TypeError, ValueError):
        return task(app)
    try:
        signature.bind(app)
    except TypeError:
        arguments: tuple[Any, ...] = ()
    else:
        arguments = (app,)
    # Out here, so that what it raises is not taken for a consequence of the look at its signature.
    return task(*arguments)


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _current_task() -> Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _name_of(future: Future[Any]) -> str:
    return future.get_name() if isinstance(future, Task) else repr(future)


def _title(task: TaskLike) -> str:
    name: str = getattr(task, "__qualname__", "") or type(task).__name__
    return name


def running_loop() -> AbstractEventLoop | None:
    """The loop that runs this very code, None outside of any."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
