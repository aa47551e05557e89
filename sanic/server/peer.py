"""Whether the other end of a connection that it has half-closed is still there.

The client's FIN looks the same whether it waits for its answer or is gone. Who knows the difference: the kernel of this
machine, when the client runs on it too or has come through a proxy on it; the client's own kernel, which answers a
piece of data with a reset when nobody would read it; and the silence of a machine that is no more, which TCP
keep-alive finds. Nothing here knows of HTTP.
"""

from __future__ import annotations

import select
import socket
import struct
from contextlib import suppress
from typing import Any

_IDLE_SECONDS = 1
_INTERVAL_SECONDS = 1
_PROBES = 2

# From linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h.
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_ALL_STATES = 0xFFF
_NO_COOKIE = 0xFFFFFFFF
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI")
_IDENTITY = struct.Struct("!HH16s16s")
_REST_OF_IDENTITY = struct.Struct("=III")
_INODE = struct.Struct("=68xI")


def watch_peer(sock: Any) -> None:
    """Have the kernel probe whether the peer is still there."""
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with suppress(OSError):  # gone already, which a look at it will tell
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", _IDLE_SECONDS),
            ("TCP_KEEPINTVL", _INTERVAL_SECONDS),
            ("TCP_KEEPCNT", _PROBES),
        ):
            option = getattr(socket, name, None)
            if option is not None:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)


def reset_on_close(sock: Any) -> None:
    """Have the kernel reset the connection when it is closed, instead of ending it as if all were well."""
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6) and sock.fileno() >= 0:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def is_peer_gone(sock: Any) -> bool | None:
    """Whether nobody is left at the other end.

    Returns:
        None when that cannot be known from here.
    """
    if sock is None or not hasattr(select, "poll"):
        return None
    descriptor = sock.fileno()
    if descriptor < 0:
        return True
    poll = select.poll()
    poll.register(descriptor, 0)
    if any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0)):
        return True
    try:
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            return False  # both ends of a unix socket are here: had the other one been closed, it would have hung up
        owner = _owner_of_peer(sock)
    except OSError:
        return None
    return None if owner is None else owner == 0


def is_all_sent(sock: Any) -> bool:
    """Whether all that was written has come to the other end's kernel; False when that cannot be known."""
    try:
        import fcntl
        import termios

        # What a transport has not written yet is no exception: it would have filled the kernel's queue.
        return not any(fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))
    except (ImportError, AttributeError, OSError, ValueError):
        return False


def _owner_of_peer(sock: Any) -> int | None:
    # The inode of the peer's socket, 0 when no process has it open any more, None when it is not of this machine.
    if not hasattr(socket, "AF_NETLINK"):
        return None
    host, port = sock.getsockname()[:2]
    peer_host, peer_port = sock.getpeername()[:2]
    own, other = (socket.inet_pton(sock.family, address) for address in (host, peer_host))
    question = (
        _REQUEST.pack(sock.family, socket.IPPROTO_TCP, 0, 0, _ALL_STATES)
        + _IDENTITY.pack(peer_port, port, other, own)
        + _REST_OF_IDENTITY.pack(0, _NO_COOKIE, _NO_COOKIE)
    )
    size = _HEADER.size + len(question)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as kernel:
        # The kernel answers in the call itself; where it does not, nothing is waited for.
        kernel.setblocking(False)
        kernel.send(_HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0) + question)
        answer = kernel.recv(4096)
    if _HEADER.unpack_from(answer)[1] != _SOCK_DIAG_BY_FAMILY:
        return None
    return int(_INODE.unpack_from(answer, _HEADER.size)[0])
