"""What is told of routes when the application starts: what cannot be meant as it was written.

Only names that stand twice are refused. The rest is told in the log, once for all workers, because it may be meant
nevertheless. How routes are matched, and how handlers are called, is not known here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from inspect import CO_VARARGS, CO_VARKEYWORDS
from typing import TYPE_CHECKING, Any, Final

from sanic_routing.patterns import ParamInfo

from sanic.exceptions import ServerError
from sanic.log import error_logger
from sanic.router.route import describe_handler

if TYPE_CHECKING:
    from sanic.router import Route, Router

#: What the first worker is called: our manager counts from 0, Gunicorn from 1.
_FIRST_WORKERS: Final = ("", "Srv  0", "Srv 1")
_PLAIN_WORD: Final = re.compile(r"\w+")


def review_routes(router: Router) -> None:
    """Look at all routes before requests come.

    Raises:
        ServerError: A name is that of several routes.
    """
    duplicates = router.duplicate_names()
    if duplicates:
        places = ", ".join(place for name in sorted(duplicates) for place in duplicates[name])
        said = f"Duplicate route names detected: {', '.join(sorted(duplicates))}."
        raise ServerError(f"{said} Give each route its own name: {places}.")
    if os.environ.get("SANIC_WORKER_IDENTIFIER", "") not in _FIRST_WORKERS:
        return
    # The routes of one declaration for several hosts are told of once.
    doubts = {doubt: None for route in router.routes for doubt in _doubts(route)}
    for doubt in doubts:
        error_logger.warning("%s", doubt)


def _doubts(route: Route) -> Iterator[str]:
    if route.extra.static:
        # A handler of somebody else, declared as static, may serve what it likes.
        path = getattr(getattr(route.handler, "__self__", None), "path", None)
        if isinstance(path, str) and not os.path.exists(path):
            mount = route.uri.partition("/<__file_uri__")[0] or "/"
            yield f"Static files at {mount}: {path} does not exist. Until it does, all requests there are answered 404."
        return
    for info in route.defined_params.values():
        if info.regex and _PLAIN_WORD.fullmatch(info.label):
            yield _unknown_type(route, info.name, info.label)
    names = _keywords(route)
    if names:
        for handler in _functions(route):
            for name in _untaken(handler, names):
                yield (
                    f"Route {route.uri}: the handler {describe_handler(handler)} does not take the parameter '{name}', "
                    "so each request fails unless a middleware takes it away. Add it to the handler's arguments."
                )


def _unknown_type(route: Route, name: str, label: str) -> str:
    from difflib import get_close_matches

    types = [known for known in route.router.regex_types if known]
    close = get_close_matches(label.lower(), types) or types
    return (
        f"Route {route.uri} of {describe_handler(route.handler)}: <{name}:{label}> names no type, so it is a regular "
        f"expression that only the text '{label}' matches. Types like it: {', '.join(close)}."
    )


def _keywords(route: Route) -> list[str]:
    """The names of what the handler is given; none when types of somebody else decide."""
    names = []
    for info in route.defined_params.values():
        if info.label == "ext":
            names.append("ext")
        elif type(info).process is not ParamInfo.process:
            return []
        names.append(info.name)
    return names


def _untaken(handler: Callable[..., Any], names: list[str]) -> list[str]:
    # Not by its signature, which decorators may have set to something else.
    code = getattr(handler, "__code__", None)
    if code is None or code.co_flags & (CO_VARARGS | CO_VARKEYWORDS):
        return []
    taken = code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount]
    return [name for name in names if name not in taken]


def _functions(route: Route) -> list[Callable[..., Any]]:
    """The functions that answer the route's methods."""
    view = getattr(route.handler, "view_class", None)
    if view is None:
        handler = route.handler
        # Of a websocket the handler stands behind the handshake.
        return [handler.args[0] if route.extra.websocket and isinstance(handler, partial) else handler]
    from sanic.views import HTTPMethodView

    if view.decorators or view.dispatch_request is not HTTPMethodView.dispatch_request:
        return []
    methods = (getattr(view, method.lower(), None) for method in sorted(route.methods))
    return [method for method in methods if method is not None]
