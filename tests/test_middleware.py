"""Middleware: where it is attached, in which order it runs, and what its result does."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from sanic import Blueprint
from sanic.exceptions import SanicException
from sanic.middleware import Middleware, MiddlewareLocation, MiddlewareQueue
from sanic.response import empty, text
from tests.harness import RunningServer, serving

Log = list[str]


@pytest.fixture
def log(app: Any) -> Log:
    """What ran, in order; the app answers `/` and fails at `/fail`."""
    log: Log = []

    @app.route("/", methods=["GET", "POST"])
    async def index(request: Any) -> Any:
        log.append("handler")
        return text("handler")

    @app.get("/fail")
    async def fail(request: Any) -> Any:
        log.append("handler")
        raise SanicException("no", status_code=418)

    return log


def request_middleware(log: Log, name: str, result: Any = None) -> Any:
    async def middleware(request: Any) -> Any:
        log.append(name)
        return result() if callable(result) else result

    return middleware


def response_middleware(log: Log, name: str, result: Any = None) -> Any:
    async def middleware(request: Any, response: Any) -> Any:
        log.append(name)
        return result() if callable(result) else result

    return middleware


async def get(app: Any, path: str = "/", method: str = "GET") -> Any:
    async with serving(app) as server:
        return await server.request(method, path)


# -- Attaching


@pytest.mark.parametrize(
    "attach",
    [
        lambda app, fn: app.middleware(fn),
        lambda app, fn: app.middleware("request")(fn),
        lambda app, fn: app.middleware(fn, "request"),
        lambda app, fn: app.middleware(fn, attach_to="request", priority=1),
        lambda app, fn: app.middleware("request", priority=1)(fn),
        lambda app, fn: app.on_request(fn),
        lambda app, fn: app.on_request()(fn),
        lambda app, fn: app.on_request(priority=1)(fn),
        lambda app, fn: app.register_middleware(fn),
        lambda app, fn: app.register_middleware(fn, "request", priority=1),
        lambda app, fn: app.register_named_middleware(fn, [f"{app.name}.index"], "request"),
        lambda app, fn: app.request_middleware.append(fn),
        lambda app, fn: app.request_middleware.appendleft(fn),
    ],
)
async def test_ways_to_attach_to_requests(app: Any, log: Log, attach: Any) -> None:
    attach(app, request_middleware(log, "request"))
    await get(app)
    assert log == ["request", "handler"]


@pytest.mark.parametrize(
    "attach",
    [
        lambda app, fn: app.middleware("response")(fn),
        lambda app, fn: app.middleware(fn, "response"),
        lambda app, fn: app.middleware("response", priority=1)(fn),
        lambda app, fn: app.on_response(fn),
        lambda app, fn: app.on_response()(fn),
        lambda app, fn: app.on_response(priority=1)(fn),
        lambda app, fn: app.register_middleware(fn, "response"),
        lambda app, fn: app.register_named_middleware(fn, [f"{app.name}.index"], "response"),
        lambda app, fn: app.response_middleware.append(fn),
        lambda app, fn: app.response_middleware.appendleft(fn),
    ],
)
async def test_ways_to_attach_to_responses(app: Any, log: Log, attach: Any) -> None:
    attach(app, response_middleware(log, "response"))
    await get(app)
    assert log == ["handler", "response"]


async def test_sync_functions_are_middleware_too(app: Any, log: Log) -> None:
    app.on_request(lambda request: log.append("request"))
    app.on_response(lambda request, response: log.append("response"))
    await get(app)
    assert log == ["request", "handler", "response"]


@pytest.mark.parametrize("attach", ["middleware", "register_middleware"])
def test_an_unknown_place_is_refused(app: Any, attach: str) -> None:
    with pytest.raises(KeyError, match="'request' or 'response', not to 'answer'"):
        getattr(app, attach)(lambda request: None, "answer")
    with pytest.raises(KeyError):
        app.register_named_middleware(lambda request: None, ["x"], "answer")
    with pytest.raises(KeyError):
        app.middleware("answer")(lambda request: None)


async def test_a_function_is_kept_once(app: Any, log: Log) -> None:
    function = request_middleware(log, "request")
    app.on_request(function)
    app.middleware(function)
    app.register_middleware(function, priority=7)
    app.register_named_middleware(function, [f"{app.name}.index"])
    assert len(app.request_middleware) == 1
    await get(app)
    assert log == ["request", "handler"]


# -- Order


@pytest.mark.parametrize(
    ("requests", "responses", "expected"),
    [
        ([0, 5, 0], [0, 5, 0], "q1 q0 q2 handler s2 s0 s1"),
        ([0, 0, 0], [0, 0, 0], "q0 q1 q2 handler s2 s1 s0"),
        ([1, 2, 3], [1, 2, 3], "q2 q1 q0 handler s0 s1 s2"),
        ([3, 2, 1], [3, 2, 1], "q0 q1 q2 handler s2 s1 s0"),
        ([-1, 0, -1], [-1, 0, -1], "q1 q0 q2 handler s2 s0 s1"),
    ],
)
async def test_order_is_by_priority_and_definition(
    app: Any, log: Log, requests: list[int], responses: list[int], expected: str
) -> None:
    for number, priority in enumerate(requests):
        app.on_request(request_middleware(log, f"q{number}"), priority=priority)
    for number, priority in enumerate(responses):
        app.on_response(response_middleware(log, f"s{number}"), priority=priority)
    await get(app)
    assert log == expected.split()


async def test_middleware_of_app_and_blueprint_is_mixed_by_the_same_keys(app: Any, log: Log) -> None:
    bp = Blueprint("bp", url_prefix="/bp")
    bp.add_route(lambda request: text(""), "/", name="x")
    bp.on_request(request_middleware(log, "bp"))
    app.on_request(request_middleware(log, "app"))
    bp.on_request(request_middleware(log, "bp 5"), priority=5)
    app.on_request(request_middleware(log, "app 5"), priority=5)
    bp.on_response(response_middleware(log, "bp response"))
    app.on_response(response_middleware(log, "app response"))
    app.blueprint(bp)
    await get(app, "/bp")
    definition = ["bp 5", "app 5", "bp", "app"]
    assert log[:4] == definition
    assert log[4:] == ["app response", "bp response"]


async def test_plain_functions_at_the_outer_ends_of_the_queues_run_around_all_others(app: Any, log: Log) -> None:
    app.request_middleware.appendleft(request_middleware(log, "open"))
    app.response_middleware.append(response_middleware(log, "save"))
    app.on_request(request_middleware(log, "important"), priority=100)
    app.on_response(response_middleware(log, "outer"), priority=100)
    app.request_middleware.appendleft(request_middleware(log, "very first"))
    app.response_middleware.append(response_middleware(log, "very last"))
    await get(app)
    assert log == ["very first", "open", "important", "handler", "outer", "save", "very last"]


# -- Results


async def test_a_response_from_request_middleware_skips_the_rest_but_response_middleware(app: Any, log: Log) -> None:
    app.on_request(request_middleware(log, "first", lambda: text("early")))
    app.on_request(request_middleware(log, "second"))
    app.on_response(response_middleware(log, "response"))
    assert (await get(app)).text == "early"
    assert log == ["first", "response"]


async def test_a_response_from_response_middleware_takes_the_place_and_skips_the_rest(app: Any, log: Log) -> None:
    app.on_response(response_middleware(log, "skipped"))
    app.on_response(response_middleware(log, "replaces", lambda: text("other", status=202)))
    response = await get(app)
    assert (response.status_code, response.text) == (202, "other")
    assert log == ["handler", "replaces"]


async def test_response_middleware_may_change_the_response_in_place(app: Any, log: Log) -> None:
    @app.on_response
    async def change(request: Any, response: Any) -> None:
        response.headers["x-changed"] = "1"
        response.status = 203

    response = await get(app)
    assert (response.status_code, response.headers["x-changed"]) == (203, "1")


@pytest.mark.parametrize("result", [None, "", 0, False, {}])
async def test_false_results_are_none(app: Any, log: Log, result: Any) -> None:
    app.on_request(request_middleware(log, "request", result))
    app.on_response(response_middleware(log, "response", result))
    assert (await get(app)).text == "handler"


async def test_an_empty_response_is_one(app: Any, log: Log) -> None:
    app.on_request(request_middleware(log, "request", empty))
    assert (await get(app)).status_code == 204


@pytest.mark.parametrize("result", ["text", 7, {"a": 1}])
async def test_request_middleware_that_returns_no_response_is_named(
    app: Any, log: Log, result: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app.on_request(request_middleware(log, "request", result))
    response = await get(app)
    assert response.status_code == 500
    assert f"Invalid response type {type(result).__name__}" in response.text
    assert "test_middleware.py" not in response.text
    assert "middleware (" in caplog.text
    assert f"returned {result!r}" in caplog.text


async def test_response_middleware_that_returns_no_response_changes_nothing(
    app: Any, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    app.on_response(response_middleware(log, "response", "text"))
    assert (await get(app)).text == "handler"
    assert "returned 'text'" in caplog.text


# -- Errors


async def test_request_middleware_that_raises_is_answered_and_not_run_again(app: Any, log: Log) -> None:
    @app.on_request
    async def refuse(request: Any) -> None:
        log.append("request")
        raise SanicException("no", status_code=403)

    app.on_response(response_middleware(log, "response"))
    assert (await get(app)).status_code == 403
    assert log == ["request", "response"]


async def test_response_middleware_that_raises_is_logged_and_the_response_sent(
    app: Any, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    app.on_response(response_middleware(log, "skipped"))

    @app.on_response
    async def broken(request: Any, response: Any) -> None:
        raise ValueError("broken middleware")

    response = await get(app)
    assert (response.status_code, response.text) == (200, "handler")
    assert "Exception occurred in one of response middleware handlers" in caplog.text
    assert "broken middleware" in caplog.text
    assert log == ["handler"]


async def test_response_middleware_that_returns_no_response_is_told_in_one_line_and_the_response_sent(
    app: Any, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    app.on_response(response_middleware(log, "skipped"))

    @app.on_response
    async def wrong(request: Any, response: Any) -> str:
        return "not a response"

    response = await get(app)
    assert (response.status_code, response.text) == (200, "handler")
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "wrong (" in record.getMessage()
    assert "returned 'not a response'" in record.getMessage()
    assert record.exc_info is None
    assert log == ["handler"]


async def test_response_middleware_runs_on_error_responses(app: Any, log: Log) -> None:
    app.on_response(response_middleware(log, "response", lambda: text("replaced")))
    assert (await get(app, "/fail")).text == "replaced"
    assert log == ["handler", "response"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/none", 404), ("PUT", "/", 405)])
async def test_middleware_of_the_app_runs_without_a_route(
    app: Any, log: Log, method: str, path: str, status: int
) -> None:
    bp = Blueprint("bp")
    bp.add_route(lambda request: text(""), "/bp", name="x")
    bp.on_request(request_middleware(log, "of the blueprint"))
    app.blueprint(bp)
    app.on_request(request_middleware(log, "request"))
    app.on_response(response_middleware(log, "response"))
    assert (await get(app, path, method)).status_code == status
    assert log == ["request", "response"]


async def test_request_middleware_may_answer_an_unknown_path_before_the_error_handler(app: Any, log: Log) -> None:
    app.on_request(request_middleware(log, "request", lambda: text("found")))

    @app.all_exceptions
    async def handle(request: Any, exception: Exception) -> Any:
        raise AssertionError("not reached")

    response = await get(app, "/none")
    assert (response.status_code, response.text) == (200, "found")


async def test_request_middleware_that_raises_on_an_unknown_path_is_answered(app: Any, log: Log) -> None:
    @app.on_request
    async def refuse(request: Any) -> None:
        raise SanicException("no", status_code=403)

    assert (await get(app, "/none")).status_code == 403


async def test_response_middleware_runs_once_although_the_handler_responds_itself(app: Any, log: Log) -> None:
    app.on_response(response_middleware(log, "response"))

    @app.get("/own")
    async def own(request: Any) -> None:
        response = await request.respond(content_type="text/plain")
        log.append("sends")
        await response.send("own", end_stream=True)

    assert (await get(app, "/own")).text == "own"
    assert log == ["response", "sends"]


async def test_the_body_is_there_for_request_middleware(app: Any, log: Log) -> None:
    app.on_request(lambda request: log.append(request.body.decode()))
    async with serving(app) as server:
        await server.post("/", content=b"body")
    assert log == ["body", "handler"]


async def test_the_route_is_known_to_request_middleware(app: Any, log: Log) -> None:
    app.on_request(lambda request: log.append(str(request.route and request.route.name)))
    await get(app)
    assert log == [f"{app.name}.index", "handler"]


# -- Changes while the application runs


async def served(server: RunningServer, log: Log, path: str = "/") -> Log:
    log.clear()
    await server.get(path)
    return list(log)


async def test_middleware_may_come_and_go_while_the_app_runs(app: Any, log: Log) -> None:
    collect = request_middleware(log, "collect")
    adorn = response_middleware(log, "adorn")
    async with serving(app) as server:
        app.request_middleware.appendleft(collect)
        app.response_middleware.append(adorn)
        assert await served(server, log) == ["collect", "handler", "adorn"]
        assert await served(server, log, "/none") == ["collect", "adorn"]
        app.request_middleware.remove(collect)
        app.response_middleware.remove(adorn)
        assert await served(server, log) == ["handler"]
        app.on_request(collect)
        assert await served(server, log) == ["collect", "handler"]
        app.register_named_middleware(adorn, [f"{app.name}.index"], "response")
        assert await served(server, log) == ["collect", "handler", "adorn"]


async def test_bound_methods_can_be_taken_out_again(app: Any, log: Log) -> None:
    class Collector:
        def collect(self, request: Any) -> None:
            log.append("collect")

    collector = Collector()
    app.request_middleware.appendleft(collector.collect)
    app.request_middleware.remove(collector.collect)
    assert len(app.request_middleware) == 0


async def test_the_middleware_of_a_route_may_change_while_the_app_runs(app: Any, log: Log) -> None:
    app.on_request(request_middleware(log, "all"))
    async with serving(app) as server:
        route = app.router.find_route_by_view_name("index")
        extra = request_middleware(log, "extra")
        route.extra.request_middleware.append(extra)
        assert await served(server, log) == ["all", "extra", "handler"]
        route.extra.request_middleware.remove(extra)
        route.extra.request_middleware.appendleft(extra)
        assert await served(server, log) == ["extra", "all", "handler"]
        assert await served(server, log, "/fail") == ["all", "handler"]
        route.extra.response_middleware.append(response_middleware(log, "response"))
        route.extra.request_middleware.clear()
        assert await served(server, log) == ["handler", "response"]


def test_the_queues_are_deques_of_middleware(app: Any) -> None:
    function = app.on_request(lambda request: None)
    assert isinstance(app.request_middleware, deque)
    assert [type(item) for item in app.request_middleware] == [Middleware]
    assert function in app.request_middleware
    assert app.request_middleware[0].location is MiddlewareLocation.REQUEST


def test_every_change_of_a_queue_is_told() -> None:
    changes: list[int] = []
    queue = MiddlewareQueue([1, 2], lambda: changes.append(len(queue)))
    queue.append(3)
    queue.appendleft(0)
    queue.extend([4, 5])
    queue.extendleft([9])
    queue.insert(1, 8)
    queue.remove(8)
    queue.reverse()
    queue.rotate()
    queue[0] = 7
    del queue[0]
    queue += [6]
    queue.pop()
    queue.popleft()
    queue.clear()
    assert changes == [3, 4, 5, 6, 7, 8, 7, 7, 7, 7, 6, 7, 6, 5, 0]
