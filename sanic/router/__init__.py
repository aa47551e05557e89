"""Routing: from path, method and host to a route, and from a route's name to its URL.

The package is declarations (`Route`, `RouteGroup`), their vocabulary (`parameters`), the lookup (`tree`, `Router`)
and the way back (`urls`). It knows neither requests nor applications.
"""

from sanic.router.group import RouteGroup
from sanic.router.route import Route
from sanic.router.router import Router
from sanic.router.urls import build_url

__all__ = ("Route", "RouteGroup", "Router", "build_url")
