"""The request target: what stands between method and version in the request line (RFC 9112 section 3.2)."""

from __future__ import annotations

from sanic.exceptions import BadURL


def split_target(target: bytes, method: str) -> tuple[str, bytes]:
    """Split a request target into path and query.

    Args:
        target: The target as received.
        method: The request's method, since some forms belong to one method alone.

    Returns:
        The path, still percent-encoded and without fragment, and the raw query, `b""` without one.

    Raises:
        BadURL: The target is in none of the four forms, or holds bytes outside ASCII.
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
        return path
    else:
        scheme, separator, rest = path.partition(b"://")
        if separator and rest and scheme.lower() in (b"http", b"https", b"ws", b"wss"):
            authority, slash, path = rest.partition(b"/")
            if authority:
                return slash + path or b"/"
    raise BadURL(f"Bad URL: {target.decode('latin-1')!r} is neither a path nor an absolute http URL.")


def target_authority(target: bytes) -> bytes | None:
    """The authority of an absolute-form target, which replaces the `Host` header (RFC 9112 section 3.2.2).

    Returns:
        Host and optional port, or None for every other form.
    """
    if target[:1] == b"/":
        return None
    _, separator, rest = target.partition(b"://")
    return rest.partition(b"/")[0].partition(b"?")[0].rpartition(b"@")[2] if separator else None
