"""What a decorator declares, as plain data.

Every decorator of an application or a blueprint makes one of these. An application applies it at once; a blueprint
keeps it and applies it, with its own prefix, host, version and name laid over it, to each application it is on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class RouteSpec:
    """A route; see `Registrar.route` for what the fields mean."""

    handler: Callable[..., Any]
    uri: str
    methods: frozenset[str]
    host: str | list[str] | None = None
    strict_slashes: bool | None = None
    stream: bool = False
    version: int | str | float | None = None
    name: str = ""
    ignore_body: bool = False
    websocket: bool = False
    subprotocols: tuple[str, ...] = ()
    unquote: bool = False
    static: bool = False
    version_prefix: str = "/v"
    error_format: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    overwrite: bool = False


@dataclass(frozen=True)
class MiddlewareSpec:
    """A middleware and where it is attached: `request` or `response`."""

    middleware: Callable[..., Any]
    attach_to: str
    priority: int = 0


@dataclass(frozen=True)
class ListenerSpec:
    """A listener and the lifecycle event that it waits for."""

    listener: Callable[..., Any]
    event: str
    priority: int = 0


@dataclass(frozen=True)
class ExceptionSpec:
    """A handler and the exceptions that it answers."""

    handler: Callable[..., Any]
    exceptions: tuple[type[BaseException], ...]


@dataclass(frozen=True, eq=False)
class SignalSpec:
    """A handler and the signal that calls it."""

    handler: Callable[..., Any] | None
    event: str
    condition: Mapping[str, Any] | None = None
    exclusive: bool = True
    priority: int = 0


@dataclass(frozen=True)
class CommandSpec:
    """A custom command of the command line."""

    name: str
    func: Callable[..., Any]


Spec = RouteSpec | MiddlewareSpec | ListenerSpec | ExceptionSpec | SignalSpec | CommandSpec

# The names that extension packages import.
FutureMiddleware = MiddlewareSpec
FutureCommand = CommandSpec
