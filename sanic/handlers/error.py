"""Who answers when something goes wrong: the registry of exception handlers, and the default handler.

A handler is looked for by the class of the exception: the class itself and then its ancestors, each first for
the route of the request and then for the whole application. How the default answer looks is for
`sanic.errorpages`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from sanic.errorpages import BaseRenderer, TextRenderer, exception_response
from sanic.exceptions import SanicException, ServerError
from sanic.log import error_logger
from sanic.response import HTTPResponse, text

if TYPE_CHECKING:
    from sanic.request import Request

    ExceptionHandler = Callable[[Request[Any, Any], Any], Any]

HANDLER_FAILED = "An error occurred while handling an error"

# Routes and exception classes are few, but classes can be made at run time: then looking up beats growing.
MAX_CACHED_LOOKUPS = 1024


class ErrorHandler:
    """Finds the handler for an exception and calls it; override `default`, `lookup` or `log` to change how.

    Args:
        base: Renderer of default pages for clients that accept none of the candidate formats.

    Attributes:
        base: As above.
        debug: Whether default pages show what is meant for developers.
    """

    def __init__(self, base: type[BaseRenderer] = TextRenderer) -> None:
        self.base = base
        self.debug = False
        self._handlers: dict[tuple[type[BaseException], str | None], ExceptionHandler] = {}
        self._lookups: dict[tuple[type[BaseException], str | None], ExceptionHandler | None] = {}

    def add(
        self,
        exception: type[BaseException],
        handler: ExceptionHandler,
        route_names: Iterable[str] | None = None,
    ) -> None:
        """Register a handler.

        Args:
            exception: Class of the exceptions it handles, subclasses included.
            handler: Sync or async function of `(request, exception)` that returns a response, or None for
                the default page.
            route_names: Full names of the routes it is for; None for the whole application.

        Raises:
            TypeError: `exception` is not an exception class.
            ServerError: There is a handler for this class and one of these routes already.
        """
        if not (isinstance(exception, type) and issubclass(exception, BaseException)):
            raise TypeError(f"A handler needs the exception class it is for, such as NotFound; got {exception!r}.")
        scopes: list[str | None] = [None] if route_names is None else list(route_names)
        for scope in scopes:
            if (exception, scope) in self._handlers:
                place = f"route {scope!r}" if scope else "the whole application"
                raise ServerError(
                    f"Duplicate exception handler definition for {exception.__name__} on {place}: "
                    "each exception can have one handler there."
                )
        for scope in scopes:
            self._handlers[exception, scope] = handler
        self._lookups.clear()

    def lookup(self, exception: BaseException, route_name: str | None = None) -> ExceptionHandler | None:
        """Find the handler for an exception.

        Args:
            exception: The exception that was raised.
            route_name: Full name of the route on which it was raised; None if there was none.

        Returns:
            The handler of the nearest class, one for the route before one for all; None if there is none.
        """
        kind = type(exception)
        try:
            return self._lookups[kind, route_name]
        except KeyError:
            pass
        scopes = (route_name, None) if route_name else (None,)
        handler = next(
            (
                self._handlers[ancestor, scope]
                for ancestor in kind.__mro__
                for scope in scopes
                if (ancestor, scope) in self._handlers
            ),
            None,
        )
        if len(self._lookups) < MAX_CACHED_LOOKUPS:
            self._lookups[kind, route_name] = handler
        return handler

    def response(self, request: Request[Any, Any], exception: BaseException) -> Any:
        """Answer an exception with the handler registered for it, or with the default page.

        Returns:
            A response, or the awaitable of an async handler. Whoever awaits it hands an exception that comes
            out of it to `handler_failed`.
        """
        try:
            handler = self.lookup(exception, request.name if request is not None else None)
            response = handler(request, exception) if handler else None
            return self.default(request, exception) if response is None else response
        except Exception as error:
            return self.handler_failed(request, exception, error)

    def default(self, request: Request[Any, Any], exception: BaseException) -> HTTPResponse:
        """Log an exception and answer it with the default page."""
        self.log(request, exception)
        return exception_response(
            request,
            exception,
            debug=self.debug,
            fallback=request.app.config.FALLBACK_ERROR_FORMAT,
            base=self.base,
        )

    def handler_failed(
        self, request: Request[Any, Any], exception: BaseException, error: BaseException
    ) -> HTTPResponse:
        """Answer when the handler of an exception has itself raised.

        Args:
            request: The request that failed.
            exception: What the handler was called with.
            error: What the handler raised. A `SanicException` gets its default page, anything else is logged
                and answered with 500.
        """
        if isinstance(error, SanicException):
            try:
                return self.default(request, error)
            except Exception as second_error:
                error = second_error
        error_logger.error(
            "Exception raised in the handler for %s, uri: %s", type(exception).__name__, _url(request), exc_info=error
        )
        if not self.debug:
            return text(HANDLER_FAILED, 500)

        import traceback

        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        return HTTPResponse(
            f"{HANDLER_FAILED}\n\n{trace}".encode("utf-8", "backslashreplace"),
            500,
            content_type="text/plain; charset=utf-8",
        )

    @staticmethod
    def log(request: Request[Any, Any], exception: BaseException) -> None:
        """Write an exception to the error log, with its traceback.

        Quiet exceptions are left out unless `NOISY_EXCEPTIONS` is on.
        """
        quiet = getattr(exception, "quiet", False)
        if quiet is False or request.app.config.NOISY_EXCEPTIONS:
            error_logger.error("Exception occurred while handling uri: %s", _url(request), exc_info=exception)


def _url(request: Request[Any, Any]) -> str:
    """Return the URL quoted for a log line, or what is known of it."""
    try:
        return repr(request.url)
    except Exception:
        return "'unknown'"
