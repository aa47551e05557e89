"""What was returned or raised becomes a response that is sent.

Handlers and middleware may return a response, a stream, an awaitable of them, or nothing after they have responded
themselves; all of it ends here. Where it came from, and what runs around it, is not known here.
"""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from sanic.exceptions import MethodNotAllowed, ServerError
from sanic.log import error_logger
from sanic.response import BaseHTTPResponse, HTTPResponse, ResponseStream
from sanic.router.route import describe_handler

if TYPE_CHECKING:
    from sanic.handlers import ErrorHandler
    from sanic.request import Request


def is_response(value: object) -> bool:
    """Whether something can be sent."""
    return isinstance(value, (BaseHTTPResponse, ResponseStream))


async def answer(request: Request[Any, Any], response: Any) -> None:
    """Send whatever a handler returned; also right when it has responded before.

    Args:
        request: The request.
        response: What was returned for it.

    Raises:
        ServerError: It is no response, and there is none.
        ClientDisconnected: The client has left.
    """
    if isawaitable(response):
        response = await response
    attached = request.stream.response
    if attached is not None:
        # After a handshake there is nothing to answer; a plain handler that has made one may return a response.
        if response is not None and response is not attached and attached.status != 101:
            error_logger.error("The response %r is dropped: the handler of %r responded before.", response, request)
        # One that is made once for all requests may have been attached to another one meanwhile.
        attached.stream = request.stream
        await attached.send(end_stream=True)
    elif isinstance(response, ResponseStream):
        await response(request).stream()
        await response.eof()
    elif isinstance(response, BaseHTTPResponse):
        response = await request.respond(response)
        await response.send(end_stream=True)
    else:
        route = request.route
        raise wrong_result(route.handler if route is not None else "an exception handler", response, request)


async def answer_exception(
    handler: ErrorHandler, request: Request[Any, Any], exception: BaseException, response: Any
) -> None:
    """Answer an exception; when that fails, too, the answer tells so.

    Args:
        handler: Finds the function that answers it.
        request: The request.
        exception: What was raised for it.
        response: What middleware answers instead, if it does.

    Raises:
        ClientDisconnected: The client has left.
    """
    if not response:
        response = handler.response(request, exception)
        if isawaitable(response):
            try:
                response = await response
            except Exception as error:
                response = handler.handler_failed(request, exception, error)
        if response is None and not request.responded:
            response = handler.default(request, exception)
    await answer(request, response)


async def answer_failure(
    handler: ErrorHandler, request: Request[Any, Any], exception: BaseException, error: Exception
) -> None:
    """Answer with what is left when an exception could not be answered; nothing runs around this response.

    Args:
        handler: Makes the response.
        request: The request.
        exception: What was to be answered.
        error: What was raised meanwhile.

    Raises:
        ClientDisconnected: The client has left.
    """
    request.reset_response()
    response = request.stream.respond(handler.handler_failed(request, exception, error))
    await response.send(end_stream=True)


def cut_off(handler: ErrorHandler, request: Request[Any, Any], exception: BaseException) -> None:
    """End a response that is on its way so that the client sees it is incomplete; one that is complete stays so."""
    is_cut_off = request.stream.fail()
    if not request.stream.protocol.is_lost:
        handler.log(request, exception)
        if is_cut_off:
            error_logger.warning("The response to %r was on its way already: it is cut off.", request)


def allowed_options(request: Request[Any, Any], exception: BaseException) -> HTTPResponse | None:
    """The answer to OPTIONS on a path whose routes do not take it (RFC 9110 section 9.3.7); None for anything else."""
    if not isinstance(exception, MethodNotAllowed) or request.method != "OPTIONS" or request.route is not None:
        return None
    return HTTPResponse(None, 204, {"Allow": exception.headers["Allow"]})


def wrong_result(source: Any, result: object, request: Request[Any, Any]) -> ServerError:
    """What to raise for a result that is no response.

    Args:
        source: The handler or middleware that returned it, or what to call it.
        result: What it returned.
        request: The request.
    """
    where = source if isinstance(source, str) else str(describe_handler(source))
    error_logger.error("%s returned %r for %r, but it must return a response.", where, result, request)
    # What was returned may be nobody's business: only the log and the page in debug mode show it.
    kind = "None" if result is None else type(result).__name__
    error = ServerError(
        f"Invalid response type {kind} (need HTTPResponse)", extra={"handler": where, "returned": repr(result)}
    )
    # The log has it, and a traceback would show no line of the program. Pages in debug mode show it: it is a fault.
    error.quiet = None
    return error
