"""Frames and streams of HTTP/3 (RFC 9114 sections 6 and 7): bytes of streams in, parts of messages out, and back.

Field sections use the static table of QPACK alone (RFC 9204). A dynamic one would let a few bytes stand for kilobytes
each, and make streams wait for each other. Nothing here knows of QUIC, and what a field means is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import pylsqpack

from sanic.http.http3.errors import BrokenConnection, ErrorCode, StreamError, malformed

Fields = list[tuple[bytes, bytes]]

DATA = 0x0
HEADERS = 0x1
SETTINGS = 0x4
GOAWAY = 0x7
_CANCEL_PUSH = 0x3
_PUSH_PROMISE = 0x5
_MAX_PUSH_ID = 0xD
# Of HTTP/2, without a meaning here (RFC 9114 section 7.2.8).
_RESERVED = frozenset({0x2, 0x6, 0x8, 0x9})
_NOT_ON_REQUESTS = _RESERVED | {_CANCEL_PUSH, SETTINGS, _PUSH_PROMISE, GOAWAY, _MAX_PUSH_ID}
_NOT_ON_CONTROL = _RESERVED | {DATA, HEADERS, _PUSH_PROMISE}

_CONTROL_STREAM = 0x0
_PUSH_STREAM = 0x1
_ENCODER_STREAM = 0x2
_DECODER_STREAM = 0x3

_MAX_FIELD_SECTION_SIZE = 0x6
_RESERVED_SETTINGS = frozenset({0x0, 0x2, 0x3, 0x4, 0x5})
# Far more than all settings that there are.
_LONGEST_SETTINGS = 4096


def varint(value: int) -> bytes:
    """A number of variable length (RFC 9000 section 16)."""
    if value < 2**6:
        return value.to_bytes(1, "big")
    if value < 2**14:
        return (value | 1 << 14).to_bytes(2, "big")
    if value < 2**30:
        return (value | 2 << 30).to_bytes(4, "big")
    return (value | 3 << 62).to_bytes(8, "big")


def read_varint(buffer: bytes | bytearray, position: int) -> tuple[int, int] | None:
    """Read a number of variable length.

    Returns:
        The number and the position behind it, None if it is not complete.
    """
    if position >= len(buffer):
        return None
    size = 1 << (buffer[position] >> 6)
    end = position + size
    if end > len(buffer):
        return None
    return int.from_bytes(buffer[position:end], "big") & ((1 << (8 * size - 2)) - 1), end


def frame(kind: int, payload: bytes) -> bytes:
    """A whole frame."""
    return varint(kind) + varint(len(payload)) + payload


class FieldCoder:
    """Writes and reads the field sections of one connection, with the static table of QPACK."""

    def __init__(self) -> None:
        self._encoder = pylsqpack.Encoder()
        self._decoder = pylsqpack.Decoder(0, 0)

    def encode(self, stream_id: int, fields: Iterable[tuple[bytes, bytes]]) -> bytes:
        """A HEADERS frame."""
        fields = list(fields)
        try:
            # Without the settings of the peer, the encoder has no dynamic table, and no instructions for one.
            _, section = self._encoder.encode(stream_id, fields)
        except ValueError:
            # The length of a field that it takes is limited.
            section = literal_section(fields)
        return frame(HEADERS, section)

    def decode(self, stream_id: int, section: bytes) -> Fields:
        """Read a field section.

        Raises:
            BrokenConnection: It is none, or needs a dynamic table.
        """
        try:
            _, fields = self._decoder.feed_header(stream_id, section)
        except (pylsqpack.DecompressionFailed, pylsqpack.StreamBlocked):
            raise BrokenConnection(ErrorCode.QPACK_DECOMPRESSION_FAILED, "a field section cannot be read") from None
        return fields

    def take_instructions(self, data: bytes) -> None:
        """Read what the peer's encoder says: nothing that would need a dynamic table.

        Raises:
            BrokenConnection: It does.
        """
        try:
            self._decoder.feed_encoder(data)
        except pylsqpack.EncoderStreamError:
            raise BrokenConnection(
                ErrorCode.QPACK_ENCODER_STREAM_ERROR, "there is no dynamic table to insert into"
            ) from None


def literal_section(fields: Fields) -> bytes:
    """A field section without any compression (RFC 9204 section 4.5.6)."""
    lines = [b"\0\0"]
    for name, value in fields:
        lines += (_prefixed(0x20, 3, len(name)), name, _prefixed(0x00, 7, len(value)), value)
    return b"".join(lines)


def _prefixed(pattern: int, bits: int, value: int) -> bytes:
    # An integer that begins in the last bits of a byte (RFC 7541 section 5.1).
    largest = (1 << bits) - 1
    if value < largest:
        return bytes((pattern | value,))
    output = bytearray((pattern | largest,))
    value -= largest
    while value >= 128:
        output.append(value & 127 | 128)
        value >>= 7
    output.append(value)
    return bytes(output)


def control_stream(max_field_section: int) -> bytes:
    """What the server's control stream begins with: its type, and the settings.

    Args:
        max_field_section: Size of a field section that is read, as RFC 9114 section 4.2.2 counts.
    """
    settings = varint(_MAX_FIELD_SECTION_SIZE) + varint(max_field_section)
    return varint(_CONTROL_STREAM) + frame(SETTINGS, settings)


def goaway(stream_id: int) -> bytes:
    """Tells that no request from this stream on is handled (RFC 9114 section 5.2)."""
    return frame(GOAWAY, varint(stream_id))


class Receiver(Protocol):
    """Takes a request, part by part."""

    def on_head(self, fields: Fields) -> None: ...
    def on_oversize(self) -> None: ...
    def on_body(self, data: bytes) -> None: ...
    def on_end(self) -> None: ...


class RequestReader:
    """Reads one request stream.

    Args:
        stream_id: Its number.
        coder: Reads field sections.
        receiver: Is told what has been read.
        max_section: Bytes of an encoded field section that is still read.
    """

    __slots__ = ("_buffer", "_coder", "_kind", "_left", "_receiver", "_stage", "_stream_id", "max_section")

    def __init__(self, stream_id: int, coder: FieldCoder, receiver: Receiver, max_section: int) -> None:
        self._stream_id = stream_id
        self._coder = coder
        self._receiver: Receiver | None = receiver
        self.max_section = max_section
        self._buffer = bytearray()
        # The frame that is being read, and what is left of it.
        self._kind: int | None = None
        self._left = 0
        # How many field sections have come: the head, and the trailers.
        self._stage = 0

    def stop(self) -> None:
        """Tell the receiver nothing more."""
        self._receiver = None
        self._buffer.clear()

    def feed(self, data: bytes, is_end: bool) -> None:
        """Read on.

        Args:
            data: What has come.
            is_end: Whether it is the last.

        Raises:
            StreamError: The request cannot be read.
            BrokenConnection: The peer does not speak HTTP/3 properly.
        """
        if self._receiver is None:
            return
        buffer = self._buffer
        buffer += data
        position = 0
        while self._receiver is not None:
            if self._kind is None:
                start = self._begin_frame(position)
                if start is None:
                    break
                position = start
            size = min(self._left, len(buffer) - position)
            if self._kind == HEADERS and size < self._left:
                break
            if not size and self._left:
                break
            piece = bytes(buffer[position : position + size])
            position += size
            self._left -= size
            kind = self._kind
            if not self._left:
                self._kind = None
            self._take(kind, piece)
        del buffer[:position]
        if is_end and self._receiver is not None:
            self._end()

    def _begin_frame(self, position: int) -> int | None:
        # The position behind the type and the length, None if these are not complete.
        kind = read_varint(self._buffer, position)
        size = read_varint(self._buffer, kind[1]) if kind is not None else None
        if kind is None or size is None:
            return None
        self._kind, self._left = kind[0], size[0]
        if (
            self._kind in _NOT_ON_REQUESTS
            or (self._kind == DATA and self._stage != 1)
            or (self._kind == HEADERS and self._stage == 2)
        ):
            raise BrokenConnection(
                ErrorCode.FRAME_UNEXPECTED, f"a frame of type {self._kind:#x} cannot come at this point of a request"
            )
        if self._kind == HEADERS and self._left > self.max_section and self._receiver is not None:
            receiver = self._receiver
            self.stop()
            receiver.on_oversize()
            return None
        return size[1]

    def _take(self, kind: int | None, piece: bytes) -> None:
        receiver = self._receiver
        if kind == DATA and piece and receiver is not None:
            receiver.on_body(piece)
        elif kind == HEADERS:
            self._stage += 1
            fields = self._coder.decode(self._stream_id, piece)
            if self._stage == 1 and receiver is not None:
                receiver.on_head(fields)
            elif any(name.startswith(b":") for name, _ in fields):
                raise malformed("pseudo-header fields in the trailers")

    def _end(self) -> None:
        if self._kind is not None or self._buffer:
            raise BrokenConnection(ErrorCode.FRAME_ERROR, "a frame is cut off by the end of its stream")
        if not self._stage:
            raise StreamError(ErrorCode.REQUEST_INCOMPLETE, "the stream has ended before the head was complete")
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.on_end()


class PeerStreams:
    """Reads the unidirectional streams of the client: its control stream, those of QPACK, and unknown ones.

    Args:
        coder: Reads what the client's encoder says.
    """

    def __init__(self, coder: FieldCoder) -> None:
        self._coder = coder
        self._kinds: dict[int, int] = {}
        self._buffers: dict[int, bytearray] = {}
        self._has_settings = False
        # Of the control stream: bytes of a frame that are to be skipped.
        self._skipped = 0

    def feed(self, stream_id: int, data: bytes, is_end: bool) -> None:
        """Read on.

        Raises:
            BrokenConnection: The client does not speak HTTP/3 properly.
        """
        if stream_id not in self._kinds:
            buffer = self._buffers.setdefault(stream_id, bytearray())
            buffer += data
            kind = read_varint(buffer, 0)
            if kind is None:
                if is_end:
                    del self._buffers[stream_id]
                return
            self._open(stream_id, kind[0])
            data = bytes(self._buffers.pop(stream_id)[kind[1] :])
        kind_of_stream = self._kinds[stream_id]
        if kind_of_stream == _CONTROL_STREAM:
            self._control(stream_id, data)
        elif kind_of_stream == _ENCODER_STREAM:
            self._coder.take_instructions(data)
        if is_end:
            self.ended(stream_id)

    def ended(self, stream_id: int) -> None:
        """A stream has ended, or was reset.

        Raises:
            BrokenConnection: It is one that must stay open (RFC 9114 section 6.2.1, RFC 9204 section 4.2).
        """
        self._buffers.pop(stream_id, None)
        if self._kinds.pop(stream_id, None) in (_CONTROL_STREAM, _ENCODER_STREAM, _DECODER_STREAM):
            raise BrokenConnection(ErrorCode.CLOSED_CRITICAL_STREAM, "a stream that is needed was closed")

    def _open(self, stream_id: int, kind: int) -> None:
        if kind == _PUSH_STREAM:
            raise BrokenConnection(ErrorCode.STREAM_CREATION_ERROR, "clients do not push")
        if kind <= _DECODER_STREAM and kind in self._kinds.values():
            raise BrokenConnection(ErrorCode.STREAM_CREATION_ERROR, f"a second stream of type {kind:#x}")
        self._kinds[stream_id] = kind

    def _control(self, stream_id: int, data: bytes) -> None:
        buffer = self._buffers.setdefault(stream_id, bytearray())
        buffer += data
        while True:
            skipped = min(self._skipped, len(buffer))
            del buffer[:skipped]
            self._skipped -= skipped
            kind = read_varint(buffer, 0)
            size = read_varint(buffer, kind[1]) if kind is not None else None
            if self._skipped or kind is None or size is None:
                return
            self._check_control(kind[0], size[0])
            if kind[0] != SETTINGS:
                # Nothing that a client says there matters to a server that does not push.
                del buffer[: size[1]]
                self._skipped = size[0]
                continue
            end = size[1] + size[0]
            if len(buffer) < end:
                return
            self._has_settings = True
            check_settings(bytes(buffer[size[1] : end]))
            del buffer[:end]

    def _check_control(self, kind: int, size: int) -> None:
        if kind != SETTINGS and not self._has_settings:
            raise BrokenConnection(ErrorCode.MISSING_SETTINGS, "the control stream does not begin with settings")
        if kind in _NOT_ON_CONTROL or (kind == SETTINGS and self._has_settings):
            raise BrokenConnection(ErrorCode.FRAME_UNEXPECTED, f"a frame of type {kind:#x} on the control stream")
        if kind == _CANCEL_PUSH:
            raise BrokenConnection(ErrorCode.ID_ERROR, "nothing was pushed that could be cancelled")
        if kind == SETTINGS and size > _LONGEST_SETTINGS:
            raise BrokenConnection(ErrorCode.EXCESSIVE_LOAD, f"{size} bytes of settings")


def check_settings(payload: bytes) -> None:
    """Check the settings of a client, none of which matter here (RFC 9114 section 7.2.4).

    Raises:
        BrokenConnection: They cannot be read, or hold what must not be there.
    """
    position = 0
    seen: set[int] = set()
    while position < len(payload):
        name = read_varint(payload, position)
        value = read_varint(payload, name[1]) if name is not None else None
        if name is None or value is None:
            raise BrokenConnection(ErrorCode.FRAME_ERROR, "the settings are cut off")
        if name[0] in _RESERVED_SETTINGS or name[0] in seen:
            raise BrokenConnection(ErrorCode.SETTINGS_ERROR, f"setting {name[0]:#x} is reserved, or comes twice")
        seen.add(name[0])
        position = value[1]
