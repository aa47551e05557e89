"""What handlers and exception handlers return or raise, and what the client gets."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import pytest

from sanic import Blueprint, HTTPResponse, text
from sanic.exceptions import NotFound, SanicException, ServerError
from sanic.handlers import ErrorHandler
from sanic.response import BaseHTTPResponse, ResponseStream
from tests.harness import serving


async def get(app: Any, path: str = "/", method: str = "GET", **options: Any) -> Any:
    async with serving(app) as server:
        return await server.request(method, path, **options)


class Refused(Exception):
    pass


class RefusedToday(Refused):
    pass


# -- What a handler may return


class Callable_:
    def __call__(self, request: Any) -> Any:
        return text("object")


class AsyncCallable:
    async def __call__(self, request: Any) -> Any:
        return text("async object")


def wrapped(handler: Any) -> Any:
    @functools.wraps(handler)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return handler(*args, **kwargs)

    return wrapper


async def asynchronous(request: Any) -> Any:
    return text("async")


def synchronous(request: Any) -> Any:
    return text("sync")


def coroutine_of_a_coroutine(request: Any) -> Any:
    async def inner() -> Any:
        return asynchronous(request)

    return inner()


async def an_awaitable(request: Any) -> Any:
    return asynchronous(request)


async def streams(request: Any) -> Any:
    async def write(response: Any) -> None:
        await response.write("stream")

    return ResponseStream(write)


async def responds(request: Any) -> None:
    response = await request.respond()
    await response.send("responded")


async def responds_and_returns(request: Any) -> Any:
    return await request.respond(text("returned"))


async def attaches_only(request: Any) -> None:
    await request.respond(text("attached"))


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (asynchronous, "async"),
        (synchronous, "sync"),
        (wrapped(asynchronous), "async"),
        (wrapped(synchronous), "sync"),
        (functools.partial(asynchronous), "async"),
        (functools.partial(synchronous), "sync"),
        (Callable_(), "object"),
        (AsyncCallable(), "async object"),
        (an_awaitable, "async"),
        (coroutine_of_a_coroutine, "async"),
        (streams, "stream"),
        (responds, "responded"),
        (responds_and_returns, "returned"),
        (attaches_only, "attached"),
        (lambda request: text("lambda"), "lambda"),
    ],
)
@pytest.mark.parametrize("with_middleware", [False, True])
async def test_handlers_of_every_kind_answer(app: Any, handler: Any, expected: str, with_middleware: bool) -> None:
    app.add_route(handler, "/", name="index")
    if with_middleware:
        app.on_request(lambda request: None)
        app.on_response(lambda request, response: None)
    response = await get(app)
    assert (response.status_code, response.text) == (200, expected)


@pytest.mark.parametrize("result", [None, "text", 7, {"a": 1}, b"bytes", ("a", 1), text])
async def test_another_result_is_an_error_that_names_handler_and_result(
    app: Any, result: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/")
    async def careless(request: Any) -> Any:
        return result

    response = await get(app)
    assert response.status_code == 500
    kind = "None" if result is None else type(result).__name__
    assert f"Invalid response type {kind} (need HTTPResponse)" in response.text
    assert "careless" not in response.text
    assert "careless (" in caplog.text
    assert "test_answering.py" in caplog.text
    assert f"returned {result!r}" in caplog.text
    # No line of a traceback would be the program's own.
    assert "Traceback" not in caplog.text


async def test_the_debug_page_names_handler_and_result(app: Any) -> None:
    @app.get("/")
    async def careless(request: Any) -> Any:
        return {"a": 1}

    async with serving(app, debug=True) as server:
        for accept in ("text/html", "text/plain", "application/json"):
            page = (await server.get("/", headers={"accept": accept})).text
            assert "careless" in page
            assert "test_answering.py" in page


async def test_a_second_response_is_dropped_with_a_word_in_the_log(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        await request.respond(text("first"))
        return text("second")

    assert (await get(app)).text == "first"
    assert "is dropped" in caplog.text


# -- Exception handlers


@pytest.mark.parametrize(
    "attach",
    [
        lambda app, fn: app.exception(Refused)(fn),
        lambda app, fn: app.exception(KeyError, Refused)(fn),
        lambda app, fn: app.exception([KeyError, Refused])(fn),
        lambda app, fn: app.exception((KeyError, Refused))(fn),
        lambda app, fn: app.exception(Exception)(fn),
        lambda app, fn: app.all_exceptions(fn),
        lambda app, fn: app.error_handler.add(Refused, fn),
        lambda app, fn: app.error_handler.add(Refused, fn, [f"{app.name}.index"]),
    ],
)
@pytest.mark.parametrize("exception", [Refused, RefusedToday])
async def test_ways_to_attach(app: Any, attach: Any, exception: type[Exception]) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        raise exception("no")

    async def handle(request: Any, exception: Exception) -> Any:
        return text(f"handled {exception}", status=403)

    attach(app, handle)
    response = await get(app)
    assert (response.status_code, response.text) == (403, "handled no")


async def test_sync_functions_handle_too(app: Any) -> None:
    app.exception(NotFound)(lambda request, exception: text(str(exception), status=410))
    app.add_route(asynchronous, "/")
    response = await get(app, "/none")
    assert (response.status_code, response.text) == (410, "Requested URL /none not found")


@pytest.mark.parametrize("handled", ["NotFound", KeyError("x"), 404])
def test_only_exception_classes_can_be_handled(app: Any, handled: Any) -> None:
    with pytest.raises(TypeError, match="exception classes"):
        app.exception(handled)
    with pytest.raises(TypeError):
        app.error_handler.add(handled, lambda request, exception: None)


def test_an_exception_has_one_handler_in_a_scope(app: Any) -> None:
    app.exception(Refused)(lambda request, exception: text(""))
    app.exception(RefusedToday)(lambda request, exception: text(""))
    with pytest.raises(ServerError, match="Duplicate exception handler definition"):
        app.exception(Refused)(lambda request, exception: text(""))


@pytest.mark.parametrize(
    ("handlers", "expected"),
    [
        ({"app": [Refused], "bp": [Exception]}, "app Refused"),
        ({"app": [RefusedToday], "bp": [Refused]}, "app RefusedToday"),
        ({"app": [RefusedToday], "bp": [RefusedToday]}, "bp RefusedToday"),
        ({"app": [Exception], "bp": [Exception]}, "bp Exception"),
        ({"app": [Exception], "bp": [KeyError]}, "app Exception"),
        ({"app": [], "bp": [Refused, Exception]}, "bp Refused"),
        ({"app": [], "bp": [Exception]}, "bp Exception"),
    ],
)
async def test_the_nearest_class_wins_and_the_blueprint_before_the_app(
    app: Any, handlers: dict[str, list[type[Exception]]], expected: str
) -> None:
    bp = Blueprint("bp")

    @bp.get("/")
    async def index(request: Any) -> Any:
        raise RefusedToday

    for owner in (app, bp):
        for exception in handlers["app" if owner is app else "bp"]:
            name = f"{'app' if owner is app else 'bp'} {exception.__name__}"
            owner.exception(exception)(lambda request, exception, name=name: text(name))
    app.blueprint(bp)
    assert (await get(app)).text == expected


async def test_handlers_of_a_blueprint_know_only_its_routes(app: Any) -> None:
    bp = Blueprint("bp", url_prefix="/bp")
    bp.add_route(asynchronous, "/")
    bp.exception(Exception)(lambda request, exception: text("bp"))
    app.blueprint(bp)

    @app.get("/")
    async def index(request: Any) -> Any:
        raise Refused

    async with serving(app) as server:
        assert (await server.get("/")).status_code == 500
        assert (await server.get("/bp/none")).status_code == 404


async def test_none_from_a_handler_is_the_default_page(app: Any) -> None:
    app.exception(NotFound)(lambda request, exception: None)

    @app.exception(Refused)
    async def asynchronous_(request: Any, exception: Exception) -> None: ...

    @app.get("/")
    async def index(request: Any) -> Any:
        raise Refused

    async with serving(app) as server:
        assert "404 — Not Found" in (await server.get("/none")).text
        assert "500 — Internal Server Error" in (await server.get("/")).text


async def test_a_handler_may_respond_itself(app: Any) -> None:
    @app.exception(NotFound)
    async def handle(request: Any, exception: Exception) -> None:
        response = await request.respond(status=404)
        await response.send("own")

    app.add_route(asynchronous, "/")
    response = await get(app, "/none")
    assert (response.status_code, response.text) == (404, "own")


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (SanicException("worse", status_code=418), 418, "worse"),
        (ValueError("secret"), 500, "An error occurred while handling an error"),
    ],
)
async def test_a_handler_that_raises(app: Any, is_async: bool, error: Exception, status: int, body: str) -> None:
    def handle(request: Any, exception: Exception) -> Any:
        raise error

    async def handle_async(request: Any, exception: Exception) -> Any:
        raise error

    app.exception(NotFound)(handle_async if is_async else handle)
    app.add_route(asynchronous, "/")
    response = await get(app, "/none")
    assert response.status_code == status
    assert body in response.text
    assert "secret" not in response.text


async def test_a_handler_that_returns_no_response_is_an_error(app: Any) -> None:
    app.exception(NotFound)(lambda request, exception: "text")
    app.add_route(asynchronous, "/")
    assert (await get(app, "/none")).status_code == 500


async def test_an_error_handler_class_of_ones_own(app_name: str) -> None:
    from sanic import Sanic

    class Mine(ErrorHandler):
        def default(self, request: Any, exception: BaseException) -> HTTPResponse:
            return text(f"mine: {type(exception).__name__}", status=500)

    app: Any = Sanic(app_name, error_handler=Mine())
    app.add_route(asynchronous, "/")
    assert (await get(app, "/none")).text == "mine: NotFound"


# -- Errors on the way


async def test_an_error_after_the_response_was_attached_takes_its_place(app: Any) -> None:
    seen: list[int] = []
    app.on_response(lambda request, response: seen.append(response.status))

    @app.get("/")
    async def index(request: Any) -> Any:
        await request.respond(text("never"))
        raise SanicException("no", status_code=418)

    assert (await get(app)).status_code == 418
    assert seen == [200]  # once for each request


async def test_an_error_after_the_head_was_sent_cuts_the_response_off(
    app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        response = await request.respond()
        await response.send("half")
        raise Refused

    async with serving(app) as server:
        received = await server.send_raw(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    assert b"half" in received
    assert not received.endswith(b"0\r\n\r\n")
    assert "cut off" in caplog.text


async def test_a_response_that_cannot_be_sent_is_an_error(app: Any) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        return text("", status=99)

    assert (await get(app)).status_code == 500


async def test_an_error_response_that_cannot_be_sent_is_answered_all_the_same(app: Any) -> None:
    app.exception(NotFound)(lambda request, exception: text("", status=99))
    app.add_route(asynchronous, "/")
    assert (await get(app, "/none")).status_code == 500


@pytest.mark.parametrize(
    "event",
    [
        "http.lifecycle.handle",
        "http.routing.before",
        "http.routing.after",
        "http.handler.before",
        "http.handler.after",
        "http.lifecycle.response",
        "http.lifecycle.exception",
    ],
)
async def test_a_signal_handler_that_raises_becomes_the_error_of_the_request(app: Any, event: str) -> None:
    @app.signal(event)
    async def refuse(**context: Any) -> None:
        raise SanicException("from the signal", status_code=418)

    @app.get("/")
    async def index(request: Any) -> Any:
        if event == "http.lifecycle.exception":
            raise Refused
        return text("")

    response = await get(app)
    assert response.status_code == 418
    assert "from the signal" in response.text


async def test_a_connection_error_of_the_handlers_own_is_answered(app: Any) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        raise ConnectionRefusedError("the database is away")

    assert (await get(app)).status_code == 500


async def test_a_client_that_leaves_leaves_no_error(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    began, ended = asyncio.Event(), asyncio.Event()
    reported: list[Exception] = []
    app.report_exception(lambda app, exception: reported.append(exception))

    @app.get("/")
    async def index(request: Any) -> Any:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with serving(app) as server:
        async with server.connect() as connection:
            await connection.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            await asyncio.wait_for(began.wait(), 5)
        await asyncio.wait_for(ended.wait(), 5)
    assert "Traceback" not in caplog.text


async def test_exceptions_are_reported_once(app: Any) -> None:
    reported: list[tuple[Any, str]] = []
    heard = asyncio.Event()

    @app.report_exception
    async def report(app: Any, exception: Exception) -> None:
        reported.append((app, str(exception)))
        heard.set()

    @app.get("/")
    async def index(request: Any) -> Any:
        raise Refused("no")

    await get(app)
    await asyncio.wait_for(heard.wait(), 5)
    assert reported == [(app, "no")]


async def test_what_a_response_is(app: Any) -> None:
    class Mine(BaseHTTPResponse):
        def __init__(self) -> None:
            super().__init__()
            self.body = b"mine"

    app.add_route(lambda request: Mine(), "/", name="index")
    assert (await get(app)).text == "mine"
