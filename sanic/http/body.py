"""The pieces of a request's body that wait for the application.

However small the pieces are that a client sends, what is kept for them is in proportion to their bytes. Limits, flow
control and whoever waits are not known here.
"""

from __future__ import annotations

from collections import deque

# A piece costs some sixty bytes beside its own. A few are handed on as they came; behind so many, those that are
# smaller together than this become one.
_FEW = 16
_SMALL = 2**12


def add_piece(pieces: deque[bytes | bytearray], data: bytes) -> None:
    """Put a piece behind those that wait, as a part of the last one if there are many and both are small.

    Args:
        pieces: Those that wait; only the last one is ever changed.
        data: The piece.
    """
    if len(pieces) >= _FEW:
        last = pieces[-1]
        if len(last) + len(data) <= _SMALL:
            if isinstance(last, bytearray):
                last += data
            else:
                pieces[-1] = bytearray(last) + data
            return
    pieces.append(bytes(data))


def take_piece(pieces: deque[bytes | bytearray]) -> bytes:
    """Take the first piece out of those that wait."""
    return bytes(pieces.popleft())
