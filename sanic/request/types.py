"""A request as a handler sees it.

A request is slots and bytes: everything beyond method and path is decoded when it is first asked for. It does not know
how its bytes arrived; the exchange (`request.stream`) does.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Generic, cast
from urllib.parse import parse_qs, parse_qsl, urlunsplit

from sanic.compat import Header
from sanic.constants import (
    CACHEABLE_HTTP_METHODS,
    DEFAULT_HTTP_CONTENT_TYPE,
    IDEMPOTENT_HTTP_METHODS,
    SAFE_HTTP_METHODS,
)
from sanic.context import current_request
from sanic.exceptions import BadRequest, SanicException, ServerError
from sanic.headers import (
    AcceptList,
    parse_accept,
    parse_credentials,
    parse_forwarded,
    parse_host,
    parse_xforwarded,
)
from sanic.request.parameters import RequestParameters
from sanic.request.target import split_target, target_authority
from sanic.response import BaseHTTPResponse, HTTPResponse

if TYPE_CHECKING:
    # With defaults (PEP 696), which type checkers know before the standard library does.
    from typing_extensions import TypeVar

    from sanic.app import Sanic
    from sanic.config import Config
    from sanic.cookies.request import CookieRequestParameters
    from sanic.models.http_types import Credentials
    from sanic.models.server_types import ConnInfo
    from sanic.router import Route

    sanic_type = TypeVar("sanic_type", bound=Sanic[Any, Any], default=Sanic[Any, Any], covariant=True)
    ctx_type = TypeVar("ctx_type", default=SimpleNamespace, covariant=True)
else:
    from typing import TypeVar

    sanic_type = TypeVar("sanic_type", covariant=True)
    ctx_type = TypeVar("ctx_type", covariant=True)

RawHeaders = list[tuple[bytes, bytes]]


class Request(Generic[sanic_type, ctx_type]):
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
        "_head",
        "_headers",
        "_id",
        "_match_info",
        "_query",
        "_response_middleware_started",
        "_stream_id",
        "app",
        "body",
        "method",
        "parsed_accept",
        "parsed_args",
        "parsed_cookies",
        "parsed_credentials",
        "parsed_files",
        "parsed_form",
        "parsed_forwarded",
        "parsed_json",
        "parsed_not_grouped_args",
        "parsed_token",
        "path",
        "raw_url",
        "request_middleware_started",
        "route",
        "stream",
        "transport",
        "version",
    )

    def __init__(
        self,
        url_bytes: bytes,
        headers: Header | RawHeaders,
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
        if url_bytes[:1] == b"/" and b"#" not in url_bytes and url_bytes.isascii():
            path, _, self._query = url_bytes.partition(b"?")
            self.path: str = path.decode("ascii")
        else:
            self.path, self._query = split_target(url_bytes, method)
        self._headers = headers
        self._head = head
        self.body: bytes = b""
        # From the connection.
        self.app: sanic_type = app
        self.transport = transport
        self.stream: Any = None
        self._conn_info: ConnInfo | None = None
        self._stream_id = stream_id
        # From the application.
        self.route: Route | None = None
        self._match_info: dict[str, Any] = {}
        self._ctx: ctx_type | None = None
        self._id: uuid.UUID | str | int | None = None
        self.request_middleware_started = self._response_middleware_started = False
        # Decoded on demand.
        self.parsed_accept: AcceptList | None = None
        self.parsed_args: dict[tuple[bool, bool, str, str], RequestParameters] | None = None
        self.parsed_not_grouped_args: dict[tuple[bool, bool, str, str], list[tuple[str, str]]] | None = None
        self.parsed_cookies: CookieRequestParameters | None = None
        self.parsed_credentials: Any = None
        self.parsed_token: Any = None
        self.parsed_form: RequestParameters | None = None
        self.parsed_files: RequestParameters | None = None
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
        """Make an id for a request that brings none; to be overridden."""
        return uuid.uuid4()

    # -- The message -------------------------------------------------------------------------------------------------

    @property
    def headers(self) -> Header:
        """The header fields, names in lower case, in the order received."""
        headers = self._headers
        if not isinstance(headers, Header):
            headers = self._headers = Header(
                [
                    (name.decode("ascii").lower(), value.decode("utf-8", "surrogateescape").rstrip(" \t"))
                    for name, value in headers
                ]
            )
            authority = target_authority(self.raw_url)
            if authority:
                headers["host"] = authority.decode("ascii")
        return headers

    @headers.setter
    def headers(self, value: Header) -> None:
        self._headers = value

    @property
    def head(self) -> bytes:
        """Request line and header lines, without the final blank line."""
        if not self._head:
            lines = [b"%b %b HTTP/%b\r\n" % (self.method.encode(), self.raw_url, self.version.encode())]
            headers = self._headers
            if isinstance(headers, Header):
                lines += [f"{name}: {value}\r\n".encode("utf-8", "surrogateescape") for name, value in headers.items()]
            else:
                lines += [b"%b: %b\r\n" % header for header in headers]
            self._head = b"".join(lines)
        return self._head

    @property
    def request_line(self) -> bytes:
        """Method, target and version as bytes."""
        return self.head.partition(b"\r\n")[0]

    @property
    def raw_headers(self) -> bytes:
        """The header lines as bytes."""
        return self.head.partition(b"\r\n")[2].rstrip(b"\r\n")

    @property
    def content_type(self) -> str:
        """The `content-type` header, or `application/octet-stream`."""
        return cast(str, self.headers.get("content-type", DEFAULT_HTTP_CONTENT_TYPE))

    @property
    def query_string(self) -> str:
        """The query without its `?`, as received."""
        return self._query.decode("ascii")

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

    # -- Decoded parts -----------------------------------------------------------------------------------------------

    @property
    def json(self) -> Any:
        """The body parsed as JSON; None for an empty body.

        Raises:
            BadRequest: The body is not JSON.
        """
        if self.parsed_json is None:
            self.load_json()
        return self.parsed_json

    def load_json(self, loads: Any = None) -> Any:
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
        except (ValueError, RecursionError) as error:
            raise BadRequest("Failed when parsing body as json") from error
        return self.parsed_json

    def get_args(
        self,
        keep_blank_values: bool = False,
        strict_parsing: bool = False,
        encoding: str = "utf-8",
        errors: str = "replace",
    ) -> RequestParameters:
        """The query as a dict of lists.

        Args:
            keep_blank_values: Keep `a=`, which is dropped otherwise.
            strict_parsing: Raise for malformed pairs instead of skipping them.
            encoding: Character encoding of percent-encoded text.
            errors: What to do with bytes that do not fit the encoding (see `bytes.decode`).

        Raises:
            ValueError: A malformed pair, with `strict_parsing`.
        """
        key = (keep_blank_values, strict_parsing, encoding, errors)
        if self.parsed_args is None:
            self.parsed_args = {}
        found = self.parsed_args.get(key)
        if found is None:
            found = self.parsed_args[key] = RequestParameters(
                parse_qs(self.query_string, keep_blank_values, strict_parsing, encoding, errors) if self._query else {}
            )
        return found

    args = property(get_args, doc="The query as a dict of lists.")

    def get_query_args(
        self,
        keep_blank_values: bool = False,
        strict_parsing: bool = False,
        encoding: str = "utf-8",
        errors: str = "replace",
    ) -> list[tuple[str, str]]:
        """The query as a list of pairs, in order; arguments as for `get_args`."""
        key = (keep_blank_values, strict_parsing, encoding, errors)
        if self.parsed_not_grouped_args is None:
            self.parsed_not_grouped_args = {}
        found = self.parsed_not_grouped_args.get(key)
        if found is None:
            found = self.parsed_not_grouped_args[key] = (
                parse_qsl(self.query_string, keep_blank_values, strict_parsing, encoding, errors) if self._query else []
            )
        return found

    query_args = property(get_query_args, doc="The query as a list of pairs, in order.")

    def get_form(self, keep_blank_values: bool = False) -> RequestParameters:
        """The fields of a form, urlencoded or multipart; empty for any other content type.

        Args:
            keep_blank_values: Keep `a=`, which is dropped otherwise.

        Raises:
            BadRequest: The body is not what its content type says.
            PayloadTooLarge: More parts, or larger ones, than the limits allow.
        """
        from sanic.request.form import parse_form

        self.parsed_form, self.parsed_files = parse_form(self.body, self.content_type, keep_blank_values)
        return self.parsed_form

    @property
    def form(self) -> RequestParameters:
        """The fields of a form; see `get_form`."""
        return self.get_form() if self.parsed_form is None else self.parsed_form

    @property
    def files(self) -> RequestParameters:
        """The files of a multipart form: lists of `File(type, body, name)`."""
        if self.parsed_files is None:
            self.get_form()
        return cast(RequestParameters, self.parsed_files)

    def get_cookies(self) -> CookieRequestParameters:
        """The cookies that the client sent."""
        if self.parsed_cookies is None:
            from sanic.cookies.request import CookieRequestParameters, parse_cookies

            self.parsed_cookies = CookieRequestParameters(parse_cookies(self.headers.get_all("cookie")))
        return self.parsed_cookies

    @property
    def cookies(self) -> CookieRequestParameters:
        """The cookies that the client sent."""
        return self.get_cookies()

    @property
    def accept(self) -> AcceptList:
        """What the client accepts, most wanted first (RFC 9110 section 12.5.1).

        Raises:
            InvalidHeader: The header is malformed.
        """
        if self.parsed_accept is None:
            self.parsed_accept = parse_accept(self.headers.get("accept"))
        return self.parsed_accept

    @property
    def credentials(self) -> Credentials | None:
        """What the `Authorization` header holds, None without one."""
        if self.parsed_credentials is None:
            from sanic.models.http_types import Credentials

            try:
                scheme, token = parse_credentials(self.headers.get("authorization"), ("Basic", "Bearer", "Token"))
                self.parsed_credentials = Credentials(scheme, token) if token else False
            except ValueError:  # undecodable Basic credentials are no credentials
                self.parsed_credentials = False
        return self.parsed_credentials or None

    @property
    def token(self) -> str | None:
        """The bearer or plain token of the `Authorization` header."""
        if self.parsed_token is None:
            _, token = parse_credentials(self.headers.get("authorization"), ("Bearer", "Token"))
            self.parsed_token = token or False
        return self.parsed_token or None

    @property
    def id(self) -> uuid.UUID | str | int:
        """An id for logs: from the header that `REQUEST_ID_HEADER` names, else made by `generate_id`."""
        if self._id is None:
            sent = self.headers.get(self.app.config.REQUEST_ID_HEADER)
            self._id = self.generate_id(self) if not sent else _parse_id(sent)
        return self._id

    @property
    def is_safe(self) -> bool:
        """Whether the method only reads (RFC 9110 section 9.2.1)."""
        return self.method in SAFE_HTTP_METHODS

    @property
    def is_idempotent(self) -> bool:
        """Whether repeating the request changes nothing more (RFC 9110 section 9.2.2)."""
        return self.method in IDEMPOTENT_HTTP_METHODS

    @property
    def is_cacheable(self) -> bool:
        """Whether a response may be stored for later requests (RFC 9110 section 9.2.3)."""
        return self.method in CACHEABLE_HTTP_METHODS

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
        server_name = self.app.config.get("SERVER_NAME")
        if server_name and "://" in server_name:
            return self.app.url_for(view_name, _external=True, **kwargs)
        scheme = self.scheme
        host = self.server_name
        if self.server_port != (443 if scheme in ("https", "wss") else 80):
            host = f"{host}:{self.server_port}"
        return self.app.url_for(view_name, _external=True, _scheme=scheme, _server=host, **kwargs)

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
            config: Config = self.app.config
            self.parsed_forwarded = cast(
                "dict[str, Any]",
                parse_forwarded(self.headers, config) or parse_xforwarded(self.headers, config) or {},
            )
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
    def scheme(self) -> str:
        """`http`, `https`, `ws` or `wss`, as the client sees it."""
        base = "http"
        if self.app.websocket_enabled and self.headers.get("upgrade", "").lower() == "websocket":
            base = "ws"
        server_name = self.app.config.get("SERVER_NAME") or ""
        told = server_name.partition("://")[0] if "://" in server_name else self.forwarded.get("proto")
        if told:
            return str(told).replace("http", base)
        info = self.conn_info
        if info is not None and info.ssl:
            return base + "s"
        if self.app.asgi and self.transport.scope.get("scheme") in ("https", "wss"):
            return base + "s"
        return base

    @property
    def host(self) -> str:
        """Host and port as the client sees them, `""` when unknown."""
        server_name = self.app.config.get("SERVER_NAME")
        if server_name:
            return str(server_name).rpartition("://")[2].partition("/")[0]
        return str(self.forwarded.get("host") or self.headers.get("host", ""))

    @property
    def server_name(self) -> str:
        """The host without its port, in lower case."""
        return parse_host(self.host)[0] or ""

    @property
    def server_port(self) -> int:
        """The port as the client sees it."""
        port = self.forwarded.get("port") or parse_host(self.host)[1]
        return int(port or (443 if self.scheme in ("https", "wss") else 80))

    @property
    def server_path(self) -> str:
        """The path as the client sees it."""
        return str(self.forwarded.get("path", self.path))

    @property
    def url(self) -> str:
        """The whole URL as the client sees it."""
        return urlunsplit((self.scheme, self.host, self.path, self.query_string, ""))

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
            self._response_middleware_started = False

    async def respond(
        self,
        response: BaseHTTPResponse | None = None,
        *,
        status: int = 200,
        headers: Header | Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Any:
        """Attach a response and run the response middleware; nothing is sent yet.

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
        if stream is None:
            raise SanicException(f"{self!r} belongs to no connection, so there is nobody to respond to.")
        if stream.response is not None:
            raise ServerError("Second respond call is not allowed.")
        if response is None:
            response = HTTPResponse(None, status, headers, content_type)
        stream.respond(response)
        if not self._response_middleware_started:
            self._response_middleware_started = True
            route = self.route
            pipeline = self.app.response_pipeline if route is None else route.response_pipeline
            if pipeline is not None:
                replacement = await pipeline(self, response)
                if replacement is not None and replacement is not response:
                    response = stream.respond(replacement)
        return response


def _parse_id(sent: str) -> uuid.UUID | str | int:
    with suppress(ValueError):
        return uuid.UUID(sent)
    with suppress(ValueError):
        return int(sent)
    return sent
