"""The versions of HTTP that the server speaks."""

from __future__ import annotations

from enum import IntEnum


class HTTP(IntEnum):
    """A version of HTTP, as given to `app.run(version=...)`."""

    VERSION_1 = 1
    VERSION_3 = 3

    def display(self) -> str:
        """The version as it is written for people."""
        return "HTTP/1.1" if self is HTTP.VERSION_1 else f"HTTP/{self.value}"
