"""Error handlers: which one is called, what its answer becomes, and what is logged."""

from __future__ import annotations

import inspect
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from sanic import Request, Sanic
from sanic.compat import Header
from sanic.errorpages import HTMLRenderer
from sanic.exceptions import FileNotFound, Forbidden, NotFound, SanicException, ServerError, ServiceUnavailable
from sanic.handlers import ErrorHandler
from sanic.response import HTTPResponse, text


class Parent(Exception):
    pass


class Child(Parent):
    pass


class Grandchild(Child):
    pass


def make_request(app: Any, route_name: str | None = None) -> Any:
    request = Request(b"/page?a=1", Header({"host": "example.com"}), "1.1", "GET", None, app)
    if route_name:
        request.route = SimpleNamespace(name=route_name, extra=SimpleNamespace(error_format=""))
    return request


def answering(name: str) -> Any:
    def handler(request: Any, exception: BaseException) -> HTTPResponse:
        return text(f"{name}: {exception}")

    return handler


@pytest.fixture
def handler() -> ErrorHandler:
    return ErrorHandler()


def answer(handler: ErrorHandler, request: Any, exception: BaseException) -> tuple[int, str]:
    response = handler.response(request, exception)
    assert isinstance(response, HTTPResponse)
    return response.status, (response.body or b"").decode()


@pytest.mark.parametrize(
    ("registered", "found"),
    [
        ([(Child, None), (Parent, None)], "Child/None"),
        ([(Parent, None)], "Parent/None"),
        ([(Exception, None)], "Exception/None"),
        ([(Child, None), (Child, "app.page")], "Child/app.page"),
        ([(Child, None), (Parent, "app.page")], "Child/None"),
        ([(Parent, None), (Parent, "app.page")], "Parent/app.page"),
        ([(Exception, "app.page"), (Parent, None)], "Parent/None"),
        ([(Child, "app.other")], None),
        ([(Grandchild, None)], None),
        ([(KeyError, None)], None),
        ([], None),
    ],
)
def test_the_nearest_class_wins_and_the_route_comes_before_the_app(
    handler: ErrorHandler, registered: list[tuple[type[Exception], str | None]], found: str | None
) -> None:
    functions = {}
    for kind, route in registered:
        function = answering("any")
        functions[function] = f"{kind.__name__}/{route}"
        handler.add(kind, function, [route] if route else None)
    for _ in range(2):
        result = handler.lookup(Child(), "app.page")
        assert (functions[result] if result else None) == found


def test_a_handler_for_exception_catches_not_found(app: Sanic[Any, Any], handler: ErrorHandler) -> None:
    handler.add(Exception, answering("all"))
    assert answer(handler, make_request(app), NotFound("x")) == (200, "all: x")


def test_a_handler_added_later_is_found(handler: ErrorHandler) -> None:
    general, special = answering("general"), answering("special")
    handler.add(NotFound, general)
    assert handler.lookup(FileNotFound()) is general
    handler.add(FileNotFound, special)
    assert handler.lookup(FileNotFound()) is special


def test_a_handler_for_no_routes_is_for_none(handler: ErrorHandler) -> None:
    handler.add(NotFound, answering("never"), route_names=[])
    assert handler.lookup(NotFound()) is None


def test_one_exception_can_have_handlers_on_several_routes(handler: ErrorHandler) -> None:
    shared = answering("shared")
    handler.add(NotFound, shared, ["app.a", "app.b"])
    assert handler.lookup(NotFound(), "app.a") is handler.lookup(NotFound(), "app.b") is shared
    assert handler.lookup(NotFound(), "app.c") is None
    assert handler.lookup(NotFound()) is None


@pytest.mark.parametrize("scope", [None, ["app.page"]])
def test_a_second_handler_for_the_same_is_refused(handler: ErrorHandler, scope: list[str] | None) -> None:
    handler.add(NotFound, answering("first"), scope)
    with pytest.raises(ServerError, match="Duplicate exception handler definition"):
        handler.add(NotFound, answering("second"), scope)
    handler.add(NotFound, answering("elsewhere"), ["app.other"])


@pytest.mark.parametrize("wrong", [404, NotFound("instance"), str])
def test_only_exception_classes_have_handlers(handler: ErrorHandler, wrong: Any) -> None:
    with pytest.raises(TypeError, match="exception class"):
        handler.add(wrong, answering("x"))


def test_the_route_of_the_request_chooses_the_handler(app: Sanic[Any, Any], handler: ErrorHandler) -> None:
    handler.add(NotFound, answering("app"))
    handler.add(NotFound, answering("route"), ["app.page"])
    assert answer(handler, make_request(app, "app.page"), NotFound("x")) == (200, "route: x")
    assert answer(handler, make_request(app, "app.other"), NotFound("x")) == (200, "app: x")
    assert answer(handler, make_request(app), NotFound("x")) == (200, "app: x")


def test_without_a_handler_there_is_the_default_page(app: Sanic[Any, Any], handler: ErrorHandler) -> None:
    status, body = answer(handler, make_request(app), Forbidden("Not for you"))
    assert status == 403
    assert body.startswith("⚠️ 403 — Forbidden\n")


def test_a_handler_that_returns_none_leaves_the_default_page(app: Sanic[Any, Any], handler: ErrorHandler) -> None:
    handler.add(Forbidden, lambda request, exception: None)
    status, body = answer(handler, make_request(app), Forbidden("Not for you"))
    assert status == 403
    assert "Not for you" in body


async def test_the_answer_of_an_async_handler_is_handed_on_to_be_awaited(
    app: Sanic[Any, Any], handler: ErrorHandler
) -> None:
    async def asynchronous(request: Any, exception: BaseException) -> HTTPResponse:
        return text("later")

    handler.add(Forbidden, asynchronous)
    pending = handler.response(make_request(app), Forbidden())
    assert inspect.isawaitable(pending)
    response = await pending
    assert response.body == b"later"


def test_lookup_can_be_replaced_on_the_instance(app: Sanic[Any, Any], handler: ErrorHandler) -> None:
    calls = []

    def lookup(exception: BaseException, route_name: str | None = None) -> Any:
        calls.append((exception, route_name))
        return answering("replaced")

    handler.lookup = lookup  # type: ignore[method-assign]
    error = NotFound("x")
    assert answer(handler, make_request(app, "app.page"), error) == (200, "replaced: x")
    assert calls == [(error, "app.page")]


def test_default_can_be_overridden(app: Sanic[Any, Any]) -> None:
    class Mine(ErrorHandler):
        def default(self, request: Any, exception: BaseException) -> HTTPResponse:
            return text(f"mine: {exception}", 418)

    assert answer(Mine(), make_request(app), NotFound("x")) == (418, "mine: x")


def test_the_base_renderer_is_for_clients_that_accept_nothing_else(app: Sanic[Any, Any]) -> None:
    request = make_request(app)
    request.headers["accept"] = "image/png"
    assert ErrorHandler(HTMLRenderer).response(request, NotFound()).content_type == "text/html; charset=utf-8"


def test_debug_decides_whether_the_page_shows_details(app: Sanic[Any, Any], handler: ErrorHandler) -> None:
    assert "hidden" not in answer(handler, make_request(app), ValueError("hidden"))[1]
    handler.debug = True
    assert "hidden" in answer(handler, make_request(app), ValueError("hidden"))[1]


@pytest.mark.parametrize("same", [False, True])
def test_a_handler_that_raises_a_sanic_exception_gets_its_page(
    app: Sanic[Any, Any], handler: ErrorHandler, same: bool
) -> None:
    def raising(request: Any, exception: SanicException) -> HTTPResponse:
        raise exception if same else ServiceUnavailable("Come back later")

    handler.add(Forbidden, raising)
    status, body = answer(handler, make_request(app), Forbidden("Not for you"))
    assert status == (403 if same else 503)
    assert ("Not for you" if same else "Come back later") in body


def test_a_handler_that_fails_is_answered_with_500_and_logged(
    app: Sanic[Any, Any], handler: ErrorHandler, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(request: Any, exception: BaseException) -> HTTPResponse:
        raise KeyError("broken handler")

    handler.add(Forbidden, failing)
    response = handler.response(make_request(app), Forbidden())
    assert (response.status, response.body) == (500, b"An error occurred while handling an error")
    assert response.content_type == "text/plain; charset=utf-8"
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "broken handler" in caplog.text

    handler.debug = True
    status, body = answer(handler, make_request(app), Forbidden())
    assert status == 500
    assert body.startswith("An error occurred while handling an error\n")
    assert "KeyError: 'broken handler'" in body


def test_a_default_that_fails_is_answered_with_500(app: Sanic[Any, Any]) -> None:
    class Broken(ErrorHandler):
        def default(self, request: Any, exception: BaseException) -> HTTPResponse:
            raise NotFound("from default")

    assert answer(Broken(), make_request(app), Forbidden()) == (500, "An error occurred while handling an error")


def records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "sanic.error"]


class ForeignQuiet(Exception):
    quiet = True


class Undecided(SanicException):
    quiet = None


@pytest.mark.parametrize(
    ("error", "noisy", "logged"),
    [
        (SanicException("x"), False, True),
        (ServerError("x"), False, True),
        (ValueError("x"), False, True),
        (NotFound("x", quiet=False), False, True),
        (NotFound("x"), False, False),
        (ServerError("x", quiet=True), False, False),
        (Undecided("x"), False, False),
        (ForeignQuiet("x"), False, False),
        (NotFound("x"), True, True),
        (Undecided("x"), True, True),
    ],
)
def test_what_is_not_quiet_is_logged(
    app: Sanic[Any, Any],
    handler: ErrorHandler,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    noisy: bool,
    logged: bool,
) -> None:
    app.config.NOISY_EXCEPTIONS = noisy
    handler.response(make_request(app), error)
    assert len(records(caplog)) == logged


def test_the_log_line_names_the_url_and_has_the_traceback(
    app: Sanic[Any, Any], handler: ErrorHandler, caplog: pytest.LogCaptureFixture
) -> None:
    handler.default(make_request(app), ValueError("boom"))
    (record,) = records(caplog)
    assert record.getMessage() == "Exception occurred while handling uri: 'http://example.com/page?a=1'"
    assert record.exc_info
    assert isinstance(record.exc_info[1], ValueError)


def test_an_exception_that_has_a_handler_is_not_logged(
    app: Sanic[Any, Any], handler: ErrorHandler, caplog: pytest.LogCaptureFixture
) -> None:
    handler.add(ValueError, answering("mine"))
    handler.response(make_request(app), ValueError("boom"))
    assert records(caplog) == []


def test_log_can_be_overridden(app: Sanic[Any, Any]) -> None:
    logged = []

    class Mine(ErrorHandler):
        @staticmethod
        def log(request: Any, exception: BaseException) -> None:
            logged.append(exception)

    error = ValueError("boom")
    Mine().response(make_request(app), error)
    assert logged == [error]
