"""Sockets to listen on."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from uuid import uuid4


def bind_socket(host: str, port: int, *, backlog: int = 100) -> socket.socket:
    """Make a TCP socket that listens.

    Args:
        host: Address or name; an IPv6 address may stand in brackets.
        port: Port, 0 for any.
        backlog: Connections that may wait to be accepted.

    Raises:
        OSError: The address is in use, or is none of this machine.
    """
    host = host.strip("[]")
    try:
        family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    except ValueError:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            # On other systems this would let a second server steal the port.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(backlog)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def bind_unix_socket(path: str, *, mode: int = 0o666, backlog: int = 100) -> socket.socket:
    """Make a unix socket that listens; a socket file that is there already is replaced in one step.

    Args:
        path: Where to.
        mode: Permissions of the file.
        backlog: Connections that may wait to be accepted.

    Raises:
        FileNotFoundError: The directory does not exist.
        FileExistsError: The path is there, and no socket.
    """
    path = os.path.abspath(path)
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        raise FileNotFoundError(f"The directory {directory} of the unix socket {path} does not exist.")
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.stat(path, follow_symlinks=False).st_mode):
            raise FileExistsError(f"{path} exists and is not a socket: remove it, or choose another path.")
    temporary = f"{path}.{uuid4().hex[:8]}"
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
            probe.connect(path)
    except ConnectionRefusedError:
        with suppress(FileNotFoundError):
            os.unlink(path)
    except OSError:
        return


def configure_socket(server_settings: dict[str, Any]) -> socket.socket | None:
    """Bind the socket that server settings describe, and put it into them.

    Args:
        server_settings: The arguments of `serve`: `sock`, or `unix`, or `host` and `port`.

    Returns:
        The socket, None when it was given.
    """
    if server_settings.get("sock") is not None:
        return None
    backlog = server_settings["backlog"]
    if server_settings.get("unix"):
        server_settings["unix"] = os.path.abspath(server_settings["unix"])
        sock = bind_unix_socket(server_settings["unix"], backlog=backlog)
        server_settings["host"] = server_settings["port"] = None
    else:
        sock = bind_socket(server_settings["host"], server_settings["port"], backlog=backlog)
        sock.set_inheritable(True)
        server_settings["host"], server_settings["port"] = sock.getsockname()[:2]
    server_settings["sock"] = sock
    return sock
