"""Cookies of a request: the Cookie header (RFC 6265 section 5.4).

The text comes from the network: what is malformed is left out cookie by cookie, the rest is kept, and nothing raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sanic.cookies.cookie import Cookie
from sanic.request.parameters import RequestParameters

#: RFC 6265 section 4.1.1: a name is a token, without controls and separators.
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]*")
#: What a quoted value escapes: a character by its three octal digits, or any character by a backslash.
_ESCAPED = re.compile(r"\\(?:([0-3][0-7]{2})|(.))", re.DOTALL)


class CookieRequestParameters(RequestParameters):
    """The cookies of a request, by name, each with the list of its values.

    The three ways to look one up prefer its protected forms: `cookies["k"]` is `__Host-k` if the client sent it, else
    `__Secure-k`, else `k`. An attribute is a name with `-` for `_`: `cookies.foo_bar` is the first value of
    `foo-bar`, or `""`.
    """

    __slots__ = ()

    def __getitem__(self, name: str) -> list[Any]:
        return super().__getitem__(self._prefer_prefixed(name))

    def __getattr__(self, name: str) -> str:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return str(self.get(name.replace("_", "-"), ""))

    def get(self, name: str, default: Any = None) -> Any:
        """Return the first value of a cookie, or the default."""
        return super().get(self._prefer_prefixed(name), default)

    def getlist(self, name: str, default: Any = None) -> list[Any]:
        """Return all values of a cookie, or the default, which is an empty list when not given."""
        return super().getlist(self._prefer_prefixed(name), default)

    def _prefer_prefixed(self, name: str) -> str:
        for prefix in (Cookie.HOST_PREFIX, Cookie.SECURE_PREFIX):
            if prefix + name in self:
                return prefix + name
        return name


def parse_cookie(raw: str) -> dict[str, list[str]]:
    """Parse the value of one Cookie header; see `parse_cookies`."""
    return parse_cookies((raw,))


def parse_cookies(headers: Iterable[str]) -> dict[str, list[str]]:
    """Parse the values of all Cookie headers of a request.

    A value in quotation marks is unquoted; a part without `=` is a value of the empty name. Names with control or
    separator characters are skipped. Time is linear in the length of the text.

    Returns:
        the values of each name, in order.
    """
    cookies: dict[str, list[str]] = {}
    for header in headers:
        for part in header.split(";"):
            name, equals, value = part.partition("=")
            if not equals:
                name, value = "", name
            name, value = name.strip(), value.strip()
            if not (name or value) or not _NAME.fullmatch(name):
                continue
            if len(value) > 1 and value[0] == value[-1] == '"':
                value = _ESCAPED.sub(_unescape, value[1:-1])
            cookies.setdefault(name, []).append(value)
    return cookies


def _unescape(escaped: re.Match[str]) -> str:
    octal, character = escaped.groups()
    return chr(int(octal, 8)) if octal else str(character)
