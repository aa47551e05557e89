"""More packages for Sanic from the index: interfaces to query, to chat and to databases, and what watches requests.

Annotations are evaluated here, because these packages read them while the tests run.
"""

import asyncio
import json as standard_json
import re
import time
from collections.abc import AsyncGenerator, AsyncIterable
from pathlib import Path
from typing import Any

import pytest

from sanic import Blueprint, Request, Sanic, json, text


class Basket:
    def __init__(self, path: str) -> None:
        self.path = path


async def test_strawberry_answers_queries_uploads_and_subscriptions(app: Sanic[Any, Any], serve: Any) -> None:
    strawberry = pytest.importorskip("strawberry")
    uploads = pytest.importorskip("strawberry.file_uploads")
    views = pytest.importorskip("strawberry.sanic.views")

    class Query:
        @strawberry.field
        def hello(self, info: strawberry.Info, name: str = "you") -> str:
            info.context["response"].headers["x-seen"] = info.context["request"].path
            return f"hello {name}"

    class Mutation:
        @strawberry.mutation
        async def keep(self, file: uploads.Upload) -> str:
            return f"{file.name} {file.body.decode()}"

    class Subscription:
        @strawberry.subscription
        async def count(self) -> AsyncGenerator[int, None]:
            for number in range(3):
                yield number

    schema = strawberry.Schema(*map(strawberry.type, (Query, Mutation, Subscription)))
    options = {"multipart_uploads_enabled": True, "subscription_protocols": ["multipart-subscription"]}
    app.add_route(views.GraphQLView.as_view(schema=schema, **options), "/graphql")
    client = await serve(app)

    asked = {"query": "query($n: String!) { hello(name: $n) }", "variables": {"n": "ann"}}
    answer = await client.post("/graphql", json=asked)
    assert (answer.json(), answer.headers["x-seen"]) == ({"data": {"hello": "hello ann"}}, "/graphql")
    assert (await client.get("/graphql", params={"query": "{ hello }"})).json()["data"]["hello"] == "hello you"
    assert "graphiql" in (await client.get("/graphql", headers={"accept": "text/html"})).text.lower()
    assert (await client.post("/graphql", content=b"{", headers={"content-type": "application/json"})).is_client_error

    operations = {"query": "mutation($f: Upload!) { keep(file: $f) }", "variables": {"f": None}}
    form = {"operations": standard_json.dumps(operations), "map": '{"0": ["variables.f"]}'}
    kept = await client.post("/graphql", data=form, files={"0": ("a.txt", b"content")})
    assert kept.json() == {"data": {"keep": "a.txt content"}}

    wanted = {"accept": "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"}
    stream = await client.post("/graphql", json={"query": "subscription { count }"}, headers=wanted)
    assert re.findall(r'"count": ?(\d)', stream.text) == ["0", "1", "2"]


async def test_slack_bolt_handles_commands(app: Sanic[Any, Any], serve: Any) -> None:
    pytest.importorskip("slack_bolt")
    pytest.importorskip("aiohttp")
    from slack_bolt.adapter.sanic import AsyncSlackRequestHandler
    from slack_bolt.async_app import AsyncApp
    from slack_bolt.authorization import AuthorizeResult
    from slack_sdk.signature import SignatureVerifier

    async def authorize(**parameters: Any) -> Any:
        return AuthorizeResult(enterprise_id=None, team_id="T", bot_token="xoxb-1", bot_id="B", bot_user_id="U")

    slack = AsyncApp(signing_secret="secret", authorize=authorize)

    @slack.command("/hello")
    async def hello(ack: Any, body: Any) -> None:
        await ack(f"hello {body['text']}")

    handler = AsyncSlackRequestHandler(slack)

    @app.post("/slack/events")
    async def events(request: Request) -> Any:
        return await handler.handle(request)

    client = await serve(app)
    body = "command=%2Fhello&text=you&team_id=T&user_id=U1&channel_id=C"
    now = str(int(time.time()))
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-signature": SignatureVerifier("secret").generate_signature(timestamp=now, body=body) or "",
        "x-slack-request-timestamp": now,
    }

    assert "hello you" in (await client.post("/slack/events", content=body, headers=headers)).text
    assert (await client.post("/slack/events", content=body)).status_code == 401


async def test_dishka_injects_into_every_route(app: Sanic[Any, Any], serve: Any, tmp_path: Path) -> None:
    dishka = pytest.importorskip("dishka")
    integration = pytest.importorskip("dishka.integrations.sanic")
    closed: list[str] = []

    class Provider(dishka.Provider):
        @dishka.provide(scope=dishka.Scope.REQUEST)
        async def basket(self, request: Request) -> AsyncIterable[Basket]:
            yield Basket(request.path)
            closed.append(request.path)

    async def show(request: Request, basket: integration.FromDishka[Basket]) -> Any:
        return text(basket.path)

    async def show_one(request: Request, number: int, basket: integration.FromDishka[Basket]) -> Any:
        return text(f"{basket.path} {number!r}")

    (tmp_path / "a.txt").write_text("a file")
    bp = Blueprint("shop", url_prefix="/shop")
    bp.add_route(show, "/basket")
    app.add_route(show_one, "/one/<number:int>")
    app.static("/files", tmp_path)
    app.blueprint(bp)
    container = dishka.make_async_container(Provider(), integration.SanicProvider())
    integration.setup_dishka(container, app, auto_inject=True)
    client = await serve(app)

    assert (await client.get("/shop/basket")).text == "/shop/basket"
    assert (await client.get("/one/7")).text == "/one/7 7"
    assert (await client.get("/files/a.txt")).text == "a file"
    assert (await client.get("/nowhere")).status_code == 404
    assert closed == ["/shop/basket", "/one/7"]
    await container.close()


async def test_elastic_apm_reports_transactions_and_errors(app: Sanic[Any, Any], serve: Any) -> None:
    apm = pytest.importorskip("elasticapm.contrib.sanic")
    elasticapm = pytest.importorskip("elasticapm")
    told: list[tuple[str, Any]] = []

    class Client(elasticapm.Client):
        def queue(self, event_type: str, data: Any, flush: bool = False) -> None:
            told.append((event_type, data))

    config = {"SERVICE_NAME": "shop", "CLOUD_PROVIDER": "none", "CENTRAL_CONFIG": False, "CAPTURE_BODY": "all"}
    watcher = apm.ElasticAPM(app=app, client_cls=Client, config={**config, "SERVER_URL": "http://127.0.0.1:1"})

    @app.get("/fine/<name>")
    async def fine(request: Request, name: str) -> Any:
        response = text(name)
        response.add_cookie("key", "value")
        return response

    @app.post("/echo")
    async def echo(request: Request) -> Any:
        return json(request.json)

    @app.get("/fails")
    async def fails(request: Request) -> None:
        raise RuntimeError("for the watcher")

    client = await serve(app)
    try:
        assert (await client.get("/fine/x?q=1", headers={"cookie": "a=b"})).text == "x"
        assert (await client.post("/echo", json={"a": 1})).json() == {"a": 1}
        assert (await client.get("/fails")).status_code == 500
        assert (await client.get("/nowhere")).status_code == 404
    finally:
        await asyncio.to_thread(watcher._client.close)
    transactions = [(data["name"], data["result"]) for kind, data in told if kind == "transaction"]
    errors = [data["exception"]["message"] for kind, data in told if kind == "error"]

    assert {("GET /fine/<name:str>", "HTTP 2xx"), ("POST /echo", "HTTP 2xx"), ("GET /fails", "HTTP 5xx")} <= set(
        transactions
    )
    assert any("for the watcher" in error for error in errors)


async def test_prometheus_sanic_counts_requests(app: Sanic[Any, Any], serve: Any) -> None:
    prometheus_sanic = pytest.importorskip("prometheus_sanic")

    @app.get("/goods/<name>")
    async def goods(request: Request, name: str) -> Any:
        return text(name)

    prometheus_sanic.monitor(app).expose_endpoint()
    client = await serve(app)
    await client.get("/goods/1")
    await client.get("/nowhere")
    metrics = (await client.get("/metrics")).text

    for path, status in (("/goods", 200), ("/nowhere", 404)):
        labels = f'endpoint="{path}",http_status="{status}",method="GET"'
        assert f"sanic_request_latency_sec_count{{{labels}}} 1.0" in metrics
