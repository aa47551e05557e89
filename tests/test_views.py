"""Class-based views."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

import pytest

from sanic import Blueprint
from sanic.response import empty, text
from sanic.views import HTTPMethodView, stream
from tests.harness import serving

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Everything(HTTPMethodView):
    """Says which method it was."""

    def get(self, request: Any, **parameters: Any) -> Any:
        return text(f"get {parameters}" if parameters else "get")

    async def post(self, request: Any) -> Any:
        return text("post " + request.body.decode())

    async def put(self, request: Any) -> Any:
        return text("put")

    async def patch(self, request: Any) -> Any:
        return text("patch")

    async def delete(self, request: Any) -> Any:
        return text("delete")

    async def options(self, request: Any) -> Any:
        return text("options")


class OnlyGet(HTTPMethodView):
    async def get(self, request: Any) -> Any:
        return text("get")


@pytest.mark.parametrize("method", METHODS)
async def test_each_method_is_answered_by_its_own(app: Any, method: str) -> None:
    app.add_route(Everything.as_view(), "/")
    async with serving(app) as server:
        assert (await server.request(method, "/")).text.strip() == method.lower()


@pytest.mark.parametrize(
    "attach",
    [
        lambda owner: owner.add_route(OnlyGet.as_view(), "/x"),
        lambda owner: OnlyGet.attach(owner, uri="/x"),
        lambda owner: type("Attached", (OnlyGet,), {}, attach=owner, uri="/x"),
    ],
)
@pytest.mark.parametrize("on_blueprint", [False, True])
async def test_ways_to_register(app: Any, attach: Any, on_blueprint: bool) -> None:
    owner = Blueprint("bp") if on_blueprint else app
    attach(owner)
    if on_blueprint:
        app.blueprint(owner)
    async with serving(app) as server:
        assert (await server.get("/x")).text == "get"


def test_the_options_of_a_route_can_be_given(app: Any) -> None:
    class View(
        HTTPMethodView,
        attach=app,
        uri="/x",
        host="a.com",
        strict_slashes=True,
        version=2,
        name="given",
        stream=True,
        version_prefix="/api/v",
    ):
        async def get(self, request: Any) -> Any: ...

    route = app.router.routes[0]
    assert route.uri == "/api/v2/x"
    assert route.name == f"{app.name}.given"
    assert route.requirements == {"host": "a.com"}
    assert (route.strict, route.extra.stream) == (True, True)


def test_the_methods_are_those_of_the_class(app: Any) -> None:
    app.add_route(OnlyGet.as_view(), "/x", methods=["POST", "PUT"])
    app.add_route(Everything.as_view(), "/y")
    assert [route.methods for route in app.router.routes] == [{"GET"}, set(METHODS)]


async def test_a_class_without_methods_is_an_error_when_called(app: Any) -> None:
    class Nothing(HTTPMethodView):
        pass

    app.add_route(Nothing.as_view(), "/")
    assert app.router.routes[0].methods == {"GET"}
    async with serving(app) as server:
        assert (await server.get("/")).status_code == 405


def test_the_function_looks_like_the_class(app: Any) -> None:
    view = Everything.as_view()
    assert view.view_class is Everything  # type: ignore[attr-defined]
    assert (view.__name__, view.__doc__, view.__module__) == ("Everything", "Says which method it was.", __name__)
    app.add_route(view, "/")
    assert app.router.routes[0].name == f"{app.name}.Everything"


async def test_another_method_is_405_with_those_there_are(app: Any) -> None:
    app.add_route(OnlyGet.as_view(), "/")
    async with serving(app) as server:
        response = await server.post("/")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


async def test_head_is_answered_by_get(app: Any) -> None:
    app.add_route(Everything.as_view(), "/")
    async with serving(app) as server:
        response = await server.request("HEAD", "/")
    assert (response.status_code, response.headers["content-length"], response.content) == (200, "3", b"")


async def test_head_of_its_own_comes_first(app: Any) -> None:
    class View(OnlyGet):
        async def head(self, request: Any) -> Any:
            return empty(headers={"x-head": "1"})

    app.add_route(View.as_view(), "/")
    async with serving(app) as server:
        assert (await server.request("HEAD", "/")).headers["x-head"] == "1"


async def test_an_instance_is_made_for_each_request_with_what_as_view_was_given(app: Any) -> None:
    made: list[Any] = []

    class View(HTTPMethodView):
        def __init__(self, first: int, second: int) -> None:
            self.sum = first + second
            made.append(self)

        async def get(self, request: Any) -> Any:
            return text(str(self.sum))

    app.add_route(View.as_view(1, second=2), "/")
    assert made == []
    async with serving(app) as server:
        assert (await server.get("/")).text == "3"
        await server.get("/")
    assert len({id(view) for view in made}) == 2


async def test_path_parameters_reach_the_method(app: Any) -> None:
    app.add_route(Everything.as_view(), "/<number:int>")
    async with serving(app) as server:
        assert (await server.get("/7")).text == "get {'number': 7}"


async def test_decorators_are_applied_in_order_the_last_one_outermost(app: Any) -> None:
    log: list[str] = []

    def noting(name: str) -> Any:
        def decorate(function: Any) -> Any:
            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                log.append(name)
                return function(*args, **kwargs)

            return wrapper

        return decorate

    class View(OnlyGet):
        decorators: ClassVar = [noting("first"), noting("second")]

    app.add_route(View.as_view(), "/")
    async with serving(app) as server:
        assert (await server.get("/")).text == "get"
    assert log == ["second", "first"]


async def test_one_streaming_method_makes_the_view_a_streaming_one(app: Any) -> None:
    class View(OnlyGet):
        @stream
        async def post(self, request: Any) -> Any:
            assert request.body == b""
            return text(b"".join([piece async for piece in request.stream]).decode())

    app.add_route(View.as_view(), "/")
    assert app.router.routes[0].extra.stream is True
    async with serving(app) as server:
        assert (await server.post("/", content=b"piece by piece")).text == "piece by piece"


async def test_views_can_be_sync_and_have_a_body(app: Any) -> None:
    app.add_route(Everything.as_view(), "/")
    async with serving(app) as server:
        assert (await server.post("/", content=b"body")).text == "post body"
