"""One handler of one event, and the handlers that share an event.

Both know what they were declared with; finding and calling them is the router's work.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from sanic.router.group import RouteGroup
from sanic.router.route import Route
from sanic.signals.condition import condition_matches
from sanic.signals.parameter import NO_MATCH, EventParameter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SignalHandler = Callable[..., Any]


def no_operation(**_: Any) -> None:
    """The handler of signals that were declared without one."""


class Signal(Route):
    """A handler and the event it listens to.

    ``requirements`` is its condition, ``priority`` its rank among the handlers of the event. ``ctx`` holds:

    - ``event``: the full name of the event as declared,
    - ``exclusive``: whether a dispatch without condition passes it by when it has a condition,
    - ``trigger``: the name of the parameter, empty without one,
    - ``waiters``: those who wait for an event with the same first two parts,
    - ``group``: the group it is in.
    """

    @cached_property
    def parameter(self) -> EventParameter | None:
        """The parameter in the third part of the event."""
        for info, matcher in zip(self.defined_params.values(), self.matchers, strict=True):
            return EventParameter(info.name, matcher, info.priority)
        return None

    def capture(self, action: str) -> dict[str, Any] | None:
        """The keyword arguments that an action is turned into, or ``None`` when it does not match."""
        if self.parameter is None:
            return {} if action == self.parts[-1] else None
        value = self.parameter.value(action)
        return None if value is NO_MATCH else self.arguments((value,))

    def hears(self, condition: Mapping[str, Any] | None) -> bool:
        """Whether a dispatch with this condition reaches the handler."""
        return condition_matches(self.requirements, self.ctx.exclusive, condition)


class SignalGroup(RouteGroup):
    """The handlers of one event, or of one kind of parameter under the same first two parts."""

    @property
    def event(self) -> str:
        """The full name of the event as first declared."""
        name: str = self[0].ctx.event
        return name

    @property
    def parameter(self) -> EventParameter | None:
        """The parameter that all members share but for its name."""
        return self[0].parameter

    @property
    def priority(self) -> int:
        """How early the group is tried among those with the same first two parts; the larger, the earlier."""
        return self.parameter.priority if self.parameter is not None else 0

    def accepts(self, action: str) -> bool:
        """Whether an event with this third part reaches the group."""
        return self[0].capture(action) is not None

    def add(self, signal: Signal) -> None:
        """Take one more handler, behind those with the same priority."""
        self.merge(SignalGroup(signal), append=True)

    def __getitem__(self, key: int) -> Signal:
        return cast("Signal", super().__getitem__(key))

    def __iter__(self) -> Iterator[Signal]:
        return cast("Iterator[Signal]", super().__iter__())
