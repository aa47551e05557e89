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


_INTERNAL_ERROR = 1011


class ASGIWebsocket:
    """The websocket that a handler gets under an ASGI server.

    Args:
        receive: Receives a message from the server.
        send: Sends one to it.
        subprotocols: What the client offers.
    """

    __slots__ = (
        "_arrived",
        "_failure",
        "_has_ended",
        "_listener",
        "_message",
        "_receive",
        "_receiving",
        "_send",
        "_taken",
        "is_accepted",
        "is_close_refused",
        "is_closed",
        "subprotocol",
        "subprotocols",
    )

    def __init__(self, receive: Receive, send: Send, subprotocols: Iterable[str] = ()) -> None:
        self._receive = receive
        self._send = send
        self.subprotocols: list[str] = list(subprotocols)
        self.subprotocol: str | None = None
        self.is_accepted = False
        self.is_closed = False
        # Whether the server would not tell the client of an error in the handler.
        self.is_close_refused = False
        self._receiving = False
        # The message that has come and has not been taken; reading goes on when it has.
        self._message: str | bytes | None = None
        self._listener: asyncio.Task[None] | None = None
        self._has_ended = False
        self._failure: Exception | None = None
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()

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
        self._listener = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        # One message ahead of the handler: one that only sends learns in that way that the client has left.
        try:
            while True:
                message = await self._receive()
                if message.get("type") != "websocket.receive":
                    self.is_closed = message.get("type") == "websocket.disconnect"
                    return
                # One of them, or both with None for the other.
                for received in (message.get("text"), message.get("bytes")):
                    if isinstance(received, (str, bytes)):
                        self._message = received
                        break
                else:
                    return
                self._arrived.set()
                self._taken.clear()
                await self._taken.wait()
        except OSError:
            self.is_closed = True
        except Exception as error:
            self._failure = error
        finally:
            self._has_ended = True
            self._arrived.set()

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
        if self._receiving:
            raise ServerError("Another task is receiving from this websocket already.")
        if self._message is None and not self._has_ended and not self.is_closed:
            self._arrived.clear()
            self._receiving = True
            try:
                await asyncio.wait_for(self._arrived.wait(), timeout)
            except asyncio.TimeoutError:
                # A loop that was busy learns of the end of the timeout and of a message at once.
                if self._message is None and not self._has_ended:
                    return None
            finally:
                self._receiving = False
        message, self._message = self._message, None
        self._taken.set()
        if message is None:
            self.is_closed = True
            if self._failure is not None:
                raise self._failure
        return message

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
        if self._listener is not None:
            self._listener.cancel()
        if not self.is_closed:
            self.is_closed = True
            try:
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
            except OSError:
                pass  # how a server says that the client has left
            except Exception:
                if code != _INTERNAL_ERROR:
                    self.is_closed = False
                    raise
                # Daphne refuses this code, and sends it when the application raises.
                self.is_close_refused = True
