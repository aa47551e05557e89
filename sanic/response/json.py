"""JSON responses, and the JSON writer and reader that applications use unless they choose their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from sanic.context import current_request
from sanic.exceptions import SanicException
from sanic.helpers import Default, _default
from sanic.response.http import HTTPResponse, ResponseHeaders

Dumps = Callable[..., Any]
Loads = Callable[..., Any]


@cache
def default_json() -> tuple[Dumps, Loads]:
    """The JSON writer and reader of applications that choose none; loaded when the first of them is made."""
    try:
        import ujson
    except ImportError:  # a platform without ujson: the standard library serves
        import json as standard_json

        return partial(standard_json.dumps, separators=(",", ":")), standard_json.loads
    return partial(ujson.dumps, escape_forward_slashes=False), ujson.loads


def application_dumps() -> Dumps:
    """The JSON writer of the application whose request is running, else the default one."""
    request = current_request.get()
    return default_json()[0] if request is None else request.app.dumps


class JSONResponse(HTTPResponse):
    """A response that keeps the object its body was made from, so that middleware can change it.

    Args:
        body: Any object the JSON writer accepts.
        dumps: JSON writer for this response; default that of the application.
        **kwargs: Handed on to the writer.

    Raises:
        TypeError: The body cannot be written as JSON.
    """

    __slots__ = ("_dumps", "_dumps_kwargs", "_raw_body", "_written")

    def __init__(
        self,
        body: Any = None,
        status: int = 200,
        headers: ResponseHeaders | None = None,
        content_type: str | None = "application/json",
        dumps: Dumps | None = None,
        **kwargs: Any,
    ) -> None:
        if dumps is None:
            dumps = application_dumps()
        written = dumps(body, **kwargs) if kwargs else dumps(body)
        super().__init__(written if isinstance(written, str) else bytes(written), status, headers, content_type)
        self._dumps = dumps
        self._dumps_kwargs = kwargs
        self._raw_body = body
        # Once somebody assigns other bytes to `body`, the object no longer counts.
        self._written = self.body

    @property
    def raw_body(self) -> Any:
        """The object the body was made from; assigning writes the body anew."""
        self._require_object()
        return self._raw_body

    @raw_body.setter
    def raw_body(self, value: Any) -> None:
        self.set_body(value)

    def set_body(self, body: Any, dumps: Dumps | None = None, **dumps_kwargs: Any) -> None:
        """Replace the body by another object.

        Args:
            body: Any object the JSON writer accepts.
            dumps: JSON writer; default the one this response was last written with.
            **dumps_kwargs: Handed on to the writer; without any and without a writer, those of the last time.
        """
        if dumps is None and not dumps_kwargs:
            dumps_kwargs = self._dumps_kwargs
        dumps = dumps or self._dumps
        written = dumps(body, **dumps_kwargs)
        self.body = self._written = written.encode() if isinstance(written, str) else bytes(written)
        self._dumps, self._dumps_kwargs = dumps, dumps_kwargs
        self._raw_body = body

    def append(self, value: Any) -> None:
        """Add one item to a list body.

        Raises:
            SanicException: The body is not a list.
        """
        self._require(list, "append to").append(value)
        self.set_body(self._raw_body)

    def extend(self, value: Any) -> None:
        """Add several items to a list body.

        Raises:
            SanicException: The body is not a list.
        """
        self._require(list, "extend").extend(value)
        self.set_body(self._raw_body)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Update a dict body, with the arguments of `dict.update`.

        Raises:
            SanicException: The body is not a dict.
        """
        self._require(dict, "update").update(*args, **kwargs)
        self.set_body(self._raw_body)

    def pop(self, key: Any, default: Any = _default) -> Any:
        """Remove one item and return it.

        Args:
            key: Key of a dict body, index of a list body.
            default: Returned for a missing key; only for dict bodies.

        Raises:
            SanicException: The body is neither list nor dict.
            TypeError: A default was given for a list body.
            KeyError, IndexError: There is no such item and no default.
        """
        self._require_object()
        if not isinstance(self._raw_body, (list, dict)):
            raise SanicException(f"Cannot pop from a non-list and non-dict body ({type(self._raw_body).__name__}).")
        if isinstance(default, Default):
            value = self._raw_body.pop(key)
        elif isinstance(self._raw_body, list):
            raise TypeError("pop doesn't accept a default argument for lists")
        else:
            value = self._raw_body.pop(key, default)
        self.set_body(self._raw_body)
        return value

    def _require_object(self) -> None:
        if self.body is not self._written:
            raise SanicException(
                "The body has been set as bytes, so there is no object to work on. Use set_body() or raw_body= first."
            )

    def _require(self, kind: type[Any], verb: str) -> Any:
        self._require_object()
        if not isinstance(self._raw_body, kind):
            raise SanicException(
                f"Cannot {verb} a non-{kind.__name__} object: the body is a {type(self._raw_body).__name__}."
            )
        return self._raw_body


def json(
    body: Any,
    status: int = 200,
    headers: ResponseHeaders | None = None,
    content_type: str | None = "application/json",
    dumps: Dumps | None = None,
    **kwargs: Any,
) -> JSONResponse:
    """Answer with JSON.

    Args:
        body: Any object the JSON writer accepts.
        dumps: JSON writer; default that of the application, else ujson, else the standard library's.
        **kwargs: Handed on to the writer.

    Raises:
        TypeError: The body cannot be written as JSON.
    """
    return JSONResponse(body, status, headers, content_type, dumps, **kwargs)
