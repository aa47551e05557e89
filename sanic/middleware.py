"""A middleware with its place in the order."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable
from enum import IntEnum, auto
from itertools import count
from typing import Any, ClassVar

from sanic.helpers import Default

#: Priority of what runs around all other middleware: first on requests, last on responses.
OUTERMOST = sys.maxsize


class MiddlewareLocation(IntEnum):
    """Where a middleware is attached."""

    REQUEST = auto()
    RESPONSE = auto()

    @classmethod
    def named(cls, name: str) -> MiddlewareLocation:
        """The location called `request` or `response`.

        Raises:
            KeyError: There is no such place.
        """
        if name not in ("request", "response"):
            raise KeyError(f"Middleware is attached to 'request' or 'response', not to {name!r}.")
        return cls[name.upper()]


class Middleware:
    """A function that runs before or after handlers.

    Args:
        func: The function: `(request)`, or `(request, response)` when attached to responses.
        location: Where it is attached.
        priority: Higher ones run earlier on requests, and later on responses.
        definition: Its place in the order of definition; default that it is defined now.
    """

    _counter: ClassVar[count[int]] = count()

    __slots__ = ("definition", "func", "location", "priority")

    def __init__(
        self,
        func: Callable[..., Any],
        location: MiddlewareLocation,
        priority: int = 0,
        definition: int | None = None,
    ) -> None:
        self.func = func
        self.location = location
        self.priority = priority
        self.definition = Middleware.next_definition() if definition is None else definition

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.func(*args, **kwargs)

    def __hash__(self) -> int:
        return hash(self.func)

    def __eq__(self, other: object) -> bool:
        # The same function is attached once, however often it is declared.
        return bool(self.func == (other.func if isinstance(other, Middleware) else other))

    def __repr__(self) -> str:
        name = getattr(self.func, "__name__", repr(self.func))
        return f"{type(self).__name__}(func={name}, priority={self.priority}, location={self.location.name})"

    @property
    def order(self) -> tuple[int, int]:
        """What middleware is sorted by, in descending order: priority, then definition."""
        return self.priority, -self.definition

    @classmethod
    def of(
        cls, middleware: Callable[..., Any] | Middleware, location: MiddlewareLocation, priority: int | Default
    ) -> Middleware:
        """A function as a middleware; one that is a middleware already is taken as it is."""
        if isinstance(middleware, cls):
            return middleware
        return cls(middleware, location, 0 if isinstance(priority, Default) else priority)

    @classmethod
    def convert(cls, *middleware_collections: Iterable[Any], location: MiddlewareLocation) -> deque[Middleware]:
        """Gather middleware, plain callables included, each function once."""
        gathered: dict[Middleware, None] = {}
        for collection in middleware_collections:
            for middleware in collection:
                gathered.setdefault(middleware if isinstance(middleware, cls) else cls(middleware, location))
        return deque(gathered)

    @classmethod
    def next_definition(cls) -> int:
        """The place in the order of definition of what is defined now."""
        return next(Middleware._counter)

    @classmethod
    def reset_count(cls) -> None:
        """Start counting definitions from zero; for tests."""
        cls._counter = count()


class MiddlewareQueue(deque[Any]):
    """Middleware that may still change after it has been compiled.

    Packages put plain functions into these queues, and take them out again, while the application runs. With a
    `location` such a function becomes a `Middleware`: an outermost one at the left end of requests and at the right end
    of responses, an ordinary one anywhere else. Without, middleware runs in the order in which it stands here.

    Args:
        iterable: What it holds at first.
        on_change: Called after each change, so that what was compiled can be compiled anew.
        location: Where the middleware is attached.
    """

    def __init__(
        self,
        iterable: Iterable[Any] = (),
        on_change: Callable[[], None] | None = None,
        location: MiddlewareLocation | None = None,
    ) -> None:
        super().__init__(iterable)
        self.on_change = on_change
        self.location = location

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def _as_middleware(self, item: Any, outermost_at: MiddlewareLocation | None = None) -> Any:
        if self.location is None or isinstance(item, Middleware):
            return item
        if self.location is not outermost_at:
            return Middleware(item, self.location)
        middleware = Middleware(item, self.location, OUTERMOST)
        # Of two of them the later one is farther out.
        middleware.definition = -middleware.definition
        return middleware

    def append(self, x: Any) -> None:
        super().append(self._as_middleware(x, MiddlewareLocation.RESPONSE))
        self._changed()

    def appendleft(self, x: Any) -> None:
        super().appendleft(self._as_middleware(x, MiddlewareLocation.REQUEST))
        self._changed()

    def extend(self, iterable: Iterable[Any]) -> None:
        for item in iterable:
            self.append(item)

    def extendleft(self, iterable: Iterable[Any]) -> None:
        for item in iterable:
            self.appendleft(item)

    def insert(self, i: Any, x: Any) -> None:
        super().insert(i, self._as_middleware(x, MiddlewareLocation.REQUEST if i == 0 else None))
        self._changed()

    def __setitem__(self, index: Any, item: Any) -> None:
        super().__setitem__(index, self._as_middleware(item))
        self._changed()

    def __delitem__(self, index: Any) -> None:
        super().__delitem__(index)
        self._changed()

    def __iadd__(self, iterable: Iterable[Any]) -> Any:
        self.extend(iterable)
        return self

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

    def reverse(self) -> None:
        super().reverse()
        self._changed()

    def rotate(self, n: int = 1) -> None:
        super().rotate(n)
        self._changed()
