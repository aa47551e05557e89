"""Timeouts and limits of the connections of one application, read from its configuration once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sanic.config import Config


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds.

    Attributes:
        request_timeout: From the first byte of a head to its last, and between two pieces of a body.
        response_timeout: For the handler, and for each write to make progress.
        keep_alive_timeout: Idle time before a connection is closed.
        close_timeout: For what is unsent when a connection closes.
        min_body_rate: Bytes per second that the body of a request must arrive with on average; 0 for any.
        keep_alive: Whether connections serve more than one request.
        buffer_size: Unread bytes of a body at which reading pauses.
        max_body: Size of a body that is read as a whole.
        max_head: Size of request line and headers.
        max_headers: Number of header fields.
        max_target: Size of the request target.
        max_queued: Requests that may wait behind the one that is handled (pipelining).
        access_log: Whether each response is logged.
        ping_timeout: The shorter one of the interval of websocket pings and the time to answer one.
    """

    request_timeout: float
    response_timeout: float
    keep_alive_timeout: float
    close_timeout: float
    min_body_rate: float
    keep_alive: bool
    buffer_size: int
    max_body: int
    max_head: int
    max_headers: int
    max_target: int
    max_queued: int
    access_log: bool
    ping_timeout: float

    @classmethod
    def from_config(cls, config: Config) -> Limits:
        """Read them from a configuration."""
        return cls(
            request_timeout=float(config.REQUEST_TIMEOUT),
            response_timeout=float(config.RESPONSE_TIMEOUT),
            # Of no idle time between requests, there would be none for the first one either.
            keep_alive_timeout=float(config.KEEP_ALIVE_TIMEOUT or config.REQUEST_TIMEOUT),
            close_timeout=config.GRACEFUL_TCP_CLOSE_TIMEOUT,
            min_body_rate=config.REQUEST_MIN_BODY_RATE,
            keep_alive=config.KEEP_ALIVE and config.KEEP_ALIVE_TIMEOUT > 0,
            buffer_size=config.REQUEST_BUFFER_SIZE,
            max_body=config.REQUEST_MAX_SIZE,
            max_head=config.request_max_header_size,
            max_headers=config.REQUEST_MAX_HEADERS,
            max_target=config.REQUEST_MAX_TARGET_SIZE,
            max_queued=max(config.PIPELINE_MAX_QUEUED, 1),
            access_log=config.ACCESS_LOG,
            ping_timeout=min(
                config.WEBSOCKET_PING_INTERVAL or float("inf"), config.WEBSOCKET_PING_TIMEOUT or float("inf")
            ),
        )

    def are_too_large(self, fields: list[tuple[bytes, bytes]]) -> bool:
        """Whether header fields are too many, or too long together; each counts with its colon, blank and CR LF."""
        return (
            len(fields) > self.max_headers or sum(len(name) + len(value) + 4 for name, value in fields) > self.max_head
        )

    @property
    def shortest_timeout(self) -> float:
        """The shortest of the timeouts, in seconds."""
        return min(self.request_timeout, self.response_timeout, self.keep_alive_timeout, self.ping_timeout)
