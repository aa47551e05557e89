"""Sanic: an async web framework with an HTTP server of its own."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sanic.__version__ import __version__
from sanic.app import Sanic
from sanic.blueprints import Blueprint
from sanic.config import Config
from sanic.constants import HTTPMethod
from sanic.exceptions import (
    BadRequest,
    ExpectationFailed,
    FileNotFound,
    Forbidden,
    HeaderNotFound,
    InternalServerError,
    InvalidHeader,
    MethodNotAllowed,
    NotFound,
    RangeNotSatisfiable,
    SanicException,
    ServerError,
    ServiceUnavailable,
    Unauthorized,
)
from sanic.request import Request
from sanic.response import HTTPResponse, empty, file, html, json, raw, redirect, text

if TYPE_CHECKING:
    from sanic.server.websockets.impl import WebsocketImplProtocol as Websocket

#: The usual types of an application and its requests, for annotations.
DefaultSanic = Sanic[Config, SimpleNamespace]
DefaultRequest = Request[DefaultSanic, SimpleNamespace]

__all__ = (
    "BadRequest",
    "Blueprint",
    "Config",
    "DefaultRequest",
    "DefaultSanic",
    "ExpectationFailed",
    "FileNotFound",
    "Forbidden",
    "HTTPMethod",
    "HTTPResponse",
    "HeaderNotFound",
    "InternalServerError",
    "InvalidHeader",
    "MethodNotAllowed",
    "NotFound",
    "RangeNotSatisfiable",
    "Request",
    "Sanic",
    "SanicException",
    "ServerError",
    "ServiceUnavailable",
    "Unauthorized",
    "Websocket",
    "__version__",
    "empty",
    "file",
    "html",
    "json",
    "raw",
    "redirect",
    "text",
)


def __getattr__(name: str) -> Any:
    # The name of a class that lives above everything that is imported here.
    if name == "Websocket":
        from sanic.server.websockets.impl import WebsocketImplProtocol

        return WebsocketImplProtocol
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
