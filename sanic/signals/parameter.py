"""The parameter that the third part of an event may be: what it accepts, and when it is tried."""

from __future__ import annotations

from typing import Any, Final

from sanic.router.parameters import RegexTypes, ValueMatcher, parse_parameter, priority_of

NO_MATCH: Final = object()


class EventParameter:
    """One ``<name>`` or ``<name:type>``.

    Args:
        name: name of the parameter
        matcher: decides on values
        priority: the larger, the earlier it is tried
    """

    __slots__ = ("key", "matcher", "name", "priority")

    def __init__(self, name: str, matcher: ValueMatcher, priority: int) -> None:
        self.name = name
        self.matcher = matcher
        self.priority = priority
        #: Parameters with the same key accept the same actions.
        self.key = matcher.key

    @property
    def pattern(self) -> str:
        """What an action must look like, as a regular expression without anchors."""
        return self.matcher.pattern.pattern.removeprefix("^").removesuffix("$")

    @classmethod
    def read(cls, text: str, types: RegexTypes) -> EventParameter:
        """The parameter written as ``text``, with its brackets.

        Raises:
            InvalidUsage: (of the routing package) when it is no parameter, or its type is not usable
        """
        name, label, *_ = parse_parameter(text, types)
        return cls(name, ValueMatcher(text, label, types), priority_of(label, types))

    def value(self, action: str) -> Any:
        """What the action stands for, or ``NO_MATCH``."""
        matcher = self.matcher
        match = matcher.pattern.fullmatch(action)
        if match is None:
            return NO_MATCH
        text = match[matcher.group]
        if matcher.cast is None:
            return text
        try:
            return matcher.cast(text)
        except ValueError:
            return NO_MATCH
