"""A multipart/form-data body, decoded as it arrives (RFC 7578).

The library `multipart` finds the parts in the bytes; this module gives them HTML's names, applies the limits and
turns every complaint into an answer for the client. Bytes go in and events come out: nothing here reads or waits, so
that bodies read whole and streamed ones share it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import TYPE_CHECKING
from unicodedata import normalize
from urllib.parse import unquote_to_bytes

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser  # type: ignore[import-untyped]

from sanic.compat import Header
from sanic.exceptions import BadRequest, PayloadTooLarge
from sanic.headers import parse_content_header
from sanic.log import logger

if TYPE_CHECKING:
    from sanic.request.limits import FormLimits


@dataclass(frozen=True)
class PartHeader:
    """What a part says of itself.

    Args:
        name: the name of the field, in NFC.
        filename: the name of the file, in NFC; `None` for a field.
        content_type: the type without parameters, in lower case; `text/plain` when the part gives none.
        charset: the charset of a field.
        headers: all headers of the part.
    """

    name: str
    filename: str | None
    content_type: str
    charset: str
    headers: Header = field(default_factory=Header, compare=False)

    def decode(self, content: bytes) -> str:
        """Decode the content of a field.

        Raises:
            BadRequest: the charset is unknown, or the content is not in it.
        """
        # Codecs are looked up for names that Python lists only: it would remember any other name for ever, and has
        # codecs besides, such as punycode, that take quadratic time.
        charset = normalize_encoding(self.charset).lower()
        try:
            if charset not in aliases and charset not in aliases.values():
                raise LookupError
            return content.decode(charset)
        except UnicodeDecodeError:
            raise BadRequest(f"The multipart field {self.name!r} is not valid {self.charset}") from None
        except LookupError:
            raise BadRequest(f"The multipart field {self.name!r} has the unknown charset {self.charset!r}") from None


class MultipartDecoder:
    """Turns the bytes of a body into parts.

    Feed chunks of any size, consume all events of each, and close at the end of the body.

    Args:
        boundary: the parameter of the Content-Type header.
        limits: what the body may hold.

    Raises:
        BadRequest: the boundary is not allowed.
    """

    def __init__(self, boundary: str | bytes, limits: FormLimits) -> None:
        self._limits = limits
        try:
            self._parser = _Parser(
                boundary, max_header_size=limits.max_part_header_size, max_header_count=limits.max_part_headers
            )
        except (MultipartError, UnicodeEncodeError) as error:
            raise BadRequest(f"The multipart boundary {boundary!r} is not allowed: {error}") from None
        self._parts = 0
        self._current: PartHeader | None = None
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[PartHeader | bytes | None]:
        """Decode the next bytes.

        Yields:
            for each part its header, then its content in pieces (none if it is empty), then `None`. Parts without
            name are left out.

        Raises:
            BadRequest: the body is broken; the message says why.
            PayloadTooLarge: more than a limit, which the message names, allows.
        """
        if not chunk or self._parser.closed:
            return
        try:
            for event in self._parser.parse(chunk):
                if isinstance(event, MultipartSegment):
                    self._current = self._start(event)
                    if self._current is not None:
                        yield self._current
                elif self._current is not None:
                    if event is not None and self._current.filename is None:
                        self._measure(len(event), self._current)
                    yield event
        except ParserLimitReached as error:
            raise PayloadTooLarge(
                f"{error} (max_part_headers={self._limits.max_part_headers}, "
                f"max_part_header_size={self._limits.max_part_header_size} bytes)"
            ) from None
        except MultipartError as error:
            raise BadRequest(f"Failed when parsing body as multipart/form-data: {error}") from None

    def close(self) -> None:
        """End the body.

        Raises:
            BadRequest: its last boundary is missing.
        """
        try:
            self._parser.close()
        except MultipartError as error:
            raise BadRequest(f"Failed when parsing body as multipart/form-data: {error}") from None

    def _start(self, segment: MultipartSegment) -> PartHeader | None:
        self._parts += 1
        self._size = 0
        if self._parts > self._limits.max_parts:
            raise PayloadTooLarge(f"The form has more parts than max_parts={self._limits.max_parts}")
        # The colon and CR LF belong to each line, too.
        size = sum(len(name) + len(value.encode()) + 4 for name, value in segment.headerlist)
        if size > self._limits.max_part_header_size:
            raise PayloadTooLarge(
                f"The headers of a part are larger than max_part_header_size={self._limits.max_part_header_size} bytes"
            )
        _, disposition = parse_content_header(segment.header("Content-Disposition", ""))
        content_type, parameters = parse_content_header(segment.header("Content-Type", ""))
        name = disposition.get("name")
        if not name:
            logger.debug("A multipart part without name was dropped: %r", segment.headerlist)
            return None
        filename = _extended(disposition["filename*"]) if "filename*" in disposition else disposition.get("filename")
        return PartHeader(
            normalize("NFC", name),
            None if filename is None else normalize("NFC", filename),
            content_type or "text/plain",
            parameters.get("charset", "utf-8"),
            Header(segment.headerlist),
        )

    def _measure(self, length: int, header: PartHeader) -> None:
        self._size += length
        if self._size > self._limits.max_field_size:
            raise PayloadTooLarge(
                f"The form field {header.name!r} is larger than max_field_size={self._limits.max_field_size} bytes"
            )


class _Parser(PushMultipartParser):  # type: ignore[misc]
    """Takes the headers of any part: what they mean is read by the decoder, which knows HTML's names and RFC 5987."""

    def _create_segment(self, headerlist: list[tuple[str, str]]) -> MultipartSegment:
        return MultipartSegment(headerlist)


def _extended(value: str) -> str:
    """Decode a parameter such as `utf-8''na%C3%AFve` (RFC 8187 section 3.2.1, before that RFC 5987).

    Without the two quotation marks, or with a charset other than the two that the RFC allows, it is read as UTF-8.
    """
    charset, quote, rest = value.partition("'")
    _, second, encoded = rest.partition("'")
    if not (quote and second):
        charset, encoded = "utf-8", value
    if charset.lower() != "iso-8859-1":
        charset = "utf-8"
    return unquote_to_bytes(encoded).decode(charset, "replace")
