"""From the name of a route to its URL: what `url_for` does, as functions without state.

The path comes from the route's own parts and types, so what is built is what the router matches. Nothing here looks at
a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from sanic.exceptions import URLBuildError
from sanic.router.parameters import NO_MATCH, ExtensionCast, ValueMatcher
from sanic.router.route import PCHAR_SAFE, STRAY_PERCENT, Route

if TYPE_CHECKING:
    from sanic.router.router import Router

_SECURE_OR_NOT: Final = {"http": "ws", "https": "wss"}


def build_url(app_name: str, router: Router, config: Mapping[str, Any], view_name: str, /, **kwargs: Any) -> str:
    """Build the URL of a route.

    Args:
        app_name: what `view_name` is completed with.
        router: where the route is looked up.
        config: its `SERVER_NAME` is the default server of absolute URLs.
        view_name: `handler`, `blueprint.handler` or the full name.
        kwargs: path parameters by name; `_anchor`, `_external`, `_scheme`, `_server`, `_host`, `_method`; for static
            routes `name` and `filename`. The rest becomes the query.

    Returns:
        the path with query and fragment, preceded by scheme and server when `_external`, or by `//server` when only
        `_server` is given.

    Raises:
        URLBuildError: no such route, or a path parameter is missing or does not fit its type.
        ValueError: the options contradict each other or the route's hosts.
    """
    route = _find_route(app_name, router, view_name, kwargs)
    anchor = kwargs.pop("_anchor", "")
    scheme = kwargs.pop("_scheme", "")
    host = kwargs.pop("_host", "")
    external = kwargs.pop("_external", False) or bool(host)
    server = kwargs.pop("_server", None)
    kwargs.pop("_method", None)
    if scheme and not external:
        raise ValueError("When specifying _scheme, _external must be True")

    # Popped before the path is built: it takes its parameters out of the keywords, what is left is the query.
    url = _path(route, kwargs)
    if kwargs:
        url += "?" + _query(kwargs)
    if anchor:
        url += "#" + quote(_escape_stray_percent(str(anchor)), safe=PCHAR_SAFE + "/?")
    if external:
        return _origin(route, scheme, host, server or config.get("SERVER_NAME") or "") + url
    if server:
        _, netloc, prefix = _split_server(server)
        return f"//{netloc}{prefix}{url}"
    return url


def _find_route(app_name: str, router: Router, view_name: str, kwargs: dict[str, Any]) -> Route:
    def find(name: str) -> Route | None:
        return router.find_route_by_view_name(name) or router.find_route_by_view_name(f"{app_name}.{name}")

    wanted = view_name
    route = find(view_name)
    if view_name.rpartition(".")[2] == "static" and (route is None or route.extra.static):
        # `static` is also what any static route is asked for, with its own name beside it.
        own_name = kwargs.pop("name", None)
        if own_name:
            prefix = view_name[: -len("static")]
            wanted = own_name if own_name.startswith(prefix) else prefix + own_name
            route = find(wanted)
    if route is None:
        raise URLBuildError(
            f"Endpoint with name `{wanted}` was not found. Routes are named after their handler, or by name=, and "
            "those of a blueprint as `blueprint.name`."
        )
    if route.extra.static:
        filename = str(kwargs.pop("filename", "") or "")
        if route.labels:
            kwargs.setdefault(route.labels[-1], filename.lstrip("/"))
    return route


def _path(route: Route, kwargs: dict[str, Any]) -> str:
    matchers = iter(route.matchers)
    parts = [
        _value(route, route.params[index].name, next(matchers), kwargs) if index in route.params else part
        for index, part in enumerate(route.parts)
    ]
    return "/" + "/".join(parts)


def _value(route: Route, name: str, matcher: ValueMatcher, kwargs: dict[str, Any]) -> str:
    if name not in kwargs:
        raise URLBuildError(f"Required parameter `{name}` was not passed to url_for for the route `{route.name}`")
    text = matcher.to_text(kwargs.pop(name))
    if isinstance(matcher.cast, ExtensionCast):
        text = _with_extension(text, matcher.cast, kwargs)
    if matcher.value_of(text) is NO_MATCH:
        raise URLBuildError(
            f'Value "{text}" for parameter `{name}` of the route `{route.name}` does not match pattern for type '
            f"`{matcher.label}`: {matcher.description}"
        )
    # Without `unquote` the handler gets values as they stand in the URL, so a value may be encoded already.
    text = text.replace("%", "%25") if route.unquote or route.extra.static else _escape_stray_percent(text)
    return quote(text, safe=PCHAR_SAFE + "/" if matcher.spans else PCHAR_SAFE)


def _with_extension(text: str, definition: ExtensionCast, kwargs: dict[str, Any]) -> str:
    """The file name, from name and `ext=`, from the whole name, or with the only extension that is allowed."""
    if "ext" in kwargs:
        return f"{text}.{kwargs.pop('ext')}"
    if len(definition.allowed) == 1 and not text.endswith("." + definition.allowed[0]):
        return f"{text}.{definition.allowed[0]}"
    return text


def _query(kwargs: Mapping[str, Any]) -> str:
    pairs: list[tuple[str, str]] = []
    for key, value in kwargs.items():
        values = value if isinstance(value, (list, tuple)) else (value,)
        pairs += ((key, str(item)) for item in values)
    return urlencode(pairs)


def _origin(route: Route, scheme: str, host: str, server: str) -> str:
    """Scheme and authority of an absolute URL, and the path that `SERVER_NAME` may carry."""
    server_scheme, netloc, prefix = _split_server(server)
    hosts = [item for item in route.extra.hosts if item]
    if host:
        if host.lower() not in (item.lower() for item in hosts):
            raise ValueError(
                f"Requested host ({host}) is not available for the route `{route.name}`: "
                f"{', '.join(hosts) or 'it is not bound to any host, use _server'}"
            )
        netloc, prefix = host, ""
    elif len(hosts) > 1:
        raise ValueError(f"Host is ambiguous: {', '.join(hosts)}. Choose one with _host.")
    elif hosts:
        netloc, prefix = hosts[0], ""
    if not netloc:
        return ""
    scheme = scheme or server_scheme or "http"
    if route.extra.websocket:
        scheme = _SECURE_OR_NOT.get(scheme, scheme)
    return f"{scheme}://{netloc}{prefix}"


def _split_server(server: str) -> tuple[str, str, str]:
    """`https://example.com:81/api/` -> (`https`, `example.com:81`, `/api`)."""
    scheme, separator, rest = server.partition("://")
    if not separator:
        scheme, rest = "", server
    netloc, slash, path = rest.lstrip("/").partition("/")
    return scheme, netloc, (slash + path).rstrip("/")


def _escape_stray_percent(text: str) -> str:
    return STRAY_PERCENT.sub("%25", text)
