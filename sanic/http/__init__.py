"""HTTP without sockets: exchanges, framing and their stages."""

from sanic.http.constants import HTTP, Stage
from sanic.http.exchange import Exchange as Http  # the name under which applications know it

__all__ = ("HTTP", "Http", "Stage")
