"""Parameters that may occur several times: query arguments, form fields, uploaded files.

A dict of lists and nothing else; where they come from is not known here.
"""

from __future__ import annotations

from typing import Any


class RequestParameters(dict[str, list[Any]]):
    """A dict of lists: `p["k"]` is the list of all values, `p.get("k")` the first, `p.getlist("k")` a list always."""

    __slots__ = ()

    def get(self, name: str, default: Any = None) -> Any:
        """Return the first value of a name, or the default when there is none."""
        values = super().get(name)
        return values[0] if values else default

    def getlist(self, name: str, default: Any = None) -> list[Any]:
        """Return all values of a name, or the default, which is an empty list when not given."""
        values = super().get(name)
        if values is not None:
            return values
        return [] if default is None else default
