"""Shapes that other objects have: no behaviour here."""

from __future__ import annotations

from asyncio import BaseTransport
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sanic.models.http_version import HTTP


class HTMLProtocol(Protocol):
    """An object that can show itself as HTML, by either of the two methods in use."""

    def __html__(self) -> str | bytes:
        """Return HTML, as template engines expect."""
        ...

    def _repr_html_(self) -> str | bytes:
        """Return HTML, as notebooks expect."""
        ...


class Range(Protocol):
    """A part of a file, in bytes; `end` belongs to it."""

    start: int | None
    end: int | None
    size: int | None
    total: int | None


class TransportProtocol(BaseTransport):
    """What a request's `transport` may be where there is no socket, such as under ASGI."""

    __slots__ = ()

    #: The ASGI connection scope.
    scope: dict[str, Any]
    version: HTTP
