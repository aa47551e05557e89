"""Responses with a complete body, and the helpers that make them.

A response knows its status, headers, cookies and body. It does not know how they are framed: once it is attached to an
exchange (`response.stream`), `send` hands bytes on and the exchange decides about lengths, chunks and connections.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, AnyStr, Literal, Protocol
from urllib.parse import quote

from sanic.compat import Header
from sanic.exceptions import SanicException
from sanic.headers import clean_header
from sanic.helpers import has_message_body

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from sanic.cookies import Cookie, CookieJar

# What RFC 3986 allows in a URL, so that an address that is already encoded stays as it is.
_URL_CHARACTERS = "/:?#[]@!$&'()*+,;=%~-._"


#: Headers as an application gives them: a mapping, or pairs when a name repeats. Values are turned into text.
ResponseHeaders = Mapping[str, Any] | Iterable[tuple[str, Any]]


class SupportsHtml(Protocol):
    """Shows itself as HTML, as template engines expect."""

    def __html__(self) -> str | bytes: ...


class SupportsReprHtml(Protocol):
    """Shows itself as HTML, as notebooks expect."""

    def _repr_html_(self) -> str | bytes: ...


class BaseHTTPResponse:
    """What every response is: status, headers, cookies, body and the exchange it will leave through.

    Attributes:
        status: HTTP status code, 200 to 999.
        headers: The response's own headers; framing headers are added when it is sent.
        body: The body in bytes; for a streamed response what has been given before the first `send`.
        content_type: Value of `content-type`, unless a header of that name is set; `None` sends none.
        stream: The exchange this response is attached to, or None.
    """

    __slots__ = ("_cookies", "body", "content_type", "headers", "status", "stream")

    def __init__(self) -> None:
        self.body: bytes = b""
        self.status: int = 200
        self.content_type: str | None = None
        self.headers: Header = Header()
        self.stream: Any = None
        self._cookies: CookieJar | None = None

    @property
    def asgi(self) -> bool:
        """Whether the response leaves through an ASGI server."""
        return bool(getattr(getattr(self, "stream", None), "is_asgi", False))

    @property
    def cookies(self) -> CookieJar:
        """The cookies that this response sets, in order."""
        jar: CookieJar | None = getattr(self, "_cookies", None)  # a subclass may not call our constructor
        if jar is None:
            from sanic.cookies import CookieJar

            jar = self._cookies = CookieJar(self.headers)
        return jar

    @property
    def processed_headers(self) -> Iterator[tuple[bytes, bytes]]:
        """The headers as pairs of bytes, safe to write, with `content-type` at the end.

        Raises:
            ServerError: A header name is not a token (RFC 9110 section 5.1).
        """
        for name, value in self.headers.items():
            clean_name, clean_value = clean_header(name, value)
            yield clean_name.encode("ascii"), clean_value.encode("utf-8", "surrogateescape")
        if self.content_type is not None and "content-type" not in self.headers and has_message_body(self.status):
            yield b"content-type", clean_header("content-type", self.content_type)[1].encode("utf-8", "surrogateescape")

    def send(self, data: AnyStr | None = None, end_stream: bool | None = None) -> Coroutine[Any, Any, None]:
        """Send a piece of the body; the first call also sends the head.

        Args:
            data: Bytes, or text that is encoded as UTF-8. None sends what `body` holds.
            end_stream: True ends the response. Without any argument the response is sent and ended.

        Raises:
            SanicException: The response is not attached to a request (see `Request.respond`).
            ServerError: Data after the end, or more of it than a given `content-length` allows.
            ConnectionError: The client has left.
        """
        if data is None and end_stream is None:
            end_stream = True
        stream = self.stream
        if stream is None:
            raise SanicException(
                "No stream is connected to this response. Get it from 'await request.respond()' before sending."
            )
        # One coroutine less for each response.
        sending: Coroutine[Any, Any, None] = stream.send(data.encode() if isinstance(data, str) else data, end_stream)
        return sending

    def add_cookie(
        self,
        key: str,
        value: str,
        *,
        path: str = "/",
        domain: str | None = None,
        secure: bool = True,
        max_age: int | None = None,
        expires: datetime | None = None,
        httponly: bool = False,
        samesite: Literal["Strict", "Lax", "None", "strict", "lax", "none"] | None = "Lax",
        partitioned: bool = False,
        comment: str | None = None,
        host_prefix: bool = False,
        secure_prefix: bool = False,
    ) -> Cookie:
        """Set a cookie; see `CookieJar.add_cookie` for arguments and errors."""
        return self.cookies.add_cookie(
            key,
            value,
            path=path,
            domain=domain,
            secure=secure,
            max_age=max_age,
            expires=expires,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
            comment=comment,
            host_prefix=host_prefix,
            secure_prefix=secure_prefix,
        )

    def delete_cookie(
        self,
        key: str,
        *,
        path: str = "/",
        domain: str | None = None,
        host_prefix: bool = False,
        secure_prefix: bool = False,
    ) -> None:
        """Tell the browser to forget a cookie; see `CookieJar.delete_cookie`."""
        self.cookies.delete_cookie(key, path=path, domain=domain, host_prefix=host_prefix, secure_prefix=secure_prefix)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.status} {self.content_type}>"


class HTTPResponse(BaseHTTPResponse):
    """A response whose body is known, or that is sent piece by piece with `send` and `eof`.

    Args:
        body: Text (sent as UTF-8), bytes, or None for an empty body.
        status: HTTP status code.
        headers: Own headers: a mapping, or pairs when a name repeats.
        content_type: Value of `content-type`; None sends none.
    """

    __slots__ = ()

    def __init__(
        self,
        body: bytes | str | None = None,
        status: int = 200,
        headers: ResponseHeaders | None = None,
        content_type: str | None = None,
    ) -> None:
        self.body = body.encode() if isinstance(body, str) else body or b""
        self.status = status
        self.content_type = content_type
        self.headers = Header(headers) if headers else Header()
        self.stream = None
        self._cookies = None

    async def eof(self) -> None:
        """End the response."""
        await self.send("", True)

    async def __aenter__(self) -> Any:
        return self.send

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        # A body that failed half-way must not look complete to the client: then nothing is ended here.
        if error is None:
            await self.eof()


def text(
    body: str,
    status: int = 200,
    headers: ResponseHeaders | None = None,
    content_type: str | None = "text/plain; charset=utf-8",
) -> HTTPResponse:
    """Answer with plain text.

    Raises:
        TypeError: `body` is not a str.
    """
    if not isinstance(body, str):
        raise TypeError(f"Bad body type. Expected str, got {type(body).__name__}")
    return HTTPResponse(body, status, headers, content_type)


def html(
    body: str | bytes | SupportsHtml | SupportsReprHtml, status: int = 200, headers: ResponseHeaders | None = None
) -> HTTPResponse:
    """Answer with HTML: text, bytes, or an object with `__html__()` or `_repr_html_()`."""
    if not isinstance(body, (str, bytes)):
        if hasattr(body, "__html__"):
            body = body.__html__()
        elif hasattr(body, "_repr_html_"):
            body = body._repr_html_()
        else:
            raise TypeError(
                f"Bad body type. Expected str, bytes or an object with __html__(), got {type(body).__name__}"
            )
    return HTTPResponse(body, status, headers, "text/html; charset=utf-8")


def raw(
    body: bytes | str | None,
    status: int = 200,
    headers: ResponseHeaders | None = None,
    content_type: str | None = "application/octet-stream",
) -> HTTPResponse:
    """Answer with bytes as they are."""
    return HTTPResponse(body, status, headers, content_type)


def empty(status: int = 204, headers: ResponseHeaders | None = None) -> HTTPResponse:
    """Answer without a body."""
    return HTTPResponse(b"", status, headers)


def redirect(
    to: str,
    headers: ResponseHeaders | None = None,
    status: int = 302,
    content_type: str = "text/html; charset=utf-8",
) -> HTTPResponse:
    """Send the client to another address.

    Args:
        to: Path or URL; every character that may not stand in a URL is percent-encoded (RFC 3986 section 2).
        headers: Further headers; a `Location` among them is replaced.
        status: 301, 302, 303, 307 or 308.
    """
    all_headers = Header(headers or {})
    all_headers["Location"] = quote(to, safe=_URL_CHARACTERS, errors="surrogateescape")
    return HTTPResponse(b"", status, all_headers, content_type)
