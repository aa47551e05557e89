"""The cookies of a response: one Set-Cookie header each, kept in its headers.

A cookie can be changed until the headers are written, because the header holds the cookie itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from sanic.cookies.cookie import Cookie, SameSite, check_prefix

if TYPE_CHECKING:
    from sanic.compat import Header

__all__ = ("Cookie", "CookieJar")


class CookieJar:
    """The cookies that a response sets, kept in its headers in the order in which they were added.

    Args:
        headers: the headers of the response.
    """

    HEADER_KEY = "Set-Cookie"

    __slots__ = ("_headers",)

    def __init__(self, headers: Header) -> None:
        self._headers = headers

    @property
    def cookies(self) -> list[Cookie]:
        """The cookies set so far."""
        return [value for value in self._values() if isinstance(value, Cookie)]

    def __len__(self) -> int:
        return len(self.cookies)

    def get_cookie(
        self,
        key: str,
        path: str | None = "/",
        domain: str | None = None,
        host_prefix: bool = False,
        secure_prefix: bool = False,
    ) -> Cookie | None:
        """Return the first cookie with this name, path and domain, or `None`."""
        key = Cookie.make_key(key, host_prefix, secure_prefix)
        for cookie in self.cookies:
            if (cookie.key, cookie.path, cookie.domain) == (key, path, domain):
                return cookie
        return None

    def has_cookie(
        self,
        key: str,
        path: str | None = "/",
        domain: str | None = None,
        host_prefix: bool = False,
        secure_prefix: bool = False,
    ) -> bool:
        """Whether a cookie with this name, path and domain is set."""
        return self.get_cookie(key, path, domain, host_prefix, secure_prefix) is not None

    def add_cookie(
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
    ) -> Cookie:
        """Set a cookie. Arguments and exceptions are those of `Cookie`.

        Returns:
            the cookie, which may be changed until the headers are sent.
        """
        cookie = Cookie(
            key,
            value,
            path=path,
            domain=domain,
            secure=secure,
            max_age=max_age,
            expires=expires,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
            comment=comment,
            host_prefix=host_prefix,
            secure_prefix=secure_prefix,
        )
        self._add(cookie)
        return cookie

    def delete_cookie(
        self,
        key: str,
        *,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = True,
        host_prefix: bool = False,
        secure_prefix: bool = False,
    ) -> None:
        """Tell the client to drop a cookie; name, path and domain must be those it was set with.

        Cookies of this response that match are taken back. The cookie that is sent instead is empty, lives 0 seconds
        and keeps the attributes of the last one taken back; otherwise it has no SameSite, so that browsers accept it
        in answers to requests from other sites too.

        Args:
            key: the name, without the prefix asked for below.
            path: the path it was set with.
            domain: the domain it was set with.
            secure: whether the deletion is Secure; browsers demand it for Secure cookies.
            host_prefix: the cookie was set with `host_prefix`.
            secure_prefix: the cookie was set with `secure_prefix`.

        Raises:
            ServerError: prefix and attributes contradict each other.
        """
        check_prefix(host_prefix, secure_prefix, path=path, domain=domain, secure=secure, partitioned=False)
        full_key = Cookie.make_key(key, host_prefix, secure_prefix)
        removed: Cookie | None = None
        kept: list[object] = []
        for value in self._values():
            if isinstance(value, Cookie) and (value.key, value.path, value.domain) == (full_key, path, domain):
                removed = value
            else:
                kept.append(value)
        deletion = Cookie(
            full_key,
            "",
            path=path,
            domain=domain,
            secure=secure if removed is None else removed.secure,
            max_age=0,
            samesite=None,
        )
        deletion._host_prefix, deletion._secure_prefix = host_prefix, secure_prefix
        if removed is not None:
            self._headers.popall(self.HEADER_KEY)
            for value in kept:
                self._add(value)
            deletion._httponly, deletion._samesite = removed._httponly, removed._samesite
            deletion._partitioned = removed._partitioned
            deletion._host_prefix, deletion._secure_prefix = removed._host_prefix, removed._secure_prefix
        self._add(deletion)

    def _values(self) -> list[object]:
        return cast("list[object]", self._headers.getall(self.HEADER_KEY, []))

    def _add(self, value: object) -> None:
        # The container is typed for text, but keeps any object; values become text when they are written.
        self._headers.add(self.HEADER_KEY, cast(str, value))
