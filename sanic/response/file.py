"""Responses made of files.

`FileResponse` carries an open file and reads it when it is sent; `file`, `file_stream` and `validate_file` are what
handlers call. Which file may be shown to whom is decided by whoever calls them: a location is taken as it is.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Mapping
from datetime import datetime
from time import time
from typing import TYPE_CHECKING, AnyStr, Final

from sanic.compat import Header
from sanic.headers.conditional import as_header, evaluate_preconditions
from sanic.headers.dates import format_http_date, parse_http_date
from sanic.headers.disposition import format_content_disposition
from sanic.helpers import Default, _default
from sanic.log import logger
from sanic.response.http import HTTPResponse
from sanic.response.media_types import content_type_of
from sanic.response.open_file import BLOCK_SIZE, OpenFile, read_blocking
from sanic.response.stream import ResponseStream

if TYPE_CHECKING:
    from pathlib import PurePath

    from sanic.models.protocol_types import Range

    Location = str | bytes | PurePath | os.PathLike[str]

#: Files from this size on are not loaded, but read while they are sent.
STREAM_FROM: Final = 1024 * 1024


class FileResponse(HTTPResponse):
    """A response whose body is a part of an open file, read while it is sent.

    Whoever looks at `body` gets it loaded, and whoever assigns it replaces the file.

    Args:
        source: The open file; the response closes it.
        start: Where the part begins, in bytes.
        size: Its length in bytes; it is told as `content-length`.
    """

    __slots__ = ("_body", "_size", "_source", "_start")

    def __init__(
        self,
        source: OpenFile,
        start: int,
        size: int,
        status: int = 200,
        headers: Header | Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> None:
        super().__init__(None, status, headers, content_type)
        self._source: OpenFile | None = source
        self._start = start
        self._size = size
        self.headers["content-length"] = str(size)

    @property
    def body(self) -> bytes:
        """The body in bytes; reads the whole part of the file."""
        source = self._source
        if source is not None:
            self.body = read_blocking(source.descriptor, self._size, self._start)
        return self._body

    @body.setter
    def body(self, value: bytes) -> None:
        self._body = value
        source = getattr(self, "_source", None)
        self._source = None
        if source is not None:
            source.close()

    async def send(self, data: AnyStr | None = None, end_stream: bool | None = None) -> None:
        """Send the file; see `HTTPResponse.send`."""
        source, self._source = self._source, None
        if source is None or self.stream is None:
            self._source = source
            await super().send(data, end_stream)
            return
        try:
            if self.stream.request.method != "HEAD":
                self.headers["content-length"] = str(self._size)
                await self._send_pieces(source)
            await super().send(data, end_stream)
        finally:
            source.close()

    async def _send_pieces(self, source: OpenFile) -> None:
        position, rest = self._start, self._size
        while rest > 0:
            piece = await source.read(min(BLOCK_SIZE, rest), position)
            if not piece:
                break  # the file became shorter: the exchange tells that by breaking the connection
            position += len(piece)
            rest -= len(piece)
            await self.stream.send(piece, False)
            # A client that takes everything at once must not keep the loop from the others.
            await asyncio.sleep(0)


async def file(
    location: Location,
    status: int = 200,
    request_headers: Header | Mapping[str, str] | None = None,
    validate_when_requested: bool = True,
    mime_type: str | None = None,
    headers: Mapping[str, str] | None = None,
    filename: str | None = None,
    last_modified: datetime | float | int | Default | None = _default,
    max_age: float | int | None = None,
    no_store: bool | None = None,
    _range: Range | None = None,
) -> HTTPResponse:
    """Answer with a file. Headers that are given win over those that are made here.

    Args:
        location: Path of the file. It is not checked: never pass on what a client sent.
        status: HTTP status code; with `_range` it becomes 206.
        request_headers: Headers of the request, so that one whose client has the file already is answered with 304,
            and one whose precondition fails with 412 (RFC 9110 section 13.2.2).
        validate_when_requested: False ignores the conditions in `request_headers`.
        mime_type: Content type; default by name, else `text/plain; charset=utf-8`.
        headers: Further headers.
        filename: Name under which the client is to save it (RFC 6266).
        last_modified: When the file was last modified, in seconds since 1970 or as a datetime; default what the file
            system says; with None neither `Last-Modified` nor `ETag` is sent.
        max_age: Seconds for which caches may use it unasked; without it they ask each time.
        no_store: Whether caches must not keep it.
        _range: The part of it that is sent, such as a `ContentRangeHandler`.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: It is a directory, or cannot be read.
    """
    source = _open(location)
    response: HTTPResponse | None = None
    try:
        response = HTTPResponse(None, status, headers)
        own = response.headers
        _describe(own, source, last_modified, max_age, no_store)
        if status < 300 and request_headers is not None and validate_when_requested:
            condition = as_header(request_headers)
            modified = _timestamp(source.modified if isinstance(last_modified, Default) else last_modified)
            outcome = evaluate_preconditions("GET", condition, own.get("etag"), modified)
            if outcome is not None:
                response.status = outcome
                return response
        _name(own, filename)
        start, size = _part(_range, source)
        if _range is not None:
            response.status = 206
            own.setdefault("Content-Range", f"bytes {start}-{start + size - 1}/{_range.total}")
        content_type = mime_type or content_type_of(filename or source.path, "text/plain; charset=utf-8")
        if size >= STREAM_FROM:
            response = FileResponse(source, start, size, response.status, own, content_type)
            return response
        response.content_type = content_type
        # What has no size, as the files of /proc, may have content all the same.
        response.body = await (source.read(size, start) if size else asyncio.to_thread(_read_to_end, source))
        return response
    finally:
        if not isinstance(response, FileResponse):
            source.close()


async def file_stream(
    location: Location,
    status: int = 200,
    chunk_size: int = 4096,
    mime_type: str | None = None,
    headers: Mapping[str, str] | None = None,
    filename: str | None = None,
    _range: Range | None = None,
) -> ResponseStream:
    """Answer with a file in chunks. Its length is told only if a `Content-Length` is among the headers.

    Args:
        location: Path of the file. It is not checked: never pass on what a client sent.
        status: HTTP status code; with `_range` it becomes 206.
        chunk_size: Bytes in each chunk.
        mime_type: Content type; default by name, else `text/plain`.
        headers: Further headers.
        filename: Name under which the client is to save it (RFC 6266).
        _range: The part of it that is sent, such as a `ContentRangeHandler`.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: It is a directory, or cannot be read.
    """
    if chunk_size < 1:
        raise ValueError(f"chunk_size must be at least 1 byte, not {chunk_size!r}.")
    source = _open(location)
    own = Header(headers or {})
    _name(own, filename)
    start, size = _part(_range, source)
    if _range is not None:
        status = 206
        own.setdefault("Content-Range", f"bytes {start}-{start + size - 1}/{_range.total}")

    async def stream_file(response: ResponseStream) -> None:
        # Without a range up to the end of the file, wherever that is by then.
        position, rest = start, size
        try:
            while rest > 0 or _range is None:
                piece = await source.read(min(chunk_size, rest) if _range is not None else chunk_size, position)
                if not piece:
                    break
                position += len(piece)
                rest -= len(piece)
                await response.write(piece)
        finally:
            source.close()

    content_type = mime_type or content_type_of(filename or source.path, "text/plain")
    return ResponseStream(stream_file, status, own, content_type)


async def validate_file(
    request_headers: Header | Mapping[str, str], last_modified: datetime | float | int
) -> HTTPResponse | None:
    """Tell whether a client that asks `If-Modified-Since` has the file already.

    Args:
        request_headers: Headers of the request.
        last_modified: When the file was last modified, in seconds since 1970 or as a datetime.

    Returns:
        A response with status 304, or None if the file is to be sent.
    """
    field = as_header(request_headers).get("if-modified-since")
    if field is None:
        return None
    date = parse_http_date(field)
    if date is None:
        logger.warning("Ignoring invalid If-Modified-Since header received: %r", field)
        return None
    modified = _timestamp(last_modified)
    return HTTPResponse(None, 304) if modified is not None and int(modified) <= date else None


def _open(location: Location) -> OpenFile:
    source = OpenFile(os.fsdecode(location))
    if source.is_directory:
        source.close()
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), source.path)
    return source


def _describe(
    own: Header,
    source: OpenFile,
    last_modified: datetime | float | int | Default | None,
    max_age: float | int | None,
    no_store: bool | None,
) -> None:
    modified = _timestamp(source.modified if isinstance(last_modified, Default) else last_modified)
    if modified is not None:
        own.setdefault("Last-Modified", format_http_date(modified))
        own.setdefault("ETag", source.etag)
    if no_store:
        own.setdefault("cache-control", "no-store")
    elif max_age:
        own.setdefault("cache-control", f"public, max-age={int(max_age)}")
        own.setdefault("expires", format_http_date(time() + max_age))
    else:
        own.setdefault("cache-control", "no-cache")


def _name(own: Header, filename: str | None) -> None:
    if filename:
        own.setdefault("Content-Disposition", format_content_disposition(filename))


def _part(wanted: Range | None, source: OpenFile) -> tuple[int, int]:
    if wanted is None:
        return 0, source.size
    start = wanted.start or 0
    end = wanted.end if wanted.end is not None else source.size - 1
    return start, wanted.size if wanted.size is not None else end - start + 1


def _timestamp(moment: datetime | float | int | Default | None) -> float | None:
    if isinstance(moment, datetime):
        return moment.timestamp()
    return None if moment is None or isinstance(moment, Default) else moment


def _read_to_end(source: OpenFile) -> bytes:
    pieces: list[bytes] = []
    position = 0
    while piece := read_blocking(source.descriptor, BLOCK_SIZE, position):
        pieces.append(piece)
        position += len(piece)
    return b"".join(pieces)
