"""A multipart form read part by part while it arrives, so that an upload may be larger than memory (RFC 7578).

Asks the body for its next bytes and hands them on as parts. What the bytes mean is known to
`sanic.request.multipart`; where they come from, and where they go, is not known here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

from sanic.exceptions import BadRequest, PayloadTooLarge, SanicException
from sanic.headers import parse_content_header
from sanic.request.limits import FormLimits
from sanic.request.multipart import MultipartDecoder, PartHeader

if TYPE_CHECKING:
    from sanic.compat import Header
    from sanic.request.types import Request


class Part:
    """One part of a form, to be read before the next one is asked for.

    Iterate over it for its bytes in pieces as they arrive, or `await part.read()` for all of them. What is left unread
    is skipped.

    Attributes:
        name: Name of the field.
        filename: What the client says the file is called, None for a field. Never use it as a path.
        type: Content type without parameters; `text/plain` when the client gives none.
        headers: All headers of the part.
    """

    __slots__ = ("_header", "_reader", "filename", "headers", "is_complete", "name", "type")

    def __init__(self, header: PartHeader, reader: MultipartReader) -> None:
        self._header = header
        self._reader = reader
        self.name: str = header.name
        self.filename: str | None = header.filename
        self.type: str = header.content_type
        self.headers: Header = header.headers
        self.is_complete = False

    def __repr__(self) -> str:
        file = "" if self.filename is None else f" filename={self.filename!r}"
        return f"<Part: {self.name!r}{file}>"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._reader.next_piece(self)) is not None:
            yield piece

    async def read(self) -> bytes:
        """All that is left of the part.

        Raises:
            PayloadTooLarge: It is larger than `REQUEST_MAX_SIZE`; iterate over the part instead.
            BadRequest: The body is broken.
            SanicException: The next part has been asked for already.
        """
        pieces = []
        size = 0
        async for piece in self:
            size += len(piece)
            if size > self._reader.max_size:
                raise PayloadTooLarge(
                    f"The part {self.name!r} exceeds the size limit", extra={"limit": self._reader.max_size}
                )
            pieces.append(piece)
        return b"".join(pieces)

    async def text(self) -> str:
        """All that is left of the part, decoded with its charset, by default UTF-8.

        Raises:
            BadRequest: The charset is unknown, or the bytes are not in it.
            PayloadTooLarge, SanicException: As for `read`.
        """
        return self._header.decode(await self.read())


class MultipartReader:
    """Iterates over the parts of a form as they arrive; made by `Request.multipart`.

    Args:
        read: Gives the next bytes of the body, None at its end.
        boundary: The parameter of the Content-Type header.
        limits: What the body may hold.
        max_size: Bytes that `Part.read` may gather.

    Raises:
        BadRequest: The boundary is missing or not allowed.
    """

    def __init__(
        self, read: Callable[[], Awaitable[bytes | None]], boundary: str, limits: FormLimits, max_size: int
    ) -> None:
        if not boundary:
            raise BadRequest("The Content-Type multipart/form-data lacks its boundary parameter")
        self.max_size = max_size
        self._read = read
        self._decoder = MultipartDecoder(boundary, limits)
        self._events: Iterator[PartHeader | bytes | None] = iter(())
        self._part: Part | None = None
        self._is_begun = self._is_over = False

    def __aiter__(self) -> MultipartReader:
        return self

    async def __anext__(self) -> Part:
        part = self._part
        while part is not None and not part.is_complete:
            await self.next_piece(part)
        while not self._is_over:
            event = await self._next_event()
            if isinstance(event, PartHeader):
                self._part = Part(event, self)
                return self._part
        raise StopAsyncIteration

    async def next_piece(self, part: Part) -> bytes | None:
        """The next bytes of a part, None at its end.

        Raises:
            SanicException: The next part has been asked for already.
        """
        if part.is_complete:
            return None
        if part is not self._part:
            raise SanicException(f"{part!r} has been left behind: read it before you go on to the next part.")
        event = await self._next_event()
        if isinstance(event, bytes):
            return event
        part.is_complete = True
        return None

    async def _next_event(self) -> PartHeader | bytes | None:
        while True:
            for event in self._events:
                return event
            data = await self._read()
            if data is None:
                self._is_over = True
                if self._is_begun:  # a body without a single byte is a form without parts
                    self._decoder.close()
                return None
            self._is_begun = True
            self._events = self._decoder.feed(data)


def read_parts(request: Request[Any, Any]) -> MultipartReader:
    """Begin to read the body of a request as a multipart form.

    Raises:
        BadRequest: It says that it is something else, or lacks the boundary.
    """
    kind, parameters = parse_content_header(request.content_type)
    if kind != "multipart/form-data":
        raise BadRequest(f"The body must be multipart/form-data, it is {kind}")
    config = request.app.config
    unread = [request.body] if request.body else []

    async def read() -> bytes | None:
        if unread:
            return unread.pop()
        data: bytes | None = await request.stream.read() if request.stream is not None else None
        return data

    return MultipartReader(
        read, parameters.get("boundary", ""), FormLimits.from_config(config), config.REQUEST_MAX_SIZE
    )
