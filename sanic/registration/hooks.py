"""Declaring what runs around handlers: middleware, listeners, exception handlers, signals, commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from typing import Any, TypeVar, overload

from sanic.exceptions import BadRequest, InvalidSignal
from sanic.middleware import Middleware, MiddlewareLocation
from sanic.models.futures import CommandSpec, ExceptionSpec, ListenerSpec, MiddlewareSpec, SignalSpec, Spec

Function = TypeVar("Function", bound=Callable[..., Any])

#: The events that listeners wait for, in the order of a server's life.
LISTENER_EVENTS = (
    "main_process_start",
    "main_process_ready",
    "reload_process_start",
    "before_reload_trigger",
    "after_reload_trigger",
    "before_server_start",
    "after_server_start",
    "before_server_stop",
    "after_server_stop",
    "reload_process_stop",
    "main_process_stop",
)


class HookDeclarations:
    """The decorators for what is not a route."""

    _declare: Callable[[Spec], Any]

    # -- Middleware --------------------------------------------------------------------------------------------------

    def middleware(
        self,
        middleware_or_request: Callable[..., Any] | str,
        attach_to: str = "request",
        apply: bool = True,
        *,
        priority: int = 0,
    ) -> Any:
        """Attach a middleware: `@app.middleware`, `@app.middleware("response")` or `app.middleware(fn, "response")`.

        Args:
            middleware_or_request: The function, or where to attach the one that is decorated.
            attach_to: `request` or `response`.
            apply: False only makes the declaration.
            priority: Higher ones run earlier on requests, and later on responses.

        Returns:
            The function, unchanged.

        Raises:
            KeyError: There is no such place.
        """
        if not callable(middleware_or_request):
            return partial(self.middleware, attach_to=middleware_or_request, apply=apply, priority=priority)
        MiddlewareLocation.named(attach_to)
        if apply:
            definition = Middleware.next_definition()
            self._declare(MiddlewareSpec(middleware_or_request, attach_to, priority, definition))
        return middleware_or_request

    @overload
    def on_request(self, middleware: Function, *, priority: int = 0) -> Function: ...
    @overload
    def on_request(self, middleware: None = None, *, priority: int = 0) -> Callable[[Function], Function]: ...
    def on_request(self, middleware: Any = None, *, priority: int = 0) -> Any:
        """Run a function before the handler: `(request)`; what it returns, if true, is the response."""
        return self.middleware(middleware or "request", "request", priority=priority)

    @overload
    def on_response(self, middleware: Function, *, priority: int = 0) -> Function: ...
    @overload
    def on_response(self, middleware: None = None, *, priority: int = 0) -> Callable[[Function], Function]: ...
    def on_response(self, middleware: Any = None, *, priority: int = 0) -> Any:
        """Run a function after the handler: `(request, response)`; what it returns, if true, is sent instead."""
        return self.middleware(middleware or "response", "response", priority=priority)

    # -- Exceptions --------------------------------------------------------------------------------------------------

    def exception(
        self, *exceptions: type[BaseException] | list[type[BaseException]], apply: bool = True
    ) -> Callable[[Function], Function]:
        """Answer exceptions with a function `(request, exception)` that returns a response.

        Args:
            *exceptions: Exception classes, or one list of them; subclasses are answered, too.
            apply: False only makes the declaration.

        Raises:
            TypeError: One of them is not an exception class.
        """
        classes: list[type[BaseException]] = []
        for item in exceptions:
            classes.extend(item if isinstance(item, (list, tuple)) else [item])
        for item in classes:
            if not isinstance(item, type) or not issubclass(item, BaseException):
                raise TypeError(f"exception() takes exception classes, such as NotFound; {item!r} is none.")

        def decorate(handler: Function) -> Function:
            if apply:
                self._declare(ExceptionSpec(handler, tuple(classes)))
            return handler

        return decorate

    def all_exceptions(self, handler: Function) -> Function:
        """Answer every exception that no other handler answers."""
        return self.exception(Exception)(handler)

    # -- Listeners ---------------------------------------------------------------------------------------------------

    def listener(
        self,
        listener_or_event: Callable[..., Any] | str,
        event_or_none: str | None = None,
        apply: bool = True,
        *,
        priority: int = 0,
    ) -> Any:
        """Run a function at an event of the server's life: `@app.listener("before_server_start")`.

        Args:
            listener_or_event: The event, or the function when the event is given second.
            event_or_none: The event, when the function is given first.
            apply: False only makes the declaration.
            priority: Higher ones run earlier at a start, and later at a stop.

        Returns:
            The function, unchanged.

        Raises:
            BadRequest: There is no such event, or none is given.
        """

        def decorate(function: Function, event: Any) -> Function:
            name = event.value if isinstance(event, Enum) else event
            if name not in LISTENER_EVENTS:
                raise BadRequest(f"Invalid listener event {name!r}. The events are: {', '.join(LISTENER_EVENTS)}.")
            if apply:
                self._declare(ListenerSpec(function, name, priority))
            return function

        if callable(listener_or_event):
            if event_or_none is None:
                raise BadRequest(
                    f"Invalid event registration: missing the event name. Use @listener(EVENT) with one of: "
                    f"{', '.join(LISTENER_EVENTS)}."
                )
            return decorate(listener_or_event, event_or_none)
        return partial(decorate, event=listener_or_event)

    def _shorthand(self, listener: Callable[..., Any] | None, event: str, priority: int) -> Any:
        if listener is None:
            return self.listener(event, priority=priority)
        return self.listener(listener, event, priority=priority)

    @overload
    def main_process_start(self, listener: Function, *, priority: int = 0) -> Function: ...
    @overload
    def main_process_start(self, listener: None = None, *, priority: int = 0) -> Callable[[Function], Function]: ...
    def main_process_start(self, listener: Any = None, *, priority: int = 0) -> Any:
        """In the main process, before there are sockets and workers."""
        return self._shorthand(listener, "main_process_start", priority)

    @overload
    def main_process_ready(self, listener: Function, *, priority: int = 0) -> Function: ...
    @overload
    def main_process_ready(self, listener: None = None, *, priority: int = 0) -> Callable[[Function], Function]: ...
    def main_process_ready(self, listener: Any = None, *, priority: int = 0) -> Any:
        """In the main process, before the workers start."""
        return self._shorthand(listener, "main_process_ready", priority)

    @overload
    def main_process_stop(self, listener: Function, *, priority: int = 0) -> Function: ...
    @overload
    def main_process_stop(self, listener: None = None, *, priority: int = 0) -> Callable[[Function], Function]: ...
    def main_process_stop(self, listener: Any = None, *, priority: int = 0) -> Any:
        """In the main process, after all workers have ended."""
        return self._shorthand(listener, "main_process_stop", priority)

    @overload
    def reload_process_start(self, listener: Function, *, priority: int = 0) -> Function: ...
    @overload
    def reload_process_start(self, listener: None = None, *, priority: int = 0) -> Callable[[Function], Function]: ...
    def reload_process_start(self, listener: Any = None, *, priority: int = 0) -> Any:
        """In the reloader, at its start."""
        return self._shorthand(listener, "reload_process_start", priority)

    @overload
    def reload_process_stop(self, listener: Function, *, priority: int = 0) -> Function: ...
    @overload
    def reload_process_stop(self, listener: None = None, *, priority: int = 0) -> Callable[[Function], Function]: ...
    def reload_process_stop(self, listener: Any = None, *, priority: int = 0) -> Any:
        """In the reloader, at its end."""
        return self._shorthand(listener, "reload_process_stop", priority)

    @overload
    def before_reload_trigger(self, listener: Function, *, priority: int = 0) -> Function: ...
    @overload
    def before_reload_trigger(self, listener: None = None, *, priority: int = 0) -> Callable[[Function], Function]: ...
    def before_reload_trigger(self, listener: Any = None, *, priority: int = 0) -> Any:
        """In the reloader, when a change was seen, before the restart is asked for."""
        return self._shorthand(listener, "before_reload_trigger", priority)

    @overload
    def after_reload_trigger(self, listener: Function, *, priority: int = 0) -> Function: ...
    @overload
    def after_reload_trigger(self, listener: None = None, *, priority: int = 0) -> Callable[[Function], Function]: ...
    def after_reload_trigger(self, listener: Any = None, *, priority: int = 0) -> Any:
        """In the reloader, after the restart was asked for."""
        return self._shorthand(listener, "after_reload_trigger", priority)

    @overload
    def before_server_start(self, listener: Function, *, priority: int = 0) -> Function: ...
    @overload
    def before_server_start(self, listener: None = None, *, priority: int = 0) -> Callable[[Function], Function]: ...
    def before_server_start(self, listener: Any = None, *, priority: int = 0) -> Any:
        """In each worker, before connections are accepted."""
        return self._shorthand(listener, "before_server_start", priority)

    @overload
    def after_server_start(self, listener: Function, *, priority: int = 0) -> Function: ...
    @overload
    def after_server_start(self, listener: None = None, *, priority: int = 0) -> Callable[[Function], Function]: ...
    def after_server_start(self, listener: Any = None, *, priority: int = 0) -> Any:
        """In each worker, once connections are accepted."""
        return self._shorthand(listener, "after_server_start", priority)

    @overload
    def before_server_stop(self, listener: Function, *, priority: int = 0) -> Function: ...
    @overload
    def before_server_stop(self, listener: None = None, *, priority: int = 0) -> Callable[[Function], Function]: ...
    def before_server_stop(self, listener: Any = None, *, priority: int = 0) -> Any:
        """In each worker, while connections are still accepted."""
        return self._shorthand(listener, "before_server_stop", priority)

    @overload
    def after_server_stop(self, listener: Function, *, priority: int = 0) -> Function: ...
    @overload
    def after_server_stop(self, listener: None = None, *, priority: int = 0) -> Callable[[Function], Function]: ...
    def after_server_stop(self, listener: Any = None, *, priority: int = 0) -> Any:
        """In each worker, when all connections are closed."""
        return self._shorthand(listener, "after_server_stop", priority)

    # -- Signals -----------------------------------------------------------------------------------------------------

    def signal(
        self,
        event: str | Enum,
        *,
        apply: bool = True,
        condition: Mapping[str, Any] | None = None,
        exclusive: bool = True,
        priority: int = 0,
    ) -> Callable[[Function], Function]:
        """Run a function when a signal is dispatched.

        Args:
            event: Name of three parts, `namespace.reference.action`, or a member of `Event`.
            apply: False only makes the declaration.
            condition: Run only when it is dispatched with an equal condition.
            exclusive: False also runs when it is dispatched without condition.
            priority: Higher ones run earlier.

        Raises:
            InvalidSignal: The name is not one that can be dispatched.
        """

        def decorate(handler: Function) -> Function:
            if apply:
                self._declare(SignalSpec(handler, event_name(event), condition, exclusive, priority))
            return handler

        return decorate

    def add_signal(
        self,
        handler: Callable[..., Any] | None,
        event: str | Enum,
        condition: Mapping[str, Any] | None = None,
        exclusive: bool = True,
    ) -> Callable[..., Any]:
        """Run a function when a signal is dispatched; without a function the signal can be awaited all the same."""
        handler = handler or _do_nothing
        self.signal(event, condition=condition, exclusive=exclusive)(handler)
        return handler

    def catch_exception(self, handler: Callable[[Any, Exception], Any]) -> None:
        """Run a function `(self, exception)` for each exception that is reported."""

        async def report(exception: Exception) -> None:
            result = handler(self, exception)
            if hasattr(result, "__await__"):
                await result

        self.signal("server.exception.report")(report)

    # -- Commands ----------------------------------------------------------------------------------------------------

    def command(self, maybe_func: Callable[..., Any] | None = None, *, name: str = "") -> Any:
        """Make a function a command of `sanic TARGET exec`.

        Args:
            maybe_func: The function, when the decorator is used without arguments.
            name: Name of the command; default the function's.
        """

        def decorate(function: Function) -> Function:
            self._declare(CommandSpec(name or function.__name__, function))
            return function

        return decorate if maybe_func is None else decorate(maybe_func)


def event_name(event: str | Enum) -> str:
    """The name of an event that is given as text or as a member of an enum."""
    name = event.value if isinstance(event, Enum) else event
    if not isinstance(name, str):
        raise InvalidSignal(f"{event!r} is no event: give a name like 'namespace.reference.action'.")
    return name


async def _do_nothing(**_: Any) -> None:
    return None
