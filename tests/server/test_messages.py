"""Every message of the table gets its answer, however it is cut."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanic import Request, Sanic
from sanic.response import HTTPResponse, raw, text
from tests.harness import Response, cut, responses_in, serving, turns
from tests.server.memory import Wire
from tests.server.messages import GET, MESSAGES, Message


def make_app(name: str) -> Sanic[Any, Any]:
    app = Sanic(name)

    @app.get("/", ignore_body=False)
    async def index(request: Request) -> HTTPResponse:
        return text("hi")

    @app.post("/echo")
    async def echo(request: Request) -> HTTPResponse:
        return raw(request.body)

    @app.post("/headers")
    async def headers(request: Request) -> HTTPResponse:
        return text(" ".join(request.headers))

    @app.get("/header")
    async def header(request: Request) -> HTTPResponse:
        return text(request.headers["x-value"])

    @app.get("/host")
    async def host(request: Request) -> HTTPResponse:
        return text(request.host)

    @app.get("/say/<word>")
    async def say(request: Request, word: str) -> HTTPResponse:
        return text(word)

    @app.get("/slow/<word>")
    async def slow(request: Request, word: str) -> HTTPResponse:
        await turns(5)
        return text(word)

    @app.get("/fail")
    async def fail(request: Request) -> HTTPResponse:
        raise ValueError("on purpose")

    @app.get("/close")
    async def close(request: Request) -> HTTPResponse:
        return text("bye", headers={"Connection": "close"})

    @app.post("/ignore", stream=True)
    async def ignore(request: Request) -> HTTPResponse:
        return text("ignored")

    return app


@pytest.fixture
async def app(app_name: str) -> AsyncIterator[Sanic[Any, Any]]:
    app = make_app(app_name)
    async with serving(app):
        yield app


async def answers(
    app: Sanic[Any, Any], pieces: Iterable[bytes], methods: tuple[str, ...]
) -> tuple[list[Response], bool]:
    wire = Wire(app)
    await wire.feed(pieces)
    await wire.settle()
    closed = wire.is_closed
    wire.abort()
    await turns(2)
    return await responses_in(bytes(wire.sent), *methods), closed


# Those after which others can follow, wherever the cuts are: an unknown method needs an idle connection.
REPEATABLE = [
    message
    for message in MESSAGES
    if not message.closes and "unknown method" not in message.name and 405 not in message.statuses
]
_numbers = itertools.count()


def method_of(message: Message) -> tuple[str, ...]:
    return message.methods + ("GET",) * (len(message.statuses) - len(message.methods))


def check(message: Message, responses: list[Response], closed: bool) -> None:
    assert tuple(response.status for response in responses) == message.statuses
    assert closed == message.closes
    if message.bodies is not None:
        assert tuple(response.body for response in responses) == message.bodies
    if closed:
        assert responses[-1].get("connection") == "close"
    for response in responses:
        if response.status == 405:
            assert response.get("allow")


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
async def test_a_message_gets_its_answer(app: Sanic[Any, Any], message: Message) -> None:
    responses, closed = await answers(app, [message.data], message.methods)

    check(message, responses, closed)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
async def test_a_message_cut_anywhere_gets_the_same_answer(app: Sanic[Any, Any], message: Message) -> None:
    for position in range(1, len(message.data)):
        responses, closed = await answers(app, cut(message.data, [position]), message.methods)
        check(message, responses, closed)
    responses, closed = await answers(app, cut(message.data, 1), message.methods)
    check(message, responses, closed)


@pytest.mark.parametrize("is_pipelined", [False, True], ids=["kept", "pipelined"])
@pytest.mark.parametrize(
    "message", [m for m in MESSAGES if m.closes and m.statuses[0] >= 400], ids=lambda message: message.name
)
async def test_a_bad_message_is_refused_behind_a_good_one(
    app: Sanic[Any, Any], message: Message, is_pipelined: bool
) -> None:
    pieces = [GET + b"\r\n", message.data]

    responses, closed = await answers(app, [b"".join(pieces)] if is_pipelined else pieces, ("GET",))

    # What does not even begin like a known method cannot follow a message that has not been answered yet.
    assert [response.status for response in responses] in ([200, *message.statuses], [200, 501][: 2 * is_pipelined])
    assert closed


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_messages_in_a_row_cut_at_random_get_their_answers(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(REPEATABLE), min_size=1, max_size=6))
    stream = b"".join(message.data for message in chosen)
    offsets = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=8)))

    async def run() -> None:
        app = make_app(f"random_{next(_numbers)}")
        async with serving(app):
            responses, closed = await answers(app, cut(stream, offsets), tuple(m for c in chosen for m in method_of(c)))
        Sanic.unregister_app(app)
        assert [response.status for response in responses] == [status for c in chosen for status in c.statuses]
        assert closed == chosen[-1].closes

    asyncio.run(run())
