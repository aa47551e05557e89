"""Which handlers and waiters a dispatch reaches, by the condition it is made with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def condition_matches(
    requirements: Mapping[str, Any] | None, exclusive: bool, condition: Mapping[str, Any] | None
) -> bool:
    """Whether what was registered with ``requirements`` hears a dispatch made with ``condition``.

    Without a condition: those without requirements, and those that are not exclusive. With one: those whose
    requirements equal it. A blueprint's handler belongs to its blueprint and also hears the whole application;
    the blueprint's mark counts only when the dispatch carries it.
    """
    if not condition:
        return not requirements or not exclusive
    if requirements == condition:
        return True
    if requirements and "__blueprint__" in requirements and "__blueprint__" not in condition:
        return {key: value for key, value in requirements.items() if key != "__blueprint__"} == condition
    return False
