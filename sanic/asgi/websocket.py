"""A websocket under an ASGI server: messages in, messages out.

The server frames them, answers pings and closes what is left open; nothing of that can be seen from here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

from sanic.exceptions import ServerError, WebsocketClosed

if TYPE_CHECKING:
    from sanic.asgi.messages import Receive, Send


class ASGIWebsocket:
    """The websocket that a handler gets under an ASGI server.

    Args:
        receive: Receives a message from the server.
        send: Sends one to it.
        subprotocols: What the client offers.
    """

    __slots__ = ("_receive", "_receiving", "_send", "is_accepted", "is_closed", "subprotocol", "subprotocols")

    def __init__(self, receive: Receive, send: Send, subprotocols: Iterable[str] = ()) -> None:
        self._receive = receive
        self._send = send
        self.subprotocols: list[str] = list(subprotocols)
        self.subprotocol: str | None = None
        self.is_accepted = False
        self.is_closed = False
        self._receiving = False

    async def accept(self, subprotocols: Iterable[str] | None = None) -> None:
        """Accept the connection; it has been, when the handler is called.

        Args:
            subprotocols: In order of preference; the first one that the client offers is taken.
        """
        if self.is_accepted:
            return
        if not self.is_closed:
            await self._receive()  # websocket.connect
        offered = self.subprotocols
        self.subprotocol = next((name for name in subprotocols or () if name in offered), None)
        self.is_accepted = True
        await self._send({"type": "websocket.accept", "subprotocol": self.subprotocol, "headers": []})

    async def send(self, message: str | bytes | bytearray | memoryview) -> None:
        """Send a message: text as such, bytes as binary.

        Raises:
            TypeError: It is neither.
            WebsocketClosed: The connection is closed.
        """
        if not isinstance(message, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"A websocket message is str or bytes, not {type(message).__name__}.")
        if self.is_closed:
            raise WebsocketClosed("The websocket is closed: nothing more can be sent.")
        event: dict[str, Any] = {"type": "websocket.send"}
        if isinstance(message, str):
            event["text"] = message
        else:
            event["bytes"] = bytes(message)
        try:
            await self._send(event)
        except OSError as error:
            self.is_closed = True
            raise WebsocketClosed("The client has left.") from error

    async def recv(self, timeout: float | None = None) -> str | bytes | None:
        """Wait for the next message.

        Args:
            timeout: Seconds to wait; None waits until there is one.

        Returns:
            The message, None after the timeout and when the connection is closed.

        Raises:
            ServerError: Somebody else is waiting for a message.
        """
        if self.is_closed:
            return None
        if self._receiving:
            raise ServerError("Another task is receiving from this websocket already.")
        self._receiving = True
        try:
            message = await (self._receive() if timeout is None else asyncio.wait_for(self._receive(), timeout))
        except asyncio.TimeoutError:
            return None
        finally:
            self._receiving = False
        if message.get("type") == "websocket.receive":
            # One of them, or both with None for the other.
            for received in (message.get("text"), message.get("bytes")):
                if isinstance(received, (str, bytes)):
                    return received
        self.is_closed = True
        return None

    receive = recv

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while (message := await self.recv()) is not None:
            yield message

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection.

        Args:
            code: Status (RFC 6455 section 7.4).
            reason: Up to 123 bytes of text.
        """
        if not self.is_closed:
            self.is_closed = True
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
