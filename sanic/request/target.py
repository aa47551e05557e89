"""The request target: what stands between method and version in the request line (RFC 9112 section 3.2)."""

from __future__ import annotations

import re
from typing import Final

from sanic.exceptions import BadURL

#: A host in bytes (RFC 9110 section 7.2, RFC 3986 section 3.2.2): a name, an IPv4 address or an IP literal, and perhaps
#: a port.
HOST: Final = re.compile(rb"(?:\[[0-9A-Fa-fvV:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::[0-9]*)?")


def split_target(target: bytes, method: str) -> tuple[str, bytes]:
    """Split a request target into path and query.

    Args:
        target: The target as received.
        method: The request's method, since some forms belong to one method alone.

    Returns:
        The path, still percent-encoded and without fragment, and the raw query, `b""` without one.

    Raises:
        BadURL: The target is in none of the four forms, names a malformed host, or holds bytes outside ASCII.
    """
    path, _, query = target.partition(b"#")[0].partition(b"?")
    if path[:1] != b"/":
        path = _path_of_other_form(path, method, target)
    if not target.isascii():
        raise BadURL(f"Bad URL: {target!r} holds bytes outside ASCII; percent-encode them.")
    return path.decode("ascii"), query


def _path_of_other_form(path: bytes, method: str, target: bytes) -> bytes:
    if path == b"*":
        # A message that is refused before its head could be read has neither method nor target: NONE and `*`.
        if method in ("OPTIONS", "NONE"):
            return path
    elif method == "CONNECT":
        _check_authority(target)
        return path
    else:
        scheme, separator, rest = path.partition(b"://")
        if separator and rest and scheme.lower() in (b"http", b"https", b"ws", b"wss"):
            authority, slash, path = rest.partition(b"/")
            if authority:
                _check_authority(authority)
                return slash + path or b"/"
    raise BadURL(f"Bad URL: {target.decode('latin-1')!r} is neither a path nor an absolute http URL.")


def _check_authority(authority: bytes) -> None:
    if b"@" in authority:
        # RFC 9110 section 4.2.4. It may hold a password, so it is not repeated.
        raise BadURL("Bad URL: user information does not belong into a request target; send an Authorization header.")
    if not HOST.fullmatch(authority):
        raise BadURL(f"Bad URL: {authority.decode('latin-1')!r} is no host with an optional port.")


def target_authority(target: bytes) -> bytes | None:
    """The authority of an absolute-form target, which replaces the `Host` header (RFC 9112 section 3.2.2).

    Returns:
        Host and optional port, or None for every other form.
    """
    if target[:1] == b"/":
        return None
    # Behind the path begin query and fragment, which may hold anything.
    _, separator, rest = target.partition(b"#")[0].partition(b"?")[0].partition(b"://")
    return rest.partition(b"/")[0] if separator else None
