"""Error codes of HTTP/3, and the two ways in which a peer's mistake ends something: a stream, or the connection."""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    """Why a stream or a connection ends (RFC 9114 section 8.1, RFC 9204 section 6)."""

    NO_ERROR = 0x100
    INTERNAL_ERROR = 0x102
    STREAM_CREATION_ERROR = 0x103
    CLOSED_CRITICAL_STREAM = 0x104
    FRAME_UNEXPECTED = 0x105
    FRAME_ERROR = 0x106
    EXCESSIVE_LOAD = 0x107
    ID_ERROR = 0x108
    SETTINGS_ERROR = 0x109
    MISSING_SETTINGS = 0x10A
    REQUEST_REJECTED = 0x10B
    REQUEST_CANCELLED = 0x10C
    REQUEST_INCOMPLETE = 0x10D
    MESSAGE_ERROR = 0x10E
    QPACK_DECOMPRESSION_FAILED = 0x200
    QPACK_ENCODER_STREAM_ERROR = 0x201


class PeerError(Exception):
    """A mistake of the peer.

    Args:
        code: What the peer is told.
        reason: The same for people.
    """

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class StreamError(PeerError):
    """Ends one stream; the others go on."""


class BrokenConnection(PeerError):
    """Ends the connection."""


def malformed(reason: str) -> StreamError:
    """A message that must not be understood (RFC 9114 section 4.1.2)."""
    return StreamError(ErrorCode.MESSAGE_ERROR, reason)
