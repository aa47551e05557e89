"""Messages that hold objects of classes which this process does not have: they are understood but for those."""

from __future__ import annotations

import io
import pickle
from typing import Any


class _Kind(type):
    # Members of enumerations are pickled as attributes of their class by some versions of Python.
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls()


class Stranger(metaclass=_Kind):
    """Stands for an object whose class is not known in this process."""

    def __new__(cls, *arguments: Any, **keywords: Any) -> Stranger:
        """Make one, whatever the real one is made of."""
        return object.__new__(cls)

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        return

    def __setstate__(self, state: Any) -> None:
        """Know nothing of it."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: not known in this process>"


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError):
            return _Kind(name.rpartition(".")[2], (Stranger,), {})


def understand(data: bytes) -> Any:
    """The object that was pickled; what is in it of unknown classes is a `Stranger`.

    Raises:
        Exception: It was not pickled in order.
    """
    return _Unpickler(io.BytesIO(data)).load()
