"""The routes of an application as a table of text."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from sanic.cli.table import aligned

if TYPE_CHECKING:
    from sanic.app import Sanic

_HEADER = ("methods", "path", "name", "handler")


def route_table(app: Sanic[Any, Any]) -> str:
    """The routes, in the order of their paths: methods, path, name, and where the handler stands."""
    rows = sorted((_row(route) for route in app.router.routes), key=lambda row: (row[1], row[0]))
    if not rows:
        return f"{app.name} has no routes."
    return aligned([_HEADER, *rows])


def _row(route: Any) -> tuple[str, str, str, str]:
    host = route.requirements.get("host") or ""
    path = host + route.uri
    methods = "WEBSOCKET" if route.extra.websocket else ",".join(sorted(route.methods))
    return methods, path, route.name, location(route.handler)


def location(handler: Callable[..., Any]) -> str:
    """Where a handler stands: file and line, else its name."""
    found: Any = handler
    while isinstance(found, partial):
        # Of a websocket: the function of the user is the first argument.
        found = found.args[0] if found.args and callable(found.args[0]) else found.func
    found = getattr(found, "view_class", found)
    found = inspect.unwrap(found)
    if not (inspect.isroutine(found) or inspect.isclass(found)):
        found = type(found)
    try:
        file = inspect.getsourcefile(found)
        line = found.__code__.co_firstlineno if hasattr(found, "__code__") else inspect.getsourcelines(found)[1]
    except (OSError, TypeError):
        file = None
    if file is None:
        return f"{found.__module__}.{found.__qualname__}"
    return f"{_shortened(file)}:{line}"


def _shortened(file: str) -> str:
    relative = os.path.relpath(file)
    return file if relative.startswith(os.pardir) else relative
