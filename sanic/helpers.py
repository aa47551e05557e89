"""Facts about HTTP that need no request, and a few small tools.

Holds the "not given" marker, the reason phrases, and which statuses and headers concern a body.
Knows nothing of applications, requests or configuration.
"""

from __future__ import annotations

import sys
from typing import Any, Final

__all__ = (
    "STATUS_CODES",
    "Default",
    "_default",
    "has_message_body",
    "import_string",
    "is_atty",
    "is_entity_header",
    "is_hop_by_hop_header",
)


class Default:
    """Type of the marker for "not given", for arguments and settings where ``None`` means something."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<Default>"

    # A copy that was sent to another process must still be the marker there.
    def __reduce__(self) -> str:
        return "_default"


_default: Final = Default()

# Reason phrases by status (the registry of RFC 9110 section 15). Those of 413, 414, 416 and 422 are the older
# wording (RFC 7231, RFC 4918): clients ignore the phrase (RFC 9112 section 4), people and test suites know these.
STATUS_CODES: Final[dict[int, bytes]] = {
    100: b"Continue",
    101: b"Switching Protocols",
    102: b"Processing",
    103: b"Early Hints",
    200: b"OK",
    201: b"Created",
    202: b"Accepted",
    203: b"Non-Authoritative Information",
    204: b"No Content",
    205: b"Reset Content",
    206: b"Partial Content",
    207: b"Multi-Status",
    208: b"Already Reported",
    226: b"IM Used",
    300: b"Multiple Choices",
    301: b"Moved Permanently",
    302: b"Found",
    303: b"See Other",
    304: b"Not Modified",
    305: b"Use Proxy",
    307: b"Temporary Redirect",
    308: b"Permanent Redirect",
    400: b"Bad Request",
    401: b"Unauthorized",
    402: b"Payment Required",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    406: b"Not Acceptable",
    407: b"Proxy Authentication Required",
    408: b"Request Timeout",
    409: b"Conflict",
    410: b"Gone",
    411: b"Length Required",
    412: b"Precondition Failed",
    413: b"Request Entity Too Large",
    414: b"Request-URI Too Long",
    415: b"Unsupported Media Type",
    416: b"Requested Range Not Satisfiable",
    417: b"Expectation Failed",
    418: b"I'm a teapot",
    421: b"Misdirected Request",
    422: b"Unprocessable Entity",
    423: b"Locked",
    424: b"Failed Dependency",
    425: b"Too Early",
    426: b"Upgrade Required",
    428: b"Precondition Required",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    451: b"Unavailable For Legal Reasons",
    500: b"Internal Server Error",
    501: b"Not Implemented",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
    505: b"HTTP Version Not Supported",
    506: b"Variant Also Negotiates",
    507: b"Insufficient Storage",
    508: b"Loop Detected",
    510: b"Not Extended",
    511: b"Network Authentication Required",
}

_ENTITY_HEADERS: Final = frozenset(
    (
        "allow",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-md5",
        "content-range",
        "content-type",
        "expires",
        "extension-header",
        "last-modified",
    )
)

# RFC 9110 section 7.6.1, with the older "trailers" spelling.
_HOP_BY_HOP_HEADERS: Final = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
    )
)


def has_message_body(status: int) -> bool:
    """Tell whether a response with this status may have a body (RFC 9110 section 6.4.1)."""
    return status not in (204, 304) and not 100 <= status < 200


def is_entity_header(header: str) -> bool:
    """Tell whether the named header describes the body rather than the message."""
    return header.lower() in _ENTITY_HEADERS


def is_hop_by_hop_header(header: str) -> bool:
    """Tell whether the named header concerns one connection only (RFC 9110 section 7.6.1)."""
    return header.lower() in _HOP_BY_HOP_HEADERS


def import_string(module_name: str, package: str | None = None) -> Any:
    """Import a module, or an object from a module and call it.

    :param module_name: dotted path; the part after the last dot may be a module or an object in one.
    :param package: anchor of a relative path.
    :return: the module, or what calling the object without arguments gives.
    :raises ImportError: the module cannot be imported.
    :raises AttributeError: the module has no such object.
    :raises ValueError: the path has no dot.
    """
    from importlib import import_module
    from types import ModuleType

    module_path, dot, name = module_name.rpartition(".")
    if not dot:
        raise ValueError(f"'{module_name}' is not a dotted path such as 'package.module.object'")
    module = import_module(module_path or ".", package=package)
    try:
        found = getattr(module, name)
    except AttributeError:
        # A submodule becomes an attribute of its package only once somebody has imported it.
        submodule = f"{module.__name__}.{name}"
        try:
            return import_module(submodule)
        except ModuleNotFoundError as error:
            if error.name != submodule:
                raise
        raise
    return found if isinstance(found, ModuleType) else found()


def is_atty() -> bool:
    """Tell whether standard output is a terminal."""
    try:
        return bool(sys.stdout and sys.stdout.isatty())
    except ValueError:  # closed
        return False
