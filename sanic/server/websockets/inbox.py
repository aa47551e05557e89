"""From frames to messages: what has come on a websocket and has not been read.

A message is put together from its fragments (RFC 6455 section 5.4), or handed on fragment by fragment when somebody
streams it. The inbox counts what it holds, and does not know where frames come from.
"""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from typing import Any

from sanic.server.websockets.frames import CONTINUATION, TEXT, TextChecker, new_text_decoder


class Inbox:
    """Messages that wait to be read.

    Args:
        capacity: How many complete messages may wait before no more should come.

    Attributes:
        messages: Complete messages.
        parts: Fragments of a message that is not complete, or is being streamed.
        decoder: Decodes the fragments of a text message; None while there is none.
        is_streaming: Whether fragments are taken one by one.
        receiver: Resolves when there is something to take; None while nobody waits.
        is_last_part: Whether the last of `parts` ends the streamed message.
    """

    __slots__ = ("_is_skipping", "capacity", "decoder", "is_last_part", "is_streaming", "messages", "parts", "receiver")

    def __init__(self, capacity: int = 1) -> None:
        self.capacity = capacity
        self.messages: deque[str | bytes] = deque()
        self.parts: deque[Any] = deque()
        self.decoder: codecs.IncrementalDecoder | None = None
        self.is_streaming = False
        self.is_last_part = False
        self.receiver: asyncio.Future[None] | None = None
        self._is_skipping = False

    @property
    def is_full(self) -> bool:
        """Whether the reader should take something before more comes."""
        if self.is_streaming:
            return bool(self.parts)
        return len(self.messages) >= self.capacity

    def put(self, frame: Any, checked: TextChecker | None = None) -> None:
        """Take a data frame.

        Args:
            frame: The frame, unmasked and decompressed.
            checked: What has decoded its payload already.

        Raises:
            UnicodeDecodeError: A text that is not UTF-8.
        """
        if frame.opcode != CONTINUATION:
            if frame.fin and not self.is_streaming:
                if frame.opcode != TEXT:
                    self.messages.append(bytes(frame.data))
                elif checked is None:
                    self.messages.append(frame.data.decode())
                else:
                    self.messages.append(checked.text)
                self.wake()
                return
            self.decoder = new_text_decoder() if frame.opcode == TEXT else None
        if checked is not None:
            self.decoder = checked.decoder
            self._add(checked.text, frame.fin)
        elif self.decoder is not None:
            self._add(self.decoder.decode(frame.data, frame.fin), frame.fin)
        else:
            self._add(bytes(frame.data), frame.fin)

    def _add(self, part: str | bytes, is_last: bool) -> None:
        if self._is_skipping:
            self._is_skipping = not is_last
        elif self.is_streaming:
            self.parts.append(part)
            self.is_last_part = is_last
            self.wake()
        else:
            self.parts.append(part)
            if is_last:
                self.messages.append(part[:0].join(self.parts))
                self.parts.clear()
                self.wake()
        if is_last:
            self.decoder = None

    def wake(self) -> None:
        """Wake the one that waits, if there is one."""
        if self.receiver is not None and not self.receiver.done():
            self.receiver.set_result(None)

    async def wait(self, timeout: float | None) -> None:
        """Wait until somebody wakes.

        Args:
            timeout: Seconds to wait at most.
        """
        loop = asyncio.get_running_loop()
        receiver = self.receiver = loop.create_future()
        timer = None if timeout is None else loop.call_later(timeout, self.wake)
        try:
            await receiver
        finally:
            self.receiver = None
            if timer is not None:
                timer.cancel()

    def begin_streaming(self) -> None:
        """Hand on fragments one by one from now on, until the end of the message they belong to."""
        self.is_streaming = True
        self.is_last_part = False

    def end_streaming(self) -> None:
        """Put messages together again; what is left of the streamed one is thrown away."""
        self._is_skipping = not self.is_last_part
        self.is_streaming = False
        self.parts.clear()
