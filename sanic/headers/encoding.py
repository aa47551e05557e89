"""Accept-Encoding (RFC 9110 section 12.5.3): which content codings a client takes."""

from __future__ import annotations

from collections.abc import Iterable


def preferred_encodings(field: str, offered: Iterable[str]) -> list[str]:
    """The codings that a client takes, of those on offer.

    Args:
        field: the value of `Accept-Encoding`.
        offered: names of codings in lower case, the best first.

    Returns:
        those with a quality above that of `identity` not asked for, best quality first, then in the given order.
        A malformed quality counts as none.
    """
    qualities: dict[str, float] = {}
    for element in field.lower().split(","):
        coding, _, parameters = element.partition(";")
        qualities[coding.strip()] = _quality(parameters)
    anything = qualities.get("*", 0.0)
    rated = [(qualities.get(coding, anything), coding) for coding in offered]
    return [coding for quality, coding in sorted(rated, key=lambda pair: -pair[0]) if quality > 0]


def _quality(parameters: str) -> float:
    name, equals, value = parameters.strip().partition("=")
    if not equals:
        return 0.0 if name else 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if name.strip() == "q" and 0 <= quality <= 1 else 0.0
