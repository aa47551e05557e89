"""What a client has sent, as bytes and as everything that is decoded from them.

A message knows its request line, its header fields and its body. It does not know the application that will answer
it, the connection it came through, or the response: `sanic.request.types.Request` adds these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, parse_qsl

from sanic.compat import Header
from sanic.constants import (
    CACHEABLE_HTTP_METHODS,
    DEFAULT_HTTP_CONTENT_TYPE,
    IDEMPOTENT_HTTP_METHODS,
    SAFE_HTTP_METHODS,
)
from sanic.headers import AcceptList, parse_accept, parse_credentials
from sanic.request.parameters import RequestParameters
from sanic.request.target import target_authority

if TYPE_CHECKING:
    from sanic.cookies.request import CookieRequestParameters
    from sanic.models.http_types import Credentials
    from sanic.request.limits import FormLimits

#: Header fields as received: names in any case, values without leading blanks.
RawHeaders = list[tuple[bytes, bytes]]
#: Arguments of `get_args` and `get_query_args`, which what they return is remembered by.
QueryOptions = tuple[bool, bool, str, str]


def decode_headers(raw_headers: RawHeaders, target: bytes) -> Header:
    """Decode header fields, in the order received.

    Args:
        raw_headers: Names and values as received.
        target: The request target. The authority of one in absolute form replaces `Host` (RFC 9112 section 3.2.2).

    Returns:
        The fields, names in lower case; bytes that are not UTF-8 are surrogate-escaped.
    """
    headers = Header(
        [
            (name.decode("latin-1").lower(), value.decode("utf-8", "surrogateescape").rstrip(" \t"))
            for name, value in raw_headers
        ]
    )
    authority = target_authority(target)
    if authority:
        headers["host"] = authority.decode("latin-1")
    return headers


def render_head(method: str, target: bytes, version: str, raw_headers: RawHeaders) -> bytes:
    """Write request line and header lines, with CR LF between them and none at the end."""
    lines = [b"%b %b HTTP/%b" % (method.encode(), target, version.encode())]
    lines += [b"%b: %b" % header for header in raw_headers]
    return b"\r\n".join(lines)


class Message:
    """A request as the client has sent it.

    All fields are set by `Request.__init__`, in one go, because that runs for each request; what stands under
    "decoded on demand" is None until it is asked for.

    Attributes:
        raw_url: The request target as received.
        method: The method as sent.
        version: HTTP version: "1.0", "1.1", "2" or "3".
        path: The path, still percent-encoded, without query.
        body: The body as far as it has been read; whole before the handler runs, unless its route streams.
    """

    __slots__ = (
        "_head",
        "_headers",
        "_query",
        "body",
        "method",
        "parsed_accept",
        "parsed_args",
        "parsed_cookies",
        "parsed_credentials",
        "parsed_files",
        "parsed_form",
        "parsed_not_grouped_args",
        "parsed_token",
        "path",
        "raw_url",
        "version",
    )

    raw_url: bytes
    method: str
    version: str
    path: str
    body: bytes
    _query: bytes
    _headers: Header | Mapping[str, str] | RawHeaders
    # The bytes, or the fields to write them from; `b""` while `_headers` holds those.
    _head: bytes | RawHeaders
    # Decoded on demand.
    parsed_accept: AcceptList | None
    parsed_args: dict[QueryOptions, RequestParameters] | None
    parsed_not_grouped_args: dict[QueryOptions, list[tuple[str, str]]] | None
    parsed_cookies: CookieRequestParameters | None
    # False where the header has been looked at and holds none.
    parsed_credentials: Credentials | bool | None
    parsed_token: str | bool | None
    parsed_form: RequestParameters | None
    parsed_files: RequestParameters | None

    # -- Head --------------------------------------------------------------------------------------------------------

    @property
    def headers(self) -> Header:
        """The header fields, names in lower case, in the order received."""
        headers = self._headers
        if isinstance(headers, list):
            # What was received stays as it is, whatever becomes of the decoded fields.
            self._head = self._head or headers
            headers = self._headers = decode_headers(headers, self.raw_url)
        elif not isinstance(headers, Header):
            headers = self._headers = Header(headers)
        return headers

    @headers.setter
    def headers(self, value: Header) -> None:
        self._headers = value

    @property
    def head(self) -> bytes:
        """Request line and header lines, without the final blank line."""
        head = self._head or self._headers
        if not isinstance(head, bytes):
            if not isinstance(head, list):  # of a request made by hand
                head = [(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in head.items()]
            head = self._head = render_head(self.method, self.raw_url, self.version, head)
        return head

    @property
    def request_line(self) -> bytes:
        """Method, target and version as bytes."""
        return self.head.partition(b"\r\n")[0]

    @property
    def raw_headers(self) -> bytes:
        """The header lines as bytes."""
        return self.head.partition(b"\r\n")[2]

    @property
    def content_type(self) -> str:
        """The `content-type` header, or `application/octet-stream`."""
        value: str = self.headers.get("content-type", DEFAULT_HTTP_CONTENT_TYPE)
        return value

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

    # -- Query -------------------------------------------------------------------------------------------------------

    @property
    def query_string(self) -> str:
        """The query without its `?`, as received."""
        return self._query.decode("ascii")

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

    @property
    def args(self) -> RequestParameters:
        """The query as a dict of lists, without blank values."""
        return self.get_args()

    def get_query_args(
        self,
        keep_blank_values: bool = False,
        strict_parsing: bool = False,
        encoding: str = "utf-8",
        errors: str = "replace",
    ) -> list[tuple[str, str]]:
        """The query as a list of pairs, in order; arguments and errors as for `get_args`."""
        key = (keep_blank_values, strict_parsing, encoding, errors)
        if self.parsed_not_grouped_args is None:
            self.parsed_not_grouped_args = {}
        found = self.parsed_not_grouped_args.get(key)
        if found is None:
            found = self.parsed_not_grouped_args[key] = (
                parse_qsl(self.query_string, keep_blank_values, strict_parsing, encoding, errors) if self._query else []
            )
        return found

    @property
    def query_args(self) -> list[tuple[str, str]]:
        """The query as a list of pairs, in order, without blank values."""
        return self.get_query_args()

    # -- Body --------------------------------------------------------------------------------------------------------

    def _form_limits(self) -> FormLimits:
        from sanic.request.limits import DEFAULT_LIMITS

        return DEFAULT_LIMITS

    def get_form(self, keep_blank_values: bool = False) -> RequestParameters:
        """The fields of a form, urlencoded or multipart; empty for any other content type and for an empty body.

        Args:
            keep_blank_values: Keep `a=`, which is dropped otherwise.

        Raises:
            BadRequest: The body is not what its content type says.
            PayloadTooLarge: More parts, or larger ones, than the limits allow.
        """
        fields, files = RequestParameters(), RequestParameters()
        if self.body:
            from sanic.request.form import parse_form

            fields, files = parse_form(self.body, self.content_type, keep_blank_values, self._form_limits())
        self.parsed_form, self.parsed_files = fields, files
        return fields

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

    # -- Header fields that have a grammar of their own --------------------------------------------------------------

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
            values: Any = self.headers.getall("accept", None)
            self.parsed_accept = parse_accept(None if values is None else ",".join(values))
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
        return None if isinstance(self.parsed_credentials, bool) else self.parsed_credentials

    @property
    def token(self) -> str | None:
        """What follows `Bearer` or `Token` in the `Authorization` header, its whole value for other schemes."""
        if self.parsed_token is None:
            _, token = parse_credentials(self.headers.get("authorization"), ("Bearer", "Token"))
            self.parsed_token = False if token is None else token
        return None if isinstance(self.parsed_token, bool) else self.parsed_token
