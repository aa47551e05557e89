"""Serving files for a route that `static()` declared: which file, whether the client has it already, which part of it.

What lies below the root is decided by `FileRoot`, how bytes are read by `OpenFile`, how they are sent by the response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sanic.compat import Header
from sanic.exceptions import FileNotFound, SanicException
from sanic.handlers import ContentRangeHandler, DirectoryHandler
from sanic.handlers.file_root import NOT_FOUND, FileRoot
from sanic.handlers.known_files import LARGEST_KEPT, KnownFile, KnownFiles
from sanic.headers.conditional import evaluate_preconditions, range_applies
from sanic.headers.encoding import preferred_encodings
from sanic.log import error_logger

# Not for the type checker alone: extensions evaluate the annotations of every handler.
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response.file import STREAM_FROM, FileResponse
from sanic.response.open_file import OpenFile

if TYPE_CHECKING:
    from sanic.models.futures import StaticSpec

# Content codings and the endings of the names of precompressed files, the best first.
_PRECOMPRESSED: Final = {"br": ".br", "gzip": ".gz"}


class StaticMount:
    """Serves a directory, or one file.

    Args:
        spec: What was declared.
        known: Keeps the small files that are asked for often.
    """

    __slots__ = (
        "_content_type",
        "_directory_handler",
        "_has_precompressed",
        "_has_ranges",
        "_known",
        "_path",
        "_root",
        "_stream_from",
        "_validates",
    )

    def __init__(self, spec: StaticSpec, known: KnownFiles | None = None) -> None:
        self._path = spec.file_or_directory
        self._content_type = spec.content_type
        self._validates = spec.use_modified_since
        self._has_ranges = spec.use_content_range
        self._has_precompressed = spec.precompressed
        self._stream_from = STREAM_FROM if isinstance(spec.stream_large_files, bool) else spec.stream_large_files
        self._known = known if known is not None else KnownFiles()
        self._root: FileRoot | None = None
        self._directory_handler: DirectoryHandler | None = None
        if spec.is_file:
            return
        self._root = FileRoot(self._path, spec.follow_external_symlink_files, spec.follow_external_symlink_dirs)
        self._directory_handler = spec.directory_handler or DirectoryHandler(
            uri=spec.uri,
            directory=self._path,
            directory_view=spec.directory_view,
            index=spec.index,
            follow_external_symlink_files=spec.follow_external_symlink_files,
            follow_external_symlink_dirs=spec.follow_external_symlink_dirs,
        )
        self._directory_handler.send_file = self.send_file

    @property
    def path(self) -> str:
        """The directory, or the file."""
        return self._path

    async def serve(self, request: Request[Any, Any], __file_uri__: str = "", **parameters: Any) -> HTTPResponse:
        """Answer a request.

        Args:
            request: The request.
            __file_uri__: What stands behind the mount's own path in the URL, percent-encoded.

        Raises:
            FileNotFound: There is no such file, or it may not be served.
            RangeNotSatisfiable: It has no such part.
        """
        root = self._root
        path = self._path if root is None else root.locate(__file_uri__)
        if path is None:
            raise self._not_found(self._path, __file_uri__)
        known = self._known.get(path)
        if known is not None:
            return await self._answer(request, known, None)
        try:
            opened = self._open(path)
        except OSError as error:
            if error.errno in NOT_FOUND:
                raise self._not_found(path, __file_uri__) from None
            raise
        if opened.is_regular:
            return await self.send_file(request, opened)
        opened.close()
        if self._directory_handler is None or not opened.is_directory:
            raise self._not_found(path, __file_uri__)
        return await self._directory_handler.handle(request, request.path)

    async def send_file(self, request: Request[Any, Any], opened: OpenFile) -> HTTPResponse:
        """Answer with an open file, and close it.

        Raises:
            RangeNotSatisfiable: It has no such part.
        """
        return await self._answer(request, await self._look_at(opened), opened)

    async def _answer(self, request: Request[Any, Any], known: KnownFile, opened: OpenFile | None) -> HTTPResponse:
        content_type = self._content_type or known.content_type
        etag = known.etag
        headers = Header()
        response: HTTPResponse | None = None
        try:
            if self._has_precompressed:
                headers["Vary"] = "Accept-Encoding"
                coding, known, opened = await self._precompressed(request.headers, known, opened)
                if coding:
                    headers["Content-Encoding"] = coding
                    etag = f'{known.etag[:-1]}-{coding}"'
            response = await self._represent(request, known, opened, etag, content_type, headers)
            return response
        finally:
            if opened is not None and not isinstance(response, FileResponse):
                opened.close()

    async def _represent(
        self,
        request: Request[Any, Any],
        known: KnownFile,
        opened: OpenFile | None,
        etag: str,
        content_type: str,
        headers: Header,
    ) -> HTTPResponse:
        asked = request.headers
        modified = known.modified
        headers["Last-Modified"] = known.last_modified
        headers["ETag"] = etag
        headers["cache-control"] = "no-cache"
        outcome = evaluate_preconditions(request.method, asked, etag, modified)
        if outcome == 412:
            raise SanicException("The file is not the one that the request is about.", 412, quiet=True)
        if outcome is not None and self._validates:
            return HTTPResponse(None, outcome, headers)
        status, start, size = 200, 0, known.size
        if self._has_ranges:
            headers["Accept-Ranges"] = "bytes"
            if range_applies(request.method, asked, etag, modified):
                part = ContentRangeHandler(request, known.status)
                status, start, size = 206, part.start or 0, part.size or 0
                headers.update(part.headers)
        if request.method == "HEAD":
            headers["content-length"] = str(size)
            return HTTPResponse(None, status, headers, content_type)
        body = known.body
        if body is not None:
            return HTTPResponse(body if status == 200 else body[start : start + size], status, headers, content_type)
        if opened is None:
            raise RuntimeError(f"{known.path!r} has neither been read nor is it open.")
        if size >= self._stream_from:
            return FileResponse(opened, start, size, status, headers, content_type)
        return HTTPResponse(await opened.read(size, start), status, headers, content_type)

    def _open(self, path: str) -> OpenFile:
        return OpenFile(path) if self._root is None else self._root.open(path)

    async def _look_at(self, opened: OpenFile) -> KnownFile:
        if opened.size > LARGEST_KEPT:
            return KnownFile(opened)
        try:
            known = KnownFile(opened, await opened.read(opened.size, 0))
        finally:
            opened.close()
        self._known.keep(known)
        return known

    async def _precompressed(
        self, asked: Header, known: KnownFile, opened: OpenFile | None
    ) -> tuple[str, KnownFile, OpenFile | None]:
        # The file itself, or a neighbour; one that is older than the file was made of another one.
        field = ",".join(asked.getall("accept-encoding", ()))
        for coding in preferred_encodings(field, _PRECOMPRESSED):
            path = known.path + _PRECOMPRESSED[coding]
            neighbour = self._known.get(path)
            source = None
            if neighbour is None:
                try:
                    source = self._open(path)
                except OSError as error:
                    if error.errno not in NOT_FOUND:
                        raise
                    continue
                if not source.is_regular:
                    source.close()
                    continue
                neighbour = await self._look_at(source)
            if neighbour.modified_ns >= known.modified_ns:
                if opened is not None:
                    opened.close()
                return coding, neighbour, source
            if source is not None:
                source.close()
        return "", known, opened

    def _not_found(self, path: str, relative_url: str) -> FileNotFound:
        error_logger.error("File not found: path=%r, relative_url=%r", path, relative_url)
        return FileNotFound("File not found", path=path, relative_url=relative_url)
