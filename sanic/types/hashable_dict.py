"""A dict that can be a key or a member of a set, as long as nobody changes it afterwards."""

from __future__ import annotations

from typing import Any

__all__ = ("HashableDict",)


class HashableDict(dict[str, Any]):
    """A dict hashed by its items; the values must be hashable, the order of items is irrelevant."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))
