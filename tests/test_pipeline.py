"""What is decided when the application starts, and how it follows changes afterwards."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from sanic import Blueprint, Sanic
from sanic.response import json, text
from sanic.signals import Event
from tests.harness import serving


async def handler(request: Any, **parameters: Any) -> Any:
    return text("ok")


def route(app: Any, name: str = "handler") -> Any:
    return app.router.find_route_by_view_name(name)


# -- What is compiled


def test_a_route_with_nothing_around_it_has_no_pipeline(app: Any) -> None:
    app.add_route(handler, "/")
    app.finalize()
    assert route(app).pipeline is None
    assert route(app).response_pipeline is None
    assert app.request_pipeline is None
    assert app.response_pipeline is None
    assert app.observed_signals == frozenset()


def test_middleware_of_a_blueprint_costs_other_routes_nothing(app: Any) -> None:
    bp = Blueprint("bp")
    bp.add_route(handler, "/bp")
    bp.on_request(lambda request: None)
    bp.on_response(lambda request, response: None)
    app.blueprint(bp)
    app.add_route(handler, "/")
    app.finalize()
    assert route(app).pipeline is None
    assert route(app).response_pipeline is None
    assert route(app, "bp.handler").pipeline is not None
    assert route(app, "bp.handler").response_pipeline is not None


async def test_what_is_heard_and_attached_after_the_start_is_taken_out_again(app: Any) -> None:
    app.add_route(handler, "/")
    async with serving(app) as server:
        middleware = app.on_request(lambda request: None)
        assert route(app).pipeline is not None
        app.request_middleware.remove(middleware)
        assert route(app).pipeline is None
        assert (await server.get("/")).status_code == 200


# -- Signals around requests


ORDER = [
    "http.lifecycle.begin",
    "http.lifecycle.read_head",
    "http.lifecycle.request",
    "http.lifecycle.handle",
    "http.routing.before",
    "http.routing.after",
    "http.lifecycle.read_body",
    "middleware request",
    "http.handler.before",
    "handler",
    "http.handler.after",
    "middleware response",
    "http.lifecycle.response",
    "http.lifecycle.send",
]


def listen(app: Any, log: list[str]) -> None:
    for event in Event:
        if event.value.startswith("http.") and event is not Event.HTTP_LIFECYCLE_COMPLETE:

            async def hear(event: Event = event, **context: Any) -> None:
                log.append(event.value)

            app.add_signal(hear, event)


async def test_a_request_with_a_body_dispatches_in_this_order(app: Any) -> None:
    log: list[str] = []
    listen(app, log)
    app.on_request(lambda request: log.append("middleware request"))
    app.on_response(lambda request, response: log.append("middleware response"))

    @app.post("/")
    async def index(request: Any) -> Any:
        log.append("handler")
        return text("ok")

    async with serving(app) as server:
        await server.post("/", content=b"body")
    assert log == ORDER


async def test_a_request_without_route_dispatches_in_this_order(app: Any) -> None:
    log: list[str] = []
    listen(app, log)
    app.on_request(lambda request: log.append("middleware request"))
    app.on_response(lambda request, response: log.append("middleware response"))
    app.add_route(handler, "/")
    async with serving(app) as server:
        await server.get("/none")
    assert log == [
        *ORDER[:5],
        "http.lifecycle.exception",
        "middleware request",
        "middleware response",
        *ORDER[-2:],
    ]


async def test_signals_around_middleware_tell_where_it_is_attached(app: Any) -> None:
    log: list[tuple[str, str, bool]] = []
    for attach_to in ("request", "response"):
        for when in ("before", "after"):

            async def hear(request: Any, response: Any, attach_to: str = attach_to, when: str = when) -> None:
                log.append((attach_to, when, response is None))

            app.add_signal(hear, f"http.middleware.{when}", {"attach_to": attach_to})
    app.on_request(lambda request: None)
    app.on_response(lambda request, response: None)
    app.add_route(handler, "/")
    async with serving(app) as server:
        await server.get("/")
    assert log == [
        ("request", "before", True),
        ("request", "after", True),
        ("response", "before", False),
        ("response", "after", False),
    ]


async def test_after_the_handler_is_not_dispatched_when_it_raised(app: Any) -> None:
    log: list[str] = []

    @app.get("/")
    async def fail(request: Any) -> Any:
        raise ValueError

    for event in ("http.handler.before", "http.handler.after"):
        app.signal(event)(lambda request, event=event: log.append(event))
    async with serving(app) as server:
        assert (await server.get("/")).status_code == 500
    assert log == ["http.handler.before"]


async def test_parameters_of_the_path_may_be_changed_after_routing(app: Any) -> None:
    @app.signal("http.routing.after")
    async def change(request: Any, route: Any, kwargs: Any, handler: Any) -> None:
        assert (route.name, kwargs) == (f"{app.name}.show", {"name": "a"})
        request.match_info["name"] = "changed"

    @app.get("/<name>")
    async def show(request: Any, name: str) -> Any:
        return text(name)

    async with serving(app) as server:
        assert (await server.get("/a")).text == "changed"


@pytest.mark.parametrize(
    "event",
    [
        "http.lifecycle.handle",
        "http.routing.before",
        "http.routing.after",
        "http.handler.before",
        "http.handler.after",
        "http.lifecycle.response",
        "http.lifecycle.request",
        "http.lifecycle.send",
    ],
)
async def test_a_signal_that_is_listened_to_after_the_start_is_dispatched(app: Any, event: str) -> None:
    log: list[str] = []
    app.add_route(handler, "/")
    async with serving(app) as server:
        await server.get("/")

        @app.signal(event)
        async def hear(**context: Any) -> None:
            log.append(event)

        await server.get("/")
    assert log == [event]


async def test_a_signal_can_be_waited_for_during_requests(app: Any) -> None:
    import asyncio

    app.add_route(handler, "/")
    app.add_signal(None, "http.lifecycle.response")
    async with serving(app) as server:
        waiting = asyncio.ensure_future(app.event("http.lifecycle.response", timeout=5))
        await asyncio.sleep(0)
        await server.get("/")
        context = await waiting
    assert context["response"].status == 200


# -- Methods that are answered without being declared


@pytest.mark.parametrize(("auto_head", "status"), [(True, 200), (False, 405)])
async def test_head_is_answered_by_the_route_for_get(app: Any, auto_head: bool, status: int) -> None:
    app.config.AUTO_HEAD = auto_head
    log: list[str] = []
    app.on_request(lambda request: log.append(request.method))
    app.add_route(handler, "/")
    async with serving(app) as server:
        response = await server.request("HEAD", "/")
        assert (response.status_code, response.content) == (status, b"")
    assert log == ["HEAD"]
    assert len(app.router.routes) == 1


@pytest.mark.parametrize(("auto_options", "status"), [(True, 204), (False, 405)])
async def test_options_are_answered_with_the_methods_there_are(app: Any, auto_options: bool, status: int) -> None:
    app.config.AUTO_OPTIONS = auto_options
    log: list[str] = []
    reported: list[Exception] = []
    app.on_request(lambda request: log.append(request.method))
    app.on_response(lambda request, response: response.headers.update({"x-seen": "1"}))
    app.report_exception(lambda app, exception: reported.append(exception))
    app.add_route(handler, "/", methods=["GET", "POST"])
    async with serving(app) as server:
        response = await server.request("OPTIONS", "/")
        assert response.status_code == status
        expected = {"GET", "POST", "HEAD"} | ({"OPTIONS"} if auto_options else set())
        assert set(response.headers["allow"].split(", ")) == expected
        assert response.headers["x-seen"] == "1"
        assert (await server.request("OPTIONS", "/none")).status_code == 404
    assert log == ["OPTIONS", "OPTIONS"]
    assert len(reported) == (1 if auto_options else 2)
    assert route(app).methods == {"GET", "POST"}


async def test_a_declared_route_for_options_comes_first(app: Any) -> None:
    app.config.AUTO_OPTIONS = True
    app.add_route(handler, "/")
    app.options("/")(lambda request: text("own"))
    app.router.routes[-1].name = "options"
    async with serving(app) as server:
        assert (await server.request("OPTIONS", "/")).text == "own"


# -- What a route carries


async def test_ctx_keywords_are_found_on_the_route(app: Any) -> None:
    @app.get("/", ctx_label="x", ctx_number=1)
    async def show(request: Any) -> Any:
        return text(f"{request.route.ctx.label} {request.route.ctx.number}")

    bp = Blueprint("bp")
    bp.add_route(show, "/bp", ctx_label="y", ctx_number=2)
    app.blueprint(bp)
    async with serving(app) as server:
        assert (await server.get("/")).text == "x 1"
        assert (await server.get("/bp")).text == "y 2"
    with pytest.raises(TypeError, match="Unexpected keyword arguments: label"):
        app.get("/other", label="x")


@pytest.mark.parametrize("error_format", ["html", "json", "text"])
async def test_the_error_format_of_a_route_decides_on_its_error_pages(app: Any, error_format: str) -> None:
    @app.get("/", error_format=error_format)
    async def fail(request: Any) -> Any:
        raise ValueError

    async with serving(app) as server:
        content_type = (await server.get("/")).headers["content-type"]
    assert content_type.split(";")[0].endswith({"html": "html", "json": "json", "text": "plain"}[error_format])


async def answers_with_json(request: Any) -> Any:
    return json({})


async def answers_with_either(request: Any) -> Any:
    return json({}) if request.args else text("")


def decorated(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (answers_with_json, "json"),
        (answers_with_either, None),
        (decorated(answers_with_json), "json"),
        (functools.partial(answers_with_json), None),
    ],
)
def test_the_error_format_is_guessed_from_what_the_handler_calls(app: Any, function: Any, expected: Any) -> None:
    app.add_route(function, "/", name="index")
    assert route(app, "index").extra.error_format == expected


def test_attributes_and_modules_of_the_same_name_say_nothing(app: Any) -> None:
    namespace: dict[str, Any] = {}
    exec("import json\nasync def handler(request):\n    return json.dumps(request.text)", namespace)
    app.add_route(namespace["handler"], "/")
    assert route(app).extra.error_format is None


async def test_a_helper_of_an_outer_function_counts_too(app: Any) -> None:
    from sanic.response import json

    @app.get("/")
    async def fail(request: Any) -> Any:
        if request.args:
            return json({})
        raise ValueError

    async with serving(app) as server:
        assert (await server.get("/")).headers["content-type"] == "application/json"


@pytest.mark.parametrize("ignored", ["GET", "HEAD", "OPTIONS"])
async def test_bodies_of_some_methods_are_read_only_on_demand(app: Any, ignored: str) -> None:
    @getattr(app, ignored.lower())("/")
    async def show(request: Any) -> Any:
        assert request.body == b""
        await request.receive_body()
        return text("", headers={"x-body": request.body.decode()})

    async with serving(app) as server:
        response = await server.request(ignored, "/", content=b"body")
    assert response.headers["x-body"] == "body"


def test_apps_share_nothing() -> None:
    one: Any = Sanic("one")
    two: Any = Sanic("two")
    one.on_request(lambda request: None)
    for app in (one, two):
        app.add_route(handler, "/")
        app.finalize()
    assert route(one).pipeline is not None
    assert route(two).pipeline is None
