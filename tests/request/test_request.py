"""A request together with its application, its connection and its response."""

from __future__ import annotations

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from sanic import Blueprint, Request, empty, json, text
from sanic.compat import Header
from sanic.exceptions import BadRequest, SanicException, ServerError, Unauthorized
from sanic.response import HTTPResponse
from tests.harness import serving
from tests.request.tools import make_request

# What it is for the application


def test_it_shows_method_and_path(app: Any) -> None:
    class Special(Request):
        pass

    assert repr(make_request(app, b"/a?b", method="PUT")) == "<Request: PUT /a>"
    assert repr(make_request(app, b"/a", request_class=Special)) == "<Special: GET /a>"


def test_what_needs_a_connection_or_a_route_is_absent_without_them(app: Any) -> None:
    request = make_request(app)

    assert (request.conn_info, request.transport, request.stream, request.network_paths) == (None, None, None, None)
    assert (request.ip, request.port, request.socket) == ("", 0, (None, None))
    assert (request.route, request.name, request.endpoint, request.uri_template) == (None, None, None, None)
    assert (request.match_info, request.responded, request.body) == ({}, False, b"")


async def test_it_knows_its_route(app: Any) -> None:
    shop = Blueprint("shop", url_prefix="/shop")
    seen: list[Any] = []

    @shop.get("/<book:int>/<page:str>")
    async def read(request: Request, book: int, page: str) -> Any:
        seen.extend([request.name, request.endpoint, request.uri_template, request.match_info])
        assert request.route is not None
        seen.append(request.route.name)
        return text("")

    app.blueprint(shop)
    async with serving(app) as server:
        await server.get("/shop/3/a%20b")

    name = f"{app.name}.shop.read"
    assert seen == [name, name, "/shop/<book:int>/<page:str>", {"book": 3, "page": "a%20b"}, name]


async def test_an_unknown_path_has_no_route(app: Any) -> None:
    seen: list[Any] = []

    @app.on_request
    async def look(request: Request) -> None:
        seen.append((request.route, request.name, request.endpoint, request.uri_template, request.match_info))

    @app.get("/")
    async def handler(request: Request) -> Any:
        return text("")

    async with serving(app) as server:
        response = await server.get("/nowhere")

    assert (response.status_code, seen) == (404, [(None, None, None, None, {})])


@pytest.mark.parametrize("how", ["change", "replace"])
async def test_middleware_decides_what_the_handler_gets(app: Any, how: str) -> None:
    @app.on_request
    async def change(request: Request) -> None:
        if how == "replace":
            request.match_info = {"name": "ada", "more": 1}
        else:
            request.match_info["name"] = "ada"
            request.match_info["more"] = 1

    @app.get("/<name>")
    async def handler(request: Request, name: str, more: int) -> Any:
        return json([name, more, request.match_info])

    async with serving(app) as server:
        response = await server.get("/bob")

    assert response.json() == ["ada", 1, {"name": "ada", "more": 1}]


async def test_each_request_has_a_namespace_of_its_own(app: Any) -> None:
    @app.on_request
    async def count(request: Request) -> None:
        assert isinstance(request.ctx, SimpleNamespace)
        request.ctx.count = getattr(request.ctx, "count", 0) + 1

    @app.get("/")
    async def handler(request: Request) -> Any:
        return text(str(request.ctx.count))

    async with serving(app) as server:
        assert [(await server.get()).text for _ in range(2)] == ["1", "1"]


def test_a_subclass_makes_its_own_namespace(app: Any) -> None:
    class Context:
        pass

    class Special(Request):
        @staticmethod
        def make_context() -> Any:
            return Context()

    request = make_request(app, request_class=Special)

    assert isinstance(request.ctx, Context)
    assert request.ctx is request.ctx


# Its id

UUID = "6f1b2c1e-3a4b-4c5d-8e9f-0a1b2c3d4e5f"


@pytest.mark.parametrize(
    ("sent", "value"), [(UUID, uuid.UUID(UUID)), ("12", 12), ("-3", -3), ("abc-1", "abc-1"), ("9" * 5000, "9" * 5000)]
)
def test_the_id_is_what_the_client_sends_as_uuid_number_or_text(app: Any, sent: str, value: Any) -> None:
    assert make_request(app, headers={"X-Request-ID": sent}).id == value


def test_the_header_of_the_id_is_configured(app: Any) -> None:
    app.config.REQUEST_ID_HEADER = "X-Trace"

    assert make_request(app, headers={"X-Trace": "a", "X-Request-ID": "b"}).id == "a"


@pytest.mark.parametrize("headers", [{}, {"X-Request-ID": ""}])
def test_an_id_is_made_once_for_a_request_that_brings_none(app: Any, headers: dict[str, str]) -> None:
    request, other = make_request(app, headers=headers), make_request(app, headers=headers)

    assert isinstance(request.id, uuid.UUID)
    assert request.id == request.id
    assert request.id != other.id


class IdOfClass(Request):
    @classmethod
    def generate_id(cls) -> Any:  # type: ignore[override]
        return cls.__name__


class IdOfRequest(Request):
    @classmethod
    def generate_id(cls, request: Any) -> Any:  # type: ignore[override]
        return request.path


class IdOfAnything(Request):
    @classmethod
    def generate_id(*arguments: Any) -> Any:
        return len(arguments)


class IdWithoutArguments(Request):
    @staticmethod
    def generate_id() -> Any:  # type: ignore[override]
        return "static"


class IdOfInstance(Request):
    def generate_id(self) -> Any:  # type: ignore[override]
        return self.method


class Inherited(IdOfClass):
    pass


@pytest.mark.parametrize(
    ("request_class", "value"),
    [
        (IdOfClass, "IdOfClass"),
        (IdOfRequest, "/path"),
        (IdOfAnything, 2),
        (IdWithoutArguments, "static"),
        (IdOfInstance, "GET"),
        (Inherited, "Inherited"),
    ],
)
def test_a_subclass_makes_ids_in_any_way_that_can_be_written(app: Any, request_class: Any, value: Any) -> None:
    assert make_request(app, request_class=request_class).id == value
    assert make_request(app, headers={"X-Request-ID": "sent"}, request_class=request_class).id == "sent"


# Classes of one's own


async def test_a_subclass_may_add_slots_and_methods(app_name: str) -> None:
    from sanic import Sanic

    class Special(Request):
        __slots__ = ("user",)

        def greeting(self) -> str:
            return f"Hello {self.user}"

    app: Any = Sanic(app_name, request_class=Special)

    @app.on_request
    async def know(request: Special) -> None:
        request.user = request.args.get("user")

    @app.get("/")
    async def handler(request: Special) -> Any:
        assert not hasattr(request, "__dict__")
        return text(request.greeting())

    async with serving(app) as server:
        response = await server.get("/?user=ada")

    assert response.text == "Hello ada"


async def test_the_constructor_of_a_subclass_sees_headers_and_head(app_name: str) -> None:
    from sanic import Sanic

    class Special(Request):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.seen = [type(kwargs["headers"]) is Header, self.headers.getall("x-a"), self.head, self.path]

    app: Any = Sanic(app_name, request_class=Special)

    @app.get("/a")
    async def handler(request: Special) -> Any:
        return text(repr(request.seen))

    async with serving(app) as server:
        answer = await server.send_raw(b"GET /a HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nConnection: close\r\n\r\n")

    head = b"GET /a HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nConnection: close"
    assert answer.endswith(repr([True, ["1"], head, "/a"]).encode())


@pytest.mark.parametrize(
    ("error", "status"), [(Unauthorized("Who are you?"), 401), (RuntimeError("a mistake"), 500), (None, 200)]
)
async def test_what_the_constructor_of_a_subclass_raises_is_answered(
    app_name: str, error: Exception | None, status: int
) -> None:
    from sanic import Sanic

    class Special(Request):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            if error is not None:
                raise error

    app: Any = Sanic(app_name, request_class=Special)

    @app.get("/")
    async def handler(request: Special) -> Any:
        return text("")

    async with serving(app) as server:
        response = await server.get()

    assert response.status_code == status


# Which request is running


async def test_the_current_request_is_known_in_the_handler_and_in_tasks_it_makes(app: Any) -> None:
    async def path() -> str:
        await asyncio.sleep(0)
        return Request.get_current().path

    @app.get("/<name>")
    async def handler(request: Request, name: str) -> Any:
        assert Request.get_current() is request
        return text(await asyncio.create_task(path()) + await path())

    async with serving(app) as server:
        responses = await asyncio.gather(*(server.get(f"/{number}") for number in range(5)))

    assert [response.text for response in responses] == [f"/{number}/{number}" for number in range(5)]
    with pytest.raises(ServerError, match="No current request"):
        Request.get_current()


# Its connection


async def test_it_knows_both_ends_of_its_connection(app: Any) -> None:
    seen: list[Any] = []

    @app.get("/")
    async def handler(request: Request) -> Any:
        info = request.conn_info
        assert info is not None
        assert request.transport.get_extra_info("peername") == info.peername
        assert request.protocol.app is app
        info.ctx.count = getattr(info.ctx, "count", 0) + 1
        seen.append((request.ip, request.client_ip, request.remote_addr, info.client, info.server, info.ssl))
        seen.append((request.port == info.client_port > 0, request.socket == ("127.0.0.1", request.port)))
        seen.append((info.ctx.count, info.lost, info.server_name, request.network_paths))
        return text("")

    async with serving(app) as server:
        await server.get()
        await server.get()
        address = f"127.0.0.1:{server.port}"

    assert seen[:3] == [
        ("127.0.0.1", "127.0.0.1", "", "127.0.0.1", address, False),
        (True, True),
        (1, False, "", None),
    ]
    assert seen[5] == (2, False, "", None)


async def test_a_unix_socket_has_no_address(app: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "sock")
    seen: list[Any] = []

    @app.get("/")
    async def handler(request: Request) -> Any:
        info = request.conn_info
        assert info is not None
        seen.extend([request.ip, request.port, request.socket, request.client_ip, info.server])
        return text("")

    async with serving(app, unix=path) as server:
        assert (await server.get()).status_code == 200

    assert seen == ["", 0, (None, None), "", path]


def test_only_http_3_has_stream_numbers_and_only_asgi_a_scope(app: Any) -> None:
    request = Request(b"/", Header(), "3", "GET", None, app, b"", 7)

    assert request.stream_id == 7
    with pytest.raises(ServerError, match=r"HTTP/1\.1"):
        _ = make_request(app).stream_id
    with pytest.raises(NotImplementedError, match="ASGI"):
        _ = request.scope


# Its response


async def test_a_response_is_attached_and_middleware_runs_when_the_handler_responds(app: Any) -> None:
    events: list[Any] = []

    @app.on_response
    async def sign(request: Request, response: HTTPResponse) -> None:
        events.append("middleware")
        response.headers["x-signed"] = "1"

    @app.get("/")
    async def handler(request: Request) -> None:
        events.append(request.responded)
        response = await request.respond(status=201, headers={"x-own": "2"}, content_type="a/b")
        events.append(request.responded)
        await response.send("body", True)

    async with serving(app) as server:
        response = await server.get()

    assert events == [False, "middleware", True]
    assert (response.status_code, response.text, response.headers["content-type"]) == (201, "body", "a/b")
    assert (response.headers["x-own"], response.headers["x-signed"]) == ("2", "1")


async def test_respond_takes_a_response_and_returns_what_middleware_makes_of_it(app: Any) -> None:
    @app.on_response
    async def replace(request: Request, response: HTTPResponse) -> Any:
        return text(f"{response.body.decode()} replaced", 202)

    @app.get("/")
    async def handler(request: Request) -> None:
        response = await request.respond(text("first"))
        await response.eof()

    async with serving(app) as server:
        response = await server.get()

    assert (response.status_code, response.text) == (202, "first replaced")


async def test_one_response_object_may_answer_many_requests_at_once(app: Any) -> None:
    made_once = text("the same")
    in_middleware: list[Request] = []
    all_are_there = asyncio.Event()

    @app.on_response
    async def wait_for_the_others(request: Request, response: HTTPResponse) -> None:
        in_middleware.append(request)
        if len(in_middleware) == 4:
            all_are_there.set()
        await all_are_there.wait()

    @app.get("/")
    async def handler(request: Request) -> HTTPResponse:
        return made_once

    async with serving(app) as server:
        responses = await asyncio.gather(*(server.get() for _ in range(4)))

    assert [(response.status_code, response.text) for response in responses] == [(200, "the same")] * 4


async def test_one_response_object_may_be_attached_to_many_requests_before_it_is_sent(app: Any) -> None:
    made_once = text("the same")
    attached: list[Request] = []
    all_are_there = asyncio.Event()

    @app.get("/")
    async def handler(request: Request) -> HTTPResponse:
        response: HTTPResponse = await request.respond(made_once)
        attached.append(request)
        if len(attached) == 4:
            all_are_there.set()
        await all_are_there.wait()
        return response

    async with serving(app) as server:
        responses = await asyncio.gather(*(server.get() for _ in range(4)))

    assert [(response.status_code, response.text) for response in responses] == [(200, "the same")] * 4


async def test_a_second_response_is_refused_until_the_first_one_is_reset(app: Any) -> None:
    runs: list[int] = []

    @app.on_response
    async def count(request: Request, response: HTTPResponse) -> None:
        runs.append(response.status)

    @app.get("/")
    async def handler(request: Request) -> Any:
        first = await request.respond(status=201)
        with pytest.raises(ServerError, match=r"^Second respond call is not allowed\.$"):
            await request.respond()
        request.reset_response()
        assert not request.responded
        with pytest.raises(SanicException):
            await first.send("not connected any more")
        return text("second")

    async with serving(app) as server:
        response = await server.get()

    assert (response.status_code, response.text) == (200, "second")
    assert runs == [201]  # once for a request


async def test_a_sent_response_cannot_be_reset(app: Any) -> None:
    @app.get("/")
    async def handler(request: Request) -> None:
        response = await request.respond()
        await response.send("sent")
        with pytest.raises(ServerError, match="already"):
            request.reset_response()

    async with serving(app) as server:
        response = await server.get()

    assert response.text == "sent"


async def test_an_error_after_respond_takes_the_place_of_what_was_not_sent(app: Any) -> None:
    @app.get("/")
    async def handler(request: Request) -> None:
        await request.respond(text("never sent"))
        raise BadRequest("changed my mind")

    async with serving(app) as server:
        response = await server.get()

    assert response.status_code == 400
    assert "changed my mind" in response.text


async def test_a_request_made_by_hand_can_be_given_a_response_but_not_send_it(app: Any) -> None:
    request = make_request(app)

    response = await request.respond(empty())

    assert response.status == 204
    request.reset_response()
    with pytest.raises(SanicException, match="respond"):
        await response.send()
