"""A response whose body is written by a function, piece by piece."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

from sanic.compat import Header
from sanic.exceptions import SanicException
from sanic.response.http import HTTPResponse, ResponseHeaders

if TYPE_CHECKING:
    from sanic.cookies import CookieJar
    from sanic.request import Request


class ResponseStream:
    """Returned by a handler to stream its body; `file_stream` makes one.

    Args:
        streaming_fn: `async fn(response)` that calls `await response.write(data)` for each piece.
        status: HTTP status code.
        headers: Own headers; a `content-length` among them is kept and checked, else the body is chunked.
        content_type: Value of `content-type`.
    """

    __slots__ = ("request", "response", "streaming_fn")

    def __init__(
        self,
        streaming_fn: Callable[[ResponseStream], Awaitable[None]],
        status: int = 200,
        headers: ResponseHeaders | None = None,
        content_type: str | None = None,
    ) -> None:
        self.streaming_fn = streaming_fn
        self.request: Request[Any, Any] | None = None
        # What carries status, headers and cookies; response middleware may put another one in its place.
        self.response = HTTPResponse(None, status, headers, content_type)

    def __call__(self, request: Request[Any, Any]) -> ResponseStream:
        """Bind the stream to the request it answers."""
        self.request = request
        return self

    @property
    def status(self) -> int:
        return self.response.status

    @status.setter
    def status(self, value: int) -> None:
        self.response.status = value

    @property
    def headers(self) -> Header:
        return self.response.headers

    @property
    def content_type(self) -> str | None:
        return self.response.content_type

    @content_type.setter
    def content_type(self, value: str | None) -> None:
        self.response.content_type = value

    @property
    def body(self) -> bytes:
        return self.response.body

    @property
    def cookies(self) -> CookieJar:
        return self.response.cookies

    @property
    def processed_headers(self) -> Iterator[tuple[bytes, bytes]]:
        return self.response.processed_headers

    async def write(self, message: bytes | str) -> None:
        """Send a piece of the body.

        Raises:
            ConnectionError: The client has left.
        """
        await self.response.send(message)  # type: ignore[type-var]

    async def stream(self) -> None:
        """Send the head, then run the function that writes the body.

        Raises:
            SanicException: The stream is not bound to a request.
        """
        if self.request is None:
            raise SanicException("This ResponseStream is bound to no request: return it from a handler.")
        self.response = await self.request.respond(self.response)
        await self.streaming_fn(self)

    async def eof(self) -> None:
        """End the body."""
        await self.response.eof()
