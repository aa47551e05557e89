"""One ASGI scope and the application: a request and its response, a websocket, or a lifespan.

To the application it is what an exchange is: `request.stream`. Framing, deadlines, keep-alive and the socket are the
server's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any

from sanic.asgi.connection import ASGIConnection, request_target
from sanic.asgi.lifespan import Lifespan, start_late
from sanic.context import current_request
from sanic.exceptions import ClientDisconnected, PayloadTooLarge, RequestCancelled, SanicException, ServerError
from sanic.headers import encode_headers
from sanic.headers.outgoing import header_text
from sanic.http.body import add_piece, take_piece
from sanic.http.constants import Stage
from sanic.http.framing import BODILESS, FRAMING_HEADERS, clean_names, refuse_status
from sanic.log import error_logger, logger
from sanic.request.factory import request_factory

if TYPE_CHECKING:
    from typing_extensions import Self

    from sanic.app import Sanic
    from sanic.asgi.messages import Message, Receive, Scope, Send
    from sanic.models.server_types import ConnInfo
    from sanic.request import Request
    from sanic.response import BaseHTTPResponse

_DENIAL = "websocket.http.response"


class ASGIApp:
    """One ASGI scope, handled by an application.

    It is made by `create`; calling it handles the scope. Where the scope is a request, it is the request's `stream`.
    """

    is_asgi = True

    sanic_app: Sanic[Any, Any]
    scope: Scope
    request: Request[Any, Any] | None
    protocol: ASGIConnection
    lifespan: Lifespan | None

    def __init__(self) -> None:
        self.request = None
        self.lifespan = None
        self.stage = Stage.REQUEST
        self.task: asyncio.Task[Any] | None = None
        # Why there is nothing to handle, or why handling was broken off.
        self.failure: Exception | None = None
        self.interruption: BaseException | None = None
        # The body of the request.
        self._body: deque[bytes | bytearray] = deque()
        self._body_buffered = 0
        self._listener: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self._is_reading = False
        self.is_body_complete = False
        # The response.
        self.response: BaseHTTPResponse | None = None
        self.head_sent = False
        self.bytes_sent = 0
        self._remaining: int | None = None
        self._is_head = False
        self._is_delivered = False

    @classmethod
    async def create(cls, sanic_app: Sanic[Any, Any], scope: Scope, receive: Receive, send: Send) -> Self:
        """Make one for a scope.

        Args:
            sanic_app: The application.
            scope: The scope: `http`, `websocket` or `lifespan`.
            receive: Receives a message from the server.
            send: Sends one to it.

        Raises:
            SanicException: The scope is of another type.
        """
        kind = scope["type"]
        if kind not in ("http", "websocket", "lifespan"):
            raise SanicException(f"ASGI scope {kind!r} is not served: 'http', 'websocket' and 'lifespan' are.")
        sanic_app.asgi = True
        self = cls()
        self.sanic_app = sanic_app
        self.scope = scope
        self.protocol = ASGIConnection(scope, receive, send)
        if kind == "lifespan":
            self.lifespan = Lifespan(sanic_app, scope, receive, send)
        else:
            self._make_request()
        return self

    def _make_request(self) -> None:
        scope, connection = self.scope, self.protocol
        headers = [(bytes(name), bytes(value)) for name, value in scope.get("headers") or ()]
        version, method = scope.get("http_version", "1.1"), scope.get("method", "GET")
        make = request_factory(self.sanic_app.request_class)
        try:
            request = make(request_target(scope), headers, version, method, connection, self.sanic_app)
        except SanicException as error:
            self.failure = error
            request = make(b"*", headers, version, "NONE", connection, self.sanic_app)
        request.stream = self
        self.request = request
        self._is_head = method == "HEAD"

    @property
    def transport(self) -> ASGIConnection:
        """The transport of the request."""
        return self.protocol

    @property
    def conn_info(self) -> ConnInfo:
        """What is known of the connection."""
        return self.protocol.conn_info

    # -- From the first message to the last --------------------------------------------------------------------------

    async def __call__(self) -> None:
        """Handle the scope."""
        request = self.request
        if request is None:
            if self.lifespan is not None:
                await self.lifespan()
            return
        app = self.sanic_app
        if not app.state.is_started or app._late_start is not None:
            await start_late(app)
        current_request.set(request)
        self.stage = Stage.HANDLER
        self.task = asyncio.current_task()
        if self.scope["type"] == "http" and not any(name.lower() == b"expect" for name, _ in self.scope["headers"]):
            # Else the server would ask for the body (RFC 9110 section 10.1.1) before anybody wants it.
            self._listen()
        try:
            await self._announce(request)
            if self.failure is None:
                await app.handle_request(request)
            else:
                await app.handle_exception(request, self.failure, self.interruption is None)
        except asyncio.CancelledError:
            if not await self._answer_interruption(request):
                raise
        except Exception:
            self._broken_off(request)
        finally:
            await self._end()
        if self.stage is Stage.FAILED and not self.protocol.is_lost:
            # Some servers would wait for the rest; an exception makes all of them cut the connection.
            raise ServerError(f"The response to {request!r} could not be completed.")

    async def _announce(self, request: Request[Any, Any]) -> None:
        event = "http.lifecycle.request"
        if event in self.sanic_app.observed_signals:
            try:
                await self.sanic_app.dispatch(event, inline=True, context={"request": request}, fail_not_found=False)
            except Exception as error:
                self.failure = self.failure or error

    def interrupt(self, reason: BaseException) -> None:
        """Cancel the handler and answer with `reason` instead, if nothing has been sent yet."""
        if self.interruption is None:
            self.interruption = reason
            if self.task is not None:
                self.task.cancel()

    async def _answer_interruption(self, request: Request[Any, Any]) -> bool:
        # Whether it is dealt with. If not, it is the server that cancels the task, and wants to see it cancelled.
        reason = self.interruption
        cancelling = getattr(self.task, "cancelling", None)
        if reason is None:
            if cancelling is None or cancelling():
                return False
            reason = self.interruption = RequestCancelled()  # the handler itself has raised it
        elif self.task is not None and cancelling is not None:
            self.task.uncancel()  # type: ignore[attr-defined,unused-ignore]
        try:
            await self.sanic_app.handle_exception(request, reason, False)
        except Exception:
            self._broken_off(request)
        return True

    def _broken_off(self, request: Request[Any, Any]) -> None:
        if not self.protocol.is_lost:
            error_logger.exception("The response to %r could not be sent.", request)
        self.fail()

    async def _end(self) -> None:
        if self._listener is not None:
            self._listener.cancel()
        websocket = self.protocol.websocket
        if websocket is not None:
            await websocket.close(1000 if self.stage is not Stage.FAILED else 1011)
            if websocket.is_close_refused:
                self.fail()

    # -- The body of the request -------------------------------------------------------------------------------------

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = asyncio.ensure_future(self._receive_messages())

    async def _receive_messages(self) -> None:
        # Takes the body in as far as the buffer goes, then waits for the end of the connection.
        limit: int = self.sanic_app.config.REQUEST_BUFFER_SIZE
        receive = self.protocol.receive
        while True:
            message = await receive()
            kind = message.get("type")
            if kind == "http.disconnect":
                self._leave()
                return
            if kind != "http.request" or self.is_body_complete:
                return  # a server that repeats itself has nothing more to say
            self._feed(message)
            while self._body_buffered > limit:
                self._taken.clear()
                await self._taken.wait()

    def _feed(self, message: Message) -> None:
        data = message.get("body")
        if data:
            add_piece(self._body, data)
            self._body_buffered += len(data)
        self.is_body_complete = not message.get("more_body")
        self._arrived.set()

    def _leave(self) -> None:
        if self.stage is Stage.IDLE:
            return  # the response is complete; servers say that, too, with a disconnect
        self.protocol.is_lost = self.protocol.conn_info.lost = True
        self._arrived.set()
        self.interrupt(RequestCancelled())

    async def read(self) -> bytes | None:
        """The next piece of the body, None at its end.

        Raises:
            SanicException: Somebody else is reading.
            ClientDisconnected: The client has left before the end of the body.
        """
        self._listen()
        while not self._body:
            if self.is_body_complete:
                return None
            if self.protocol.is_lost:
                raise ClientDisconnected(f"The client has left before the body of {self.request!r} was complete.")
            if self._is_reading:
                raise SanicException("Another task is reading the body of this request already.")
            self._is_reading = True
            self._arrived.clear()
            try:
                await self._arrived.wait()
            finally:
                self._is_reading = False
        data = take_piece(self._body)
        self._body_buffered -= len(data)
        self._taken.set()
        return data

    async def read_all(self) -> bytes:
        """The rest of the body.

        Raises:
            PayloadTooLarge: It is larger than `REQUEST_MAX_SIZE` allows.
        """
        if self.scope["type"] == "websocket":
            return b""
        limit: int = self.sanic_app.config.REQUEST_MAX_SIZE
        first: bytes | None = None
        body = bytearray()
        size = 0
        while (data := await self.read()) is not None:
            size += len(data)
            if size > limit:
                raise PayloadTooLarge("Request body exceeds the size limit", extra={"limit": limit})
            if first is None:
                first = data
            else:
                body += data if body else first + data
        return bytes(body) if body else first or b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (data := await self.read()) is not None:
            yield data

    # -- The response ------------------------------------------------------------------------------------------------

    def respond(self, response: BaseHTTPResponse) -> BaseHTTPResponse:
        """Attach a response, in place of one that is attached but not sent.

        Raises:
            ServerError: A response is on its way already.
        """
        if self.head_sent:
            raise ServerError("A response has been sent already; it cannot be replaced.")
        if self.response is not None and self.response is not response:
            self.response.stream = None
        response.stream = self
        self.response = response
        return response

    def fail(self) -> bool:
        """The response cannot be completed: the server will cut it off, so that it looks broken to the client.

        Returns:
            Whether that is so: a response that is complete stays so.
        """
        if self._is_delivered:
            return False
        self.stage = Stage.FAILED
        return True

    def send_whole(self, response: BaseHTTPResponse) -> Awaitable[None]:
        """Attach a response and send all of it; returns what has to be awaited."""
        self.respond(response)
        return self.send(None, True)

    async def send(self, data: bytes | None = None, end_stream: bool | None = None) -> None:
        """Send a piece of the response; the head goes with the first one.

        Args:
            data: Bytes that follow what the response's `body` holds.
            end_stream: Whether this is the end.

        Raises:
            ServerError: Data after the end, or not as much as the `content-length` says.
            ClientDisconnected: The client has left.
        """
        if self.stage is not Stage.HANDLER and self.stage is not Stage.RESPONSE:
            if data:
                if self.protocol.is_lost:
                    raise ClientDisconnected(f"The client of {self.request!r} has left.")
                raise ServerError("Response stream was ended, no more response data is allowed to be sent.")
            return
        if self.protocol.websocket is not None:
            # The handler of a websocket returns nothing that could be sent after the handshake.
            self.stage = Stage.IDLE
            return
        start: Message | None = None
        body = data or b""
        if not self.head_sent:
            start, body = self._head(body, bool(end_stream))
        body = self._body_bytes(body, bool(end_stream))
        if self.protocol.is_lost:
            self.stage = Stage.FAILED
            raise ClientDisconnected(f"The client has left before the response to {self.request!r} was sent.")
        self.head_sent = True
        self.stage = Stage.IDLE if end_stream else Stage.RESPONSE
        if self.scope["type"] == "websocket":
            await self._deny(start, body, bool(end_stream))
            self._is_delivered = bool(end_stream)
            return
        if start is not None:
            await self._send({"type": "http.response.start", **start})
        if body or end_stream:
            await self._send({"type": "http.response.body", "body": body, "more_body": not end_stream})
        self._is_delivered = bool(end_stream)

    async def _send(self, message: Message) -> None:
        try:
            await self.protocol.send_message(message)
        except OSError as error:
            # How a server says that the client has left.
            self.protocol.is_lost = self.protocol.conn_info.lost = True
            self.stage = Stage.FAILED
            raise ClientDisconnected(f"The client has left before the response to {self.request!r} was sent.") from (
                error
            )

    async def _deny(self, start: Message | None, body: bytes, end_stream: bool) -> None:
        # An ordinary response to one who asked for a websocket. Without the extension it becomes a plain 403.
        if _DENIAL in (self.scope.get("extensions") or {}):
            if start is not None:
                await self.protocol.receive()  # websocket.connect
                await self._send({"type": f"{_DENIAL}.start", **start})
            await self._send({"type": f"{_DENIAL}.body", "body": body, "more_body": not end_stream})
        elif start is not None:
            await self.protocol.receive()
            await self._send({"type": "websocket.close", "code": 1000, "reason": ""})

    def _head(self, data: bytes, end_stream: bool) -> tuple[Message, bytes]:
        # The start of the response and the first bytes of its body.
        self._remaining = None
        response = self.response
        if response is None:
            raise ServerError("There is no response to send: call request.respond() first.")
        status = response.status
        if not isinstance(status, int) or not 200 <= status <= 999:
            raise refuse_status(status)
        body = (response.body or b"") + data
        own = clean_names(response.headers)
        # `connection: close` alone is handed on, to where there are connections to close.
        headers: list[tuple[object, object]] = [item for item in own.items() if item[0].lower() not in FRAMING_HEADERS]
        length = self._content_length(response, body, end_stream)
        if length is not None:
            headers.append(("content-length", str(length)))
        if response.content_type is not None and "content-type" not in own and status not in BODILESS:
            headers.append(("content-type", response.content_type))
        version = self.scope.get("http_version", "1.1")
        if version.startswith("1") and "close" in header_text(own, "connection", "").lower():
            headers.append(("connection", "close"))
        return {"status": status, "headers": encode_headers(headers)}, body

    def _content_length(self, response: BaseHTTPResponse, body: bytes, end_stream: bool) -> int | None:
        if response.status in BODILESS:
            if body:
                logger.warning("The body of %r is dropped: status %d has none.", response, response.status)
            return None
        told = header_text(response.headers, "content-length")
        if end_stream:
            if self._is_head and not body and told is not None and told.isdecimal():
                return int(told)  # what a GET would answer
            return len(body)
        if told is None:
            return None
        if not told.isdecimal():
            raise ServerError(f"content-length must be a number of bytes, not {told!r}.")
        self._remaining = int(told)
        return self._remaining

    def _body_bytes(self, data: bytes, end_stream: bool) -> bytes:
        response = self.response
        if self._is_head or (response is not None and response.status in BODILESS):
            return b""
        if self._remaining is not None:
            self._remaining -= len(data)
            if self._remaining < 0:
                raise ServerError("Response was bigger than content-length")
            if end_stream and self._remaining:
                raise ServerError(f"Response was smaller than content-length, by {self._remaining} bytes")
        self.bytes_sent += len(data)
        return data
