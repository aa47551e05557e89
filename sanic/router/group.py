"""RouteGroup: the routes that share one path and differ in method or host.

The group decides between found and "method not allowed", and refuses routes that could not be told apart.
It does not match paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from sanic_routing.exceptions import InvalidUsage, RouteExists

from sanic.router.route import Route, describe_handler

if TYPE_CHECKING:
    from sanic_routing.patterns import ParamInfo

    from sanic.router.route import RouteOwner

_NO_ROUTES: Final[Mapping[str, Route]] = {}


class RouteGroup:
    """One or more routes with the same segments.

    Args:
        routes: at least one; they are taken as they are, `merge` is what checks for conflicts.
    """

    # What a group answers from its first route, because all of its routes agree on it.
    passthru_properties = (
        "labels",
        "params",
        "parts",
        "path",
        "pattern",
        "raw_path",
        "regex",
        "router",
        "segments",
        "strict",
        "unquote",
        "uri",
    )

    def __init__(self, *routes: Route) -> None:
        if not routes:
            raise InvalidUsage("A route group needs at least one route.")
        self._routes = list(routes)
        # Filled by `finalize`; `by_method` stays empty when the routes are bound to hosts.
        self.by_method: dict[str, Route] = {}
        self.by_host: dict[str, dict[str, Route]] = {}

    def __str__(self) -> str:
        return f"<{type(self).__name__}: path={self.path or self.router.delimiter} len={len(self._routes)}>"

    __repr__ = __str__

    def __iter__(self) -> Iterator[Route]:
        return iter(self.routes)

    def __getitem__(self, key: int) -> Route:
        return self._routes[key]

    def __len__(self) -> int:
        return len(self._routes)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes, highest priority first and then as declared."""
        return tuple(self._routes)

    @property
    def labels(self) -> list[str]:
        return self._routes[0].labels

    @property
    def params(self) -> dict[int, ParamInfo]:
        return self._routes[0].params

    @property
    def parts(self) -> tuple[str, ...]:
        return self._routes[0].parts

    @property
    def path(self) -> str:
        return self._routes[0].path

    @property
    def pattern(self) -> str | None:
        return self._routes[0].pattern

    @property
    def raw_path(self) -> str:
        return self._routes[0].raw_path

    @property
    def regex(self) -> bool:
        return self._routes[0].regex

    @property
    def router(self) -> RouteOwner:
        return self._routes[0].router

    @property
    def segments(self) -> tuple[str, ...]:
        return self._routes[0].segments

    @property
    def strict(self) -> bool:
        return self._routes[0].strict

    @property
    def unquote(self) -> bool:
        return self._routes[0].unquote

    @property
    def uri(self) -> str:
        return self._routes[0].uri

    @property
    def depth(self) -> int:
        """How many parts the path has."""
        return len(self.parts)

    @property
    def dynamic_path(self) -> bool:
        """Whether one of the parameters may hold more than one segment."""
        return any(matcher.spans for matcher in self._routes[0].matchers)

    @property
    def methods(self) -> frozenset[str]:
        """All methods of all routes, as declared."""
        return frozenset(method for route in self._routes for method in route.methods)

    @property
    def requirements(self) -> list[dict[str, Any]]:
        """The requirements of those routes that have any."""
        return [route.requirements for route in self._routes if route.requirements]

    def merge(self, group: RouteGroup, overwrite: bool = False, append: bool = False) -> None:
        """Take the routes of another group with the same segments into this one.

        Args:
            group: the other one.
            overwrite: its routes replace ours where they would conflict.
            append: conflicts do not matter.

        Raises:
            RouteExists: one of its routes could not be told from one of ours.
            InvalidUsage: the two differ in `strict_slashes`.
        """
        for route in group._routes:
            if not append:
                for other in self._routes[:]:
                    self._settle(other, route, overwrite)
            self._routes.append(route)

    def prioritize_routes(self) -> None:
        """Sort the routes by priority, highest first; equal ones stay as declared."""
        self._routes.sort(key=lambda route: -route.priority)

    def finalize(self, auto_head: bool = False) -> None:
        """Build the tables that requests are looked up in.

        Args:
            auto_head: let the GET route answer HEAD when no route was declared for it (RFC 9110 section 9.3.2).
        """
        self.prioritize_routes()
        self.by_method = {}
        self.by_host = {}
        for route in self._routes:
            table = self.by_method if route.host is None else self.by_host.setdefault(route.host.lower(), {})
            for method in route.methods:
                table.setdefault(method, route)
        if auto_head:
            for table in (self.by_method, *self.by_host.values()):
                if "GET" in table:
                    table.setdefault("HEAD", table["GET"])

    def reset(self) -> None:
        """Forget what `finalize` built."""
        self.by_method = {}
        self.by_host = {}

    def methods_at(self, host: str | None) -> Mapping[str, Route]:
        """The finalized table for a host: method -> route, empty when all routes are bound to other hosts."""
        if not self.by_host:
            return self.by_method
        return self.by_host.get(host.lower() if host else "", _NO_ROUTES)

    def _settle(self, other: Route, route: Route, overwrite: bool) -> None:
        common = other.methods & route.methods
        if (other.host is None) != (route.host is None):
            if not overwrite:
                raise RouteExists(
                    _already(route, other, route.methods)
                    + " One is bound to a host and the other is not: give both a host, or none."
                )
            self._routes.remove(other)
            return
        same_host = (other.host or "").lower() == (route.host or "").lower()
        if common and same_host:
            if not overwrite:
                raise RouteExists(_already(route, other, common))
            other.methods -= common
            if not other.methods:
                self._routes.remove(other)
        elif other.strict != route.strict:
            raise InvalidUsage(
                f"Routes for the path '{route.uri}' differ in strict_slashes: it is {route.strict} for "
                f"{describe_handler(route.handler)} and {other.strict} for {describe_handler(other.handler)}. "
                "Give both the same value."
            )


def _already(route: Route, other: Route, methods: frozenset[str]) -> str:
    return (
        f"Route already registered: {route.path or '/'} [{', '.join(sorted(methods))}], declared for "
        f"{describe_handler(other.handler)} and again for {describe_handler(route.handler)}."
    )
