"""Conditional requests (RFC 9110 section 13): whether what the client has is still what there is.

Works on header fields and validators alone. A validator is an entity tag, or the second in which the representation
was last modified; where they come from is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from time import time
from typing import TYPE_CHECKING, Any, Final

from sanic.headers.dates import parse_http_date
from sanic.log import logger

if TYPE_CHECKING:
    from sanic.compat import Header

_ENTITY_TAG: Final = re.compile(r'(W/)?("[^"]*")')


def evaluate_preconditions(method: str, headers: Header, etag: str | None, modified: float | None) -> int | None:
    """Evaluate the preconditions of a request, in the order of RFC 9110 section 13.2.2.

    Args:
        method: The method of the request.
        headers: The headers of the request.
        etag: The entity tag of what would be sent, as it stands in the header; None if it has none.
        modified: When that was last modified, in seconds since 1970; None if that is not known.

    Returns:
        304 or 412 if that is to be the answer, None if the request is to be carried out.
    """
    # Steps 1 and 2: If-Match, or else If-Unmodified-Since.
    if "if-match" in headers:
        if not _matches(headers, "if-match", etag, strongly=True):
            return 412
    elif "if-unmodified-since" in headers and modified is not None:
        date = _date(headers, "if-unmodified-since")
        if date is not None and int(modified) > date:
            return 412
    # Steps 3 and 4: If-None-Match, or else If-Modified-Since.
    if "if-none-match" in headers:
        if _matches(headers, "if-none-match", etag, strongly=False):
            return 304 if method in ("GET", "HEAD") else 412
    elif "if-modified-since" in headers and modified is not None and method in ("GET", "HEAD"):
        date = _date(headers, "if-modified-since")
        if date is not None and int(modified) <= date:
            return 304
    return None


def range_applies(method: str, headers: Header, etag: str | None, modified: float | None) -> bool:
    """Step 5: whether the `Range` of a request counts, or the whole is to be sent.

    Only GET has ranges (section 14.2). With `If-Range` the client has the beginning of a certain representation; if
    that is not certainly the one of now, it gets all of it.
    """
    if method != "GET" or "range" not in headers:
        return False
    condition = headers.get("if-range")
    if condition is None:
        return True
    condition = condition.strip()
    if condition.startswith(('"', "W/")):
        return condition == etag and not condition.startswith("W/")
    date = parse_http_date(condition)
    # A date is a strong validator once its second is over: within it, the file may change again (section 8.8.2.2).
    return date is not None and modified is not None and date == int(modified) and date < int(time())


def _matches(headers: Header, name: str, etag: str | None, strongly: bool) -> bool:
    field = ",".join(headers.getall(name))
    if field.strip() == "*":
        return True
    if etag is None:
        return False
    own_weakness, own_tag = _split(etag)
    return any(
        tag == own_tag and not (strongly and (weakness or own_weakness)) for weakness, tag in _ENTITY_TAG.findall(field)
    )


def _split(etag: str) -> tuple[str, str]:
    return ("W/", etag[2:]) if etag.startswith("W/") else ("", etag)


def _date(headers: Header, name: str) -> int | None:
    # Neither several dates nor anything else than a date counts (section 13.1.3).
    values = headers.getall(name)
    date = parse_http_date(values[0]) if len(values) == 1 else None
    if date is None:
        logger.warning("Ignoring invalid %s header received: %r", name, ", ".join(values))
    return date


def as_header(headers: Mapping[str, Any]) -> Header:
    """The headers of a request as a container that does not care about case."""
    from sanic.compat import Header

    return headers if isinstance(headers, Header) else Header(headers)
