"""The Host header (RFC 9110 section 7.2): a host name or address, perhaps with a port.

Checks the form alone; which hosts are served is the router's affair.
"""

from __future__ import annotations

import re

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::([0-9]{0,5}))?")


def parse_host(host: str) -> tuple[str | None, int | None]:
    """Split a host into its name in lower case and its port.

    Args:
        host: for example `example.com:8000` or `[::1]`; an IPv6 address stands in brackets.

    Returns:
        name and port, the port `None` when it is not given; twice `None` for anything malformed.
    """
    found = _HOST.fullmatch(host)
    if found is None:
        return None, None
    name, port = found.groups()
    number = int(port) if port else None
    if number is not None and number > 65535:
        return None, None
    return name.lower(), number
