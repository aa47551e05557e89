"""How a connection makes requests of the class that its application has chosen.

Decided once for each connection, so that ordinary requests pay nothing for the unusual classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sanic.request.message import RawHeaders, decode_headers, render_head
from sanic.request.types import Request

if TYPE_CHECKING:
    from sanic.app import Sanic

#: Stands for the method of a message that was refused before its head could be read.
REFUSED = "NONE"
#: Takes target, header fields as received, HTTP version, method, transport and application.
RequestFactory = Callable[[bytes, RawHeaders, str, str, Any, "Sanic[Any, Any]"], Request[Any, Any]]


def request_factory(request_class: type[Request[Any, Any]]) -> RequestFactory:
    """Tell how to make requests of a class.

    A class without a constructor of its own is its own factory: it takes the header fields as received and decodes
    them when they are asked for. A class with one may look at its arguments, so it gets a `Header` and the bytes of
    the head, all by name.

    Args:
        request_class: `Request`, or a class made from it.
    """
    if request_class.__init__ is Request.__init__ and request_class.__new__ is Request.__new__:
        return request_class

    def make(
        url_bytes: bytes, headers: RawHeaders, version: str, method: str, transport: Any, app: Sanic[Any, Any]
    ) -> Request[Any, Any]:
        try:
            return request_class(
                url_bytes=url_bytes,
                headers=decode_headers(headers, url_bytes),
                version=version,
                method=method,
                transport=transport,
                app=app,
                head=render_head(method, url_bytes, version, headers),
            )
        except Exception:
            if method != REFUSED:
                raise
            # What such a class demands of a message, one that has been refused need not have.
            return Request(url_bytes, headers, version, method, transport, app)

    return make
