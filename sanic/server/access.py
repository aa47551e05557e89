"""The access log: one line for each response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sanic.exceptions import RequestCancelled
from sanic.log import access_logger

if TYPE_CHECKING:
    from sanic.http.exchange import Exchange

_SWITCHED = 101


def log_access(exchange: Exchange, now: float, size: Any = None) -> None:
    """Write the line for an exchange that is over, or for a websocket that has been opened.

    Args:
        exchange: The exchange.
        now: The time, by `time.perf_counter`, in seconds.
        size: What stands in place of the number of bytes sent.
    """
    request = exchange.request
    response = exchange.response
    info = exchange.conn_info
    gone = isinstance(exchange.interruption, RequestCancelled) and not exchange.head_sent
    if gone:
        size = "DISCONNECTED"
    elif exchange.is_chunked:
        size = "chunked"
    elif size is None:
        size = exchange.bytes_sent if response is None or response.status != _SWITCHED else "CLOSED"
    access_logger.info(
        "",
        extra={
            "status": 0 if response is None or gone else response.status,
            "byte": size,
            "host": f"{request.client_ip}:{info.client_port}" if info.client_ip else f"{id(exchange):08x}"[-8:] + "unx",
            "request": f"{request.method} {request.url}" if request.method != "NONE" else "nil",
            "duration": f" {(now - exchange.started) * 1000:.1f}ms",
        },
    )
