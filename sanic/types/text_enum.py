"""An enumeration of texts that behaves as the texts themselves.

Members print as their value and are equal to that text in any case, so that settings written
``"Debug"``, ``"debug"`` or ``Mode.DEBUG`` mean one thing. Knows no particular enumeration.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

__all__ = ("TextEnum",)


class TextEnum(str, Enum):
    """Base of enumerations whose members are texts, compared without regard to case.

    A member's hash is that of its value exactly as written, so a dict lookup is case-sensitive.
    """

    value: str

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if isinstance(value, str):
            wanted = value.casefold()
            for member in cls:
                if member.value.casefold() == wanted:
                    return member
        return None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return str.casefold(self) == str.casefold(other)
        return NotImplemented

    # str has a __ne__ of its own, which would stay case-sensitive.
    def __ne__(self, other: object) -> bool:
        if isinstance(other, str):
            return str.casefold(self) != str.casefold(other)
        return NotImplemented

    def __hash__(self) -> int:
        return str.__hash__(self)

    def __str__(self) -> str:
        return str.__str__(self)

    # Python 3.11 and 3.12 disagree on what an f-string shows for a mixed-in enumeration.
    def __format__(self, specification: str) -> str:
        return str.__format__(self, specification)
