"""Blueprints: parts of an application that are declared apart and registered later, and groups of them.

A blueprint keeps what is declared on it. Registering it applies each piece to the application with prefix, host,
version and name laid over it; what is declared afterwards is applied at once to every application that it is on.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, MutableSequence
from copy import copy, deepcopy
from dataclasses import replace
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
    StaticSpec,
)
from sanic.registration import Registrar
from sanic.registration.applying import apply_blueprint
from sanic.registration.overlay import (
    USUAL_VERSION_PREFIX,
    Declared,
    Overlay,
    Registration,
    Version,
    calling_place,
    without_trailing_slash,
)
from sanic.registration.registrar import checked_name

if TYPE_CHECKING:
    from enum import Enum

    from sanic.app import Sanic
    from sanic.router import Route

Function = TypeVar("Function", bound=Callable[..., Any])


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

    # fmt: off
    __slots__ = (
        "copied_from", "exceptions", "host", "listeners", "middlewares", "routes", "statics", "strict_slashes",
        "url_prefix", "version", "version_prefix", "websocket_routes",
    )
    # fmt: on

    def __init__(
        self,
        name: str,
        url_prefix: str | None = None,
        host: list[str] | str | None = None,
        version: Version = None,
        strict_slashes: bool | None = None,
        version_prefix: str = USUAL_VERSION_PREFIX,
    ) -> None:
        super().__init__(name)
        self.url_prefix = without_trailing_slash(url_prefix)
        self.host = host
        self.version = version
        self.version_prefix = version_prefix
        self.strict_slashes = strict_slashes
        self.ctx = SimpleNamespace()
        self.copied_from = ""
        self._allow_route_overwrite = False
        self.reset()

    def __repr__(self) -> str:
        shown = {name: getattr(self, name) for name in ("name", "url_prefix", "host", "version", "strict_slashes")}
        quoted = (f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}" for name, value in shown.items())
        return f"{type(self).__name__}({', '.join(quoted)})"

    # -- Registering -------------------------------------------------------------------------------------------------

    def register(self, app: Sanic[Any, Any], options: dict[str, Any]) -> None:
        """Apply everything that was declared to an application; `Sanic.blueprint` calls this.

        Args:
            app: The application.
            options: The fields of an `Overlay` that are set.

        Raises:
            SanicException: It has commands.
        """
        overlay = Overlay(**{name: value for name, value in options.items() if value is not None})
        if any(app is known and vars(overlay) == vars(laid) for known, laid in self._registrations):
            return
        for command in self._future_commands:
            raise self._refusal(command)
        around: list[Spec] = [*self._future_middleware, *self._future_exceptions]
        specs: list[Spec] = [*self._future_routes, *self._future_statics]
        if not any(app is known for known, _ in self._registrations):
            # These know no paths, so that a second prefix changes nothing for them.
            specs += [*self._future_listeners, *self._future_signals]
        with app.amend():
            routes = apply_blueprint(app, self, overlay, specs, around)
        self._registrations.append((app, overlay))
        self._note(routes, [*specs, *around])

    @property
    def registered(self) -> bool:
        """Whether it is registered on an application."""
        return bool(self._registrations)

    @property
    def apps(self) -> set[Sanic[Any, Any]]:
        """The applications that it is registered on.

        Raises:
            SanicException: There is none.
        """
        if not self._registrations:
            raise SanicException(
                f"{self} has not yet been registered to an app: call app.blueprint({self.name}) first."
            )
        return {app for app, _ in self._registrations}

    def reset(self) -> None:
        """Forget all registrations; what was declared stays."""
        self._registrations: list[tuple[Sanic[Any, Any], Overlay]] = []
        self.routes: list[Route] = []
        self.websocket_routes: list[Route] = []
        self.statics: list[Route] = []
        self.middlewares: list[MiddlewareSpec] = []
        self.exceptions: list[ExceptionSpec] = []
        self.listeners: dict[str, list[Callable[..., Any]]] = defaultdict(list)

    @staticmethod
    def register_futures(apps: Iterable[Sanic[Any, Any]], bp: Blueprint, futures: Iterable[Iterable[Any]]) -> None:
        """Apply declarations to applications that a blueprint is registered on, as if they were its own.

        Args:
            apps: The applications.
            bp: The blueprint that has them.
            futures: Collections of declarations.
        """
        bp._apply_late([spec for collection in futures for spec in collection], set(apps))

    def _declare(self, spec: Spec) -> None:
        if isinstance(spec, (RouteSpec, StaticSpec)) and self._allow_route_overwrite:
            spec = replace(spec, overwrite=True)
        if isinstance(spec, CommandSpec) and self._registrations:
            raise self._refusal(spec)
        earlier: list[Spec] = [*self._future_middleware, *self._future_exceptions]
        self._record(spec)
        self._apply_late([spec], {app for app, _ in self._registrations}, earlier)

    def _apply_late(self, specs: list[Spec], apps: set[Sanic[Any, Any]], earlier: Iterable[Spec] = ()) -> None:
        served: set[Sanic[Any, Any]] = set()
        for app, overlay in list(self._registrations):
            if app not in apps:
                continue
            again = app in served
            served.add(app)
            new = [spec for spec in specs if not (again and isinstance(spec, (ListenerSpec, SignalSpec)))]
            with app.amend():
                routes = apply_blueprint(app, self, overlay, new, list(earlier))
            self._note(routes, new)

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

    def _refusal(self, command: CommandSpec) -> SanicException:
        return SanicException(
            f"The command {command.name!r} cannot be on {self}: commands belong to applications, declare it with "
            "@app.command."
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
        given = {
            "url_prefix": url_prefix if isinstance(url_prefix, Default) else without_trailing_slash(url_prefix),
            "version": version,
            "version_prefix": version_prefix,
            "strict_slashes": strict_slashes,
            "_allow_route_overwrite": allow_route_overwrite,
        }
        new = copy(self)
        new.name = checked_name(type(self).__name__, name)
        new.copied_from = self.name
        new.ctx = deepcopy(self.ctx) if with_ctx else SimpleNamespace()
        for attribute, value in given.items():
            if not isinstance(value, Default):
                setattr(new, attribute, value)

        def renamed(spec: Declared) -> Declared:
            own_name = spec.name.partition(".")[2]
            return replace(spec, name=f"{name}.{own_name}", overwrite=spec.overwrite or new._allow_route_overwrite)

        new._future_routes = [renamed(spec) for spec in self._future_routes]
        new._future_statics = [renamed(spec) for spec in self._future_statics]
        new._future_middleware = list(self._future_middleware)
        new._future_exceptions = list(self._future_exceptions)
        new._future_listeners = list(self._future_listeners)
        new._future_signals = list(self._future_signals)
        new._future_commands = set(self._future_commands)
        new.reset()
        if with_registration and self._registrations:
            if self._future_statics or any(spec.static for spec in self._future_routes):
                raise SanicException(
                    f"Cannot register the copy {name!r} of {self}: it has static routes, whose names would collide. "
                    "Use copy(..., with_registration=False) and register it with a name_prefix."
                )
            for app in dict.fromkeys(app for app, _ in self._registrations):
                app.blueprint(new)
        return new

    @staticmethod
    def group(
        *blueprints: Blueprint | BlueprintGroup | Iterable[Any],
        url_prefix: str | None = None,
        version: Version = None,
        strict_slashes: bool | None = None,
        version_prefix: str = USUAL_VERSION_PREFIX,
        name_prefix: str | None = "",
    ) -> BlueprintGroup:
        """Put blueprints, groups, or lists of them together; for the arguments see `BlueprintGroup`."""
        group = BlueprintGroup(url_prefix, version, strict_slashes, version_prefix, name_prefix)
        for item in _flatten(blueprints):
            group.append(item)
        return group

    def finalize_middleware(self) -> None:
        """Compile the middleware of its applications anew."""
        for app in self.apps:
            app.finalize_middleware()


class BlueprintGroup(MutableSequence[Any]):
    """Blueprints, and groups of them, that share prefixes and versions; made by `Blueprint.group`.

    Args:
        url_prefix: Stands in front of the prefixes of all its blueprints.
        version: Version of those that have none.
        strict_slashes: Whether a trailing slash matters, for those that do not say.
        version_prefix: What stands in front of the version, for those that have the usual one.
        name_prefix: Stands in front of the names of its blueprints.
    """

    __slots__ = (
        "_registered_at",
        "blueprints",
        "name_prefix",
        "strict_slashes",
        "url_prefix",
        "version",
        "version_prefix",
    )

    def __init__(
        self,
        url_prefix: str | None = None,
        version: Version = None,
        strict_slashes: bool | None = None,
        version_prefix: str = USUAL_VERSION_PREFIX,
        name_prefix: str | None = "",
    ) -> None:
        self.blueprints: list[Blueprint | BlueprintGroup] = []
        self.url_prefix = url_prefix
        self.version = version
        self.strict_slashes = strict_slashes
        self.version_prefix = version_prefix
        self.name_prefix = name_prefix
        self._registered_at = ""

    def __len__(self) -> int:
        return len(self.blueprints)

    @overload
    def __getitem__(self, item: int) -> Any: ...
    @overload
    def __getitem__(self, item: slice) -> MutableSequence[Any]: ...
    def __getitem__(self, item: int | slice) -> Any:
        return self.blueprints[item]

    def __setitem__(self, index: Any, item: Any) -> None:
        items = item if isinstance(index, slice) else [item]
        for one in items:
            self._check(one)
        self.blueprints[index] = item

    def __delitem__(self, index: int | slice) -> None:
        self._check_early("removed")
        del self.blueprints[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.blueprints)

    def append(self, value: Any) -> None:
        """Put a blueprint or a group at the end."""
        self.insert(len(self), value)

    def insert(self, index: int, item: Any) -> None:
        """Put a blueprint or a group at a place."""
        self._check(item)
        self.blueprints.insert(index, item)

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
        for item in self.blueprints:
            if isinstance(item, BlueprintGroup):
                yield from item.leaves(*around)
            else:
                yield item, around

    def mark_registered(self, place: str) -> None:
        """Note where the group was registered; afterwards it cannot change."""
        self._registered_at = self._registered_at or place
        for item in self.blueprints:
            if isinstance(item, BlueprintGroup):
                item.mark_registered(place)

    # -- Declaring on all of them ------------------------------------------------------------------------------------

    def middleware(self, *args: Any, **kwargs: Any) -> Any:
        """`Blueprint.middleware` on all its blueprints."""

        def decorate(function: Function) -> Function:
            for blueprint in self._each():
                blueprint.middleware(function, *args, **kwargs)
            return function

        if args and callable(args[0]):
            function, *args = args  # type: ignore[assignment]
            return decorate(function)
        return decorate

    def on_request(self, middleware: Any = None, *, priority: int = 0) -> Any:
        """`Blueprint.on_request` on all its blueprints."""
        decorate = self.middleware("request", priority=priority)
        return decorate if middleware is None else decorate(middleware)

    def on_response(self, middleware: Any = None, *, priority: int = 0) -> Any:
        """`Blueprint.on_response` on all its blueprints."""
        decorate = self.middleware("response", priority=priority)
        return decorate if middleware is None else decorate(middleware)

    def exception(self, *exceptions: Any, **kwargs: Any) -> Callable[[Function], Function]:
        """`Blueprint.exception` on all its blueprints."""

        def decorate(handler: Function) -> Function:
            for blueprint in self._each():
                blueprint.exception(*exceptions, **kwargs)(handler)
            return handler

        return decorate

    def _each(self) -> Iterable[Blueprint]:
        return dict.fromkeys(blueprint for blueprint, _ in self.leaves())


def lazy(func: Callable[..., Any], as_decorator: bool = True) -> Callable[..., Any]:
    """Mark a declaring method as one whose effect comes with the registration.

    Every declaring method of a blueprint works that way by itself, so the function is returned as it is; the name is
    kept for packages that wrap methods of their own.
    """
    return func


def overlays(
    item: Blueprint | BlueprintGroup | Iterable[Any], given: Registration
) -> Iterator[tuple[Blueprint, Overlay]]:
    """The blueprints that a registration is about, each with what is laid over it.

    Args:
        item: A blueprint, a group, or several of them.
        given: The arguments of the registration.

    Raises:
        TypeError: It is none of them.
    """
    if isinstance(item, Blueprint):
        yield item, Overlay.of(item, (), given)
    elif isinstance(item, BlueprintGroup):
        for blueprint, groups in item.leaves():
            yield blueprint, Overlay.of(blueprint, groups, given)
        item.mark_registered(calling_place())
    elif isinstance(item, Iterable) and not isinstance(item, str):
        for one in item:
            yield from overlays(one, given)
    else:
        raise TypeError(f"Expected a Blueprint, a group, or several of them, got {item!r}.")


def _flatten(items: Iterable[Any]) -> Iterator[Blueprint | BlueprintGroup]:
    for item in items:
        if isinstance(item, (Blueprint, BlueprintGroup, str)) or not isinstance(item, Iterable):
            yield cast(Blueprint, item)
        else:
            yield from _flatten(item)
