"""One wait for the next dispatch of an event.

A waiter is made by ``SignalRouter.get_waiter`` and released by the router's dispatch; what matched and who else
listens is not its business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol, cast

from sanic.signals.condition import condition_matches
from sanic.signals.event import ANY_ACTION
from sanic.signals.signal import Signal, SignalGroup

Context = dict[str, Any]


class Dispatcher(Protocol):
    """What a waiter needs of the router of its signal."""

    def is_member(self, event: str, group: SignalGroup) -> bool: ...
    def add_waiter(self, waiter: SignalWaiter) -> None: ...
    def remove_waiter(self, waiter: SignalWaiter) -> None: ...


class SignalWaiter:
    """A wait for the next matching dispatch.

    Args:
        signal: a signal of the event waited for; it leads to the router
        event_definition: the event as it was asked for, maybe with a parameter or ``*`` as its third part
        trigger: the parameter's name or ``*``; empty when exactly one event is meant
        requirements: the condition to be dispatched with
        exclusive: whether a dispatch without condition is ignored when there are requirements
        future: what is resolved with the context; made by ``wait``
    """

    __slots__ = ("event_definition", "exclusive", "future", "requirements", "signal", "trigger")

    def __init__(
        self,
        signal: Signal,
        event_definition: str,
        trigger: str = "",
        requirements: Mapping[str, Any] | None = None,
        exclusive: bool = True,
        future: asyncio.Future[Context] | None = None,
    ) -> None:
        self.signal = signal
        self.event_definition = event_definition
        self.trigger = trigger
        self.requirements = requirements
        self.exclusive = exclusive
        self.future = future

    @property
    def _dispatcher(self) -> Dispatcher:
        return cast(Dispatcher, self.signal.router)

    def matches(self, event: str, condition: Mapping[str, Any] | None) -> bool:
        """Whether a dispatch of this event with this condition releases the waiter.

        Args:
            event: full name of what is dispatched
            condition: what it is dispatched with
        """
        return self.hears(event) and condition_matches(self.requirements, self.exclusive, condition)

    def hears(self, event: str) -> bool:
        """Whether the event is one of those waited for, whatever its condition."""
        if not self.trigger:
            return event == self.event_definition
        if self.trigger == ANY_ACTION:
            return event.startswith(self.event_definition[: -len(ANY_ACTION)])
        return self._dispatcher.is_member(event, self.signal.ctx.group)

    async def wait(self, timeout: float | None = None) -> Context:
        """Wait for the next dispatch.

        The waiter is in place as soon as this coroutine runs, so no dispatch after that is missed. The time limit
        is kept here because wrapping this call into ``asyncio.wait_for`` would start it a loop cycle later.

        Args:
            timeout: seconds; ``None`` waits for ever

        Returns:
            the context of the dispatch and the captured parameters

        Raises:
            asyncio.TimeoutError: when nothing was dispatched in time
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Context] = loop.create_future()
        self.future = future
        router = self._dispatcher
        router.add_waiter(self)
        timer = None if timeout is None else loop.call_later(timeout, self._expire)
        try:
            return await future
        finally:
            if timer is not None:
                timer.cancel()
            router.remove_waiter(self)

    def release(self, context: Context) -> None:
        """Hand the context to whoever waits. Does nothing when the wait is over already."""
        future = self.future
        # The loop of an earlier run of the same application may be gone without its waiters having been cancelled.
        if future is not None and not future.done() and not future.get_loop().is_closed():
            future.set_result(context)

    def _expire(self) -> None:
        if self.future is not None and not self.future.done():
            self.future.set_exception(asyncio.TimeoutError(f"No dispatch of {self.event_definition} in time"))
