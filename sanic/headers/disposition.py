"""Content-Disposition on its way out (RFC 6266): a name for what is downloaded."""

from __future__ import annotations

import re
from urllib.parse import quote

# What RFC 8187 section 3.2.1 lets stand as it is in an extended value, besides letters and digits.
_ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")


def format_content_disposition(filename: str, kind: str = "attachment") -> str:
    """Write the header that makes a client save a response under a name.

    Names that are not plain ASCII, or that some browsers would decode, stand in it twice: in a form that every client
    reads, and in the extended form that is exact (RFC 6266 section 4.3).

    Args:
        filename: the name; control characters are left out.
        kind: `attachment` or `inline`.
    """
    name = _CONTROL.sub("", filename)
    plain = name.encode("ascii", "replace").decode().replace("\\", "\\\\").replace('"', '\\"')
    value = f'{kind}; filename="{plain}"'
    if name.isascii() and not _ENCODED.search(name):
        return value
    exact = quote(name.encode("utf-8", "surrogateescape"), safe=_ATTRIBUTE_CHARACTERS)
    return f"{value}; filename*=UTF-8''{exact}"
