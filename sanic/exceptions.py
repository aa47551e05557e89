"""What can go wrong: every exception of the package, its HTTP status and whether it is worth a log line.

The tree (status; q = quiet, not logged unless NOISY_EXCEPTIONS is on)::

    SanicException                      500
    ├── HTTPException                   500
    │   ├── BadRequest                  400 q   also InvalidUsage, BadURL
    │   │   ├── HeaderNotFound          400 q
    │   │   └── InvalidHeader           400 q
    │   ├── Unauthorized                401 q
    │   ├── Forbidden                   403 q
    │   ├── NotFound                    404 q
    │   │   └── FileNotFound            404 q
    │   ├── MethodNotAllowed            405 q   also MethodNotSupported
    │   ├── RequestTimeout              408 q
    │   ├── PayloadTooLarge             413 q
    │   │   └── RequestHeaderFieldsTooLarge  431 q
    │   ├── URITooLong                  414 q
    │   ├── RangeNotSatisfiable         416 q   also ContentRangeError
    │   │   └── InvalidRangeType        416 q
    │   ├── ExpectationFailed           417 q   also HeaderExpectationFailed
    │   ├── ServerError                 500     also InternalServerError
    │   │   └── URLBuildError           500
    │   ├── NotImplementedCoding        501 q
    │   └── ServiceUnavailable          503 q
    ├── PyFileError                     500
    ├── LoadFileException               500
    ├── InvalidSignal                   500
    └── WebsocketClosed                 500 q
    asyncio.CancelledError
    └── RequestCancelled                q
    ConnectionResetError
    └── ClientDisconnected              q
    Exception
    └── ServerKilled                    q

This module knows nothing of requests, responses or logging; how an exception looks is for `sanic.errorpages`.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any

from sanic.helpers import STATUS_CODES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from sanic.models.protocol_types import Range

__all__ = [
    "BadRequest",
    "BadURL",
    "ClientDisconnected",
    "ContentRangeError",
    "ExpectationFailed",
    "FileNotFound",
    "Forbidden",
    "HTTPException",
    "HeaderExpectationFailed",
    "HeaderNotFound",
    "InternalServerError",
    "InvalidHeader",
    "InvalidRangeType",
    "InvalidSignal",
    "InvalidUsage",
    "LoadFileException",
    "MethodNotAllowed",
    "MethodNotSupported",
    "NotFound",
    "NotImplementedCoding",
    "PayloadTooLarge",
    "PyFileError",
    "RangeNotSatisfiable",
    "RequestCancelled",
    "RequestHeaderFieldsTooLarge",
    "RequestTimeout",
    "SanicException",
    "ServerError",
    "ServerKilled",
    "ServiceUnavailable",
    "URITooLong",
    "URLBuildError",
    "Unauthorized",
    "WebsocketClosed",
]

UNKNOWN_REASON = "Error Occurred"


class SanicException(Exception):
    """An error with an HTTP status, a message for the client and, optionally, details.

    Subclasses set `status_code`, `quiet`, `headers` and `message` as class attributes; `message` may
    be a property that reads `self.extra`.

    Args:
        message: Text shown to the client; bytes are decoded as UTF-8. Without one the class's
            `message` is used, then the reason phrase of the status.
        status_code: HTTP status of the response.
        quiet: True keeps the exception out of the error log; None leaves the class's choice.
        context: Details shown to the client in every mode.
        extra: Details shown to the client in debug mode only.
        headers: Header fields added to the response.
    """

    status_code: int = 500
    quiet: bool | None = False
    # Subclasses replace this dict; an instance always gets a copy of its own.
    headers: dict[str, Any] = {}  # noqa: RUF012
    message: str = ""

    def __init__(
        self,
        message: str | bytes | None = None,
        status_code: int | None = None,
        *,
        quiet: bool | None = None,
        context: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> None:
        self.context = context
        self.extra = extra
        if status_code is not None:
            self.status_code = status_code
        if quiet is not None:
            self.quiet = quiet
        self.headers = dict(self.headers if headers is None else headers)

        if message is None:
            # After `extra`, which a `message` property is free to read.
            message = self.message or _reason(self.status_code)
        elif isinstance(message, bytes):
            message = message.decode(errors="replace")
        super().__init__(message)
        if not isinstance(getattr(type(self), "message", None), property):
            self.message = message


class HTTPException(SanicException):
    """Base of the exceptions that stand for one status each, and so take no `status_code` argument."""

    def __init__(
        self,
        message: str | bytes | None = None,
        *,
        quiet: bool | None = None,
        context: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, quiet=quiet, context=context, extra=extra, headers=headers)


class BadRequest(HTTPException):
    """400: the client sent something that cannot be understood (RFC 9110 §15.5.1)."""

    status_code = 400
    quiet = True


InvalidUsage = BadRequest
BadURL = BadRequest


class HeaderNotFound(BadRequest):
    """400: a header field that the request needs is missing."""


class InvalidHeader(BadRequest):
    """400: a header field has a value that cannot be understood."""


class Unauthorized(HTTPException):
    """401: credentials are missing or wrong (RFC 9110 §15.5.2).

    Args:
        message: Text shown to the client.
        scheme: Authentication scheme, such as "Basic"; adds the `WWW-Authenticate` field.
        **challenges: Parameters of the challenge, such as `realm="Restricted"`; None leaves one out.
    """

    status_code = 401
    quiet = True

    def __init__(
        self,
        message: str | bytes | None = None,
        scheme: str | None = None,
        *,
        quiet: bool | None = None,
        context: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
        **challenges: Any,
    ) -> None:
        super().__init__(message, quiet=quiet, context=context, extra=extra, headers=headers)
        if scheme is not None:
            parameters = ", ".join(
                f'{name}="{_quoted(str(value))}"' for name, value in challenges.items() if value is not None
            )
            self.headers["WWW-Authenticate"] = f"{scheme} {parameters}".rstrip()


class Forbidden(HTTPException):
    """403: the client is known and may not do this (RFC 9110 §15.5.4)."""

    status_code = 403
    quiet = True


class NotFound(HTTPException):
    """404: there is nothing at this URL (RFC 9110 §15.5.5)."""

    status_code = 404
    quiet = True


class FileNotFound(NotFound):
    """404: a static file does not exist, or may not be shown.

    Args:
        message: Text shown to the client.
        path: File or directory that was looked up; not shown.
        relative_url: URL of the file relative to its mount point; not shown.
    """

    def __init__(
        self,
        message: str | bytes | None = None,
        path: PathLike[str] | str | None = None,
        relative_url: str | None = None,
        *,
        quiet: bool | None = None,
        context: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, quiet=quiet, context=context, extra=extra, headers=headers)
        self.path = path
        self.relative_url = relative_url


class MethodNotAllowed(HTTPException):
    """405: the URL exists, but not with this method (RFC 9110 §15.5.6).

    Args:
        message: Text shown to the client.
        method: The method that was tried.
        allowed_methods: The methods that would work; they become the `Allow` field.
    """

    status_code = 405
    quiet = True

    def __init__(
        self,
        message: str | bytes | None = None,
        method: str = "",
        allowed_methods: Sequence[str] | None = None,
        *,
        quiet: bool | None = None,
        context: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, quiet=quiet, context=context, extra=extra, headers=headers)
        if allowed_methods:
            self.headers["Allow"] = ", ".join(allowed_methods)
        self.method = method
        self.allowed_methods = allowed_methods


MethodNotSupported = MethodNotAllowed


class RequestTimeout(HTTPException):
    """408: the request did not arrive in time (RFC 9110 §15.5.9)."""

    status_code = 408
    quiet = True


class PayloadTooLarge(HTTPException):
    """413: the body is larger than the server accepts (RFC 9110 §15.5.14)."""

    status_code = 413
    quiet = True


class RequestHeaderFieldsTooLarge(PayloadTooLarge):
    """431: the header section is larger than the server accepts (RFC 6585 §5)."""

    status_code = 431


class URITooLong(HTTPException):
    """414: the URL is longer than the server accepts (RFC 9110 §15.5.15)."""

    status_code = 414
    quiet = True


class RangeNotSatisfiable(HTTPException):
    """416: no part of the requested range exists (RFC 9110 §15.5.17).

    Args:
        message: Text shown to the client.
        content_range: Anything with a `total`, the length of the whole in bytes; it becomes the
            `Content-Range` field.
    """

    status_code = 416
    quiet = True

    def __init__(
        self,
        message: str | bytes | None = None,
        content_range: Range | None = None,
        *,
        quiet: bool | None = None,
        context: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, quiet=quiet, context=context, extra=extra, headers=headers)
        if content_range is not None and content_range.total is not None:
            self.headers["Content-Range"] = f"bytes */{content_range.total}"


ContentRangeError = RangeNotSatisfiable


class InvalidRangeType(RangeNotSatisfiable):
    """416: the range is given in a unit other than bytes."""


class ExpectationFailed(HTTPException):
    """417: the `Expect` field asks for something other than `100-continue` (RFC 9110 §15.5.18)."""

    status_code = 417
    quiet = True


HeaderExpectationFailed = ExpectationFailed


class ServerError(HTTPException):
    """500: the server failed (RFC 9110 §15.6.1)."""


InternalServerError = ServerError


class URLBuildError(ServerError):
    """500: `url_for` cannot build the URL from the arguments it was given."""


class NotImplementedCoding(HTTPException):
    """501: the request uses a transfer coding that the server does not know (RFC 9112 §6.1)."""

    status_code = 501
    quiet = True


class ServiceUnavailable(HTTPException):
    """503: the server cannot answer now, and may later (RFC 9110 §15.6.4)."""

    status_code = 503
    quiet = True


class PyFileError(SanicException):
    """A Python configuration file raised while it was executed.

    Args:
        file: The file, as it should be named in the message.
    """

    def __init__(
        self,
        file: Any,
        status_code: int | None = None,
        *,
        quiet: bool | None = None,
        context: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            f"could not execute config file {file}",
            status_code,
            quiet=quiet,
            context=context,
            extra=extra,
            headers=headers,
        )


class LoadFileException(SanicException):
    """A file named in the configuration cannot be found or loaded."""


class InvalidSignal(SanicException):
    """A signal's name, or its use, is not allowed."""


class WebsocketClosed(SanicException):
    """The client has ended the websocket connection."""

    quiet = True
    message = "Client has closed the websocket connection"


class RequestCancelled(CancelledError):
    """The client went away while its request was being handled; used inside the package."""

    quiet = True


class ClientDisconnected(ConnectionResetError):
    """The client has left: there is nobody to send to, and nothing more to receive."""

    quiet = True


class ServerKilled(Exception):
    """The server was told to end at once; used inside the package."""

    quiet = True


def _reason(status_code: int) -> str:
    """Return the reason phrase of a status, or a general one when the status is unknown."""
    reason = STATUS_CODES.get(status_code)
    return reason.decode() if reason else UNKNOWN_REASON


def _quoted(value: str) -> str:
    """Escape a value for use inside a quoted-string (RFC 9110 §5.6.4)."""
    return value.replace("\\", "\\\\").replace('"', '\\"')
