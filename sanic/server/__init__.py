"""One process that serves: connections, deadlines, sockets, and the order in which a worker lives."""

from multidict import CIMultiDict

from sanic.models.server_types import ConnInfo, Signal
from sanic.server.async_server import AsyncioServer
from sanic.server.loop import try_use_uvloop
from sanic.server.protocols.http_protocol import HttpProtocol
from sanic.server.runner import serve

__all__ = ("AsyncioServer", "CIMultiDict", "ConnInfo", "HttpProtocol", "Signal", "serve", "try_use_uvloop")
