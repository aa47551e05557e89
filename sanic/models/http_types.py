"""Credentials of a request, decoded (RFC 9110 section 11.4, RFC 7617 for Basic).

Checks the form only; whether they are right is the application's affair.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field


@dataclass
class Credentials:
    """What an Authorization header holds.

    Args:
        auth_type: `Basic`, `Bearer`, `Token`, or `None` for any other scheme.
        token: what follows the scheme, or the whole value when the scheme is another one.

    Raises:
        ValueError: a Basic token that is not base64 of `username:password` in UTF-8.
    """

    auth_type: str | None
    #: Not shown in `repr()`, which ends up in logs.
    token: str | None = field(repr=False)
    _username: str | None = field(default=None, repr=False)
    _password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.auth_type == "Basic" and self.token is not None and self._username is None:
            # RFC 7617 section 2: the name ends at the first colon, a password may hold more of them.
            text = b64decode(self.token.encode("ascii"), validate=True).decode("utf-8")
            self._username, colon, self._password = text.partition(":")
            if not colon:
                raise ValueError("Basic credentials must be of the form username:password")

    @property
    def username(self) -> str | None:
        """The name, for Basic only.

        Raises:
            AttributeError: the scheme is another one.
        """
        if self.auth_type != "Basic":
            raise AttributeError("Username is available for Basic Auth only")
        return self._username

    @property
    def password(self) -> str | None:
        """The password, for Basic only.

        Raises:
            AttributeError: the scheme is another one.
        """
        if self.auth_type != "Basic":
            raise AttributeError("Password is available for Basic Auth only")
        return self._password
