"""Requests of the console: handled by the application in this process, or sent to the server.

Of the console it knows nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from sanic.app import Sanic


#: Those that stay as they are: what RFC 3986 section 2 allows, and what is escaped already.
_URL_CHARACTERS = "%:/?#[]@!$&'()*+,;="


class Handled(NamedTuple):
    """A request that was handled, and the response."""

    request: Any
    response: Any


class Requester:
    """Has the application handle requests in this process, without a connection.

    Args:
        app: The application.
    """

    def __init__(self, app: Sanic[Any, Any]) -> None:
        self._app = app

    async def __call__(
        self, uri: str, headers: Mapping[str, str] | None = None, method: str = "GET", body: Any = None
    ) -> Handled:
        """Handle a request.

        Args:
            uri: Path and query; what a URL may not hold is escaped.
            headers: Headers of the request.
            method: Its method.
            body: Its body: bytes, text, or anything else to be sent as JSON.
        """
        from sanic.asgi import ASGIApp
        from sanic.response import HTTPResponse

        fields, content = _message(dict(headers or {}), body)
        parts = urlsplit(uri)
        path = quote(parts.path or "/", _URL_CHARACTERS)
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method.upper(),
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": quote(parts.query, _URL_CHARACTERS).encode(),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()],
            "client": ("127.0.0.1", 0),
            "server": ("localhost", 0),
        }
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        handling = await ASGIApp.create(self._app, scope, _receiver(content), send)
        self._app.asgi = False
        await handling()
        response: Any = handling.response
        written = b"".join(bytes(message.get("body", b"")) for message in sent)
        if written and not getattr(response, "body", None):
            # It was sent in pieces.
            head = sent[0]
            pairs = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.get("headers", ())}
            response = HTTPResponse(written, head["status"], pairs)
        return Handled(handling.request, response)


def _message(headers: dict[str, str], body: Any) -> tuple[dict[str, str], bytes]:
    names = {name.lower() for name in headers}
    if "host" not in names:
        headers["host"] = "localhost"
    if body is None:
        return headers, b""
    if isinstance(body, (bytes, bytearray)):
        content = bytes(body)
    elif isinstance(body, str):
        content = body.encode()
    else:
        content = json.dumps(body).encode()
        if "content-type" not in names:
            headers["content-type"] = "application/json"
    if "content-length" not in names:
        headers["content-length"] = str(len(content))
    return headers, content


def _receiver(content: bytes) -> Callable[[], Any]:
    messages = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        # The client never leaves.
        return await asyncio.get_running_loop().create_future()

    return receive


def new_client(where: str) -> Any:
    """A client of the server, None without httpx.

    Args:
        where: The URL of the server, as `Sanic.serve_location` tells it.
    """
    try:
        import httpx
    except ImportError:
        return None
    *path, url = where.split(" ")
    if path:
        scheme = url.partition(":")[0]
        return httpx.AsyncClient(
            base_url=f"{scheme}://localhost",
            transport=httpx.AsyncHTTPTransport(uds=" ".join(path), verify=False),
            trust_env=False,
        )
    # Its own server, whose certificate may be for any name, at an address that it has told itself.
    return httpx.AsyncClient(base_url=url, verify=False, trust_env=False)
