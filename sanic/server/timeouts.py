"""What happens when the deadline of a connection has passed.

Each stage has its own answer: an idle connection is closed, a slow head or body is 408, a slow handler 503, a client
that does not read is cut. When deadlines are set, the connection decides; when they are looked at, the clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sanic.exceptions import RequestTimeout, ServiceUnavailable
from sanic.http.framing import CONTINUE
from sanic.server.peer import is_all_sent, is_peer_gone, watch_peer

if TYPE_CHECKING:
    from sanic.http.exchange import Exchange
    from sanic.server.protocols.http_protocol import HttpProtocol

# Seconds from the client's half-close to the first interim response, and between two of them.
FIRST_PROBE = 1.0
NEXT_PROBE = 5.0

# Instead of a number of bytes: when a closing connection was last looked at, nothing was left to be sent.
_ALL_SENT = -1


class BodyWatch:
    """How the body of a request comes in.

    Attributes:
        last: When its last piece came, in seconds.
        size: Bytes that came since `start`.
        start: When it was first waited for.
    """

    __slots__ = ("last", "size", "start")

    def __init__(self, now: float) -> None:
        self.last = self.start = now
        self.size = 0


def act_on_timeout(connection: HttpProtocol) -> None:
    """Do what is due on a connection whose deadline has passed."""
    if connection.is_closing:
        if connection.is_half_closed or connection.clock.now >= connection.stage_deadline or _has_parted(connection):
            connection.abort()
        return
    if connection.is_half_closed:
        if is_peer_gone_behind(connection):
            connection.leave()
            return
        if connection.clock.now < connection.stage_deadline:
            return
    exchange = connection.exchange
    if exchange is None:
        if connection.is_head_begun:
            connection.refuse(RequestTimeout("Request Timeout"))
        else:
            connection.close()
    elif connection.is_write_paused:
        _check_writing(connection)
    elif connection.is_discarding:
        connection.close()
    elif exchange.is_body_complete or exchange.expects_continue or connection.is_reading_paused:
        _check_handler(connection, exchange)
    else:
        _check_body(connection, exchange)


def _has_parted(connection: HttpProtocol) -> bool:
    # Seen twice, since the loop may have had no time to write: then the kernel's queue is empty, too.
    was_all_sent = connection.unsent == _ALL_SENT
    connection.unsent = _ALL_SENT if is_all_sent(connection.transport.get_extra_info("socket")) else 0
    return was_all_sent and connection.unsent == _ALL_SENT


def is_client_waiting(connection: HttpProtocol) -> bool:
    """Whether a client that has just half-closed its connection waits for what it has asked for."""
    if connection.transport.get_extra_info("sslcontext") is not None:
        return False
    socket = connection.transport.get_extra_info("socket")
    gone = is_peer_gone(socket)
    exchange = connection.exchange
    # A client that half-closes does so behind its request; one that closes amidst the response has had enough.
    if gone or (gone is None and exchange is not None and exchange.head_sent):
        return False
    watch_peer(socket)
    connection.probe_at = connection.loop.time() + FIRST_PROBE
    return True


def is_peer_gone_behind(connection: HttpProtocol) -> bool:
    """Whether the client that has half-closed a connection is gone; one that cannot be seen from here is asked.

    The question is an interim response: a client that waits must be able to read one although it did not expect it
    (RFC 9110 section 15.2), and the kernel of one that is gone answers it with a reset.
    """
    gone = is_peer_gone(connection.transport.get_extra_info("socket"))
    exchange = connection.exchange
    if gone is None and exchange is not None and not exchange.head_sent and exchange.request.version == "1.1":
        now = connection.clock.now
        if now >= connection.probe_at:
            connection.probe_at = now + NEXT_PROBE
            connection.write(CONTINUE)
    return bool(gone)


def _check_handler(connection: HttpProtocol, exchange: Exchange) -> None:
    if exchange.interruption is not None:
        connection.abort()
    elif exchange.head_sent:
        # A stream may be silent for as long as it likes: only what it writes must make progress.
        connection.set_deadline(connection.limits.response_timeout)
    else:
        connection.set_deadline(connection.limits.close_timeout)
        exchange.interrupt(ServiceUnavailable("Response Timeout"))


def _check_writing(connection: HttpProtocol) -> None:
    # However large a piece is and however slow the client: as long as it takes some of it, it is given time.
    unsent = connection.transport.get_write_buffer_size()
    if unsent < connection.unsent:
        connection.unsent = unsent
        connection.set_deadline(connection.limits.response_timeout)
    else:
        connection.abort()


def _check_body(connection: HttpProtocol, exchange: Exchange) -> None:
    now, limits = connection.clock.now, connection.limits
    watch = connection.body_watch or BodyWatch(now)
    silence = now - watch.last
    rate = watch.size / max(now - watch.start, 0.001)
    if silence < limits.request_timeout and rate >= limits.min_body_rate:
        connection.set_deadline(limits.request_timeout - silence)
    elif exchange.head_sent or exchange.interruption is not None:
        connection.abort()
    else:
        connection.set_deadline(limits.close_timeout)
        connection.refuse(RequestTimeout("Request Timeout"))
