"""What happens to a request between the router and the connection, composed once per route when the application starts.

A route without middleware and signals has no pipeline at all: its handler is called directly. All others get one
coroutine function made of just what is registered for them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from types import FunctionType
from typing import TYPE_CHECKING, Any

from sanic.answering import is_response, wrong_result
from sanic.log import error_logger
from sanic.middleware import Middleware, MiddlewareLocation, MiddlewareQueue
from sanic.request import Request
from sanic.response import BaseHTTPResponse, HTTPResponse, JSONResponse

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.router import Route

#: The classes of responses that add nothing to how they are sent.
PLAIN_RESPONSES = frozenset({HTTPResponse, JSONResponse})

#: From a request and its handler to whatever the handler, or a middleware before it, returned.
Pipeline = Callable[["Request[Any, Any]", Callable[..., Any]], Awaitable[Any]]
#: From a request to the response that a request middleware gave, or None.
RequestPipeline = Callable[["Request[Any, Any]"], Awaitable[Any]]
#: From a request and its response to the response that takes its place, or None.
ResponsePipeline = Callable[["Request[Any, Any]", Any], Awaitable[Any]]


def compile_pipelines(app: Sanic[Any, Any]) -> None:
    """Compose what requests go through: for each route, and for requests that no route is found for."""
    for route in app.router.routes:
        recompile = partial(compile_route, app, route)
        request_middleware = (app.request_middleware, app.named_request_middleware.get(route.name, ()))
        response_middleware = (app.response_middleware, app.named_response_middleware.get(route.name, ()))
        route.extra.request_middleware = MiddlewareQueue(in_request_order(*request_middleware), recompile)
        route.extra.response_middleware = MiddlewareQueue(in_response_order(*response_middleware), recompile)
        compile_route(app, route)
    app.request_pipeline = compile_request_middleware(app, in_request_order(app.request_middleware))
    app.response_pipeline = compile_response_middleware(app, in_response_order(app.response_middleware))


def in_request_order(*middleware: Iterable[Any]) -> list[Middleware]:
    """Priority descending, then order of definition."""
    gathered = Middleware.convert(*middleware, location=MiddlewareLocation.REQUEST)
    return sorted(gathered, key=lambda item: item.order, reverse=True)


def in_response_order(*middleware: Iterable[Any]) -> list[Middleware]:
    """The exact reverse of the order of requests."""
    gathered = Middleware.convert(*middleware, location=MiddlewareLocation.RESPONSE)
    return sorted(gathered, key=lambda item: item.order)


def _is_sending_replaced(app: Sanic[Any, Any]) -> bool:
    # Monitoring packages put functions of their own in place of these, some of them while our modules are imported. So
    # what counts is where a function was written.
    return not (
        _is_written_with(app.request_class.respond, Request.__init__)
        and all(_is_written_with(response.send, HTTPResponse.__init__) for response in PLAIN_RESPONSES)
    )


def _is_written_with(function: Any, neighbour: Any) -> bool:
    return type(function) is FunctionType and function.__code__.co_filename == neighbour.__code__.co_filename


def compile_route(app: Sanic[Any, Any], route: Route) -> None:
    """Compose what surrounds a route's handler into `route.pipeline` and `route.response_pipeline`."""
    request_middleware = compile_request_middleware(app, route.extra.request_middleware)
    route.response_pipeline = compile_response_middleware(app, route.extra.response_middleware)
    route.reads_body = not (route.extra.ignore_body or route.extra.stream)
    route.sends_directly = not (
        route.response_pipeline or "http.lifecycle.send" in app.observed_signals or _is_sending_replaced(app)
    )
    announces_before = "http.handler.before" in app.observed_signals
    announces_after = "http.handler.after" in app.observed_signals
    if request_middleware is None and not announces_before and not announces_after:
        route.pipeline = None if iscoroutinefunction(route.handler) else call_handler
        return

    async def run(request: Request[Any, Any], handler: Callable[..., Any]) -> Any:
        if request_middleware is not None:
            response = await request_middleware(request)
            if response:
                return response
        if announces_before:
            context = {"request": request}
            await app.dispatch("http.handler.before", inline=True, context=context, fail_not_found=False)
        response = await call_handler(request, handler)
        if announces_after:
            context = {"request": request}
            await app.dispatch("http.handler.after", inline=True, context=context, fail_not_found=False)
        return response

    route.pipeline = run


async def call_handler(request: Request[Any, Any], handler: Callable[..., Any]) -> Any:
    """Call a handler that may be sync or async; whatever it is that it returns."""
    response = handler(request, **request.match_info)
    if isawaitable(response):
        response = await response
    return response


def compile_request_middleware(app: Sanic[Any, Any], middleware: Iterable[Any]) -> RequestPipeline | None:
    """Compose request middleware, in the order given; None when there is none."""
    functions = [item.func if isinstance(item, Middleware) else item for item in middleware]
    if not functions:
        return None
    around = _signals_around_middleware(app)

    async def run(request: Request[Any, Any]) -> Any:
        request.request_middleware_started = True
        for function in functions:
            if around is not None:
                await around("http.middleware.before", request, None, "request")
            response = function(request)
            if isawaitable(response):
                response = await response
            if around is not None:
                await around("http.middleware.after", request, None, "request")
            if response:
                if not is_response(response):
                    raise wrong_result(function, response, request)
                return response
        return None

    return run


def compile_response_middleware(app: Sanic[Any, Any], middleware: Iterable[Any]) -> ResponsePipeline | None:
    """Compose response middleware, in the order given; None when there is none."""
    functions = [item.func if isinstance(item, Middleware) else item for item in middleware]
    around = _signals_around_middleware(app)
    announces = "http.lifecycle.response" in app.observed_signals
    if not functions and not announces:
        return None

    async def run(request: Request[Any, Any], response: Any) -> Any:
        replacement = None
        for function in functions:
            if around is not None:
                await around("http.middleware.before", request, response, "response")
            try:
                replacement = function(request, response)
                if isawaitable(replacement):
                    replacement = await replacement
            except Exception:
                # The response is there: it goes out as it was.
                error_logger.exception("Exception occurred in one of response middleware handlers")
                replacement = None
                break
            if replacement and not isinstance(replacement, BaseHTTPResponse):
                # As above; the log has it.
                wrong_result(function, replacement, request)
                replacement = None
                break
            if around is not None:
                await around("http.middleware.after", request, replacement or response, "response")
            if replacement:
                break
        if announces:
            context = {"request": request, "response": replacement or response}
            await app.dispatch("http.lifecycle.response", context=context, inline=True, fail_not_found=False)
        return replacement or None

    return run


def _signals_around_middleware(app: Sanic[Any, Any]) -> Callable[..., Awaitable[None]] | None:
    observed = app.observed_signals & {"http.middleware.before", "http.middleware.after"}
    if not observed:
        return None

    async def around(event: str, request: Any, response: Any, attach_to: str) -> None:
        if event in observed:
            await app.dispatch(
                event,
                inline=True,
                context={"request": request, "response": response},
                condition={"attach_to": attach_to},
                fail_not_found=False,
            )

    return around
