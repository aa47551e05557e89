"""Declaring routes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sanic.constants import HTTP_METHODS
from sanic.models.futures import RouteSpec, Spec
from sanic.router.route import describe_handler

Handler = TypeVar("Handler", bound=Callable[..., Any])
Host = str | list[str] | tuple[str, ...] | set[str] | None
Version = int | str | float | None

_CONTEXT_PREFIX = "ctx_"
_FORMATS_BY_HELPER = {"json": "json", "JSONResponse": "json", "text": "text", "html": "html"}


class RouteDeclarations:
    """The decorators and methods that declare routes.

    They share these arguments:

    - `uri`: the path, with parameters as `<name>`, `<name:type>` or `<name:regex>`.
    - `host`: the host, or hosts, that the route is bound to.
    - `strict_slashes`: whether `/x` and `/x/` are different paths.
    - `stream`: whether the handler reads the body itself, from `request.stream`.
    - `version`, `version_prefix`: the first part of the path, `/v1`.
    - `name`: the name for `url_for`; default the handler's.
    - `ignore_body`: whether the body is left unread.
    - `unquote`: whether path parameters are percent-decoded.
    - `error_format`: `html`, `json`, `text` or `auto`, for the error pages of this route.
    - `ctx_…`: kept, without the prefix, on `route.ctx`.
    """

    _declare: Callable[[Spec], Any]
    generate_name: Callable[..., str]

    def route(
        self,
        uri: str,
        methods: Iterable[str] | None = None,
        host: Host = None,
        strict_slashes: bool | None = None,
        stream: bool = False,
        version: Version = None,
        name: str | None = None,
        ignore_body: bool = False,
        apply: bool = True,
        subprotocols: list[str] | None = None,
        websocket: bool = False,
        unquote: bool = False,
        static: bool = False,
        version_prefix: str = "/v",
        error_format: str | None = None,
        *,
        origins: Iterable[str] | None = None,
        **ctx_kwargs: Any,
    ) -> Callable[[Handler], Handler]:
        """Declare a route with a decorator; the function is returned as it is.

        Args:
            uri: See the class.
            methods: Methods that it takes; default GET.
            apply: False only makes the declaration.
            websocket: Whether it is a websocket route.
            subprotocols: Websocket subprotocols in order of preference.
            static: Whether it serves files.
            origins: Origins whose pages may open the websocket; default those of the configuration.

        Raises:
            ValueError: The handler takes no request, or has no name.
            TypeError: An unknown keyword, a function in place of the path, or a text in place of methods.
        """
        if callable(uri):
            raise TypeError(
                f"{describe_handler(uri)} stands where the path of a route is expected. "
                'Write the decorator with a path, as in @app.get("/"), and add_route() with the handler first.'
            )
        if isinstance(methods, str):
            raise TypeError(f"The methods of {uri!r} are the text {methods!r}: give a list, such as [{methods!r}].")
        context = _route_context(ctx_kwargs)

        def decorate(handler: Handler) -> Handler:
            _check_handler(handler, websocket)
            wanted = frozenset(method.upper() for method in (methods or {"GET"}))
            if hosts_are_wrong(host):
                raise ValueError(f"Expected host to be a text or a list, tuple or set of texts, not {host!r}.")
            spec = RouteSpec(
                handler=handler,
                uri=uri,
                methods=wanted,
                host=host if isinstance(host, str) or host is None else list(host),
                strict_slashes=strict_slashes,
                stream=stream,
                version=version,
                name=self.generate_name(name, handler),
                ignore_body=ignore_body,
                websocket=websocket,
                subprotocols=tuple(subprotocols or ()),
                origins=_checked_origins(origins),
                unquote=unquote,
                static=static,
                version_prefix=version_prefix,
                error_format=checked_error_format(error_format, handler),
                context=context,
            )
            if apply:
                self._declare(spec)
            return handler

        return decorate

    def add_route(
        self,
        handler: Handler,
        uri: str,
        methods: Iterable[str] = frozenset({"GET"}),
        host: Host = None,
        strict_slashes: bool | None = None,
        version: Version = None,
        name: str | None = None,
        stream: bool = False,
        version_prefix: str = "/v",
        error_format: str | None = None,
        unquote: bool = False,
        **ctx_kwargs: Any,
    ) -> Handler:
        """Declare a route with a call; a class-based view brings its own methods.

        Returns:
            The handler.
        """
        view_class = getattr(handler, "view_class", None)
        if view_class is not None:
            methods = {method for method in HTTP_METHODS if hasattr(view_class, method.lower())} or {"GET"}
            stream = stream or any(
                getattr(getattr(view_class, method.lower(), None), "is_stream", False) for method in HTTP_METHODS
            )
        return self.route(
            uri,
            methods=methods,
            host=host,
            strict_slashes=strict_slashes,
            stream=stream,
            version=version,
            name=name,
            version_prefix=version_prefix,
            error_format=error_format,
            unquote=unquote,
            **ctx_kwargs,
        )(handler)

    def get(
        self,
        uri: str,
        host: Host = None,
        strict_slashes: bool | None = None,
        version: Version = None,
        name: str | None = None,
        ignore_body: bool = True,
        version_prefix: str = "/v",
        error_format: str | None = None,
        **ctx_kwargs: Any,
    ) -> Callable[[Handler], Handler]:
        """Declare a route for GET."""
        return self.route(
            uri,
            methods={"GET"},
            host=host,
            strict_slashes=strict_slashes,
            version=version,
            name=name,
            ignore_body=ignore_body,
            version_prefix=version_prefix,
            error_format=error_format,
            **ctx_kwargs,
        )

    def head(
        self,
        uri: str,
        host: Host = None,
        strict_slashes: bool | None = None,
        version: Version = None,
        name: str | None = None,
        ignore_body: bool = True,
        version_prefix: str = "/v",
        error_format: str | None = None,
        **ctx_kwargs: Any,
    ) -> Callable[[Handler], Handler]:
        """Declare a route for HEAD."""
        return self.route(
            uri,
            methods={"HEAD"},
            host=host,
            strict_slashes=strict_slashes,
            version=version,
            name=name,
            ignore_body=ignore_body,
            version_prefix=version_prefix,
            error_format=error_format,
            **ctx_kwargs,
        )

    def options(
        self,
        uri: str,
        host: Host = None,
        strict_slashes: bool | None = None,
        version: Version = None,
        name: str | None = None,
        ignore_body: bool = True,
        version_prefix: str = "/v",
        error_format: str | None = None,
        **ctx_kwargs: Any,
    ) -> Callable[[Handler], Handler]:
        """Declare a route for OPTIONS."""
        return self.route(
            uri,
            methods={"OPTIONS"},
            host=host,
            strict_slashes=strict_slashes,
            version=version,
            name=name,
            ignore_body=ignore_body,
            version_prefix=version_prefix,
            error_format=error_format,
            **ctx_kwargs,
        )

    def delete(
        self,
        uri: str,
        host: Host = None,
        strict_slashes: bool | None = None,
        version: Version = None,
        name: str | None = None,
        ignore_body: bool = False,
        version_prefix: str = "/v",
        error_format: str | None = None,
        **ctx_kwargs: Any,
    ) -> Callable[[Handler], Handler]:
        """Declare a route for DELETE."""
        return self.route(
            uri,
            methods={"DELETE"},
            host=host,
            strict_slashes=strict_slashes,
            version=version,
            name=name,
            ignore_body=ignore_body,
            version_prefix=version_prefix,
            error_format=error_format,
            **ctx_kwargs,
        )

    def post(
        self,
        uri: str,
        host: Host = None,
        strict_slashes: bool | None = None,
        stream: bool = False,
        version: Version = None,
        name: str | None = None,
        version_prefix: str = "/v",
        error_format: str | None = None,
        **ctx_kwargs: Any,
    ) -> Callable[[Handler], Handler]:
        """Declare a route for POST."""
        return self.route(
            uri,
            methods={"POST"},
            host=host,
            strict_slashes=strict_slashes,
            stream=stream,
            version=version,
            name=name,
            version_prefix=version_prefix,
            error_format=error_format,
            **ctx_kwargs,
        )

    def put(
        self,
        uri: str,
        host: Host = None,
        strict_slashes: bool | None = None,
        stream: bool = False,
        version: Version = None,
        name: str | None = None,
        version_prefix: str = "/v",
        error_format: str | None = None,
        **ctx_kwargs: Any,
    ) -> Callable[[Handler], Handler]:
        """Declare a route for PUT."""
        return self.route(
            uri,
            methods={"PUT"},
            host=host,
            strict_slashes=strict_slashes,
            stream=stream,
            version=version,
            name=name,
            version_prefix=version_prefix,
            error_format=error_format,
            **ctx_kwargs,
        )

    def patch(
        self,
        uri: str,
        host: Host = None,
        strict_slashes: bool | None = None,
        stream: bool = False,
        version: Version = None,
        name: str | None = None,
        version_prefix: str = "/v",
        error_format: str | None = None,
        **ctx_kwargs: Any,
    ) -> Callable[[Handler], Handler]:
        """Declare a route for PATCH."""
        return self.route(
            uri,
            methods={"PATCH"},
            host=host,
            strict_slashes=strict_slashes,
            stream=stream,
            version=version,
            name=name,
            version_prefix=version_prefix,
            error_format=error_format,
            **ctx_kwargs,
        )


def _route_context(keywords: dict[str, Any]) -> dict[str, Any]:
    unknown = [name for name in keywords if not name.startswith(_CONTEXT_PREFIX)]
    if unknown:
        raise TypeError(f"Unexpected keyword arguments: {', '.join(unknown)}. Only ctx_… may be added freely.")
    return {name[len(_CONTEXT_PREFIX) :]: value for name, value in keywords.items()}


def hosts_are_wrong(host: object) -> bool:
    """Whether something is neither a host nor several of them."""
    return not (host is None or isinstance(host, (str, list, tuple, set, frozenset)))


def _checked_origins(origins: Iterable[str] | None) -> tuple[str, ...] | None:
    if origins is None:
        return None
    return tuple(origins.split(",")) if isinstance(origins, str) else tuple(origins)


def _check_handler(handler: Callable[..., Any], websocket: bool) -> None:
    needed = 2 if websocket else 1
    code = getattr(handler, "__code__", None)
    if code is not None and code.co_argcount >= needed:
        return
    from inspect import Parameter, signature

    try:
        parameters = list(signature(handler).parameters.values())
    except (TypeError, ValueError):
        return
    positional = [p for p in parameters if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    if len(positional) < needed and not any(p.kind is Parameter.VAR_POSITIONAL for p in parameters):
        name = getattr(handler, "__qualname__", repr(handler))
        arguments = "request and websocket" if websocket else "the request"
        raise ValueError(f"Required parameter missing: the handler {name}() must take {arguments} as first argument.")


def checked_error_format(error_format: str | None, handler: Callable[..., Any]) -> str | None:
    """The error format of a route: the one given, else the one that its handler's helpers tell, else None.

    Raises:
        SanicException: There is no such format.
    """
    if error_format and error_format != "auto":
        from sanic.errorpages import check_error_format

        check_error_format(error_format)
        return error_format
    while hasattr(handler, "__wrapped__"):
        handler = handler.__wrapped__
    code = getattr(handler, "__code__", None)
    if code is None:
        return None
    known = getattr(handler, "__globals__", {})
    # A name may be that of an attribute (`request.json`) or of a module (`import json`), which says nothing.
    names = [*(name for name in code.co_names if callable(known.get(name))), *code.co_freevars]
    formats = {_FORMATS_BY_HELPER[name] for name in names if name in _FORMATS_BY_HELPER}
    return formats.pop() if len(formats) == 1 else None
