"""Sockets to listen on: made, replaced and removed, with errors that name the address and what to do about it."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from sanic.models.http_version import HTTP
from sanic.server.succession import Succession

#: What can be done about the usual errors.
_REMEDIES = {
    errno.EADDRINUSE: "Choose another port, or stop the process that uses this one.",
    errno.EADDRNOTAVAIL: "Choose an address of this machine, or 0.0.0.0 for all of them.",
    errno.EACCES: "Choose a port above 1023, or run with the privilege to use this one.",
}
_UNIX_REMEDIES = {errno.EACCES: "Choose a directory that this user may write to."}

# Bytes, as the kernels have it (unix(7)).
_LONGEST_UNIX_PATH = 107 if sys.platform == "linux" else 103

_PROBE_SECONDS = 0.5


def bind_socket(host: str, port: int, *, backlog: int = 100, kind: int = socket.SOCK_STREAM) -> socket.socket:
    """Make a TCP socket, or a UDP one, bound but not listening yet, so that nobody connects before somebody answers.

    Args:
        host: Address or name; an IPv6 address may stand in brackets.
        port: Port, 0 for any.
        backlog: Kept for compatibility: connections are queued from when the server listens.
        kind: `SOCK_STREAM` for TCP, `SOCK_DGRAM` for UDP.

    Raises:
        OSError: The address is in use, or is none of this machine.
        ValueError: Host or port can be no address.
    """
    if isinstance(port, str):
        raise ValueError(f"Port {port!r} is text: give a number from 0 to 65535, without quotes.")
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise ValueError(f"Port {port!r} cannot be listened on: give a number from 0 to 65535.")
    name = host.strip("[]")
    where = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    try:
        sock = socket.socket(_family(name, port), kind)
        try:
            if os.name == "posix" and kind == socket.SOCK_STREAM:
                # On other systems, and for UDP, this would let a second server steal the port.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((name, port))
            sock.setblocking(False)
        except BaseException:
            sock.close()
            raise
    except socket.gaierror as error:
        message = f"Host {name} is unknown: {error.strerror}. Give an address of this machine, or a name it knows."
        raise socket.gaierror(error.errno, message) from None
    except UnicodeError:
        raise ValueError(f"Host {name!r} is no name of a host. Give an address of this machine.") from None
    except OSError as error:
        raise explained(error, where) from None
    return sock


def _family(name: str, port: int) -> int:
    try:
        return socket.AF_INET6 if ip_address(name).version == 6 else socket.AF_INET
    except ValueError:
        return socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]


def explained(error: OSError, where: str, *, is_unix: bool = False) -> OSError:
    """The same error, naming the address and the remedy.

    Args:
        error: What binding or listening raised.
        where: The address.
        is_unix: Whether it is that of a unix socket.
    """
    if error.errno is None:
        return OSError(f"{error}: {where}.")
    remedies = {**_REMEDIES, **_UNIX_REMEDIES} if is_unix else _REMEDIES
    remedy = remedies.get(error.errno, "Choose another address.")
    return OSError(error.errno, f"{os.strerror(error.errno)}: {where}. {remedy}")


def check_unix_path(path: str) -> str:
    """The absolute path of a unix socket.

    Raises:
        FileNotFoundError: The directory does not exist.
        FileExistsError: The path is there, and no socket.
        OSError: The path is too long.
    """
    path = os.path.abspath(path)
    size = len(os.fsencode(path))
    if size > _LONGEST_UNIX_PATH:
        raise OSError(
            errno.ENAMETOOLONG,
            f"The path {path} of the unix socket is {size} bytes long, and {_LONGEST_UNIX_PATH} are the most. "
            "Choose a shorter one.",
        )
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        raise FileNotFoundError(
            errno.ENOENT,
            f"The directory {directory} of the unix socket {path} does not exist. Make it, or choose another path.",
        )
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.stat(path, follow_symlinks=False).st_mode):
            raise FileExistsError(
                errno.EEXIST, f"{path} exists and is not a socket. Remove it, or choose another path."
            )
    return path


def bind_unix_socket(path: str, *, mode: int = 0o666, backlog: int = 100, is_published: bool = True) -> socket.socket:
    """Make a unix socket that listens; a socket file that is there already is replaced in one step.

    Args:
        path: Where to.
        mode: Permissions of the file.
        backlog: Connections that may wait to be accepted.
        is_published: False leaves it under another name beside the path, until `publish_unix_socket`.

    Raises:
        FileNotFoundError: The directory does not exist.
        FileExistsError: The path is there, and no socket.
        OSError: The socket cannot be made there.
    """
    path = check_unix_path(path)
    temporary = _beside(path)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(temporary)
        try:
            os.chmod(temporary, mode)
            sock.listen(backlog)
            sock.setblocking(False)
            if is_published:
                os.rename(temporary, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
    except OSError as error:
        sock.close()
        raise explained(error, path, is_unix=True) from None
    except BaseException:
        sock.close()
        raise
    return sock


def _beside(path: str) -> str:
    # Of the process, so that two servers that start at once do not take each other's.
    temporary = f"{path}.{os.getpid():x}-{os.urandom(3).hex()}"
    if len(os.fsencode(temporary)) <= _LONGEST_UNIX_PATH:
        return temporary
    # The name itself may be a short one, in a long directory.
    directory = os.path.join(os.path.dirname(path), "")
    return directory + os.urandom(4).hex()[: _LONGEST_UNIX_PATH - len(os.fsencode(directory))]


def publish_unix_socket(temporary: str, path: str) -> None:
    """Put a socket file in the place of the one that is there, in one step.

    Args:
        temporary: Where it is.
        path: Where clients look for it.

    Raises:
        OSError: It cannot be put there.
    """
    try:
        os.rename(temporary, path)
    except OSError as error:
        raise explained(error, path, is_unix=True) from None


def remove_unix_socket(path: str | None) -> None:
    """Remove a socket file, unless another server listens on it now."""
    if not path:
        return
    try:
        if not stat.S_ISSOCK(os.stat(path, follow_symlinks=False).st_mode):
            return
        with socket.socket(socket.AF_UNIX) as probe:
            # A server whose queue is full would keep the probe waiting.
            probe.settimeout(_PROBE_SECONDS)
            probe.connect(path)
    except ConnectionRefusedError:
        # Who has given up privileges since may not be allowed to; the next server takes its place.
        with suppress(OSError):
            os.unlink(path)
    except OSError:
        return


def check_given_socket(sock: Any, kind: int = socket.SOCK_STREAM) -> None:
    """Refuse a given socket that cannot be listened on.

    Args:
        sock: The socket.
        kind: `SOCK_STREAM` for TCP, `SOCK_DGRAM` for UDP.

    Raises:
        ValueError: It is closed, not bound, connected, or of another kind.
    """
    if not isinstance(sock, socket.socket):
        raise ValueError(f"sock must be a socket, not {sock!r}.")
    if sock.fileno() == -1:
        raise ValueError("The socket given as sock is closed. Give an open one that is bound to an address.")
    if sock.type != kind:
        wanted, name = ("stream", "SOCK_STREAM") if kind == socket.SOCK_STREAM else ("datagram", "SOCK_DGRAM")
        raise ValueError(f"The socket given as sock is no {wanted} socket: {sock!r}. Give one of type {name}.")
    name = sock.getsockname()
    if not name or (isinstance(name, tuple) and not name[1]):
        raise ValueError(f"The socket given as sock is not bound: {sock!r}. Bind it to an address first.")
    with suppress(OSError):
        sock.getpeername()
        raise ValueError(f"The socket given as sock is a connection: {sock!r}. Give one that is only bound.")
    if os.name == "posix" and isinstance(name, tuple) and kind == socket.SOCK_STREAM:
        # Its connections inherit this, so that their remains do not keep the port from being bound again.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def check_listening(sock: Any) -> None:
    """See that a socket does listen: two that were bound to the same port at the same time cannot both.

    Args:
        sock: The socket.

    Raises:
        OSError: It does not.
    """
    if not isinstance(sock, socket.socket) or sock.type != socket.SOCK_STREAM or os.name != "posix":
        return
    try:
        is_listening = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError:
        # uvloop closes it, and tells nobody why.
        is_listening = 0
    if not is_listening:
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def configure_socket(server_settings: dict[str, Any], *, is_published: bool = True) -> socket.socket | None:
    """Bind the socket that server settings describe, and put it into them.

    Args:
        server_settings: The arguments of `serve`: `sock`, or `unix`, or `host` and `port`.
        is_published: See `bind_unix_socket`.

    Returns:
        The socket, None when it was given.

    Raises:
        OSError: The address cannot be used.
        ValueError: It is none, or the given socket cannot be listened on.
    """
    kind = socket.SOCK_STREAM
    if server_settings.get("version") is HTTP.VERSION_3:
        kind = socket.SOCK_DGRAM
        if server_settings.get("unix"):
            raise ValueError("HTTP/3 is spoken over UDP: give host and port, not a unix socket.")
        if server_settings.get("succession") is None:
            server_settings["succession"] = Succession()
    if server_settings.get("sock") is not None:
        check_given_socket(server_settings["sock"], kind)
        return None
    if server_settings.get("unix"):
        path = server_settings["unix"] = os.path.abspath(server_settings["unix"])
        sock = bind_unix_socket(path, backlog=server_settings["backlog"], is_published=is_published)
        server_settings["host"] = server_settings["port"] = None
    else:
        sock = bind_socket(server_settings["host"], server_settings["port"], kind=kind)
        server_settings["host"], server_settings["port"] = sock.getsockname()[:2]
    server_settings["sock"] = sock
    return sock
