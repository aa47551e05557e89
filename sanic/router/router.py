"""Router: what is declared, under which name, and where a request goes.

Declarations are checked when they come in. `finalize` compiles them: whole paths into a dictionary, the others into a
`PathTree`; after that `get` answers. It calls no handler and sees no request, only path, method and host.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from sanic_routing.exceptions import BadMethod, FinalizationError, InvalidUsage, NoMethod
from sanic_routing.exceptions import NotFound as RoutingNotFound
from sanic_routing.patterns import ParamInfo

from sanic.constants import HTTP_METHODS
from sanic.exceptions import MethodNotAllowed, NotFound, SanicException
from sanic.router.group import RouteGroup
from sanic.router.parameters import Cast, RegexTypes, default_types
from sanic.router.route import Route, describe_handler
from sanic.router.tree import Match, PathTree, needs_decoding

Handler = Callable[..., Any]

FILE_URI_PARAMETER = "__file_uri__"


class Router:
    """The routes of one application.

    Args:
        delimiter: `/`, as in every URL.
        exception: what `resolve` raises for an unknown path.
        method_handler_exception: what `resolve` raises for a method that the path does not have.
        route_class: made for every route.
        group_class: made for every path.
        stacking: unsupported, several routes for one path and method cannot all answer.
        cascade_not_found: unsupported, the first path that matches decides.

    Attributes:
        ALLOWED_METHODS: what routes may be declared for; may be extended before they are.
        DEFAULT_METHOD: the method of a route declared without any.
        auto_head: let GET routes answer HEAD (RFC 9110 section 9.3.2). Read by `finalize`.
        auto_options: list OPTIONS as allowed; the application answers it.
        uses_hosts: whether any route is bound to a host. Set by `finalize`; when False `get` ignores the host.
        finalized: whether requests can be routed.
        name_index: full name -> route.
        regex_types: parameter label -> (cast, pattern, info class).
        ctx: a place for the application, which is `ctx.app`.
    """

    __slots__ = ("__dict__", "groups", "matchers")

    DEFAULT_METHOD = "GET"
    ALLOWED_METHODS: Iterable[str] = HTTP_METHODS

    def __init__(
        self,
        delimiter: str = "/",
        exception: type[RoutingNotFound] = RoutingNotFound,
        method_handler_exception: type[NoMethod] = NoMethod,
        route_class: type[Route] = Route,
        group_class: type[RouteGroup] = RouteGroup,
        stacking: bool = False,
        cascade_not_found: bool = False,
    ) -> None:
        if delimiter != "/" or stacking or cascade_not_found:
            raise InvalidUsage(
                "Router supports neither another delimiter than '/', nor stacking, nor cascade_not_found "
                f"(got delimiter={delimiter!r}, stacking={stacking!r}, cascade_not_found={cascade_not_found!r})."
            )
        self.delimiter = delimiter
        self.exception = exception
        self.method_handler_exception = method_handler_exception
        self.route_class = route_class
        self.group_class = group_class
        self.stacking = stacking
        self.cascade_not_found = cascade_not_found
        self.auto_head = True
        self.auto_options = False
        self.regex_types: RegexTypes = default_types()
        self.ctx = SimpleNamespace()
        # Custom host matching functions of earlier releases; kept because applications look at it.
        self.matchers: None = None

        # Declared.
        self.groups: dict[tuple[str, ...], RouteGroup] = {}
        self.name_index: dict[str, Route] = {}
        self._routes: list[Route] = []

        # Compiled by `finalize`, emptied by `reset`.
        self.finalized = False
        self.uses_hosts = False
        self._whole_paths: dict[str, RouteGroup] = {}
        # The same by path and method; the inner one is empty where the host has to be looked at.
        self._by_path: dict[str, Mapping[str, Route]] = {}
        self._tree = PathTree(())
        # The number of parts of the longest path.
        self._depth = 0

    # -- declaring

    def add(
        self,
        uri: str,
        methods: Iterable[str],
        handler: Handler,
        host: str | Iterable[str] | None = None,
        strict_slashes: bool = False,
        stream: bool = False,
        ignore_body: bool = False,
        version: int | str | float | None = None,
        name: str | None = None,
        unquote: bool = False,
        static: bool = False,
        version_prefix: str = "/v",
        overwrite: bool = False,
        error_format: str | None = None,
    ) -> list[Route]:
        """Declare a route.

        Args:
            uri: the path, with or without its leading slash, without the version.
            methods: method names in any case; none means `DEFAULT_METHOD`.
            handler: what is called for a request.
            host: a host, or several; each becomes a route of its own.
            strict_slashes: whether the trailing slash matters.
            stream: the handler reads the body itself.
            ignore_body: the body is not read.
            version: put before the path: `1`, `"1"` and `"v1"` are the same.
            name: the full name; by default that of the handler.
            unquote: percent-decode text values before the handler gets them.
            static: the route serves files.
            version_prefix: what stands before the version.
            overwrite: replace routes that are in the way instead of failing.
            error_format: how errors of this route are shown.

        Returns:
            one route for each host.

        Raises:
            FinalizationError: the router is finalized; call `reset` first.
            BadMethod: a method is not one of `ALLOWED_METHODS`.
            InvalidUsage: the path cannot be read, or differs in `strict_slashes` from a route of the same path.
            ParameterNameConflicts: two parameters share a name.
            RouteExists: the route could not be told from one declared before.
            ValueError: `host` is neither text nor iterable.
        """
        if self.finalized:
            raise FinalizationError(
                f"Cannot add the route '{uri}' to a finalized router. Add it through the application, or call "
                "router.reset() before and router.finalize() after."
            )
        wanted = self._checked_methods(methods, uri)
        hosts = _checked_hosts(host)
        path = compose_path(uri, version, version_prefix)
        name = name or getattr(handler, "__name__", None) or type(handler).__name__
        routes: list[Route] = []
        for one_host in hosts:
            route = self.route_class(
                self,
                path,
                name,
                handler,
                wanted,
                requirements={} if one_host is None else {"host": one_host},
                strict=strict_slashes,
                unquote=unquote,
            )
            ident = name
            if len(hosts) > 1:
                ident += "_" + re.sub(r"\W", "_", str(one_host))
            route.extra = SimpleNamespace(
                ident=ident,
                ignore_body=ignore_body,
                stream=stream,
                hosts=hosts,
                static=static,
                error_format=error_format,
                websocket=False,
                request_middleware=deque(),
                response_middleware=deque(),
            )
            self._insert(route, overwrite)
            routes.append(route)
        return routes

    def register_pattern(
        self,
        label: str,
        cast: Cast,
        pattern: str | re.Pattern[str],
        param_info_class: type[ParamInfo] = ParamInfo,
    ) -> None:
        """Add a parameter type, to be used as `<name:label>` in routes declared after.

        Args:
            label: the name of the type.
            cast: makes the value from the text; a ValueError means that the path does not match.
            pattern: what a whole value looks like.
            param_info_class: describes parameters of this type.

        Raises:
            InvalidUsage: one of them is of the wrong kind.
        """
        if not isinstance(label, str):
            raise InvalidUsage(f"When registering a pattern, label must be a string, not {label!r}")
        if not callable(cast):
            raise InvalidUsage(f"When registering the pattern '{label}', cast must be a callable, not {cast!r}")
        if not isinstance(pattern, str | re.Pattern):
            raise InvalidUsage(
                f"When registering the pattern '{label}', pattern must be a string or a Pattern, not {pattern!r}"
            )
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            raise InvalidUsage(
                f"The pattern {pattern!r} of '{label}' is not a valid regular expression: {error}"
            ) from error
        if not isinstance(compiled.pattern, str):
            raise InvalidUsage(f"The pattern of '{label}' must be for text, not for bytes: {pattern!r}")
        self.regex_types[label] = (cast, compiled, param_info_class)

    def finalize(self, *args: Any, **kwargs: Any) -> None:
        """Compile the routes, after which requests can be routed and routes cannot be added.

        Raises:
            FinalizationError: it is finalized already, or there are no routes.
            SanicException: a parameter has a reserved name.
        """
        if self.finalized:
            raise FinalizationError("Cannot finalize router more than once.")
        if not self._routes:
            raise FinalizationError("Cannot finalize with no routes defined.")
        # Its name may also stand in further methods of the path that static files are served at.
        static_paths = {route.path for route in self._routes if route.extra.static}
        for route in self._routes:
            for label in route.labels:
                if label.startswith("__") and not (label == FILE_URI_PARAMETER and route.path in static_paths):
                    raise SanicException(
                        f"Invalid route: {route}. Parameter names must not start with '__', as '{label}' does."
                    )
            route.finalize()
        self._whole_paths = {}
        self._by_path = {}
        in_tree: list[RouteGroup] = []
        for group in self.groups.values():
            group.finalize(self.auto_head)
            if group.params:
                in_tree.append(group)
            else:
                self._whole_paths[group.uri] = group
                self._by_path[group.uri] = group.by_method
                if any(needs_decoding(part, group) for part in group.parts):
                    in_tree.append(group)
        self._tree = PathTree(in_tree)
        self._depth = max(group.depth for group in self.groups.values())
        self.uses_hosts = any(route.host is not None for route in self._routes)
        self.finalized = True

    def reset(self) -> None:
        """Undo `finalize`, so that routes can be added and the router finalized again."""
        self.finalized = False
        self._whole_paths = {}
        self._by_path = {}
        self._tree = PathTree(())
        for group in self.groups.values():
            group.reset()
        for route in self._routes:
            route.reset()

    # -- routing

    def get(self, path: str, method: str, host: str | None) -> tuple[Route, Handler, dict[str, Any]]:
        """Find the route for a request.

        Args:
            path: percent-encoded as received, without query.
            method: as received; method names are case-sensitive (RFC 9110 section 9.1).
            host: the `Host` field, or None. Compared without regard to case (RFC 3986 section 3.2.2).

        Returns:
            (route, handler, a fresh dictionary of the handler's keywords).

        Raises:
            NotFound: no route for the path, or none for the host.
            MethodNotAllowed: the path has routes, but none for the method.
            FinalizationError: the router is not finalized.
        """
        methods = self._by_path.get(path)
        if methods is not None:
            route = methods.get(method)
            if route is not None:
                return route, route.handler, {}
        else:
            # The usual path is one where each segment leaves no choice, and each parameter is plain text.
            node = self._tree.root
            values: list[Any] = []
            segments = path.split("/", self._depth + 1) if path[:1] == "/" else []
            for segment in segments[1:]:
                child = node.literals.get(segment)
                edges = node.edges
                if child is not None and not edges:
                    node = child
                elif child is None and segment and len(edges) == 1 and edges[0].is_plain and not node.decoded:
                    values.append(segment)
                    node = edges[0].node
                else:
                    break
            else:
                if node.group is not None:
                    route = node.group.by_method.get(method)
                    if route is not None and not route.converts:
                        return route, route.handler, dict(zip(route.parameter_names, values))  # noqa: B905 - the tree grew them together
        group, values = self._find(path)
        table = group.methods_at(host)
        route = table.get(method)
        if route is not None:
            return route, route.handler, route.arguments(values)
        if not table:
            raise _not_found(path)
        raise MethodNotAllowed(
            f"Method {method} not allowed for URL {path}",
            method=method,
            allowed_methods=self._listed(table),
        )

    def resolve(
        self,
        path: str,
        *,
        method: str | None = None,
        orig: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> tuple[Route, Handler, dict[str, Any]]:
        """As `get`, with the exceptions of the routing vocabulary.

        Args:
            path: percent-encoded.
            method: by default `DEFAULT_METHOD`.
            orig: the path to name in errors.
            extra: requirements, of which `host` counts.

        Raises:
            sanic_routing.exceptions.NotFound: or what was given to the router as `exception`.
            sanic_routing.exceptions.NoMethod: or what was given as `method_handler_exception`.
        """
        try:
            return self.get(path, method or self.DEFAULT_METHOD, (extra or {}).get("host"))
        except NotFound as error:
            raise self.exception(str(error), path=orig or path) from error
        except MethodNotAllowed as error:
            raise self.method_handler_exception(
                str(error),
                method=error.method,
                allowed_methods=set(error.allowed_methods or ()),
                path=orig or path,
            ) from error

    def allowed_methods(self, path: str, host: str | None = None) -> tuple[str, ...]:
        """The methods of a path, sorted, as for an `Allow` field.

        Raises:
            NotFound: no route for the path, or none for the host.
        """
        group, _ = self._find(path)
        table = group.methods_at(host)
        if not table:
            raise _not_found(path)
        return self._listed(table)

    # -- looking things up

    @property
    def find_route(self) -> Callable[[str], Match | None]:
        """The compiled lookup of paths with parameters: path -> (group, values), or None."""
        return self._tree.match

    def find_route_by_view_name(self, view_name: str, name: str | None = None) -> Route | None:
        """Find a route by its full name, or by its name without that of the application.

        Args:
            view_name: `handler`, `blueprint.handler` or `app.handler`.
            name: unused; for static routes `url_for` composes the view name.
        """
        if not view_name:
            return None
        route = self.name_index.get(view_name)
        if route is None:
            app_name = getattr(getattr(self.ctx, "app", None), "name", None)
            route = self.name_index.get(f"{app_name}.{view_name}")
        return route

    def duplicate_names(self) -> dict[str, list[str]]:
        """The names that more than one declaration has, each with the places of their handlers.

        The routes of one declaration for several hosts are one.
        """
        first: dict[str, Route] = {}
        duplicates: dict[str, list[str]] = {}
        for route in self._routes:
            same = first.setdefault(route.extra.ident, route)
            if same is not route:
                places = duplicates.setdefault(route.name, [describe_handler(same.handler)])
                if (place := describe_handler(route.handler)) not in places:
                    places.append(place)
        return duplicates

    @property
    def routes(self) -> tuple[Route, ...]:
        """All routes, as declared."""
        return tuple(self._routes)

    @property
    def routes_all(self) -> dict[tuple[str, ...], Route]:
        """The first route of every path, by the parts of the path."""
        return {group.parts: group[0] for group in self.groups.values()}

    @property
    def routes_static(self) -> dict[tuple[str, ...], RouteGroup]:
        """The paths without parameters and hosts."""
        return {key: group for key, group in self.groups.items() if group[0].static}

    @property
    def routes_dynamic(self) -> dict[tuple[str, ...], RouteGroup]:
        """The paths with parameters of plain types, or with hosts."""
        return {key: group for key, group in self.groups.items() if not group[0].static and not group.regex}

    @property
    def routes_regex(self) -> dict[tuple[str, ...], RouteGroup]:
        """The paths with `ext`, `path` or regular expressions."""
        return {key: group for key, group in self.groups.items() if group.regex}

    # -- inside

    def _find(self, path: str) -> Match:
        """The group for a path and the values; a path that matches nothing is tried without its trailing slashes."""
        if not self.finalized:
            raise FinalizationError("The router cannot route yet: call finalize() after the last route was added.")
        found = self._find_exactly(path)
        if found is not None:
            return found
        stripped = path.rstrip("/")
        # Slash by slash, but no slashes beyond those that some definition could tell apart.
        slashes = min(len(path) - len(stripped), self._depth + 1)
        for count in range(slashes - 1, -1, -1):
            found = self._find_exactly(stripped + "/" * count)
            if found is not None:
                if found[0].strict:
                    break
                return found
        raise _not_found(stripped)

    def _find_exactly(self, path: str) -> Match | None:
        group = self._whole_paths.get(path)
        return (group, []) if group is not None else self._tree.match(path)

    def _insert(self, route: Route, overwrite: bool) -> None:
        group = self.groups.get(route.segments)
        if group is None:
            self.groups[route.segments] = self.group_class(route)
            self._routes.append(route)
        else:
            before = group.routes
            group.merge(self.group_class(route), overwrite=overwrite)
            kept = set(map(id, group.routes))
            replaced = [other for other in before if id(other) not in kept]
            self._routes.append(route)
            if replaced:
                self._routes = [other for other in self._routes if other not in replaced]
                self.name_index = {other.name: other for other in reversed(self._routes)}
        self.name_index.setdefault(route.name, route)

    def _checked_methods(self, methods: Iterable[str], uri: str) -> frozenset[str]:
        if isinstance(methods, str):
            methods = (methods,)
        wanted = frozenset(method.upper() for method in methods) or frozenset((self.DEFAULT_METHOD,))
        allowed = {method.upper() for method in self.ALLOWED_METHODS}
        unknown = wanted - allowed
        if unknown:
            raise BadMethod(
                f"Bad method {', '.join(sorted(unknown))} for the route '{uri}'. Must be one of: "
                f"{', '.join(sorted(allowed))}. Extend router.ALLOWED_METHODS to declare others."
            )
        return wanted

    def _listed(self, table: Mapping[str, Route]) -> tuple[str, ...]:
        methods = set(table)
        if self.auto_options:
            methods.add("OPTIONS")
        return tuple(sorted(methods))


def compose_path(uri: str, version: int | str | float | None = None, version_prefix: str = "/v") -> str:
    """Put the version before a path: `("/x", 1)` -> `/v1/x`."""
    if version is None:
        return "/" + uri.lstrip("/")
    text = str(version).strip("/").removeprefix("v")
    prefix = "/" + version_prefix.lstrip("/") + text
    return prefix + "/" + uri.lstrip("/") if uri else prefix


def _checked_hosts(host: str | Iterable[str] | None) -> list[str | None]:
    if host is None or isinstance(host, str):
        return [host or None]
    try:
        return list(host) or [None]
    except TypeError:
        raise ValueError(f"host must be text or an iterable of texts, not {host!r}") from None


def _not_found(path: str) -> NotFound:
    return NotFound(f"Requested URL {path} not found")
