"""Class-based views: one class for a path, one method of it for each HTTP method."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sanic.exceptions import MethodNotAllowed

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.blueprints import Blueprint
    from sanic.request import Request

Method = TypeVar("Method", bound=Callable[..., Any])


class HTTPMethodView:
    """A view whose methods `get`, `post`, `put`, `patch`, `delete`, `head`, `options` answer the HTTP methods.

    A new instance is made for each request. Register it with `app.add_route(View.as_view(), "/path")`, with
    `View.attach(app, uri="/path")`, or right in the class statement: `class View(HTTPMethodView, attach=app, uri=...)`.

    Attributes:
        decorators: Applied to the view function in order, so the last one is outermost.
    """

    decorators: ClassVar[list[Callable[[Callable[..., Any]], Callable[..., Any]]]] = []

    def __init_subclass__(
        cls,
        attach: Sanic[Any, Any] | Blueprint | None = None,
        uri: str = "",
        methods: Iterable[str] = frozenset({"GET"}),
        host: str | list[str] | None = None,
        strict_slashes: bool | None = None,
        version: int | None = None,
        name: str | None = None,
        stream: bool = False,
        version_prefix: str = "/v",
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if attach is not None:
            cls.attach(attach, uri, methods, host, strict_slashes, version, name, stream, version_prefix)

    def dispatch_request(self, request: Request[Any, Any], *args: Any, **kwargs: Any) -> Any:
        """Call the method for the request's method; HEAD without one of its own is answered by `get`.

        Raises:
            MethodNotAllowed: The class has no such method.
        """
        method = request.method.lower()
        handler = getattr(self, method, None)
        if handler is None and method == "head":
            handler = getattr(self, "get", None)
        if handler is None:
            allowed = [name.upper() for name in _METHODS if hasattr(self, name)]
            raise MethodNotAllowed(
                f"Method {request.method} not allowed for URL {request.path}",
                method=request.method,
                allowed_methods=allowed,
            )
        return handler(request, *args, **kwargs)

    @classmethod
    def as_view(cls, *class_args: Any, **class_kwargs: Any) -> Callable[..., Any]:
        """Make the function to register.

        Args:
            *class_args, **class_kwargs: Handed to the class each time an instance is made.
        """

        def view(*args: Any, **kwargs: Any) -> Any:
            return cls(*class_args, **class_kwargs).dispatch_request(*args, **kwargs)

        for decorator in cls.decorators:
            view.__module__ = cls.__module__
            view = decorator(view)
        view.view_class = cls  # type: ignore[attr-defined]
        view.__doc__ = cls.__doc__
        view.__module__ = cls.__module__
        view.__name__ = cls.__name__
        return view

    @classmethod
    def attach(
        cls,
        to: Sanic[Any, Any] | Blueprint,
        uri: str,
        methods: Iterable[str] = frozenset({"GET"}),
        host: str | list[str] | None = None,
        strict_slashes: bool | None = None,
        version: int | None = None,
        name: str | None = None,
        stream: bool = False,
        version_prefix: str = "/v",
    ) -> None:
        """Register the view on an application or a blueprint; arguments as for `add_route`."""
        to.add_route(
            cls.as_view(),
            uri=uri,
            methods=methods,
            host=host,
            strict_slashes=strict_slashes,
            version=version,
            name=name,
            stream=stream,
            version_prefix=version_prefix,
        )


_METHODS = ("get", "post", "put", "head", "options", "patch", "delete")


def stream(func: Method) -> Method:
    """Mark a method as one that reads the body itself; the whole view is then registered as streaming."""
    func.is_stream = True  # type: ignore[attr-defined]
    return func
