"""Names for the kinds of functions that applications register."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, Union

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.request import Request
    from sanic.response import BaseHTTPResponse, HTTPResponse

#: The application and the request, so that these names also fit classes of one's own.
AppT = TypeVar("AppT", bound="Sanic[Any, Any]")
RequestT = TypeVar("RequestT", bound="Request[Any, Any]")

MiddlewareResponse = Union["HTTPResponse", Coroutine[Any, Any, "HTTPResponse | None"], None]
RequestMiddlewareType = Callable[[RequestT], MiddlewareResponse]
ResponseMiddlewareType = Callable[[RequestT, "BaseHTTPResponse"], MiddlewareResponse]
MiddlewareType = RequestMiddlewareType[RequestT] | ResponseMiddlewareType[RequestT]
ErrorMiddlewareType = Callable[
    [RequestT, BaseException], Union["BaseHTTPResponse", Coroutine[Any, Any, "BaseHTTPResponse | None"], None]
]
ListenerType = (
    Callable[[AppT], Coroutine[Any, Any, None] | None]
    | Callable[[AppT, AbstractEventLoop], Coroutine[Any, Any, None] | None]
)
RouteHandler = Callable[..., Any]
SignalHandler = Callable[..., Awaitable[None] | None]
