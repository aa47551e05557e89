"""Blueprints: parts of an application that are declared apart and registered later, and groups of them.

A blueprint keeps what is declared on it. Registering it applies each piece to the application with prefix, host,
version and name laid over it; what is declared afterwards is applied at once to every application that it is on.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, MutableSequence
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from inspect import currentframe
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from sanic.exceptions import SanicException
from sanic.helpers import Default, _default
from sanic.models.futures import (
    CommandSpec,
    ExceptionSpec,
    ListenerSpec,
    MiddlewareSpec,
    RouteSpec,
    SignalSpec,
    Spec,
)
from sanic.registration import Registrar

if TYPE_CHECKING:
    from enum import Enum

    from sanic.app import Sanic
    from sanic.router import Route

_DEFAULT_VERSION_PREFIX = "/v"

Version = int | str | float | None
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Overlay:
    """What a registration lays over the routes of a blueprint.

    Attributes:
        url_prefix: Stands in front of each path.
        version: For routes without one.
        version_prefix: For routes that have the usual one.
        strict_slashes: For routes that do not say.
        name_prefix: Stands in front of the blueprint's name.
    """

    url_prefix: str = ""
    version: Version = None
    version_prefix: str = _DEFAULT_VERSION_PREFIX
    strict_slashes: bool | None = None
    name_prefix: str = ""


class Blueprint(Registrar):
    """A part of an application.

    Args:
        name: Letters, digits, `_` and `-`; the first one is a letter or `_`.
        url_prefix: Stands in front of the paths of all routes.
        host: The host, or hosts, that its routes are bound to.
        version: Version of its routes.
        strict_slashes: Whether a trailing slash matters in the paths of its routes.
        version_prefix: What stands in front of the version.
    """

    __slots__ = (
        "copied_from",
        "exceptions",
        "host",
        "listeners",
        "middlewares",
        "routes",
        "statics",
        "strict_slashes",
        "url_prefix",
        "version",
        "version_prefix",
        "websocket_routes",
    )

    url_prefix: str | None
    host: str | list[str] | None
    version: Version
    version_prefix: str
    strict_slashes: bool | None
    copied_from: str
    routes: list[Route]
    websocket_routes: list[Route]
    statics: list[Route]
    middlewares: list[MiddlewareSpec]
    exceptions: list[ExceptionSpec]
    listeners: dict[str, list[Callable[..., Any]]]

    def __init__(
        self,
        name: str,
        url_prefix: str | None = None,
        host: list[str] | str | None = None,
        version: Version = None,
        strict_slashes: bool | None = None,
        version_prefix: str = _DEFAULT_VERSION_PREFIX,
    ) -> None:
        super().__init__(name)
        self.url_prefix = _without_trailing_slash(url_prefix)
        self.host = host
        self.version = version
        self.version_prefix = version_prefix
        self.strict_slashes = strict_slashes
        self.copied_from = ""
        self.ctx = SimpleNamespace()
        self._allow_route_overwrite = False
        self.reset()

    def __repr__(self) -> str:
        shown = {name: getattr(self, name) for name in ("name", "url_prefix", "host", "version", "strict_slashes")}
        quoted = (f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}" for name, value in shown.items())
        return f"{type(self).__name__}({', '.join(quoted)})"

    # -- Declaring ---------------------------------------------------------------------------------------------------

    def _declare(self, spec: Spec) -> None:
        if isinstance(spec, RouteSpec) and self._allow_route_overwrite:
            spec = replace(spec, overwrite=True)
        self._record(spec)
        for app, overlay in list(self._registrations):
            self._apply(app, overlay, [spec])

    def reset(self) -> None:
        """Forget all registrations; what was declared stays."""
        self._registrations: list[tuple[Sanic[Any, Any], Overlay]] = []
        self.routes = []
        self.websocket_routes = []
        self.statics = []
        self.middlewares = []
        self.exceptions = []
        self.listeners = defaultdict(list)

    # -- Registering -------------------------------------------------------------------------------------------------

    @property
    def apps(self) -> set[Sanic[Any, Any]]:
        """The applications that it is registered on.

        Raises:
            SanicException: There is none.
        """
        apps = {app for app, _ in self._registrations}
        if not apps:
            raise SanicException(
                f"{self} has not yet been registered to an app: call app.blueprint({self.name}) first."
            )
        return apps

    @property
    def registered(self) -> bool:
        """Whether it is registered on an application."""
        return bool(self._registrations)

    def register(self, app: Sanic[Any, Any], options: dict[str, Any]) -> None:
        """Apply everything that was declared to an application; `Sanic.blueprint` calls this.

        Args:
            app: The application.
            options: The fields of an `Overlay` that are set.
        """
        overlay = Overlay(**{name: value for name, value in options.items() if value is not None})
        if (app, overlay) in self._registrations:
            return
        if self._future_commands:
            raise SanicException(
                f"{self} has commands ({', '.join(sorted(c.name for c in self._future_commands))}), and commands "
                "cannot be added to blueprints: declare them with @app.command."
            )
        specs: list[Spec] = [
            *self._future_routes,
            *self._future_middleware,
            *self._future_exceptions,
            *self._future_listeners,
            *self._future_signals,
        ]
        self._registrations.append((app, overlay))
        self._apply(app, overlay, specs)

    @staticmethod
    def register_futures(apps: Iterable[Sanic[Any, Any]], bp: Blueprint, futures: Iterable[Iterable[Any]]) -> None:
        """Apply declarations to applications that a blueprint is registered on, as if they were its own.

        Args:
            apps: The applications.
            bp: The blueprint that has them.
            futures: Collections of declarations.
        """
        wanted = set(apps)
        specs = [spec for collection in futures for spec in collection]
        for app, overlay in list(bp._registrations):
            if app in wanted:
                bp._apply(app, overlay, specs)

    def _apply(self, app: Sanic[Any, Any], overlay: Overlay, specs: Iterable[Spec]) -> None:
        full_name = f"{overlay.name_prefix}_{self.name}" if overlay.name_prefix else self.name
        prefix = f"{app.name}.{full_name}."
        added: list[Route] = []
        # The middleware and the handlers that stood before these routes were declared belong to them as well.
        earlier: list[MiddlewareSpec | ExceptionSpec] = [
            *(spec for spec in self._future_middleware if spec not in specs),
            *(spec for spec in self._future_exceptions if spec not in specs),
        ]
        with app.amend():
            for spec in specs:
                if isinstance(spec, RouteSpec):
                    added += app._declare(self._overlaid(spec, overlay, prefix))
            names = {route.name for route in added}
            every_name = {route.name for route in self._routes_of(app) if route.name.startswith(prefix)} | names
            for spec in [*earlier, *specs]:
                targets = names if spec in earlier else every_name
                if isinstance(spec, MiddlewareSpec) and targets:
                    app._apply_middleware(spec, sorted(targets))
                elif isinstance(spec, ExceptionSpec) and targets:
                    app._apply_exception(spec, sorted(targets))
                elif isinstance(spec, ListenerSpec):
                    app._apply_listener(spec, from_blueprint=True)
                elif isinstance(spec, SignalSpec):
                    condition = {"__blueprint__": self.name, **(spec.condition or {})}
                    app._declare(replace(spec, condition=condition, exclusive=False))
                elif isinstance(spec, CommandSpec):
                    raise SanicException(f"Commands cannot be added to blueprints ({self}): use @app.command.")
        self._note(added, specs)

    def _routes_of(self, app: Sanic[Any, Any]) -> Iterator[Route]:
        return (route for route in self.routes if route.router is app.router)

    def _note(self, routes: list[Route], specs: Iterable[Spec]) -> None:
        self.routes += routes
        self.websocket_routes += [route for route in routes if route.extra.websocket]
        self.statics += [route for route in routes if route.extra.static]
        for spec in specs:
            if isinstance(spec, MiddlewareSpec) and spec not in self.middlewares:
                self.middlewares.append(spec)
            elif isinstance(spec, ExceptionSpec) and spec not in self.exceptions:
                self.exceptions.append(spec)
            elif isinstance(spec, ListenerSpec) and spec.listener not in self.listeners[spec.event]:
                self.listeners[spec.event].append(spec.listener)

    def _overlaid(self, spec: RouteSpec, overlay: Overlay, prefix: str) -> RouteSpec:
        uri = f"{overlay.url_prefix}{spec.uri}"
        return replace(
            spec,
            uri=uri[1:] if uri.startswith("//") else uri,
            host=spec.host if spec.host is not None else self.host,
            version=spec.version if spec.version is not None else overlay.version,
            version_prefix=_first_unusual(spec.version_prefix, overlay.version_prefix),
            strict_slashes=spec.strict_slashes if spec.strict_slashes is not None else overlay.strict_slashes,
            name=prefix + spec.name.partition(".")[2],
        )

    # -- Signals -----------------------------------------------------------------------------------------------------

    async def dispatch(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Dispatch a signal to the handlers of this blueprint, in every application that it is on.

        Args:
            *args, **kwargs: Those of `Sanic.dispatch`.

        Returns:
            What each application's dispatch returned.
        """
        condition = {**(kwargs.pop("condition", None) or {}), "__blueprint__": self.name}
        return list(await asyncio.gather(*(app.dispatch(*args, condition=condition, **kwargs) for app in self.apps)))

    async def event(
        self, event: str | Enum, timeout: float | None = None, *, condition: dict[str, Any] | None = None
    ) -> Any:
        """Wait until one of its applications dispatches a signal.

        Args:
            event: The signal.
            timeout: Seconds to wait.
            condition: Wait for a dispatch with an equal condition.

        Returns:
            The context of the dispatch.

        Raises:
            asyncio.TimeoutError: None did in time.
        """
        waiting = [
            asyncio.ensure_future(app.event(event, condition=condition, exclusive=condition is not None))
            for app in self.apps
        ]
        try:
            done, _ = await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        if not done:
            raise asyncio.TimeoutError(f"No application dispatched {event!r} within {timeout} seconds.")
        return next(iter(done)).result()

    # -- Copies and groups -------------------------------------------------------------------------------------------

    def copy(
        self,
        name: str,
        url_prefix: str | Default | None = _default,
        version: Version | Default = _default,
        version_prefix: str | Default = _default,
        allow_route_overwrite: bool | Default = _default,
        strict_slashes: bool | Default | None = _default,
        with_registration: bool = True,
        with_ctx: bool = False,
    ) -> Blueprint:
        """Make a blueprint with everything that was declared on this one.

        Args:
            name: Name of the new one.
            url_prefix: Prefix of the new one; default that of this one, as for the arguments below.
            version: Version of the new one.
            version_prefix: What stands in front of its version.
            allow_route_overwrite: Whether its routes take the place of registered ones with the same path.
            strict_slashes: Whether a trailing slash matters.
            with_registration: Whether it is registered on the applications that this one is on.
            with_ctx: Whether it gets a deep copy of `ctx`, instead of an empty one.

        Raises:
            SanicException: It would be registered, and has static routes, whose names would collide.
        """
        new = copy(self)
        new.name = name
        new.copied_from = self.name
        new.ctx = deepcopy(self.ctx) if with_ctx else SimpleNamespace()
        if not isinstance(url_prefix, Default):
            new.url_prefix = _without_trailing_slash(url_prefix)
        if not isinstance(version, Default):
            new.version = version
        if not isinstance(version_prefix, Default):
            new.version_prefix = version_prefix
        if not isinstance(strict_slashes, Default):
            new.strict_slashes = strict_slashes
        if not isinstance(allow_route_overwrite, Default):
            new._allow_route_overwrite = allow_route_overwrite
        new._future_routes = [
            replace(
                spec,
                name=f"{name}.{spec.name.partition('.')[2]}",
                overwrite=spec.overwrite or new._allow_route_overwrite,
            )
            for spec in self._future_routes
        ]
        for collection in ("_future_middleware", "_future_exceptions", "_future_listeners", "_future_signals"):
            setattr(new, collection, list(getattr(self, collection)))
        new._future_commands = set(self._future_commands)
        new.reset()
        if with_registration and self.registered:
            if any(spec.static for spec in self._future_routes):
                raise SanicException(
                    f"Cannot register the copy {name!r} of {self}: it has static routes, whose names would collide. "
                    "Use copy(..., with_registration=False) and register it with a name_prefix."
                )
            for app in self.apps:
                app.blueprint(new)
        return new

    @staticmethod
    def group(
        *blueprints: Blueprint | BlueprintGroup | Iterable[Any],
        url_prefix: str | None = None,
        version: Version = None,
        strict_slashes: bool | None = None,
        version_prefix: str = _DEFAULT_VERSION_PREFIX,
        name_prefix: str | None = "",
    ) -> BlueprintGroup:
        """Put blueprints together.

        Args:
            *blueprints: Blueprints, groups, or lists of them.
            url_prefix: Stands in front of the prefixes of all of them.
            version: For those without one.
            strict_slashes: For those that do not say.
            version_prefix: For those that have the usual one.
            name_prefix: Stands in front of their names.
        """
        group = BlueprintGroup(url_prefix, version, strict_slashes, version_prefix, name_prefix)
        for item in _flatten(blueprints):
            group.append(item)
        return group

    def finalize_middleware(self) -> None:
        """Compile the middleware of its applications anew."""
        for app in self.apps:
            app.finalize_middleware()


class BlueprintGroup(MutableSequence[Any]):
    """Blueprints, and groups of them, that share prefixes and versions; made by `Blueprint.group`."""

    def __init__(
        self,
        url_prefix: str | None = None,
        version: Version = None,
        strict_slashes: bool | None = None,
        version_prefix: str = _DEFAULT_VERSION_PREFIX,
        name_prefix: str | None = "",
    ) -> None:
        self._blueprints: list[Blueprint | BlueprintGroup] = []
        self._url_prefix = url_prefix
        self._version = version
        self._strict_slashes = strict_slashes
        self._version_prefix = version_prefix
        self._name_prefix = name_prefix
        self._registered_at = ""

    @property
    def url_prefix(self) -> str | None:
        """Stands in front of the prefixes of all its blueprints."""
        return self._url_prefix

    @property
    def blueprints(self) -> list[Blueprint | BlueprintGroup]:
        """Its blueprints and groups, in order."""
        return self._blueprints

    @property
    def version(self) -> Version:
        """Version of the blueprints that have none."""
        return self._version

    @property
    def strict_slashes(self) -> bool | None:
        """Whether a trailing slash matters, for the blueprints that do not say."""
        return self._strict_slashes

    @property
    def version_prefix(self) -> str:
        """What stands in front of versions."""
        return self._version_prefix

    @property
    def name_prefix(self) -> str | None:
        """What stands in front of the names of its blueprints."""
        return self._name_prefix

    def __iter__(self) -> Iterator[Any]:
        return iter(self._blueprints)

    def __len__(self) -> int:
        return len(self._blueprints)

    @overload
    def __getitem__(self, item: int) -> Any: ...
    @overload
    def __getitem__(self, item: slice) -> MutableSequence[Any]: ...
    def __getitem__(self, item: int | slice) -> Any:
        return self._blueprints[item]

    def __setitem__(self, index: Any, item: Any) -> None:
        items = item if isinstance(index, slice) else [item]
        for one in items:
            self._check(one)
        self._blueprints[index] = item

    def __delitem__(self, index: int | slice) -> None:
        self._check_early("removed")
        del self._blueprints[index]

    def insert(self, index: int, item: Any) -> None:
        """Put a blueprint or a group at a place."""
        self._check(item)
        self._blueprints.insert(index, item)

    def append(self, value: Any) -> None:
        """Put a blueprint or a group at the end."""
        self._check(value)
        self._blueprints.append(value)

    def _check(self, item: object) -> None:
        if not isinstance(item, (Blueprint, BlueprintGroup)):
            raise TypeError(f"Expected a Blueprint instance, got {item!r}")
        self._check_early("added")

    def _check_early(self, verb: str) -> None:
        if self._registered_at:
            raise SanicException(
                f"A blueprint is {verb} at {calling_place()}, but the group was registered at {self._registered_at} "
                f"already, so that it would have no effect. Register the group after it is complete."
            )

    def leaves(self, *outer: BlueprintGroup) -> Iterator[tuple[Blueprint, tuple[BlueprintGroup, ...]]]:
        """All blueprints, each with the groups around it, innermost first."""
        around = (self, *outer)
        for item in self._blueprints:
            if isinstance(item, BlueprintGroup):
                yield from item.leaves(*around)
            else:
                yield item, around

    def mark_registered(self, place: str) -> None:
        """Note where the group was registered; afterwards it cannot change."""
        self._registered_at = self._registered_at or place
        for item in self._blueprints:
            if isinstance(item, BlueprintGroup):
                item.mark_registered(place)

    def _each(self) -> Iterator[Blueprint]:
        return (blueprint for blueprint, _ in self.leaves())

    def exception(self, *exceptions: Any, **kwargs: Any) -> Callable[[Function], Function]:
        """`Blueprint.exception` on all its blueprints."""

        def decorate(handler: Function) -> Function:
            for blueprint in self._each():
                blueprint.exception(*exceptions, **kwargs)(handler)
            return handler

        return decorate

    def middleware(self, *args: Any, **kwargs: Any) -> Any:
        """`Blueprint.middleware` on all its blueprints."""

        def decorate(function: Any) -> Any:
            for blueprint in self._each():
                blueprint.middleware(function, *rest, **kwargs)
            return function

        if args and callable(args[0]):
            rest = args[1:]
            return decorate(args[0])
        rest = args
        return decorate

    def on_request(self, middleware: Any = None, *, priority: int = 0) -> Any:
        """`Blueprint.on_request` on all its blueprints."""
        decorate = self.middleware("request", priority=priority)
        return decorate(middleware) if callable(middleware) else decorate

    def on_response(self, middleware: Any = None, *, priority: int = 0) -> Any:
        """`Blueprint.on_response` on all its blueprints."""
        decorate = self.middleware("response", priority=priority)
        return decorate(middleware) if callable(middleware) else decorate


def lazy(func: Callable[..., Any], as_decorator: bool = True) -> Callable[..., Any]:
    """Mark a declaring method as one whose effect comes with the registration.

    Every declaring method of a blueprint works that way by itself, so the function is returned as it is; the name is
    kept for packages that wrap methods of their own.
    """
    return func


def overlay_for(blueprint: Blueprint, groups: tuple[BlueprintGroup, ...], given: dict[str, Any]) -> dict[str, Any]:
    """What a registration lays over a blueprint.

    The setting that stands nearest to the route wins: what `app.blueprint` was given for this very blueprint, the
    blueprint's own, those of the groups from inner to outer, what `app.blueprint` was given for the group. Prefixes of
    paths add up; of the prefixes of names the outermost wins.

    Args:
        blueprint: The blueprint.
        groups: The groups around it, innermost first.
        given: The arguments of `app.blueprint` that were given.
    """
    direct = {} if groups else given
    around = given if groups else {}
    versions = [direct.get("version"), blueprint.version, *(group.version for group in groups), around.get("version")]
    prefixes = [
        direct.get("version_prefix"),
        blueprint.version_prefix,
        *(group.version_prefix for group in groups),
        around.get("version_prefix"),
    ]
    strict = [blueprint.strict_slashes, *(group.strict_slashes for group in groups), given.get("strict_slashes")]
    names = [given.get("name_prefix"), *(group.name_prefix for group in reversed(groups))]
    own = direct.get("url_prefix")
    paths = [around.get("url_prefix"), *(group.url_prefix for group in reversed(groups))]
    paths.append(blueprint.url_prefix if own is None else own)
    return {
        "url_prefix": "".join(_as_prefix(path) for path in paths),
        "version": next((version for version in versions if version is not None), None),
        "version_prefix": _first_unusual(*(prefix for prefix in prefixes if prefix is not None)),
        "strict_slashes": next((value for value in strict if value is not None), None),
        "name_prefix": next((name for name in names if name), ""),
    }


def calling_place() -> str:
    """File and line of the nearest caller outside of this package."""
    frame = currentframe()
    while frame is not None and str(frame.f_globals.get("__name__", "")).split(".")[0] == "sanic":
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "an unknown place"


def _first_unusual(*prefixes: str) -> str:
    return next((prefix for prefix in prefixes if prefix != _DEFAULT_VERSION_PREFIX), _DEFAULT_VERSION_PREFIX)


def _as_prefix(path: str | None) -> str:
    path = (path or "").rstrip("/")
    return f"/{path.lstrip('/')}" if path else ""


def _without_trailing_slash(prefix: str | None) -> str | None:
    return prefix[:-1] if prefix and prefix.endswith("/") else prefix


def _flatten(items: Iterable[Any]) -> Iterator[Blueprint | BlueprintGroup]:
    for item in items:
        if isinstance(item, (Blueprint, BlueprintGroup)) or not isinstance(item, Iterable):
            yield cast(Blueprint, item)
        else:
            yield from _flatten(item)
