"""What becomes of a declaration on an application: each kind goes to where it is looked for later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sanic.log import error_logger
from sanic.middleware import Middleware, MiddlewareLocation
from sanic.models.futures import (
    ExceptionSpec,
    ListenerSpec,
    MiddlewareSpec,
    RouteSpec,
    SignalSpec,
    Spec,
    StaticSpec,
)
from sanic.registration.overlay import Overlay
from sanic.registration.static import route_for
from sanic.registration.websocket import handler_for

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.blueprints import Blueprint
    from sanic.router import Route


def apply(app: Sanic[Any, Any], spec: Spec) -> None:
    """Apply a declaration that was made on the application itself."""
    if isinstance(spec, (RouteSpec, StaticSpec)):
        apply_route(app, spec)
    elif isinstance(spec, MiddlewareSpec):
        app.register_middleware(spec.middleware, spec.attach_to, priority=spec.priority)
    elif isinstance(spec, ListenerSpec):
        apply_listener(app, spec)
    elif isinstance(spec, ExceptionSpec):
        apply_exception(app, spec)
    elif isinstance(spec, SignalSpec):
        apply_signal(app, spec)


def apply_route(app: Sanic[Any, Any], spec: RouteSpec | StaticSpec) -> list[Route]:
    """Add a route; one for each of its hosts."""
    if isinstance(spec, StaticSpec):
        spec = route_for(spec)
    fallback = app.config.FALLBACK_ERROR_FORMAT
    routes = app.router.add(
        uri=spec.uri,
        methods=spec.methods,
        handler=handler_for(app, spec),
        host=spec.host,
        strict_slashes=app.strict_slashes if spec.strict_slashes is None else spec.strict_slashes,
        stream=spec.stream,
        ignore_body=spec.ignore_body,
        version=spec.version,
        name=spec.name,
        unquote=spec.unquote,
        static=spec.static,
        version_prefix=spec.version_prefix,
        overwrite=spec.overwrite,
        error_format=spec.error_format or (fallback if fallback != "auto" else None),
    )
    for route in routes:
        vars(route.ctx).update(spec.context)
        route.extra.websocket = spec.websocket
    return routes


def apply_listener(app: Sanic[Any, Any], spec: ListenerSpec, from_blueprint: bool = False) -> None:
    """Add a listener; those of the main process and of the reloader have no priorities."""
    if spec.event in app._server_listeners:
        app._server_listeners.add(spec.listener, spec.event, spec.priority, from_blueprint)
        return
    if spec.priority:
        error_logger.warning("Priority is not supported for %s", spec.event)
    app.listeners[spec.event].append(spec.listener)


def apply_exception(app: Sanic[Any, Any], spec: ExceptionSpec, route_names: Iterable[str] | None = None) -> None:
    """Add an exception handler, to all routes or to those of the names given."""
    names = None if route_names is None else list(route_names)
    for exception in spec.exceptions:
        app.error_handler.add(exception, spec.handler, names)


def apply_signal(app: Sanic[Any, Any], spec: SignalSpec) -> None:
    """Add a signal handler."""
    condition = dict(spec.condition) if spec.condition else None
    app.signal_router.add(spec.handler, spec.event, condition, spec.exclusive, priority=spec.priority)


def apply_blueprint(
    app: Sanic[Any, Any], blueprint: Blueprint, overlay: Overlay, specs: Sequence[Spec], around: Sequence[Spec] = ()
) -> list[Route]:
    """Apply declarations of a blueprint.

    Args:
        app: The application.
        blueprint: Whose declarations they are.
        overlay: What is laid over its routes.
        specs: The declarations; middleware and exception handlers among them belong to all routes that it has here.
        around: Middleware and exception handlers that belong only to the routes among `specs`: those that it has
            had before belong to them already.

    Returns:
        The routes that were added.
    """
    prefix = (
        f"{app.name}.{overlay.name_prefix}_{blueprint.name}."
        if overlay.name_prefix
        else (f"{app.name}.{blueprint.name}.")
    )
    before = {route.name for route in blueprint.routes if route.router is app.router and route.name.startswith(prefix)}
    added: list[Route] = []
    for spec in specs:
        if isinstance(spec, (RouteSpec, StaticSpec)):
            added += apply_route(app, overlay.over(spec, blueprint.host, prefix))
    names = {route.name for route in added} - before
    for spec in around:
        _apply_around(app, spec, names)
    for spec in specs:
        _apply_around(app, spec, names | before)
        if isinstance(spec, ListenerSpec):
            apply_listener(app, spec, from_blueprint=True)
        elif isinstance(spec, SignalSpec):
            condition = {"__blueprint__": blueprint.name, **(spec.condition or {})}
            apply_signal(app, replace(spec, condition=condition, exclusive=False))
    return added


def _apply_around(app: Sanic[Any, Any], spec: Spec, route_names: set[str]) -> None:
    if isinstance(spec, MiddlewareSpec) and route_names:
        location = MiddlewareLocation.named(spec.attach_to)
        middleware = Middleware(spec.middleware, location, spec.priority, spec.definition)
        app.register_named_middleware(middleware, sorted(route_names), spec.attach_to)
    elif isinstance(spec, ExceptionSpec) and route_names:
        apply_exception(app, spec, sorted(route_names))
