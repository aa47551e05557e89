"""What surrounds errors that come before a route is found."""

from __future__ import annotations

from typing import Any

from sanic import text
from sanic.exceptions import BadRequest, Unauthorized
from tests.harness import responses_in, serving


async def test_middleware_that_raises_on_an_unknown_path_is_answered_like_a_handler(app: Any) -> None:
    runs = []

    @app.on_request
    async def authorize(request: Any) -> None:
        runs.append("request")
        raise Unauthorized("who are you?")

    @app.on_response
    async def mark(request: Any, response: Any) -> None:
        runs.append("response")
        response.headers["x-marked"] = "yes"

    @app.exception(Unauthorized)
    async def answer(request: Any, exception: Exception) -> Any:
        return text(f"custom: {exception}", 401)

    @app.get("/")
    async def index(request: Any) -> Any:
        return text("")

    async with serving(app) as server:
        for path in ("/", "/nowhere"):
            response = await server.get(path)
            assert (response.status_code, response.text, response.headers["x-marked"]) == (
                401,
                "custom: who are you?",
                "yes",
            )
    assert runs == ["request", "response"] * 2


async def test_request_middleware_runs_for_messages_that_are_refused(app: Any) -> None:
    @app.on_request
    async def begin(request: Any) -> None:
        request.ctx.begun = "yes"

    @app.on_response
    async def end(request: Any, response: Any) -> None:
        response.headers["x-begun"] = request.ctx.begun

    @app.get("/")
    async def index(request: Any) -> Any:
        return text("")

    async with serving(app) as server:
        data = await server.send_raw(b"GET / HTTP/1.1\r\nhost: a\r\nno header\r\n\r\n")
    (response,) = await responses_in(data)
    assert (response.status, response.get("x-begun")) == (400, "yes")


async def test_a_signal_handler_that_refuses_a_request_answers_it(app: Any) -> None:
    @app.signal("http.lifecycle.request")
    async def refuse(request: Any) -> None:
        raise BadRequest("not today")

    @app.get("/")
    async def index(request: Any) -> Any:
        return text("")

    async with serving(app) as server:
        response = await server.get("/")
    assert response.status_code == 400
    assert "not today" in response.text


async def test_exceptions_are_reported_before_they_are_answered(app: Any) -> None:
    events = []

    @app.signal("server.exception.report")
    async def report(exception: Exception) -> None:
        events.append("report")

    @app.signal("http.lifecycle.exception")
    async def notice(request: Any, exception: Exception) -> None:
        events.append("exception")

    @app.on_response
    async def end(request: Any, response: Any) -> None:
        events.append("response")

    @app.get("/")
    async def index(request: Any) -> Any:
        return text("")

    async with serving(app) as server:
        await server.get("/nowhere")
    assert events == ["report", "exception", "response"]
