"""What processes know and commands return, as JSON can hold it; who asks for it does not matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import Enum
from math import isfinite
from pathlib import PurePath
from typing import Any

from sanic.helpers import Default


def as_json(value: Any, unknown: Callable[[Any], Any] | None = None) -> Any:
    """The same value, as far as it can be told, in what JSON knows.

    Args:
        value: The value.
        unknown: Makes something of what JSON does not know; default it is left as it is.
    """
    if isinstance(value, Mapping):
        return {str(key): as_json(item, unknown) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_json(item, unknown) for item in value]
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (PurePath, Default)):
        return str(value)
    if isinstance(value, float) and not isfinite(value):
        # JSON knows neither NaN nor infinity.
        return None
    if unknown is None or value is None or isinstance(value, (str, int, float)):
        return value
    return unknown(value)
