"""The address of this server as the client wrote it, which need not be the one that the connection has reached.

Pure functions over what the configuration says, what trusted proxies say and what the message says, in this order of
trust. Which proxies are trusted is decided by `sanic.headers.forwarded`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sanic.headers import parse_host

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def client_scheme(server_name: str, forwarded: Mapping[str, Any], is_websocket: bool, is_encrypted: bool) -> str:
    """The scheme: that of `SERVER_NAME`, else what a proxy tells, else what the connection is.

    Args:
        server_name: `SERVER_NAME` of the configuration, with or without scheme; `""` when not set.
        forwarded: What trusted proxies say.
        is_websocket: Whether the message asks for a websocket; then `http` and `https` become `ws` and `wss`.
        is_encrypted: Whether the connection is encrypted by TLS.
    """
    base = "ws" if is_websocket else "http"
    scheme, separator, _ = server_name.partition("://")
    told = scheme.lower() if separator else forwarded.get("proto")
    if told:
        return str(told).replace("http", base)
    return base + "s" if is_encrypted else base


def client_host(server_name: str, forwarded: Mapping[str, Any], host: str) -> str:
    """Host and port: those of `SERVER_NAME`, else what a proxy tells, else the `Host` header.

    Args:
        server_name: `SERVER_NAME` of the configuration, with or without scheme and path; `""` when not set.
        forwarded: What trusted proxies say.
        host: Value of the `Host` header, `""` without one.
    """
    if server_name:
        return server_name.rpartition("://")[2].removeprefix("//").partition("/")[0]
    return str(forwarded.get("host") or host)


def client_port(forwarded: Mapping[str, Any], host: str, scheme: str) -> int:
    """The port: what a proxy tells, else that of the host, else the usual one of the scheme."""
    return int(forwarded.get("port") or parse_host(host)[1] or default_port(scheme))


def default_port(scheme: str) -> int:
    """The port that a URL of this scheme need not name; 80 for schemes that have none."""
    return _DEFAULT_PORTS.get(scheme, 80)
