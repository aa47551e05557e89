"""Sending one message in several frames (RFC 6455 section 5.4).

While such a message is under way no other may begin, so those who send meanwhile wait for their turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

from sanic.exceptions import WebsocketClosed
from sanic.server.websockets.channel import Channel
from sanic.server.websockets.frames import BINARY, TEXT

_INTERNAL_ERROR = 1011


async def send_fragments(channel: Channel, items: Iterable[Any] | AsyncIterable[Any]) -> None:
    """Send the items as the fragments of one message, each as soon as it is there.

    Args:
        channel: The connection.
        items: Texts, or bytes; the first one decides which. Without any nothing is sent.

    Raises:
        WebsocketClosed: The connection is closed.
        TypeError: An item is of another kind; the connection is closed with 1011, since the message has no end.
        Exception: What the iteration raises, with the same consequence.
    """
    await channel.whole_message_may_begin()
    turn = channel.fragments = asyncio.get_running_loop().create_future()
    has_begun = False
    try:
        kind: type[str] | type[bytes] | None = None
        async for item in _each(items):
            if not channel.is_open:
                raise WebsocketClosed()
            opcode, payload = _frame(item, kind)
            if kind is None:
                kind = str if opcode == TEXT else bytes
                (channel.proto.send_text if opcode == TEXT else channel.proto.send_binary)(payload, fin=False)
                has_begun = True
            else:
                channel.proto.send_continuation(payload, fin=False)
            channel.flush()
            await channel.drain()
        if has_begun:
            if not channel.is_open:
                raise WebsocketClosed()
            channel.proto.send_continuation(b"", fin=True)
            channel.flush()
            has_begun = False
            await channel.drain()
    finally:
        if has_begun and channel.is_open:
            channel.fail(_INTERNAL_ERROR, "", by_application=True)
        channel.fragments = None
        turn.set_result(None)


async def _each(items: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterator[Any]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


def _frame(item: Any, kind: type[str] | type[bytes] | None) -> tuple[int, bytes]:
    if isinstance(item, str) and kind is not bytes:
        return TEXT, item.encode()
    if isinstance(item, (bytes, bytearray, memoryview)) and kind is not str:
        return BINARY, bytes(item)
    expected = "texts or bytes" if kind is None else "texts" if kind is str else "bytes"
    raise TypeError(f"The fragments of this message are {expected}, and {item!r} is not.")
