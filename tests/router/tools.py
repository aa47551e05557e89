"""A router made from a list of declarations, as the tests of this directory write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sanic.exceptions import NotFound
from sanic.router import Router


def handler(request: Any, **params: Any) -> None: ...


def router_of(*declarations: str | tuple[str, dict[str, Any]], prepare: Callable[[Router], object] = id) -> Router:
    """A finalized router; a route is named `app.` + its path as declared, unless `name` is given."""
    router = Router()
    prepare(router)
    for declaration in declarations:
        uri, options = declaration if isinstance(declaration, tuple) else (declaration, {})
        router.add(uri, **{"methods": ["GET"], "handler": handler, "name": f"app.{uri}", **options})
    router.finalize()
    return router


Found = tuple[str, dict[str, Any]] | None


def winner(router: Router, path: str, method: str = "GET", host: str | None = None) -> Found:
    """The declared path and the parameters of the route that is found, None for a 404."""
    try:
        route, _, params = router.get(path, method, host)
    except NotFound:
        return None
    return route.name.removeprefix("app."), params
