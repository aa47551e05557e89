"""A request as a handler sees it: the message of a client, together with who answers it and where it came from.

A request is slots and bytes: everything beyond method and path is decoded when it is first asked for. It does not know
how its bytes arrived; the exchange (`request.stream`) does.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

from sanic.compat import Header
from sanic.context import current_request
from sanic.exceptions import BadRequest, ServerError
from sanic.headers import forwarded_options, parse_host
from sanic.request import address
from sanic.request.message import Message, RawHeaders
from sanic.request.target import split_target
from sanic.response import BaseHTTPResponse, HTTPResponse

if TYPE_CHECKING:
    # With defaults (PEP 696), which type checkers know before the standard library does.
    from typing_extensions import TypeVar

    from sanic.app import Sanic
    from sanic.models.server_types import ConnInfo
    from sanic.request.limits import FormLimits
    from sanic.request.parts import MultipartReader
    from sanic.response.http import ResponseHeaders
    from sanic.router import Route

    sanic_type = TypeVar("sanic_type", bound=Sanic[Any, Any], default=Sanic[Any, Any], covariant=True)
    ctx_type = TypeVar("ctx_type", default=SimpleNamespace, covariant=True)
else:
    from typing import TypeVar

    sanic_type = TypeVar("sanic_type", covariant=True)
    ctx_type = TypeVar("ctx_type", covariant=True)


class Request(Message, Generic[sanic_type, ctx_type]):
    """One HTTP request.

    Args:
        url_bytes: The request target as received.
        headers: The header fields, or the raw pairs that they are decoded from when first used.
        version: HTTP version: "1.0", "1.1", "2" or "3".
        method: The method as sent.
        transport: The transport of the connection.
        app: The application that handles the request.
        head: Request line and header lines as received, without the final blank line.
        stream_id: Number of the HTTP/3 stream.

    Raises:
        BadURL: The request target is not a path, an absolute URL or `*`.
    """

    __slots__ = (
        "__weakref__",
        "_conn_info",
        "_ctx",
        "_id",
        "_match_info",
        "_response_middleware_started",
        "_stream_id",
        "app",
        "parsed_forwarded",
        "parsed_json",
        "request_middleware_started",
        "route",
        "stream",
        "transport",
    )

    _is_id_made_of_request: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "generate_id" in cls.__dict__:
            cls._is_id_made_of_request = _takes_an_argument(cls.generate_id)

    def __init__(
        self,
        url_bytes: bytes,
        headers: Header | Mapping[str, str] | RawHeaders,
        version: str,
        method: str,
        transport: Any,
        app: sanic_type,
        head: bytes = b"",
        stream_id: int = 0,
    ) -> None:
        # From the message.
        self.raw_url = url_bytes
        self.method = method
        self.version = version
        target = url_bytes.decode("latin-1")
        if target[:1] == "/" and "?" not in target and "#" not in target and target.isascii():
            self.path, self._query = target, b""
        else:
            self.path, self._query = split_target(url_bytes, method)
        self._headers = headers
        self._head = head
        self.body = b""
        # From the connection.
        self.app: sanic_type = app
        self.transport = transport
        self.stream: Any = None
        self._conn_info: ConnInfo | None = None
        self._stream_id = stream_id
        # From the application.
        self.route: Route | None = None
        self._match_info: dict[str, Any] | None = None
        self._ctx: ctx_type | None = None
        self._id: uuid.UUID | str | int | None = None
        self.request_middleware_started = self._response_middleware_started = False
        # Decoded on demand.
        self.parsed_accept = self.parsed_credentials = self.parsed_token = self.parsed_cookies = None
        self.parsed_args = self.parsed_not_grouped_args = None
        self.parsed_form = self.parsed_files = None
        self.parsed_forwarded: dict[str, Any] | None = None
        self.parsed_json: Any = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.method} {self.path}>"

    @staticmethod
    def make_context() -> Any:
        """Make the object behind `request.ctx`; to be overridden."""
        return SimpleNamespace()

    @classmethod
    def get_current(cls) -> Request[Any, Any]:
        """The request that the running task works for.

        Raises:
            ServerError: Called outside of a request.
        """
        request = current_request.get()
        if request is None:
            raise ServerError("No current request")
        return request

    @classmethod
    def generate_id(*_: Any) -> uuid.UUID | str | int:
        """Make an id for a request that brings none; to be overridden, with or without the request as argument."""
        return uuid.uuid4()

    @property
    def stream_id(self) -> int:
        """Number of the HTTP/3 stream.

        Raises:
            ServerError: The request came over another version of HTTP.
        """
        if self.version != "3":
            raise ServerError(f"Stream ID is only a property of an HTTP/3 request, this one is HTTP/{self.version}")
        return self._stream_id

    @property
    def scope(self) -> Any:
        """The ASGI scope.

        Raises:
            NotImplementedError: The application does not run under an ASGI server.
        """
        if not self.app.asgi:
            raise NotImplementedError("App isn't running in ASGI mode. Scope is only available for ASGI apps.")
        return self.transport.scope

    async def receive_body(self) -> None:
        """Read what is left of the body into `body`.

        Raises:
            PayloadTooLarge: The body is larger than `REQUEST_MAX_SIZE`.
            RequestTimeout: The client sends it too slowly.
        """
        if self.stream is not None:
            self.body += await self.stream.read_all()

    def multipart(self) -> MultipartReader:
        """Read a multipart form part by part as it arrives: `async for part in request.multipart()`.

        Meant for streaming routes, where a file may be larger than memory; see `sanic.request.parts.Part`.

        Raises:
            BadRequest: The body is no multipart form or lacks its boundary; later, that it is broken.
            PayloadTooLarge: Later, that there are more parts, or larger ones, than the limits allow.
        """
        from sanic.request.parts import read_parts

        return read_parts(self)

    def _form_limits(self) -> FormLimits:
        from sanic.request.limits import FormLimits

        return FormLimits.from_config(self.app.config)

    @property
    def json(self) -> Any:
        """The body parsed as JSON; None for an empty body.

        Raises:
            BadRequest: The body is not JSON.
        """
        if self.parsed_json is None:
            self.load_json()
        return self.parsed_json

    def load_json(self, loads: Callable[..., Any] | None = None) -> Any:
        """Parse the body as JSON.

        Args:
            loads: JSON reader for this call; default that of the application.

        Raises:
            BadRequest: The body is not JSON.
        """
        if not self.body:
            return None
        try:
            self.parsed_json = (loads or self.app.loads)(self.body)
        except Exception as error:  # each JSON library has its own classes for what it cannot read
            raise BadRequest("Failed when parsing body as json") from error
        return self.parsed_json

    @property
    def id(self) -> uuid.UUID | str | int:
        """An id for logs: from the header that `REQUEST_ID_HEADER` names, else made by `generate_id`."""
        if self._id is None:
            sent = self.headers.get(self.app.config.REQUEST_ID_HEADER)
            # Through the class: one's own may be a method of the class, of its instances, or static.
            made_of = (self,) if self._is_id_made_of_request else ()
            self._id = _parse_id(sent) if sent else type(self).generate_id(*made_of)
        return self._id

    # -- The application ---------------------------------------------------------------------------------------------

    @property
    def ctx(self) -> ctx_type:
        """A namespace of this request's own."""
        if self._ctx is None:
            self._ctx = self.make_context()
        return cast("ctx_type", self._ctx)

    @property
    def match_info(self) -> dict[str, Any]:
        """The path parameters; what middleware changes here is what the handler gets."""
        if self._match_info is None:
            self._match_info = {}
        return self._match_info

    @match_info.setter
    def match_info(self, value: dict[str, Any]) -> None:
        self._match_info = value

    @property
    def name(self) -> str | None:
        """Name of the matched route: `APP.handler` or `APP.BLUEPRINT.handler`."""
        return self.route.name if self.route is not None else None

    @property
    def endpoint(self) -> str | None:
        """The same as `name`, under the name that Flask gives it."""
        return self.name

    @property
    def uri_template(self) -> str | None:
        """The path of the matched route, with its parameters."""
        return f"/{self.route.path}" if self.route is not None else None

    def url_for(self, view_name: str, **kwargs: Any) -> str:
        """Build an absolute URL for this server, as the client addressed it.

        Args:
            view_name: Name of the route.
            **kwargs: See `Sanic.url_for`.
        """
        server_name = self._configured_name
        if "://" in server_name:
            return self.app.url_for(view_name, **{"_external": True, **kwargs})
        scheme, host, port = self.scheme, self.server_name, self.server_port
        if port != address.default_port(scheme):
            host = f"{host}:{port}"
        return self.app.url_for(view_name, **{"_external": True, "_scheme": scheme, "_server": host, **kwargs})

    # -- The connection ----------------------------------------------------------------------------------------------

    @property
    def protocol(self) -> Any:
        """The protocol of the connection."""
        return self.stream.protocol if self.stream is not None else self.transport.get_protocol()

    @property
    def conn_info(self) -> ConnInfo | None:
        """What is known of the connection; None for a request made by hand."""
        if self._conn_info is None and self.stream is not None:
            self._conn_info = self.stream.conn_info
        return self._conn_info

    @conn_info.setter
    def conn_info(self, value: ConnInfo | None) -> None:
        self._conn_info = value

    @property
    def ip(self) -> str:
        """Address of the peer, `""` where there is none (unix sockets)."""
        info = self.conn_info
        return info.client_ip if info is not None else ""

    @property
    def port(self) -> int:
        """Port of the peer, 0 where there is none."""
        info = self.conn_info
        return info.client_port if info is not None else 0

    @property
    def socket(self) -> tuple[str | None, int | None]:
        """Address and port of the peer, `(None, None)` where there is none."""
        info = self.conn_info
        return (info.client_ip, info.client_port) if info is not None and info.client_ip else (None, None)

    @property
    def network_paths(self) -> list[Any] | None:
        """The network paths of a multipath transport."""
        info = self.conn_info
        return info.network_paths if info is not None else None

    @property
    def forwarded(self) -> dict[str, Any]:
        """What trusted proxies say of the client (RFC 7239); `{}` when nothing is trusted."""
        if self.parsed_forwarded is None:
            self.parsed_forwarded = forwarded_options(self.headers, self.app.config, self.conn_info)
        return self.parsed_forwarded

    @property
    def remote_addr(self) -> str:
        """Address of the client as trusted proxies tell it, else `""`."""
        return str(self.forwarded.get("for", ""))

    @property
    def client_ip(self) -> str:
        """Address of the client: as trusted proxies tell it, else that of the peer."""
        return self.remote_addr or self.ip

    @property
    def _configured_name(self) -> str:
        return self.app.config.get("SERVER_NAME") or ""

    @property
    def scheme(self) -> str:
        """`http`, `https`, `ws` or `wss`, as the client sees it."""
        info = self.conn_info
        return address.client_scheme(
            self._configured_name,
            self.forwarded,
            self.app.websocket_enabled and self.headers.get("upgrade", "").lower() == "websocket",
            info is not None and info.ssl,
        )

    @property
    def host(self) -> str:
        """Host and port as the client sees them, `""` when unknown."""
        return address.client_host(self._configured_name, self.forwarded, self.headers.get("host", ""))

    @property
    def server_name(self) -> str:
        """The host without its port, in lower case; `""` when it is malformed."""
        return parse_host(self.host)[0] or ""

    @property
    def server_port(self) -> int:
        """The port as the client sees it."""
        return address.client_port(self.forwarded, self.host, self.scheme)

    @property
    def server_path(self) -> str:
        """The path as the client sees it."""
        return str(self.forwarded.get("path", self.path))

    @property
    def url(self) -> str:
        """The whole URL as the client sees it."""
        query = self.query_string
        return f"{self.scheme}://{self.host}{self.path}{'?' if query else ''}{query}"

    # -- The response ------------------------------------------------------------------------------------------------

    @property
    def responded(self) -> bool:
        """Whether a response has been attached."""
        return self.stream is not None and self.stream.response is not None

    def reset_response(self) -> None:
        """Drop a response that is attached but not sent.

        Raises:
            ServerError: It has been sent, in part or whole.
        """
        if self.stream is not None and self.stream.response is not None:
            if self.stream.head_sent:
                raise ServerError("Cannot reset a response that was already (partially) sent.")
            self.stream.response.stream = None
            self.stream.response = None

    async def respond(
        self,
        response: BaseHTTPResponse | None = None,
        *,
        status: int = 200,
        headers: ResponseHeaders | None = None,
        content_type: str | None = None,
    ) -> Any:
        """Attach a response and run the response middleware, once for a request; nothing is sent yet.

        Args:
            response: The response; without one it is made from the other arguments.
            status: HTTP status code.
            headers: Own headers.
            content_type: Value of `content-type`.

        Returns:
            The response to `send` through: the one given, or what middleware put in its place.

        Raises:
            ServerError: The request has been answered already.
        """
        stream = self.stream
        if stream is not None and stream.response is not None:
            raise ServerError("Second respond call is not allowed.")
        if response is None:
            response = HTTPResponse(None, status, headers, content_type)
        if stream is not None:
            stream.respond(response)
        if not self._response_middleware_started:
            self._response_middleware_started = True
            route = self.route
            pipeline = self.app.response_pipeline if route is None else route.response_pipeline
            if pipeline is not None:
                response = await pipeline(self, response) or response
                # Meanwhile a response that is made once for all requests may have been attached to another one.
                if stream is not None and response.stream is not stream:
                    stream.respond(response)
        return response


def _takes_an_argument(function: Callable[..., Any]) -> bool:
    from inspect import signature

    try:
        signature(function).bind(None)
    except TypeError:
        return False
    return True


def _parse_id(sent: str) -> uuid.UUID | str | int:
    with suppress(ValueError):
        return uuid.UUID(sent)
    with suppress(ValueError):
        return int(sent)
    return sent
