"""The application under somebody else's server, spoken to through ASGI 3."""

from __future__ import annotations

from sanic.asgi.app import ASGIApp
from sanic.asgi.lifespan import Lifespan
from sanic.asgi.websocket import ASGIWebsocket

__all__ = ("ASGIApp", "ASGIWebsocket", "Lifespan")
