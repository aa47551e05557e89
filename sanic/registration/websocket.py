"""Declaring websocket routes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from sanic.models.futures import RouteSpec
from sanic.registration.routes import Handler, Host, Version


class WebsocketDeclarations:
    """The decorator and the method that declare websocket routes; their arguments are those of `route`, and these:

    - `subprotocols`: what the handler speaks, in order of preference; a client that offers none of it is refused.
    - `origins`: origins whose pages may connect, such as `https://example.com`; default those of the configuration.
    """

    route: Callable[..., Any]

    def websocket(
        self,
        uri: str,
        host: Host = None,
        strict_slashes: bool | None = None,
        subprotocols: list[str] | None = None,
        version: Version = None,
        name: str | None = None,
        apply: bool = True,
        version_prefix: str = "/v",
        error_format: str | None = None,
        *,
        origins: Iterable[str] | None = None,
        **ctx_kwargs: Any,
    ) -> Callable[[Handler], Handler]:
        """Declare a websocket route; the handler takes the request, the websocket and the path parameters.

        Raises:
            ValueError: The handler takes fewer than two arguments, or has no name.
            TypeError: An unknown keyword.
        """
        decorator: Callable[[Handler], Handler] = self.route(
            uri,
            host=host,
            strict_slashes=strict_slashes,
            version=version,
            name=name,
            apply=apply,
            subprotocols=subprotocols,
            origins=origins,
            websocket=True,
            version_prefix=version_prefix,
            error_format=error_format,
            **ctx_kwargs,
        )
        return decorator

    def add_websocket_route(
        self,
        handler: Handler,
        uri: str,
        host: Host = None,
        strict_slashes: bool | None = None,
        subprotocols: list[str] | None = None,
        version: Version = None,
        name: str | None = None,
        version_prefix: str = "/v",
        error_format: str | None = None,
        *,
        origins: Iterable[str] | None = None,
        **ctx_kwargs: Any,
    ) -> Handler:
        """Declare a websocket route with a call; see `websocket`.

        Returns:
            The handler.
        """
        return self.websocket(
            uri,
            host=host,
            strict_slashes=strict_slashes,
            subprotocols=subprotocols,
            version=version,
            name=name,
            version_prefix=version_prefix,
            error_format=error_format,
            origins=origins,
            **ctx_kwargs,
        )(handler)


class _App(Protocol):
    websocket_enabled: bool

    @property
    def _websocket_handler(self) -> Callable[..., Any]: ...


def handler_for(app: _App, spec: RouteSpec) -> Callable[..., Any]:
    """What a route calls: its handler, or for a websocket what does the handshake first.

    Extension packages find the handler of a websocket route as the first argument of this partial.
    """
    if not spec.websocket:
        return spec.handler
    app.websocket_enabled = True
    return partial(app._websocket_handler, spec.handler, subprotocols=spec.subprotocols, origins=spec.origins)
