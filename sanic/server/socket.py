"""Sockets to listen on: made, replaced and removed, with errors that name the address and what to do about it."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

#: What can be done about the usual errors.
_REMEDIES = {
    errno.EADDRINUSE: "Choose another port, or stop the process that uses this one.",
    errno.EADDRNOTAVAIL: "Choose an address of this machine, or 0.0.0.0 for all of them.",
    errno.EACCES: "Choose a port above 1023, or run with the privilege to use this one.",
}
_UNIX_REMEDIES = {errno.EACCES: "Choose a directory that this user may write to."}

_PROBE_SECONDS = 0.5


def bind_socket(host: str, port: int, *, backlog: int = 100) -> socket.socket:
    """Make a TCP socket, bound but not listening yet, so that nobody connects before somebody answers.

    Args:
        host: Address or name; an IPv6 address may stand in brackets.
        port: Port, 0 for any.
        backlog: Kept for compatibility: connections are queued from when the server listens.

    Raises:
        OSError: The address is in use, or is none of this machine.
        ValueError: Host or port can be no address.
    """
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise ValueError(f"Port {port!r} cannot be listened on: give a number from 0 to 65535.")
    name = host.strip("[]")
    where = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    try:
        sock = socket.socket(_family(name, port), socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                # On other systems this would let a second server steal the port.
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
    """
    path = os.path.abspath(path)
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


def bind_unix_socket(path: str, *, mode: int = 0o666, backlog: int = 100) -> socket.socket:
    """Make a unix socket that listens; a socket file that is there already is replaced in one step.

    Args:
        path: Where to.
        mode: Permissions of the file.
        backlog: Connections that may wait to be accepted.

    Raises:
        FileNotFoundError: The directory does not exist.
        FileExistsError: The path is there, and no socket.
        OSError: The socket cannot be made there.
    """
    path = check_unix_path(path)
    # Of the process, so that two servers that start at once do not take each other's.
    temporary = f"{path}.{os.getpid():x}-{os.urandom(3).hex()}"
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(temporary)
        try:
            os.chmod(temporary, mode)
            sock.listen(backlog)
            sock.setblocking(False)
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
        with suppress(FileNotFoundError):
            os.unlink(path)
    except OSError:
        return


def check_given_socket(sock: Any) -> None:
    """Refuse a given socket that cannot be listened on.

    Raises:
        ValueError: It is closed, not bound, connected, or no stream socket.
    """
    if not isinstance(sock, socket.socket):
        raise ValueError(f"sock must be a socket, not {sock!r}.")
    if sock.fileno() == -1:
        raise ValueError("The socket given as sock is closed. Give an open one that is bound to an address.")
    if sock.type != socket.SOCK_STREAM:
        raise ValueError(f"The socket given as sock is no stream socket: {sock!r}. Give one of type SOCK_STREAM.")
    name = sock.getsockname()
    if not name or (isinstance(name, tuple) and not name[1]):
        raise ValueError(f"The socket given as sock is not bound: {sock!r}. Bind it to an address first.")
    with suppress(OSError):
        sock.getpeername()
        raise ValueError(f"The socket given as sock is a connection: {sock!r}. Give one that is only bound.")
    if os.name == "posix" and isinstance(name, tuple):
        # Its connections inherit this, so that their remains do not keep the port from being bound again.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def configure_socket(server_settings: dict[str, Any]) -> socket.socket | None:
    """Bind the socket that server settings describe, and put it into them.

    Args:
        server_settings: The arguments of `serve`: `sock`, or `unix`, or `host` and `port`.

    Returns:
        The socket, None when it was given.

    Raises:
        OSError: The address cannot be used.
        ValueError: It is none, or the given socket cannot be listened on.
    """
    if server_settings.get("sock") is not None:
        check_given_socket(server_settings["sock"])
        return None
    if server_settings.get("unix"):
        path = server_settings["unix"] = os.path.abspath(server_settings["unix"])
        sock = bind_unix_socket(path, backlog=server_settings["backlog"])
        server_settings["host"] = server_settings["port"] = None
    else:
        sock = bind_socket(server_settings["host"], server_settings["port"], backlog=server_settings["backlog"])
        server_settings["host"], server_settings["port"] = sock.getsockname()[:2]
    server_settings["sock"] = sock
    return sock
