"""Requests and responses over ASGI, with the server's side in memory."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from sanic import Sanic, empty, json, text
from sanic.exceptions import ClientDisconnected
from tests.asgi.driver import DISCONNECT, Conversation, ask, body, http_scope, living


@pytest.fixture
def facts(app: Sanic[Any, Any]) -> Sanic[Any, Any]:
    @app.route("/<path:path>", methods=["GET", "POST", "HEAD"], unquote=False, name="facts")
    @app.route("/", methods=["GET", "POST"], name="root")
    async def facts(request: Any, path: str = "") -> Any:
        return json(
            {
                "path": request.path,
                "args": request.args,
                "url": request.url,
                "ip": request.ip,
                "port": request.port,
                "version": request.version,
                "scheme": request.scheme,
                "tls": request.conn_info.ssl,
                "body": request.body.decode(),
                "scope": request.scope["type"],
                "transport": request.transport.scope["path"],
            }
        )

    return app


async def facts_of(app: Sanic[Any, Any], scope: dict[str, Any], *messages: dict[str, Any]) -> dict[str, Any]:
    async with living(app):
        answer = await ask(app, scope, *messages)
    assert answer.status == 200
    import json as reader

    return dict(reader.loads(answer.body))


async def test_a_complete_response_is_one_start_and_one_body(app: Sanic[Any, Any]) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        return text("hello", headers={"X-Test": "1"})

    async with living(app):
        answer = await ask(app, http_scope())

    assert answer.sent == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"x-test", b"1"),
                (b"content-length", b"5"),
                (b"content-type", b"text/plain; charset=utf-8"),
            ],
        },
        {"type": "http.response.body", "body": b"hello", "more_body": False},
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"query_string": b"a=1&a=2"}, {"args": {"a": ["1", "2"]}}),
        ({"path": "/a b/ü", "raw_path": b"/a%20b/%C3%BC"}, {"path": "/a%20b/%C3%BC"}),
        ({"path": "/a b/ü", "raw_path": None}, {"path": "/a%20b/%C3%BC"}),
        ({"path": "/a/b", "raw_path": b"/a%2Fb"}, {"path": "/a%2Fb"}),
        ({"path": "/x", "raw_path": b"/mount/x"}, {"path": "/x"}),
        ({"path": "/x", "raw_path": b"/x?a=1", "query_string": b"a=1"}, {"path": "/x", "args": {"a": ["1"]}}),
        ({"path": "/mount/x", "raw_path": b"/mount/x", "root_path": "/mount"}, {"path": "/x"}),
        ({"path": "/mount", "raw_path": b"/mount", "root_path": "/mount/"}, {"path": "/"}),
        ({"path": "/mounted/x", "raw_path": b"/mounted/x", "root_path": "/mount"}, {"path": "/mounted/x"}),
        ({"scheme": "https"}, {"scheme": "https", "tls": True, "url": "https://example.com/"}),
        ({}, {"scheme": "http", "tls": False, "ip": "192.0.2.7", "port": 5000, "scope": "http", "transport": "/"}),
        ({"client": None, "server": ["/run/x.sock", None]}, {"ip": "", "port": 0}),
        ({"http_version": "2"}, {"version": "2"}),
    ],
)
async def test_a_scope_becomes_a_request(
    facts: Sanic[Any, Any], changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = await facts_of(facts, http_scope(**changes))

    assert {name: found[name] for name in expected} == expected


async def test_a_body_in_pieces_is_one_body(facts: Sanic[Any, Any]) -> None:
    pieces = [body(b"one ", True), body(b"", True), body(b"two", False)]

    assert (await facts_of(facts, http_scope(method="POST"), *pieces))["body"] == "one two"


async def test_a_body_is_streamed_in(app: Sanic[Any, Any]) -> None:
    @app.post("/", stream=True)
    async def upload(request: Any) -> Any:
        return json([len(piece) async for piece in request.stream])

    async with living(app):
        answer = await ask(app, http_scope(method="POST"), body(b"12345", True), body(b"678"))

    assert answer.body == b"[5,3]"


async def test_a_body_is_taken_in_no_faster_than_it_is_read(app: Sanic[Any, Any]) -> None:
    app.config.REQUEST_BUFFER_SIZE = 10
    go = asyncio.Event()

    @app.post("/", stream=True)
    async def upload(request: Any) -> Any:
        await go.wait()
        return text(str(sum([len(piece) async for piece in request.stream])))

    async with living(app):
        pieces = [body(b"12345678", True) for _ in range(20)]
        conversation = Conversation(app, http_scope(method="POST"), *pieces, body())
        task = asyncio.ensure_future(conversation.run())
        for _ in range(50):
            await asyncio.sleep(0)
        assert conversation.inbox.qsize() == 19  # two pieces fill the buffer
        go.set()
        await task

    assert conversation.body == b"160"


async def test_a_body_above_the_limit_is_refused(app: Sanic[Any, Any]) -> None:
    app.config.REQUEST_MAX_SIZE = 10

    @app.post("/")
    async def upload(request: Any) -> Any:
        return text(str(len(request.body)))

    async with living(app):
        allowed = await ask(app, http_scope(method="POST"), body(b"12345", True), body(b"67890"))
        refused = await ask(app, http_scope(method="POST"), body(b"12345", True), body(b"678901"))

    assert (allowed.status, allowed.body) == (200, b"10")
    assert refused.status == 413


async def test_who_expects_100_continue_is_not_told_to_go_on_before_the_body_is_wanted(app: Sanic[Any, Any]) -> None:
    @app.post("/", stream=True)
    async def refuse(request: Any) -> Any:
        return text("no", 403)

    async with living(app):
        headers = [[b"host", b"a"], [b"expect", b"100-continue"]]
        answer = await ask(app, http_scope(method="POST", headers=headers), body(b"unwanted"))

    assert answer.status == 403
    assert answer.inbox.qsize() == 1


async def test_a_response_is_streamed_out(app: Sanic[Any, Any]) -> None:
    @app.get("/")
    async def stream(request: Any) -> Any:
        response = await request.respond(content_type="text/csv")
        await response.send("a")
        await response.send(b"b")
        await response.eof()

    async with living(app):
        answer = await ask(app, http_scope())

    assert answer.headers == {"content-type": "text/csv"}
    assert [(message["body"], message["more_body"]) for message in answer.sent[1:]] == [
        (b"a", True),
        (b"b", True),
        (b"", False),
    ]


@pytest.mark.parametrize(
    ("method", "path", "status", "length", "content"),
    [
        ("HEAD", "/text", 200, "5", b""),
        ("HEAD", "/told", 200, "99", b""),
        ("GET", "/204", 204, None, b""),
        ("GET", "/304", 304, None, b""),
        ("GET", "/empty", 200, "0", b""),
    ],
)
async def test_bodies_that_may_not_be_are_dropped(
    app: Sanic[Any, Any], method: str, path: str, status: int, length: str | None, content: bytes
) -> None:
    @app.get("/<what>")
    async def answer(request: Any, what: str) -> Any:
        answers = {
            "text": lambda: text("hello"),
            "told": lambda: text("", headers={"content-length": "99"}),
            "204": lambda: text("hello", 204),
            "304": lambda: text("hello", 304),
            "empty": lambda: empty(200),
        }
        return answers[what]()

    async with living(app):
        found = await ask(app, http_scope(path, method))

    assert (found.status, found.headers.get("content-length"), found.body) == (status, length, content)
    assert len(found.sent) == 2


async def test_a_body_that_does_not_fit_its_length_is_an_error(app: Sanic[Any, Any]) -> None:
    @app.get("/")
    async def wrong(request: Any) -> Any:
        response = await request.respond(headers={"content-length": "3"})
        await response.send(b"1234")

    async with living(app):
        answer = await ask(app, http_scope())

    assert answer.status == 500


async def test_hop_by_hop_headers_stay_here(app: Sanic[Any, Any]) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        return text("", headers={"Transfer-Encoding": "chunked", "Keep-Alive": "5", "Connection": "close"})

    async with living(app):
        first = await ask(app, http_scope())
        second = await ask(app, http_scope(http_version="2"))

    usual = {"content-length": "0", "content-type": "text/plain; charset=utf-8"}
    assert first.headers == {**usual, "connection": "close"}
    assert second.headers == usual


async def test_header_values_cannot_split_a_response(app: Sanic[Any, Any]) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        return text("", headers={"X-Test": "a\r\nset-cookie: b"})

    async with living(app):
        answer = await ask(app, http_scope())

    assert answer.headers["x-test"] == "aset-cookie: b"


@pytest.mark.parametrize("in_between", [[], [body(b"x", True)]])
async def test_a_disconnect_cancels_the_handler(app: Sanic[Any, Any], in_between: list[dict[str, Any]]) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    @app.post("/", stream=True)
    async def wait(request: Any) -> Any:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with living(app):
        conversation = Conversation(app, http_scope(method="POST"), *(in_between or [body()]))
        task = asyncio.ensure_future(conversation.run())
        await asyncio.wait_for(started.wait(), 5)
        conversation.inbox.put_nowait(DISCONNECT)
        await asyncio.wait_for(task, 5)

    assert cancelled.is_set()
    assert conversation.sent == []


async def test_who_waits_for_the_body_of_a_client_that_left_is_cancelled(app: Sanic[Any, Any]) -> None:
    seen = []

    @app.post("/", stream=True)
    async def wait(request: Any) -> Any:
        try:
            await request.stream.read()
            await request.stream.read()
        except BaseException as error:
            seen.append(type(error))
            raise

    async with living(app):
        await ask(app, http_scope(method="POST"), body(b"x", True), DISCONNECT)

    assert seen in ([asyncio.CancelledError], [ClientDisconnected])


async def test_when_the_server_cancels_the_request_it_is_cancelled(app: Sanic[Any, Any]) -> None:
    started = asyncio.Event()

    @app.get("/")
    async def wait(request: Any) -> Any:
        started.set()
        await asyncio.Event().wait()

    async with living(app):
        task = asyncio.ensure_future(Conversation(app, http_scope(), body()).run())
        await asyncio.wait_for(started.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_sending_fails_when_the_server_says_that_the_client_has_left(app: Sanic[Any, Any]) -> None:
    seen = []

    @app.get("/")
    async def stream(request: Any) -> Any:
        response = await request.respond()
        try:
            await response.send("a")
        except ConnectionError as error:
            seen.append(error)
            raise

    async def send(message: Any) -> None:
        raise BrokenPipeError

    async with living(app):
        await app(http_scope(), Conversation(app, {}, body()).inbox.get, send)

    assert [type(error) for error in seen] == [ClientDisconnected]


async def test_a_response_that_fails_half_way_is_not_ended(app: Sanic[Any, Any]) -> None:
    @app.get("/")
    async def stream(request: Any) -> Any:
        response = await request.respond()
        await response.send("a")
        raise RuntimeError("half-way")

    async with living(app):
        conversation = Conversation(app, http_scope(), body())
        with pytest.raises(Exception, match="could not be completed"):
            await conversation.run()

    assert [message.get("more_body") for message in conversation.sent] == [None, True]


async def test_errors_are_answered_as_everywhere(app: Sanic[Any, Any]) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        raise RuntimeError("x")

    async with living(app):
        assert (await ask(app, http_scope())).status == 500
        assert (await ask(app, http_scope("/nowhere"))).status == 404
        assert (await ask(app, http_scope("/", "PUT"))).status == 405


async def test_middleware_and_signals_run(app: Sanic[Any, Any]) -> None:
    steps = []

    @app.on_request
    async def before(request: Any) -> None:
        steps.append("request")

    @app.on_response
    async def after(request: Any, response: Any) -> None:
        steps.append("response")
        response.headers["x-after"] = "1"

    @app.signal("http.lifecycle.request")
    async def announced(request: Any) -> None:
        steps.append("signal")

    @app.get("/")
    async def index(request: Any) -> Any:
        return text("")

    async with living(app):
        answer = await ask(app, http_scope())

    assert steps == ["signal", "request", "response"]
    assert answer.headers["x-after"] == "1"


async def test_another_kind_of_scope_is_refused_by_name(app: Sanic[Any, Any]) -> None:
    with pytest.raises(Exception, match=r"'mqtt' is not served"):
        await app({"type": "mqtt"}, asyncio.Event().wait, asyncio.sleep)


async def test_a_server_that_repeats_the_end_of_the_body_does_not_stop_the_world(app: Sanic[Any, Any]) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        await asyncio.sleep(0)
        return text("")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async with living(app):
        conversation = Conversation(app, http_scope())
        await asyncio.wait_for(app(http_scope(), receive, conversation._send), 5)

    assert conversation.status == 200


async def test_app_and_response_know_that_they_are_under_asgi(
    app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    seen = {}

    @app.get("/")
    async def index(request: Any) -> Any:
        response = await request.respond(text("x"))
        seen.update(app=request.app.asgi, response=response.asgi, location=request.app.serve_location)
        return response

    with caplog.at_level(logging.WARNING):
        async with living(app):
            await ask(app, http_scope())

    assert seen == {"app": True, "response": True, "location": "http://<ASGI>"}


async def test_framing_headers_are_known_by_the_names_that_would_be_written(app: Sanic[Any, Any]) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        headers = {"Transfer-Encoding\n": "chunked", "\rContent-Length": "1", "Content-Type\0": "own"}
        return text("hello", headers=headers)

    async with living(app):
        answer = await ask(app, http_scope())

    assert sorted(answer.sent[0]["headers"]) == [(b"content-length", b"5"), (b"content-type", b"own")]


@pytest.mark.parametrize("length", [5, "5", b"5"])
async def test_values_of_framing_headers_may_be_of_any_type(app: Sanic[Any, Any], length: Any) -> None:
    @app.get("/")
    async def stream(request: Any) -> None:
        response = await request.respond(headers={"content-length": length, "connection": 5})
        await response.send(b"he")
        await response.send(b"llo")

    async with living(app):
        answer = await ask(app, http_scope())

    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "5", b"hello")


async def test_a_failure_after_the_end_of_a_response_is_logged_only(
    app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/")
    async def index(request: Any) -> None:
        response = await request.respond(text("hello"))
        await response.send(end_stream=True)
        raise RuntimeError("too late")

    async with living(app):
        answer = await ask(app, http_scope())

    assert answer.body == b"hello"
    assert "too late" in caplog.text
    assert "cut off" not in caplog.text


async def test_tiny_pieces_of_a_body_are_joined_where_many_wait(app: Sanic[Any, Any]) -> None:
    seen: list[int] = []

    @app.post("/", stream=True)
    async def count(request: Any) -> Any:
        while not request.stream.is_body_complete:  # noqa: ASYNC110
            await asyncio.sleep(0)
        seen.extend([len(piece) async for piece in request.stream])
        return text("")

    async with living(app):
        await ask(app, http_scope(method="POST"), *[body(b"ab", more=True)] * 10_000, body())

    assert sum(seen) == 20_000
    assert len(seen) < 40


@pytest.mark.parametrize("status", [199, 1000])
async def test_the_error_of_an_impossible_status_names_those_that_are_possible(
    app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture, status: int
) -> None:
    @app.get("/")
    async def index(request: Any) -> Any:
        return text("hello", status=status)

    async with living(app):
        answer = await ask(app, http_scope())

    assert answer.status == 500
    assert "from 200 to 999" in caplog.text
