"""Tasks that must come to an end: cancelled, waited for within bounds, and named when they are given up."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterable
from types import FrameType
from typing import Any

from sanic.log import error_logger

_LAST_TASKS_SECONDS = 1.0
_IDLE_THREADS_SECONDS = 0.2


def describe(task: asyncio.Task[Any]) -> str:
    """Name a task, what it is in the midst of, and the line it waits in, as far as these are not asyncio's own."""
    names: list[str] = []
    where = ""
    coroutine: Any = task.get_coro()
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        if names and frame.f_globals.get("__name__", "").startswith("asyncio."):
            break
        names.append(coroutine.__qualname__)
        where = f" at {frame.f_code.co_filename}:{frame.f_lineno}"
        coroutine = coroutine.cr_await
    return f"{task.get_name()} ({' > '.join(names)}{where})"


def abandon(task: asyncio.Task[Any], message: str, *values: object) -> None:
    """Wait for a task no longer, and say so.

    Args:
        task: The task.
        message: Continues the sentence that begins with the task.
        *values: What the message is filled with.
    """
    # It has been reported: the loop need not complain once more when it is collected.
    complaint: Any = task
    complaint._log_destroy_pending = False
    error_logger.warning("Task %s " + message, describe(task), *values)


async def cancel_all(tasks: Iterable[asyncio.Task[Any]], seconds: float) -> set[asyncio.Task[Any]]:
    """Cancel tasks in a loop that goes on afterwards, and give up on what refuses.

    Args:
        tasks: The tasks.
        seconds: How long to wait for them.

    Returns:
        Those that were given up, and reported.
    """
    waited_for = list(tasks)
    for task in waited_for:
        task.cancel()
    if waited_for:
        await asyncio.wait(waited_for, timeout=seconds)
    abandoned = {task for task in waited_for if not task.done()}
    for task in abandoned:
        abandon(task, "did not end when it was cancelled, and is abandoned.")
    return abandoned


def end_tasks(loop: asyncio.AbstractEventLoop, abandoned: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel what still runs on a loop that is about to be closed, and give up on what refuses.

    Args:
        loop: The loop.
        abandoned: What has been given up, and reported, before.
    """
    tasks = asyncio.all_tasks(loop).difference(abandoned)
    for task in tasks:
        task.cancel()
    if not tasks:
        return
    loop.run_until_complete(asyncio.wait(tasks, timeout=_LAST_TASKS_SECONDS))
    for task in tasks:
        if not task.done():
            abandon(task, "did not end when it was cancelled, and is abandoned.")
        elif not task.cancelled() and (error := task.exception()) is not None:
            error_logger.error("Task %s failed while the server was stopping.", task.get_name(), exc_info=error)


def end_generators(loop: asyncio.AbstractEventLoop) -> None:
    """Close the asynchronous generators of a loop that is about to be closed."""
    closing = loop.create_task(loop.shutdown_asyncgens(), name="close of asynchronous generators")
    loop.run_until_complete(asyncio.wait([closing], timeout=_LAST_TASKS_SECONDS))
    if not closing.done():
        closing.cancel()
        error_logger.warning("Asynchronous generators did not close in time, and are abandoned.")


def report_threads(known: Iterable[threading.Thread]) -> None:
    """Name the threads that keep the process from ending, now that the server has.

    Args:
        known: The threads that ran before the server.
    """
    before = set(known)
    deadline = time.monotonic() + _IDLE_THREADS_SECONDS
    for thread in threading.enumerate():
        if thread in before or thread.daemon or thread is threading.current_thread():
            continue
        frame = sys._current_frames().get(thread.ident or 0)
        if frame is None or _waits_for_work(frame):
            continue
        thread.join(max(0.0, deadline - time.monotonic()))
        frame = sys._current_frames().get(thread.ident or 0)
        if thread.is_alive() and frame is not None and not _waits_for_work(frame):
            error_logger.warning(
                "Thread %s still runs (in %s at %s:%s): the process ends when it does, or when it is killed.",
                thread.name,
                frame.f_code.co_name,
                frame.f_code.co_filename,
                frame.f_lineno,
            )


def _waits_for_work(frame: FrameType) -> bool:
    # The thread of a pool that has nothing to do ends with the interpreter.
    worker = getattr(sys.modules.get("concurrent.futures.thread"), "_worker", None)
    return frame.f_code is getattr(worker, "__code__", None)
