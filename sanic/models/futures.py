"""What a decorator declares, as plain data.

Every decorator of an application or a blueprint makes one of these. An application applies it at once; a blueprint
keeps it and applies it, with its own prefix, host, version and name laid over it, to each application it is on. None
is changed once it is made. Few of them are frozen, compared or printed by generated methods, since generating these
would be a noticeable part of the time that importing the package takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False, repr=False)
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
    origins: tuple[str, ...] | None = None
    unquote: bool = False
    static: bool = False
    version_prefix: str = "/v"
    error_format: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    overwrite: bool = False


@dataclass(eq=False, repr=False)
class StaticSpec:
    """Files that are served; see `Registrar.static` for what the fields mean."""

    uri: str
    file_or_directory: str
    is_file: bool
    name: str
    host: str | list[str] | None = None
    strict_slashes: bool | None = None
    version: int | str | float | None = None
    version_prefix: str = "/v"
    use_modified_since: bool = True
    use_content_range: bool = False
    stream_large_files: bool | int = False
    content_type: str | None = None
    index: tuple[str, ...] = ()
    directory_view: bool = False
    directory_handler: Any = None
    follow_external_symlink_files: bool = False
    follow_external_symlink_dirs: bool = False
    precompressed: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class MiddlewareSpec:
    """A middleware, where it is attached (`request` or `response`), and its place in the order of definition."""

    middleware: Callable[..., Any]
    attach_to: str
    priority: int = 0
    definition: int | None = field(default=None, compare=False)


@dataclass(eq=False)
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


@dataclass(eq=False, repr=False)
class SignalSpec:
    """A handler and the signal that calls it."""

    handler: Callable[..., Any] | None
    event: str
    condition: Mapping[str, Any] | None = None
    exclusive: bool = True
    priority: int = 0


@dataclass(eq=False)
class CommandSpec:
    """A custom command of the command line."""

    name: str
    func: Callable[..., Any]


Spec = RouteSpec | StaticSpec | MiddlewareSpec | ListenerSpec | ExceptionSpec | SignalSpec | CommandSpec

# The names that extension packages import.
FutureMiddleware = MiddlewareSpec
FutureCommand = CommandSpec
