"""A middleware with its place in the order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from enum import IntEnum, auto
from itertools import count
from typing import Any, ClassVar


class MiddlewareLocation(IntEnum):
    """Where a middleware is attached."""

    REQUEST = auto()
    RESPONSE = auto()


class Middleware:
    """A function that runs before or after handlers.

    Args:
        func: The function: `(request)`, or `(request, response)` when attached to responses.
        location: Where it is attached.
        priority: Higher ones run earlier on requests, and later on responses.
    """

    _counter: ClassVar[count[int]] = count()

    __slots__ = ("definition", "func", "location", "priority")

    def __init__(self, func: Callable[..., Any], location: MiddlewareLocation, priority: int = 0) -> None:
        self.func = func
        self.location = location
        self.priority = priority
        self.definition = next(Middleware._counter)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.func(*args, **kwargs)

    def __hash__(self) -> int:
        return hash(self.func)

    def __eq__(self, other: object) -> bool:
        # The same function is attached once, however often it is declared.
        return other is self.func or (isinstance(other, Middleware) and other.func == self.func)

    def __repr__(self) -> str:
        name = getattr(self.func, "__name__", repr(self.func))
        return f"{type(self).__name__}(func={name}, priority={self.priority}, location={self.location.name})"

    @property
    def order(self) -> tuple[int, int]:
        """What middleware is sorted by, in descending order: priority, then definition."""
        return self.priority, -self.definition

    @classmethod
    def convert(cls, *middleware_collections: Iterable[Any], location: MiddlewareLocation) -> deque[Middleware]:
        """Gather middleware, plain callables included, each function once."""
        gathered: dict[Middleware, None] = {}
        for collection in middleware_collections:
            for middleware in collection:
                gathered.setdefault(middleware if isinstance(middleware, cls) else cls(middleware, location))
        return deque(gathered)

    @classmethod
    def reset_count(cls) -> None:
        """Start counting definitions from zero; for tests."""
        cls._counter = count()


class MiddlewareQueue(deque[Any]):
    """Middleware that may still change after it has been compiled.

    Packages put plain callables into these queues and take them out again while the application runs; `on_change` is
    called each time, so that what was compiled can be compiled anew.
    """

    def __init__(self, iterable: Iterable[Any] = (), on_change: Callable[[], None] | None = None) -> None:
        super().__init__(iterable)
        self.on_change = on_change

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def append(self, x: Any) -> None:
        super().append(x)
        self._changed()

    def appendleft(self, x: Any) -> None:
        super().appendleft(x)
        self._changed()

    def extend(self, iterable: Iterable[Any]) -> None:
        super().extend(iterable)
        self._changed()

    def extendleft(self, iterable: Iterable[Any]) -> None:
        super().extendleft(iterable)
        self._changed()

    def insert(self, i: Any, x: Any) -> None:
        super().insert(i, x)
        self._changed()

    def remove(self, value: Any) -> None:
        super().remove(value)
        self._changed()

    def pop(self) -> Any:  # type: ignore[override]
        item = super().pop()
        self._changed()
        return item

    def popleft(self) -> Any:
        item = super().popleft()
        self._changed()
        return item

    def clear(self) -> None:
        super().clear()
        self._changed()
