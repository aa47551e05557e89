"""A body whose length is known: it is counted, not parsed, and not copied either.

What follows it belongs to the next message, which is somebody else's to read.
"""

from __future__ import annotations

from collections.abc import Callable


class BodyEnd(Exception):
    """The body is complete.

    Args:
        position: Where in the last piece it ended.
    """

    def __init__(self, position: int) -> None:
        self.position = position


class KnownBody:
    """Takes the place of a parser from somewhere within a body to its end.

    Args:
        on_body: Called with each piece.
        left: Bytes that have not come yet, at least one.
    """

    __slots__ = ("_on_body", "left")

    def __init__(self, on_body: Callable[[bytes], None], left: int) -> None:
        self._on_body = on_body
        self.left = left

    def feed_data(self, data: bytes) -> None:
        """Hand on what of `data` belongs to the body.

        Raises:
            BodyEnd: The rest does not.
        """
        size = len(data)
        if size < self.left:
            self.left -= size
            self._on_body(data)
            return
        end, self.left = self.left, 0
        self._on_body(data[:end])
        raise BodyEnd(end)
