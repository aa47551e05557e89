"""What published packages import from `sanic` and `sanic_routing`, names of long standing and private ones included."""

from __future__ import annotations

import importlib

import pytest

import sanic

IMPORTS = {
    "sanic": "Blueprint HTTPResponse Request Sanic __version__ exceptions response",
    "sanic.app": "Sanic",
    "sanic.application.constants": "ServerStage",
    "sanic.application.state": "ApplicationServerInfo",
    "sanic.asgi": "ASGIApp",
    "sanic.blueprint_group": "BlueprintGroup",
    "sanic.blueprints": "Blueprint BlueprintGroup",
    "sanic.compat": "Header",
    "sanic.config": "Config DEFAULT_CONFIG",
    "sanic.constants": "HTTPMethod HTTP_METHODS",
    "sanic.cookies": "Cookie CookieJar",
    "sanic.exceptions": "InvalidUsage MethodNotSupported NotFound SanicException ServerError Unauthorized",
    "sanic.handlers": "ErrorHandler",
    "sanic.helpers": "Default _default",
    "sanic.log": "logger",
    "sanic.logging.setup": "setup_logging",
    "sanic.middleware": "Middleware MiddlewareLocation",
    "sanic.models.futures": "FutureCommand FutureMiddleware",
    "sanic.models.handler_types": "RouteHandler",
    "sanic.models.protocol_types": "TransportProtocol",
    "sanic.request": "File Request RequestParameters",
    "sanic.response": "BaseHTTPResponse HTTPResponse empty file file_stream html json raw redirect text",
    "sanic.router": "Route Router",
    "sanic.server": "CIMultiDict HttpProtocol serve",
    "sanic.server.protocols.websocket_protocol": "WebSocketProtocol",
    "sanic.signals": "Event",
    "sanic.views": "HTTPMethodView",
    "sanic_routing": "Route",
    "sanic_routing.route": "Route",
    "sanic_routing.patterns": "alpha ext nonemptystr parse_date slug",
}


@pytest.mark.parametrize(("module", "name"), [(m, n) for m, names in IMPORTS.items() for n in names.split()])
def test_packages_find_what_they_import(module: str, name: str) -> None:
    found = importlib.import_module(module)

    assert hasattr(found, name) or importlib.import_module(f"{module}.{name}")


def test_the_version_can_be_split_and_compared() -> None:
    parts = [int(part) for part in sanic.__version__.split(".")]

    assert len(parts) == 3
    assert parts >= [25, 12, 0]


@pytest.mark.parametrize(
    "member",
    [
        "_startup",
        "_server_event",
        "_helper",
        "_websocket_handler",
        "_future_commands",
        "_future_middleware",
        "_ext",
        "_test_manager",
        "handle_request",
        "register_middleware",
        "is_running",
        "listeners",
        "shared_ctx",
    ],
)
def test_packages_find_the_members_that_they_touch(app: sanic.Sanic, member: str) -> None:
    assert hasattr(app, member)
