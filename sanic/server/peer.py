"""Whether the other end of a connection that it has half-closed is still there.

After the client's FIN a server cannot tell a client that waits for its answer from one that is gone, until it writes.
TCP keep-alive can: the kernel of a client that waits answers the probes, the kernel of one that is gone does not.
"""

from __future__ import annotations

import select
import socket
from typing import Any

_IDLE_SECONDS = 1
_INTERVAL_SECONDS = 1
_PROBES = 2


def watch_peer(sock: Any) -> None:
    """Have the kernel probe whether the peer is still there."""
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _IDLE_SECONDS),
        ("TCP_KEEPINTVL", _INTERVAL_SECONDS),
        ("TCP_KEEPCNT", _PROBES),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def is_peer_gone(sock: Any) -> bool:
    """Whether the connection is broken, as far as the kernel knows."""
    if sock is None or not hasattr(select, "poll"):
        return False
    descriptor = sock.fileno()
    if descriptor < 0:
        return True
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))
