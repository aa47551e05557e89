"""Where frames begin and end, and whether text is UTF-8 before all of it has come (RFC 6455 sections 5.2 and 8.1).

The sans-I/O protocol takes whatever it is given and handles all frames in it at once. A `FrameCutter` tells where to
cut what it is given, so that frames are handled one at a time, in order, and no sooner than the application can take
them. A `TextChecker` looks into text frames that come in pieces, so that invalid text is refused at its first wrong
byte. Neither judges whether a frame is allowed.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

CONTINUATION = 0x0
TEXT = 0x1
BINARY = 0x2
CLOSE = 0x8
PING = 0x9
PONG = 0xA

_FINAL = 0x80
_OPCODE = 0x0F
_MASKED = 0x80
_LENGTH = 0x7F
_LENGTH_OF_TWO_BYTES = 126
_LENGTH_OF_EIGHT_BYTES = 127
_LONGEST_HEADER = 14

new_text_decoder: Callable[[], codecs.IncrementalDecoder] = codecs.getincrementaldecoder("utf-8")


def _header_size(second: int) -> int:
    length = second & _LENGTH
    size = 4 if length == _LENGTH_OF_TWO_BYTES else 10 if length == _LENGTH_OF_EIGHT_BYTES else 2
    return size + 4 if second & _MASKED else size


def whole_message(opcode: int, payload: bytes) -> bytes:
    """A message in one frame as a server sends it, neither masked nor compressed."""
    size = len(payload)
    if size < _LENGTH_OF_TWO_BYTES:
        return bytes((_FINAL | opcode, size)) + payload
    if size < 65536:
        return bytes((_FINAL | opcode, _LENGTH_OF_TWO_BYTES)) + size.to_bytes(2, "big") + payload
    return bytes((_FINAL | opcode, _LENGTH_OF_EIGHT_BYTES)) + size.to_bytes(8, "big") + payload


class FrameCutter:
    """Follows a stream of frames.

    Attributes:
        opcode: That of the current frame, once its header is complete.
        header: The header of the current frame, as far as it has come.
        payload: The part of its payload that the last cut held.
        left: How many bytes of its payload have not come yet.
        is_header_complete: Whether the header is complete, and the payload is not.
        is_between_frames: Whether the next byte is the first of a frame.
    """

    __slots__ = ("header", "is_between_frames", "is_header_complete", "left", "opcode", "payload")

    def __init__(self) -> None:
        self.header = b""
        self.payload = b""
        self.opcode = 0
        self.left = 0
        self.is_between_frames = True
        self.is_header_complete = False

    def cut(self, data: bytes, position: int) -> tuple[bytes, int]:
        """Cut off what belongs to the current frame.

        Args:
            data: Bytes that follow what has come before.
            position: Where to begin.

        Returns:
            Bytes of one frame, its whole header first; none until the header is complete. Then where they end in
            `data`.
        """
        begins = not self.is_header_complete
        if begins:
            known = 0 if self.is_between_frames else len(self.header)
            header = data[position : position + _LONGEST_HEADER - known]
            if known:
                header = self.header + header
            self.is_between_frames = False
            if len(header) < 2 or len(header) < (size := _header_size(header[1])):
                self.header = header
                return b"", len(data)
            self.header = header[:size]
            self.is_header_complete = True
            self.opcode = header[0] & _OPCODE
            position += size - known
            length = header[1] & _LENGTH
            if length == _LENGTH_OF_TWO_BYTES:
                length = int.from_bytes(header[2:4], "big")
            elif length == _LENGTH_OF_EIGHT_BYTES:
                length = int.from_bytes(header[2:10], "big")
            self.left = length
        payload = data[position : position + self.left]
        self.payload = payload
        self.left -= len(payload)
        if not self.left:
            self.is_between_frames = True
            self.is_header_complete = False
        return self.header + payload if begins else payload, position + len(payload)


class TextChecker:
    """Decodes the payload of one text frame while it comes.

    Args:
        header: The header of the frame, complete and with its mask.
        decoder: What has decoded the frames of the message before this one.

    Attributes:
        decoder: The same, for the frames after this one.
        text: What has been decoded.
    """

    __slots__ = ("_is_last", "_mask", "_unmask", "decoder", "text")

    def __init__(self, header: bytes, decoder: codecs.IncrementalDecoder) -> None:
        import websockets.frames

        library: Any = websockets.frames
        self._unmask = library.apply_mask  # in C, where that has been built
        self._mask = header[-4:]
        self._is_last = header[0] & _FINAL != 0
        self.decoder = decoder
        self.text = ""

    def feed(self, payload: bytes, is_end: bool) -> None:
        """Take a piece of the payload, masked as it came; `is_end` tells that it is the last of the frame.

        Raises:
            UnicodeDecodeError: It is not UTF-8.
        """
        self.text += self.decoder.decode(self._unmask(payload, self._mask), self._is_last and is_end)
        turn = len(payload) % 4
        self._mask = self._mask[turn:] + self._mask[:turn]
