"""Who listens to which event, and the dispatch to them.

The router knows nothing of requests: what an event means is up to who dispatches it.

A handler that fails is reported as ``server.exception.report``, once per exception; a failing report is logged and
never reported itself.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from types import SimpleNamespace
from typing import Any, ClassVar

from sanic_routing.exceptions import FinalizationError, InvalidUsage, NotFound
from sanic_routing.patterns import ParamInfo

from sanic.exceptions import InvalidSignal
from sanic.log import error_logger
from sanic.router.parameters import RegexTypes, default_types
from sanic.signals.event import ANY_ACTION, BUILTIN_EVENTS, Event, check_reserved, format_event, parse_event
from sanic.signals.parameter import EventParameter
from sanic.signals.signal import Signal, SignalGroup, SignalHandler, no_operation
from sanic.signals.table import Audience, SignalTable, cut_event
from sanic.signals.waiter import SignalWaiter

Condition = Mapping[str, Any] | None

_REPORT = Event.SERVER_EXCEPTION_REPORT.value
_REPORTED_MARK = "__sanic_reported__"


class SignalRouter:
    """Keeps the handlers of events and dispatches to them.

    ``version`` grows and each callable in ``on_change`` is called whenever handlers or waiters come or go, so that
    those who dispatch often can find out beforehand, with ``has_listeners``, what need not be dispatched at all.
    """

    DEFAULT_METHOD: ClassVar[str] = "BASE"
    ALLOWED_METHODS: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.ctx = SimpleNamespace(loop=None, app=None)
        self.delimiter = "."
        self.regex_types: RegexTypes = default_types()
        self.finalized = False
        #: Whether dispatching a built-in event without handlers may fail with ``NotFound``.
        self.allow_fail_builtin = True
        self.version = 0
        self.on_change: list[Callable[[], object]] = []

        self._table = SignalTable()
        self._tasks: set[asyncio.Task[Any]] = set()

    # Declaring

    def add(
        self,
        handler: SignalHandler | None,
        event: str | Enum,
        condition: Condition = None,
        exclusive: bool = True,
        *,
        priority: int = 0,
    ) -> Signal:
        """Add a handler; allowed at any time.

        Args:
            handler: called with the captured parameters and the context as keywords; ``None`` does nothing, and makes
                the event one that can be waited for
            event: name of the event; its third part may be a parameter
            condition: what the dispatch must be made with
            exclusive: whether a dispatch without condition passes this handler by when it has a condition
            priority: handlers with more run earlier

        Raises:
            InvalidSignal: the name has not the required form, or is a reserved one that does not exist
        """
        definition = format_event(event)
        parts = parse_event(definition)
        check_reserved(definition, parts)
        if parts.action == ANY_ACTION:
            if handler is not None:
                raise InvalidSignal(
                    f"Invalid signal event: {definition}. '{ANY_ACTION}' is for waiting only; "
                    "declare a handler with a parameter like <name>."
                )
            definition = f"{parts.prefix}<trigger>"
            parts = parse_event(definition)
        try:
            signal = Signal(
                self,
                definition,
                definition,
                no_operation if handler is None else handler,
                frozenset({self.DEFAULT_METHOD}),
                dict(condition or {}),
                priority=priority,
            )
        except InvalidUsage as error:
            raise InvalidSignal(f"Invalid signal event: {definition}. {error}") from error
        parameter = signal.parameter
        signal.ctx.event = signal.ctx.definition = definition
        signal.ctx.exclusive = exclusive
        signal.ctx.trigger = parameter.name if parameter is not None else ""
        self._table.place(signal, parts.prefix)
        self._changed()
        return signal

    def register_pattern(
        self,
        label: str,
        cast: Callable[[str], Any],
        pattern: re.Pattern[str] | str,
        param_info_class: type[ParamInfo] = ParamInfo,
    ) -> None:
        """Add a parameter type.

        Args:
            label: name of the type
            cast: makes the value of the text; ``ValueError`` means no match
            pattern: what the text must look like
            param_info_class: kept beside them

        Raises:
            InvalidUsage: (of the routing package) when an argument is of the wrong type
        """
        if not isinstance(label, str):
            raise InvalidUsage(f"The label of a parameter type must be a str, not {label!r}.")
        if not callable(cast):
            raise InvalidUsage(f"The cast of parameter type '{label}' must be callable, not {cast!r}.")
        if not isinstance(pattern, str | re.Pattern):
            raise InvalidUsage(
                f"The pattern of parameter type '{label}' must be a regular expression, not {pattern!r}."
            )
        self.regex_types[label] = (cast, re.compile(pattern), param_info_class)

    def finalize(
        self, do_compile: bool = True, do_optimize: bool = False, *, allow_fail_builtin: bool | None = None
    ) -> None:
        """Close the declarations. ``add`` goes on working; there is nothing to compile or optimize.

        Args:
            allow_fail_builtin: whether dispatching a built-in event that nobody handles may fail with ``NotFound``;
                ``None`` leaves it as it is

        Raises:
            FinalizationError: (of the routing package) when it is final already
        """
        if self.finalized:
            raise FinalizationError("Cannot finalize router more than once.")
        if allow_fail_builtin is not None:
            self.allow_fail_builtin = allow_fail_builtin
        self.finalized = True

    def reset(self) -> None:
        """Undo ``finalize``. Handlers and waiters stay."""
        self.finalized = False

    @staticmethod
    def format_event(event: str | Enum) -> str:
        """The full name of an event given as a name, a single word or an enum member."""
        return format_event(event)

    # Finding

    @property
    def routes(self) -> tuple[Signal, ...]:
        """All signals in the order they were added."""
        return tuple(self._table.signals)

    @property
    def groups(self) -> dict[tuple[str, ...], SignalGroup]:
        """All groups by the parts of their event."""
        return self._table.groups

    @property
    def matchers(self) -> list[re.Pattern[str]]:
        """The patterns of events with a parameter, in the order they are tried."""
        return self._table.matchers

    def find_route(self, event: str | Enum) -> tuple[SignalGroup, dict[str, Any]]:
        """The group that an event reaches, and what its parameter captures.

        Raises:
            NotFound: (of the routing package) when the event is not declared
        """
        name = format_event(event)
        group = self._table.find(name)
        if group is None:
            raise _not_found(name)
        return group, group[0].capture(cut_event(name)[1]) or {}

    def is_member(self, event: str, group: SignalGroup) -> bool:
        """Whether the event reaches a group that has a parameter."""
        return self._table.find_dynamic(event) is group

    def resolve(
        self, path: str, *, method: str | None = None, orig: str | None = None, extra: dict[str, str] | None = None
    ) -> tuple[Signal, SignalHandler, dict[str, Any]]:
        """The first signal that an event reaches, its handler, and what its parameter captures.

        Args:
            path: name of the event
            method: without meaning for events, as ``extra``
            orig: name for the error message

        Raises:
            NotFound: (of the routing package) when the event is not declared
        """
        try:
            group, params = self.find_route(path)
        except NotFound:
            raise _not_found(orig or path) from None
        return group[0], group[0].handler, params

    def get(
        self, event: str | Enum, condition: Condition = None
    ) -> tuple[SignalGroup, list[SignalHandler], dict[str, Any]]:
        """The group that an event reaches, the handlers that hear it in their order, and the captured parameters.

        Args:
            event: what would be dispatched
            condition: what it would be dispatched with

        Raises:
            NotFound: (of the routing package) when the event is not declared
        """
        group, params = self.find_route(event)
        calls = self._table.audience(format_event(event)).calls
        return group, [signal.handler for signal, _ in calls if signal.hears(condition)], params

    def has_listeners(self, event: str | Enum) -> bool:
        """Whether a dispatch of the event could reach any handler or waiter, under whatever condition."""
        name = format_event(event)
        audience = self._table.audience(name)
        return bool(audience.calls) or any(waiter.hears(name) for waiter in audience.waiters)

    # Dispatching

    async def dispatch(
        self,
        event: str | Enum,
        *,
        context: Mapping[str, Any] | None = None,
        condition: Condition = None,
        fail_not_found: bool = True,
        inline: bool = False,
        reverse: bool = False,
    ) -> Any:
        """Release those who wait for the event, then call its handlers one after another.

        A handler that returns something truthy ends the dispatch, and that is its result.

        Args:
            event: name of the event
            context: keyword arguments for the handlers
            condition: with one, only handlers with an equal condition hear it
            fail_not_found: whether an undeclared event is an error; it is one for inline dispatches only
            inline: whether handlers run in this very call, instead of in a task
            reverse: whether the order of the handlers is inverted

        Returns:
            the result when inline, else the task that is at work on it

        Raises:
            NotFound: (of the routing package) when nobody declared the event
        """
        name = format_event(event)
        if inline:
            audience = self._table.audience(name)
            if fail_not_found and not audience.is_known and (self.allow_fail_builtin or name not in BUILTIN_EVENTS):
                raise _not_found(name)
            return await self._run(name, audience, context, condition, reverse)
        task = self._spawn(name, context, condition, reverse)
        await asyncio.sleep(0)
        return task

    def report(self, exception: BaseException) -> asyncio.Task[Any] | None:
        """Dispatch ``server.exception.report`` in the background; each exception is reported once.

        Args:
            exception: what was caught

        Returns:
            the task, or ``None`` when there is nobody to tell or it has been told
        """
        if not self.has_listeners(_REPORT) or getattr(exception, _REPORTED_MARK, False):
            return None
        # An exception class with slots takes no mark: it is reported wherever it is caught.
        with suppress(AttributeError, TypeError):
            setattr(exception, _REPORTED_MARK, True)
        return self._spawn(_REPORT, {"exception": exception}, None, False)

    def _spawn(
        self, event: str, context: Mapping[str, Any] | None, condition: Condition, reverse: bool
    ) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(
            self._run(event, self._table.audience(event), context, condition, reverse), name=f"signal {event}"
        )
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        event = task.get_name().removeprefix("signal ")
        if event == _REPORT or not self.has_listeners(_REPORT):
            # Nobody was told, so it must not get lost; reading the exception silences the loop's own complaint.
            exception = task.exception()
            if exception is not None:
                error_logger.error("A handler of %s failed.", event, exc_info=exception)
        else:
            task.exception()

    async def _run(
        self,
        event: str,
        audience: Audience,
        context: Mapping[str, Any] | None,
        condition: Condition,
        reverse: bool,
    ) -> Any:
        keywords = context or {}
        if audience.waiters:
            for waiter in tuple(audience.waiters):
                if waiter.matches(event, condition):
                    waiter.release({**audience.params, **keywords})
        for signal, params in reversed(audience.calls) if reverse else audience.calls:
            if not signal.hears(condition):
                continue
            try:
                result = signal.handler(**{**params, **keywords})
                if inspect.isawaitable(result):
                    result = await result
            except Exception as exception:
                if event != _REPORT:
                    self.report(exception)
                raise
            if result:
                return result
        return None

    @property
    def tasks(self) -> tuple[asyncio.Task[Any], ...]:
        """Dispatches at work in the background."""
        return tuple(self._tasks)

    async def shutdown(self, timeout: float = 1.0) -> None:
        """Cancel the dispatches at work in the background and wait for their end.

        Args:
            timeout: seconds after which those that refuse to end are abandoned, each logged by its name
        """
        loop = asyncio.get_running_loop()
        current = asyncio.current_task()
        # What an earlier run of the application left on a loop of its own can neither be cancelled nor awaited here.
        self._tasks = {task for task in self._tasks if task.get_loop() is loop}
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        await asyncio.wait(tasks, timeout=timeout)
        for task in tasks:
            if not task.done():
                error_logger.warning("Task %s did not end in time and is abandoned.", task.get_name())
                self._tasks.discard(task)

    # Waiting

    def get_waiter(self, event: str | Enum, condition: Condition = None, exclusive: bool = True) -> SignalWaiter | None:
        """A waiter for the next dispatch of an event; call its ``wait``.

        Args:
            event: a declared or built-in event, one that a declared parameter captures, or with ``*`` as third part
                any event declared with the same first two parts
            condition: what the dispatch must be made with
            exclusive: whether a dispatch without condition is ignored when there is a condition

        Returns:
            the waiter, or ``None`` when the event is not declared

        Raises:
            InvalidSignal: the name has not the required form
        """
        name = format_event(event)
        parts = parse_event(name)
        signal: Signal | None = None
        trigger = ""
        if parts.action == ANY_ACTION:
            trigger = ANY_ACTION
            signal = self._table.find_any(parts.prefix)
        elif parts.is_dynamic:
            try:
                parameter = EventParameter.read(parts.action, self.regex_types)
            except InvalidUsage as error:
                raise InvalidSignal(f"Invalid signal event: {name}. {error}") from error
            trigger = parameter.name
            group = self._table.find_kind(parts.prefix, parameter.key)
            signal = group[0] if group is not None else None
        else:
            group = self._table.find(name)
            signal = group[0] if group is not None else None
        if signal is None and self._is_builtin(name, parts.prefix, trigger):
            signal = self.add(None, name)
        if signal is None:
            return None
        return SignalWaiter(signal, name, trigger, dict(condition or {}), exclusive)

    @staticmethod
    def _is_builtin(event: str, prefix: str, trigger: str) -> bool:
        return any(name.startswith(prefix) for name in BUILTIN_EVENTS) if trigger else event in BUILTIN_EVENTS

    def add_waiter(self, waiter: SignalWaiter) -> None:
        """Let a waiter be released by the next matching dispatch."""
        waiter.signal.ctx.waiters.append(waiter)
        self._changed()

    def remove_waiter(self, waiter: SignalWaiter) -> None:
        """Take a waiter back."""
        waiters: list[SignalWaiter] = waiter.signal.ctx.waiters
        if waiter in waiters:
            waiters.remove(waiter)
            self._changed()

    def _changed(self) -> None:
        self.version += 1
        for callback in tuple(self.on_change):
            callback()


def _not_found(event: str) -> NotFound:
    return NotFound(f"Could not find signal {event}", path=event)
