"""A suite for a small app, as users of sanic-testing write them; each test runs with each of the package's clients."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sanic import Sanic
from tests.compat_sanic_testing.small_app import make_app
from tests.harness import free_port

# The package reaches for an old part of websockets, and leaves its sockets and loops to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*The listener SanicTestClient:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:There is no current event loop:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Fetch = Callable[..., tuple[Any, Any]]


@pytest.fixture
def app() -> Iterator[Sanic[Any, Any]]:
    own_call = Sanic.__call__
    yield make_app()
    # What the package leaves behind.
    Sanic.__call__ = own_call  # type: ignore[method-assign]
    Sanic.test_mode = False


@pytest.fixture(params=["test_client", "asgi_client", "ReusableClient", "TestManager", "TestManager over ASGI"])
def fetch(request: pytest.FixtureRequest, app: Sanic[Any, Any]) -> Iterator[Fetch]:
    """`fetch(method, path, ...)` with one of the clients: the request, and the response to it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import sanic_testing.reusable
        import sanic_testing.testing
    if request.param == "ReusableClient":
        # Its own choice, at random, may be in use.
        options = {"client_kwargs": {"follow_redirects": True}}
        client = sanic_testing.reusable.ReusableClient(app, port=free_port(), **options)
        with client:
            yield lambda method, *args, **options: getattr(client, method)(*args, **options)
        client._loop.close()
        return
    if request.param.startswith("TestManager"):
        from sanic_testing import TestManager

        manager = TestManager(app)
        assert app.test_client is manager.test_client
        assert app.asgi_client is manager.asgi_client
    if "ASGI" not in request.param.upper():
        yield lambda method, *args, **options: getattr(app.test_client, method)(*args, **options)
        return
    loop = asyncio.new_event_loop()

    def over_asgi(method: str, *args: Any, **options: Any) -> tuple[Any, Any]:
        app.asgi_client.follow_redirects = True
        found: tuple[Any, Any] = loop.run_until_complete(getattr(app.asgi_client, method)(*args, **options))
        return found

    yield over_asgi
    loop.run_until_complete(app.asgi_client.aclose())
    loop.close()


def test_a_get_gives_request_and_response(fetch: Fetch) -> None:
    request, response = fetch("get", "/")

    assert request.path == "/"
    assert request.method == "GET"
    assert request.ctx.marked
    assert (response.status, response.status_code) == (200, 200)
    assert response.text == "marked"
    assert response.body == b"marked"
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.headers["x-signed"] == "yes"


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_each_method_has_its_call(fetch: Fetch, method: str) -> None:
    _, response = fetch(method, "/echo", params={"a": ["1", "2"]}, headers={"X-Test": "yes"})

    assert response.json["method"] == method.upper()
    assert response.json["args"] == {"a": ["1", "2"]}
    assert response.json["header"] == "yes"


def test_a_body_is_sent_as_json_or_as_a_form(fetch: Fetch) -> None:
    assert fetch("post", "/echo", json={"a": [1]})[1].json["json"] == {"a": [1]}
    assert fetch("post", "/echo", data={"name": "x"})[1].json["form"] == {"name": ["x"]}


def test_files_are_uploaded(fetch: Fetch) -> None:
    _, response = fetch("post", "/files", files={"file": ("a.txt", b"12345", "text/plain")})

    assert response.json == {"name": "a.txt", "size": 5, "type": "text/plain"}


def test_path_parameters_are_converted(fetch: Fetch) -> None:
    request, response = fetch("get", "/items/7")

    assert (response.status, response.json) == (201, {"number": 7})
    assert request.match_info == {"number": 7}


def test_cookies_go_both_ways(fetch: Fetch) -> None:
    _, response = fetch("get", "/cookie")
    assert response.cookies["flavour"] == "oat"
    assert "HttpOnly" in response.headers["set-cookie"]
    _, response = fetch("get", "/echo", headers={"Cookie": "flavour=rye; other=2"})
    assert response.json["cookies"] == {"flavour": ["rye"], "other": ["2"]}


def test_streams_go_both_ways(fetch: Fetch) -> None:
    async def pieces() -> Any:
        for _ in range(3):
            yield b"x" * 1000

    assert fetch("get", "/stream")[1].text == "0,1,2,"
    assert fetch("post", "/upload", content=pieces())[1].text == "3000"


def test_redirects_are_followed(fetch: Fetch) -> None:
    _, response = fetch("get", "/old")

    assert response.json == {"number": 3}
    assert [step.status_code for step in response.history] == [302]


@pytest.mark.parametrize(
    ("path", "status", "part"),
    [
        ("/nowhere", 404, "/nowhere"),
        ("/tea", 418, "Short and stout"),
        ("/crash", 500, "caught by zero"),
        ("/items/x", 404, ""),
    ],
)
def test_errors_are_responses(fetch: Fetch, path: str, status: int, part: str) -> None:
    _, response = fetch("get", path)

    assert response.status == status
    assert part in response.text


def test_a_wrong_method_is_a_405(fetch: Fetch) -> None:
    _, response = fetch("post", "/")

    assert response.status == 405


def test_other_kinds_of_bodies(fetch: Fetch) -> None:
    assert fetch("get", "/nothing")[1].status == 204
    assert fetch("get", "/bytes")[1].body == b"\x00\x01"
    assert fetch("get", "/sync")[1].text == "<p>sync</p>"
    assert fetch("head", "/")[1].headers["content-length"] == "6"


def test_a_blueprint_has_middleware_of_its_own(fetch: Fetch) -> None:
    assert fetch("get", "/v1/api/secret")[1].status == 401
    assert fetch("get", "/v1/api/secret", headers={"Authorization": "Bearer secret"})[1].json == {"secret": 42}


def test_one_app_takes_many_requests(fetch: Fetch) -> None:
    assert [fetch("get", f"/items/{number}")[1].json["number"] for number in range(5)] == list(range(5))


def test_the_request_need_not_be_gathered(app: Sanic[Any, Any]) -> None:
    request, response = app.test_client.get("/", gather_request=False)

    assert request is None
    assert response.status == 200


def test_listeners_run_for_each_run_of_the_server(app: Sanic[Any, Any]) -> None:
    for _ in range(2):
        app.test_client.get("/")

    assert app.ctx.steps == ["start", "stop", "start", "stop"]


def test_debug_mode_shows_the_exception(app: Sanic[Any, Any]) -> None:
    @app.get("/broken")
    async def broken(request: Any) -> None:
        raise RuntimeError("the reason")

    assert "the reason" not in app.test_client.get("/broken")[1].text
    assert "the reason" in app.test_client.get("/broken", debug=True)[1].text
    assert not app.debug
    assert "the reason" not in app.test_client.get("/broken")[1].text


def test_nothing_stays_behind(app: Sanic[Any, Any]) -> None:
    before = list(app.request_middleware)
    app.test_client.get("/")

    assert list(app.request_middleware) == before
    assert app.state.server_info == []
    assert Sanic.get_app("small_app") is app


def test_a_name_may_be_used_again_in_test_mode(app: Sanic[Any, Any]) -> None:
    app.test_client.get("/")

    assert make_app().test_client.get("/")[1].status == 200


def test_a_websocket_talks(app: Sanic[Any, Any]) -> None:
    async def mimic(ws: Any) -> None:
        await ws.send("one")
        assert await ws.recv() == "one!"

    _, response = app.test_client.websocket("/feed", mimic=mimic)

    assert response.client_sent == ["one", ""]
    assert response.client_received == ["one!"]


async def test_a_websocket_opens_over_asgi(app: Sanic[Any, Any]) -> None:
    _, response = await app.asgi_client.websocket("/feed")

    assert response == {"opened": True}
