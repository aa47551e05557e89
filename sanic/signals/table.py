"""The signals that are declared, and what each event reaches.

Static events are found by one dict lookup; events with a parameter by looking at the few definitions that share
their first two parts. Conditions, calls and tasks are not its business.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from sanic.signals.event import BUILTIN_EVENTS, parse_event
from sanic.signals.signal import Signal, SignalGroup, no_operation
from sanic.signals.waiter import SignalWaiter


class Audience(NamedTuple):
    """All that one event reaches, conditions aside."""

    #: Handlers in their order, with the parameters they are to be called with.
    calls: tuple[tuple[Signal, dict[str, Any]], ...]
    #: Everybody waiting for an event with the same first two parts; the list is alive.
    waiters: list[SignalWaiter]
    #: Given to waiters beside the context: what was captured, unless the event is declared by its full name.
    params: dict[str, Any]
    #: Whether anybody declared the event.
    is_known: bool


class SignalTable:
    """Signals by event."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self._static: dict[str, SignalGroup] = {}
        # By the first two parts; of each kind of parameter one group, in the order they are tried.
        self._dynamic: dict[str, list[SignalGroup]] = {}
        self._waiters: dict[str, list[SignalWaiter]] = {}
        # Of declared and built-in events only, whose number is bounded.
        self._audiences: dict[str, Audience] = {}

    def place(self, signal: Signal, prefix: str) -> None:
        """Take a signal in and tell it its group and its waiters.

        Args:
            prefix: the first two parts of its event
        """
        parameter = signal.parameter
        group = self._static.get(signal.ctx.event) if parameter is None else self.find_kind(prefix, parameter.key)
        if group is not None:
            group.add(signal)
        else:
            group = SignalGroup(signal)
            if parameter is None:
                self._static[signal.ctx.event] = group
            else:
                siblings = self._dynamic.setdefault(prefix, [])
                siblings.append(group)
                siblings.sort(key=lambda group: -group.priority)
        signal.ctx.group = group
        signal.ctx.waiters = self._waiters.setdefault(prefix, [])
        self.signals.append(signal)
        self._audiences.clear()

    @property
    def groups(self) -> dict[tuple[str, ...], SignalGroup]:
        """All groups by the parts of their event."""
        groups = [*self._static.values(), *(group for groups in self._dynamic.values() for group in groups)]
        return {tuple(parse_event(group.event)): group for group in groups}

    @property
    def matchers(self) -> list[re.Pattern[str]]:
        """The patterns of events with a parameter, in the order they are tried."""
        return [
            re.compile(f"{re.escape(prefix)}(?:{group.parameter.pattern})")
            for prefix, groups in self._dynamic.items()
            for group in groups
            if group.parameter is not None
        ]

    def find(self, event: str) -> SignalGroup | None:
        """The group that an event reaches, by its full name if it is declared so."""
        return self._static.get(event) or self.find_dynamic(event)

    def find_dynamic(self, event: str) -> SignalGroup | None:
        """The group with a parameter that an event reaches; typed parameters are tried before untyped ones."""
        prefix, action = cut_event(event)
        return next((group for group in self._dynamic.get(prefix, ()) if group.accepts(action)), None)

    def find_kind(self, prefix: str, key: str) -> SignalGroup | None:
        """The group with this kind of parameter behind these first two parts."""
        groups = self._dynamic.get(prefix, ())
        return next((group for group in groups if group.parameter is not None and group.parameter.key == key), None)

    def find_any(self, prefix: str) -> Signal | None:
        """Some signal of an event with these first two parts."""
        return next((signal for signal in self.signals if signal.ctx.event.startswith(prefix)), None)

    def audience(self, event: str) -> Audience:
        """What an event reaches."""
        audience = self._audiences.get(event)
        if audience is None:
            audience = self._find_audience(event)
            if event in self._static or event in BUILTIN_EVENTS:
                self._audiences[event] = audience
        return audience

    def _find_audience(self, event: str) -> Audience:
        prefix, action = cut_event(event)
        static = self._static.get(event)
        dynamic = self.find_dynamic(event)
        signals: list[tuple[Signal, dict[str, Any]]] = []
        params: dict[str, Any] = {}
        if static is not None:
            signals += [(signal, {}) for signal in static]
        if dynamic is not None:
            signals += [(signal, signal.capture(action) or {}) for signal in dynamic]
            if static is None:
                params = signals[0][1]
        # The sort is stable: static ones and earlier ones stay ahead of others with the same priority.
        calls = sorted(
            (call for call in signals if call[0].handler is not no_operation), key=lambda call: -call[0].priority
        )
        # A list is kept for declared events only: others come from whoever dispatches, in any number.
        waiters = self._waiters.get(prefix)
        if waiters is None:
            waiters = self._waiters.setdefault(prefix, []) if event in BUILTIN_EVENTS else []
        return Audience(tuple(calls), waiters, params, bool(signals))


def cut_event(event: str) -> tuple[str, str]:
    """Cut behind the second dot; an event without two has no action."""
    end = event.find(".", event.find(".") + 1) + 1
    return (event[:end], event[end:]) if end > 1 else (event, "")
