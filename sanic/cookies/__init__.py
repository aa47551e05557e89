"""Cookies in both directions: read from requests, written to responses (RFC 6265)."""

from __future__ import annotations

from .cookie import Cookie
from .request import CookieRequestParameters, parse_cookie, parse_cookies
from .response import CookieJar

__all__ = ("Cookie", "CookieJar", "CookieRequestParameters", "parse_cookie", "parse_cookies")
