"""One cookie of a response: what browsers accept, and how it is written (RFC 6265 section 4.1)."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, Literal

from sanic.exceptions import ServerError

SameSite = Literal["Strict", "Lax", "None", "strict", "lax", "none"]

_SAME_SITE = {"strict": "Strict", "lax": "Lax", "none": "None"}
_RESERVED = frozenset(
    ("comment", "domain", "expires", "httponly", "max-age", "partitioned", "path", "samesite", "secure")
)
#: A token (RFC 9110 section 5.6.2), and the colon that older software uses in names.
_LEGAL_KEY = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~:-]+")
_UNQUOTED_VALUE = _LEGAL_KEY
#: Controls, quotation mark, semicolon, backslash and DEL: written as a backslash and three octal digits.
_ESCAPES = {code: f"\\{code:03o}" for code in (*range(32), *b'";\\', 127)}
#: RFC 6265 section 4.1.1: any character except controls and the semicolon.
_UNSAFE_ATTRIBUTE = re.compile(r"[\x00-\x1f\x7f;]")
#: The names of RFC 9110 section 5.6.7, which no locale may change.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Cookie:
    """One cookie to be set. `str()` gives the value of its Set-Cookie header.

    Args:
        key: the name.
        value: any text; what a header cannot hold is quoted.
        path: where the client sends it back; `None` leaves it to the client.
        domain: which hosts get it; `None` is this host only.
        secure: over TLS only.
        max_age: seconds to live, 0 to remove it at once.
        expires: when it ends; a time without zone is taken as UTC.
        httponly: hidden from scripts.
        samesite: `Strict`, `Lax` or `None` as text; Python's `None` leaves it to the client.
        partitioned: kept apart for each top-level site; needs `host_prefix`.
        comment: a text for humans (RFC 2109), ignored by browsers.
        host_prefix: put `__Host-` before the name, which browsers accept from this very host only; needs `secure`,
            `path="/"` and no domain.
        secure_prefix: put `__Secure-` before the name; needs `secure`.

    Raises:
        KeyError: the name is that of an attribute or has illegal characters.
        ServerError: prefixes and attributes contradict each other.
        TypeError: a value, `expires` or `samesite` of the wrong kind.
        ValueError: `max_age` is no natural number, or a text would break out of its attribute.
    """

    HOST_PREFIX = "__Host-"
    SECURE_PREFIX = "__Secure-"

    __slots__ = (
        "_comment",
        "_domain",
        "_expires",
        "_host_prefix",
        "_httponly",
        "_key",
        "_max_age",
        "_partitioned",
        "_path",
        "_samesite",
        "_secure",
        "_secure_prefix",
        "_value",
    )

    def __init__(
        self,
        key: str,
        value: str,
        *,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = True,
        max_age: int | str | None = None,
        expires: datetime | None = None,
        httponly: bool = False,
        samesite: SameSite | None = "Lax",
        partitioned: bool = False,
        comment: str | None = None,
        host_prefix: bool = False,
        secure_prefix: bool = False,
    ) -> None:
        self._host_prefix = host_prefix
        self._secure_prefix = secure_prefix
        check_prefix(host_prefix, secure_prefix, path=path, domain=domain, secure=secure, partitioned=partitioned)
        _check_key(key)
        self._key = self.make_key(key, host_prefix, secure_prefix)
        self._path = _check_attribute("path", path)
        self._domain = _check_attribute("domain", domain)
        self._secure = secure
        self._partitioned = partitioned
        self.value = value
        self.max_age = max_age
        self.expires = expires
        self.httponly = httponly
        self.samesite = samesite
        self.comment = comment

    @classmethod
    def make_key(cls, key: str, host_prefix: bool = False, secure_prefix: bool = False) -> str:
        """Return a name with the prefix that was asked for.

        Raises:
            ServerError: both prefixes were asked for.
        """
        if host_prefix and secure_prefix:
            raise ServerError(
                "Both host_prefix and secure_prefix were requested. A cookie should have only one prefix: use "
                "host_prefix for cookies of this host alone, secure_prefix for others."
            )
        if host_prefix:
            return cls.HOST_PREFIX + key
        if secure_prefix:
            return cls.SECURE_PREFIX + key
        return key

    @property
    def key(self) -> str:
        """The name, with its prefix."""
        return self._key

    @key.setter
    def key(self, key: str) -> None:
        _check_key(key)
        self._key = key

    @property
    def value(self) -> str:
        """The value as it was given, unquoted."""
        return self._value

    @value.setter
    def value(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"The value of the cookie {self._key} must be a str, not {value!r}")
        self._value = value

    @property
    def path(self) -> str | None:
        """Where the client sends it back."""
        return self._path

    @path.setter
    def path(self, path: str | None) -> None:
        self._check_prefix(path=path)
        self._path = _check_attribute("path", path)

    @property
    def domain(self) -> str | None:
        """Which hosts get it."""
        return self._domain

    @domain.setter
    def domain(self, domain: str | None) -> None:
        self._check_prefix(domain=domain)
        self._domain = _check_attribute("domain", domain)

    @property
    def secure(self) -> bool:
        """Over TLS only."""
        return self._secure

    @secure.setter
    def secure(self, secure: bool) -> None:
        self._check_prefix(secure=secure)
        self._secure = secure

    @property
    def partitioned(self) -> bool:
        """Kept apart for each top-level site."""
        return self._partitioned

    @partitioned.setter
    def partitioned(self, partitioned: bool) -> None:
        self._check_prefix(partitioned=partitioned)
        self._partitioned = partitioned

    @property
    def max_age(self) -> int | None:
        """Seconds to live."""
        return self._max_age

    @max_age.setter
    def max_age(self, max_age: int | str | None) -> None:
        text = str(max_age)
        if max_age is None:
            self._max_age: int | None = None
        elif isinstance(max_age, (int, str)) and text.isascii() and text.isdigit():
            self._max_age = int(text)
        else:
            raise ValueError(f"Cookie max-age must be an integer from 0 up, not {max_age!r}")

    @property
    def expires(self) -> datetime | None:
        """When it ends."""
        return self._expires

    @expires.setter
    def expires(self, expires: datetime | None) -> None:
        if expires is not None and not isinstance(expires, datetime):
            raise TypeError(f"Cookie 'expires' property must be a datetime, not {expires!r}")
        self._expires = expires

    @property
    def httponly(self) -> bool:
        """Hidden from scripts."""
        return self._httponly

    @httponly.setter
    def httponly(self, httponly: bool) -> None:
        self._httponly = httponly

    @property
    def samesite(self) -> str | None:
        """`Strict`, `Lax`, `None` as text, or Python's `None` when it is left to the client."""
        return self._samesite

    @samesite.setter
    def samesite(self, samesite: str | None) -> None:
        if samesite is None:
            self._samesite: str | None = None
            return
        if not isinstance(samesite, str) or samesite.lower() not in _SAME_SITE:
            raise TypeError(f"Cookie 'samesite' property must be one of: strict, lax, none; not {samesite!r}")
        self._samesite = _SAME_SITE[samesite.lower()]

    @property
    def comment(self) -> str | None:
        """A text for humans."""
        return self._comment

    @comment.setter
    def comment(self, comment: str | None) -> None:
        self._comment = _check_attribute("comment", comment)

    def _check_prefix(self, **changes: Any) -> None:
        """Check that the cookie keeps the promises of its prefix when some attributes change."""
        attributes: dict[str, Any] = {
            "path": self._path,
            "domain": self._domain,
            "secure": self._secure,
            "partitioned": self._partitioned,
        }
        check_prefix(self._host_prefix, self._secure_prefix, **{**attributes, **changes})

    def __str__(self) -> str:
        parts = [f"{self._key}={_quote(self._value)}"]
        if self._path is not None:
            parts.append(f"Path={self._path}")
        if self._comment is not None:
            parts.append(f"Comment={self._comment}")
        if self._domain is not None:
            parts.append(f"Domain={self._domain}")
        if self._max_age is not None:
            parts.append(f"Max-Age={self._max_age}")
        if self._expires is not None:
            parts.append(f"expires={_imf_fixdate(self._expires)}")
        if self._samesite is not None:
            parts.append(f"SameSite={self._samesite}")
        if self._secure:
            parts.append("Secure")
        if self._httponly:
            parts.append("HttpOnly")
        if self._partitioned:
            parts.append("Partitioned")
        return "; ".join(parts)

    def __repr__(self) -> str:
        return f"<Cookie: {self}>"


def _check_key(key: str) -> None:
    if key in _RESERVED:
        raise KeyError(f"Cookie name is a reserved word: {key!r} is the name of an attribute. Choose another name.")
    if not _LEGAL_KEY.fullmatch(key):
        raise KeyError(
            f"Cookie key contains illegal characters: {key!r}. Use ASCII letters, digits and any of !#$%&'*+-.:^_`|~"
        )


def _check_attribute(name: str, value: str | None) -> str | None:
    if value is not None and _UNSAFE_ATTRIBUTE.search(value):
        raise ValueError(f"Cookie {name} {value!r} contains a semicolon or a control character (RFC 6265 4.1.1)")
    return value


def check_prefix(
    host_prefix: bool,
    secure_prefix: bool,
    *,
    path: str | None,
    domain: str | None,
    secure: bool,
    partitioned: bool,
) -> None:
    """The promises of the prefixes (RFC 6265bis section 4.1.3), which browsers insist upon."""
    if host_prefix:
        if not secure:
            raise ServerError("Cannot set host_prefix on a cookie without secure=True")
        if path != "/":
            raise ServerError(f"Cannot set host_prefix on a cookie unless path='/', not {path!r}")
        if domain is not None:
            raise ServerError(f"Cannot set host_prefix on a cookie with a defined domain: {domain!r}")
    elif secure_prefix and not secure:
        raise ServerError("Cannot set secure_prefix on a cookie without secure=True")
    if partitioned and not host_prefix:
        raise ServerError("Cannot create a partitioned cookie without also setting host_prefix=True")


def _quote(value: str) -> str:
    if value and _UNQUOTED_VALUE.fullmatch(value):
        return value
    return f'"{value.translate(_ESCAPES)}"'


def _imf_fixdate(moment: datetime) -> str:
    """The date format of HTTP (RFC 9110 section 5.6.7). A time without zone is taken as UTC."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc)
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day:02d} {_MONTHS[moment.month - 1]} {moment.year:04d} "
        f"{moment:%H:%M:%S} GMT"
    )
