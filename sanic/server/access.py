"""The access log: one line for each response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sanic.exceptions import RequestCancelled
from sanic.log import access_logger, error_logger

if TYPE_CHECKING:
    from sanic.http.exchange import Exchange

_SWITCHED = 101


def log_access(exchange: Exchange, now: float, size: Any = None) -> None:
    """Write the line for an exchange that is over, or for a websocket that has been opened.

    It fails for no reason: a connection must not suffer from what a handler or a filter of the log does.

    Args:
        exchange: The exchange.
        now: The time, by `time.perf_counter`, in seconds.
        size: What stands in place of the number of bytes sent.
    """
    try:
        _write(exchange, now, size)
    except Exception:
        error_logger.exception("The access log could not be written.")


def _write(exchange: Exchange, now: float, size: Any) -> None:
    request = exchange.request
    response = exchange.response
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
            "host": _client(exchange),
            "request": f"{request.method} {request.url}" if request.method != "NONE" else "nil",
            "duration": f" {(now - exchange.started) * 1000:.1f}ms",
        },
    )


def _client(exchange: Exchange) -> str:
    info = exchange.conn_info
    if info.client_ip:
        return f"{exchange.request.client_ip}:{info.client_port}"
    # Through a unix socket: the client as a proxy tells it, or what tells the connections apart.
    return exchange.request.remote_addr or f"{id(exchange):08x}"[-8:] + "unx"
