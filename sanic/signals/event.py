"""The built-in events and the grammar of event names.

An event name has three parts, ``namespace.reference.action``; only the action may be a parameter. This module
knows names, not who listens to them.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from sanic.exceptions import InvalidSignal


class Event(Enum):
    """The events that the framework itself dispatches; accepted wherever an event name is."""

    SERVER_EXCEPTION_REPORT = "server.exception.report"
    SERVER_INIT_AFTER = "server.init.after"
    SERVER_INIT_BEFORE = "server.init.before"
    SERVER_SHUTDOWN_AFTER = "server.shutdown.after"
    SERVER_SHUTDOWN_BEFORE = "server.shutdown.before"
    HTTP_LIFECYCLE_BEGIN = "http.lifecycle.begin"
    HTTP_LIFECYCLE_COMPLETE = "http.lifecycle.complete"
    HTTP_LIFECYCLE_EXCEPTION = "http.lifecycle.exception"
    HTTP_LIFECYCLE_HANDLE = "http.lifecycle.handle"
    HTTP_LIFECYCLE_READ_BODY = "http.lifecycle.read_body"
    HTTP_LIFECYCLE_READ_HEAD = "http.lifecycle.read_head"
    HTTP_LIFECYCLE_REQUEST = "http.lifecycle.request"
    HTTP_LIFECYCLE_RESPONSE = "http.lifecycle.response"
    HTTP_ROUTING_AFTER = "http.routing.after"
    HTTP_ROUTING_BEFORE = "http.routing.before"
    HTTP_HANDLER_AFTER = "http.handler.after"
    HTTP_HANDLER_BEFORE = "http.handler.before"
    HTTP_LIFECYCLE_SEND = "http.lifecycle.send"
    HTTP_MIDDLEWARE_AFTER = "http.middleware.after"
    HTTP_MIDDLEWARE_BEFORE = "http.middleware.before"
    WEBSOCKET_HANDLER_AFTER = "websocket.handler.after"
    WEBSOCKET_HANDLER_BEFORE = "websocket.handler.before"
    WEBSOCKET_HANDLER_EXCEPTION = "websocket.handler.exception"


#: The first part of built-in names, and all names that exist under it.
RESERVED_NAMESPACES: dict[str, tuple[str, ...]] = {
    namespace: tuple(event.value for event in Event if event.value.startswith(f"{namespace}."))
    for namespace in ("server", "http", "websocket")
}

BUILTIN_EVENTS: frozenset[str] = frozenset(event.value for event in Event)

#: What a name without any dot is prefixed with.
GENERIC_PREFIX = "__generic__.__signal__."

#: The action that stands for every action, for those who wait.
ANY_ACTION = "*"


class EventParts(NamedTuple):
    """The three parts of an event name."""

    namespace: str
    reference: str
    action: str

    @property
    def prefix(self) -> str:
        """The first two parts with their dots."""
        return f"{self.namespace}.{self.reference}."

    @property
    def is_dynamic(self) -> bool:
        """Whether the action is a parameter, ``<name>`` or ``<name:type>``."""
        return self.action[:1] == "<"


def format_event(event: str | Enum) -> str:
    """The full name of an event.

    Args:
        event: a name, a word without dots (a custom event in short form), or an enum member holding either

    Returns:
        the name with three parts
    """
    name = str(event.value) if isinstance(event, Enum) else event
    return name if "." in name else GENERIC_PREFIX + name


def parse_event(event: str) -> EventParts:
    """The parts of a full event name.

    Raises:
        InvalidSignal: when there are not exactly three parts, one is empty, or another than the third is a parameter
    """
    # A parameter's pattern may contain dots of its own.
    parts = event.split(".", 2)
    if len(parts) == 3 and all(parts):
        namespace, reference, action = parts
        brackets = action.startswith("<") + action.endswith(">")
        is_plain = brackets == 0 and not any(sign in action for sign in ".<>")
        if (is_plain or brackets == 2) and not any(sign in namespace + reference for sign in "<>*"):
            return EventParts(namespace, reference, action)
    raise InvalidSignal(
        f"Invalid signal event: {event}. It must have three parts separated by dots, namespace.reference.action, "
        "of which only the third may be a parameter like <name> or <name:type>."
    )


def check_reserved(event: str, parts: EventParts) -> None:
    """Refuse to declare events of our own namespaces that will never happen.

    Raises:
        InvalidSignal: when the namespace is reserved and the name is neither built in nor dynamic
    """
    names = RESERVED_NAMESPACES.get(parts.namespace)
    if names is None or event in names or parts.is_dynamic or parts.action == ANY_ACTION:
        return
    raise InvalidSignal(
        f"Cannot declare reserved signal event: {event}. The namespace '{parts.namespace}' has these: "
        f"{', '.join(names)}."
    )
