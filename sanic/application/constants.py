"""What state an application can be in: mode, kind of server, stage of serving."""

from __future__ import annotations

from enum import IntEnum

from sanic.types.text_enum import TextEnum

__all__ = ("Mode", "Server", "ServerStage")


class Mode(TextEnum):
    """Whether the application runs for its users or for its developers."""

    PRODUCTION = "production"
    DEBUG = "debug"


class Server(TextEnum):
    """Who speaks HTTP: the built-in server or an ASGI server."""

    SANIC = "sanic"
    ASGI = "asgi"


class ServerStage(IntEnum):
    """How far serving has come; PARTIAL means that some of several addresses are served."""

    STOPPED = 1
    PARTIAL = 2
    SERVING = 3
