"""The Authorization header: its scheme and what follows (RFC 9110 section 11.6.2).

Knows nothing of what the credentials mean; `sanic.models.http_types.Credentials` decodes the Basic ones.
"""

from __future__ import annotations

from collections.abc import Collection

_PREFIXES = ("Basic", "Bearer", "Token")


def parse_credentials(header: str | None, prefixes: Collection[str] | None = None) -> tuple[str | None, str | None]:
    """Split the value of an Authorization header into its scheme and its token.

    The scheme is compared without regard to case, and only at the beginning.

    Args:
        header: the value, or `None` when there is none.
        prefixes: the schemes to recognise, by default Basic, Bearer and Token.

    Returns:
        the scheme as written in `prefixes` and what follows it; the scheme `None` and the whole value when it begins
        with none of them; twice `None` without header.
    """
    if header is None:
        return None, None
    scheme, _, token = header.lstrip(" \t").replace("\t", " ").partition(" ")
    scheme = scheme.lower()
    for prefix in _PREFIXES if prefixes is None else prefixes:
        if prefix.lower() == scheme:
            return prefix, token.strip()
    return None, header
