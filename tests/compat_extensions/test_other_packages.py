"""Packages for Sanic from the index, each with a small app over real requests; those that are not installed skip."""

from __future__ import annotations

import base64
import importlib.util
from typing import Any

import pytest

from sanic import Sanic, json, text


async def test_sanic_jwt_guards_a_route(app: Sanic[Any, Any], serve: Any) -> None:
    sanic_jwt = pytest.importorskip("sanic_jwt")

    async def authenticate(request: Any) -> Any:
        if request.json != {"username": "ann", "password": "secret"}:
            raise sanic_jwt.exceptions.AuthenticationFailed("no")
        return {"user_id": 7}

    sanic_jwt.Initialize(app, authenticate=authenticate, secret="x" * 32)

    @app.get("/guarded")
    @sanic_jwt.protected()
    async def guarded(request: Any) -> Any:
        return json({"guarded": True})

    client = await serve(app)
    assert (await client.get("/guarded")).status_code == 401
    assert (await client.post("/auth", json={"username": "ann", "password": "x"})).status_code == 401
    token = (await client.post("/auth", json={"username": "ann", "password": "secret"})).json()["access_token"]
    bearer = {"authorization": f"Bearer {token}"}

    assert (await client.get("/guarded", headers=bearer)).json() == {"guarded": True}
    assert (await client.get("/auth/verify", headers=bearer)).json() == {"valid": True}
    assert (await client.get("/auth/me", headers=bearer)).status_code in (200, 500)  # 500: no retrieve_user given


async def test_sanic_cors_answers_browsers(app: Sanic[Any, Any], serve: Any) -> None:
    sanic_cors = pytest.importorskip("sanic_cors")
    options = {"resources": {r"/api/*": {"origins": "http://example.com"}}}
    if app.config.AUTO_EXTEND and importlib.util.find_spec("sanic_ext"):
        # Beside sanic-ext it is an extension, in the place of the one that sanic-ext brings.
        app.extend(extensions=[sanic_cors.CORS], config={"CORS": False, "CORS_OPTIONS": options})
    else:
        sanic_cors.CORS(app, **options)

    @app.route("/api/x", methods=["GET", "OPTIONS"])
    async def api(request: Any) -> Any:
        return text("x")

    @app.get("/other")
    async def other(request: Any) -> Any:
        return text("other")

    client = await serve(app)
    origin = {"origin": "http://example.com"}
    answer = await client.get("/api/x", headers=origin)
    preflight = await client.options("/api/x", headers={**origin, "access-control-request-method": "GET"})

    assert (answer.text, answer.headers["access-control-allow-origin"]) == ("x", "http://example.com")
    assert preflight.headers["access-control-allow-origin"] == "http://example.com"
    assert "access-control-allow-origin" not in (await client.get("/other", headers=origin)).headers


async def test_sanic_session_remembers(app: Sanic[Any, Any], serve: Any) -> None:
    sanic_session = pytest.importorskip("sanic_session")

    class Interface(sanic_session.InMemorySessionInterface):  # type: ignore[misc,name-defined]
        # The package itself assigns items of `response.cookies`, as was possible before Sanic 24.3.
        def _set_cookie_props(self, request: Any, response: Any) -> None:
            response.add_cookie(self.cookie_name, request.ctx.session.sid, secure=False, httponly=True)

    sanic_session.Session(app, interface=Interface())

    @app.get("/")
    async def count(request: Any) -> Any:
        request.ctx.session["count"] = request.ctx.session.get("count", 0) + 1
        return text(str(request.ctx.session["count"]))

    client = await serve(app)

    assert [(await client.get("/")).text for _ in range(3)] == ["1", "2", "3"]


async def test_webargs_parses_arguments(app: Sanic[Any, Any], serve: Any) -> None:
    parser = pytest.importorskip("webargs_sanic.sanicparser")
    fields = pytest.importorskip("webargs.fields")

    @app.get("/")
    @parser.use_args({"name": fields.Str(required=True), "count": fields.Int(load_default=1)}, location="query")
    async def index(request: Any, args: Any) -> Any:
        return json(args)

    @app.post("/")
    @parser.use_kwargs({"name": fields.Str(required=True)}, location="json")
    async def post(request: Any, name: str) -> Any:
        return text(name)

    @app.exception(parser.HandleValidationError)
    async def refuse(request: Any, error: Any) -> Any:
        return json({"errors": error.exc.messages}, 422)

    client = await serve(app)

    assert (await client.get("/?name=x&count=3")).json() == {"name": "x", "count": 3}
    assert (await client.post("/", json={"name": "y"})).text == "y"
    assert (await client.get("/")).status_code == 422


async def test_socketio_talks_over_polling_and_websocket(app: Sanic[Any, Any], serve: Any) -> None:
    socketio = pytest.importorskip("socketio")
    from websockets.asyncio.client import connect

    server = socketio.AsyncServer(async_mode="sanic", cors_allowed_origins=[])
    server.attach(app)

    @server.event
    async def shout(sid: str, data: Any) -> Any:
        await server.emit("shouted", data.upper(), to=sid)

    @app.get("/")
    async def index(request: Any) -> Any:
        return text("")

    client = await serve(app)
    opened = await client.get("/socket.io/?EIO=4&transport=polling")
    assert (opened.status_code, opened.text[:1]) == (200, "0")

    url = str(client.base_url).replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    async with connect(url) as websocket:
        assert str(await websocket.recv()).startswith("0{")
        await websocket.send("40")
        assert str(await websocket.recv()).startswith("40{")
        await websocket.send('42["shout","hello"]')
        assert await websocket.recv() == '42["shouted","HELLO"]'


async def test_sentry_reports_what_a_handler_raises(app: Sanic[Any, Any], serve: Any) -> None:
    sentry_sdk = pytest.importorskip("sentry_sdk")
    from sentry_sdk.integrations.sanic import SanicIntegration

    events: list[Any] = []

    class Collector(sentry_sdk.transport.Transport):  # type: ignore[misc,name-defined]
        def capture_envelope(self, envelope: Any) -> None:
            events.extend(item.payload.json for item in envelope.items)

    sentry_sdk.init(
        dsn="http://key@127.0.0.1:1/1", transport=Collector, integrations=[SanicIntegration()], traces_sample_rate=1.0
    )

    @app.get("/fails/<name>")
    async def fails(request: Any, name: str) -> None:
        raise RuntimeError("for sentry")

    @app.get("/")
    async def index(request: Any) -> Any:
        return text("fine")

    try:
        client = await serve(app)
        assert (await client.get("/fails/x?a=1")).status_code == 500
        assert (await client.get("/")).text == "fine"
        assert (await client.get("/nowhere")).status_code == 404
    finally:
        sentry_sdk.flush()
        sentry_sdk.init()
    errors = [event for event in events if "exception" in event]
    transactions = [event for event in events if event.get("type") == "transaction"]

    assert [event["exception"]["values"][-1]["value"] for event in errors] == ["for sentry"]
    assert errors[0]["transaction"] == "fails"
    assert errors[0]["request"]["query_string"] == "a=1"
    assert {event["transaction"] for event in transactions} >= {"fails", "index"}


async def test_sanic_httpauth_asks_for_a_password(app: Sanic[Any, Any], serve: Any) -> None:
    sanic_httpauth = pytest.importorskip("sanic_httpauth")
    auth = sanic_httpauth.HTTPBasicAuth()

    @auth.verify_password
    def verify(name: str, password: str) -> bool:
        return (name, password) == ("ann", "secret")

    @app.get("/")
    @auth.login_required
    async def index(request: Any) -> Any:
        return text("in")

    client = await serve(app)
    refused = await client.get("/")

    assert (refused.status_code, refused.headers["www-authenticate"].split()[0]) == (401, "Basic")
    secret = base64.b64encode(b"ann:secret").decode()
    assert (await client.get("/", headers={"authorization": f"Basic {secret}"})).text == "in"


async def test_sanic_jinja2_renders(app: Sanic[Any, Any], serve: Any) -> None:
    sanic_jinja2 = pytest.importorskip("sanic_jinja2")
    import jinja2

    pages = sanic_jinja2.SanicJinja2(app, loader=jinja2.DictLoader({"page.html": "<p>{{ name }}</p>"}))

    @app.get("/")
    @pages.template("page.html")
    async def index(request: Any) -> Any:
        return {"name": "ann"}

    client = await serve(app)

    assert (await client.get("/")).text == "<p>ann</p>"


async def test_newrelic_wraps_what_it_looks_for(app: Sanic[Any, Any], serve: Any) -> None:
    agent = pytest.importorskip("newrelic.agent")
    from newrelic.hooks import framework_sanic

    class Kept(Sanic):  # type: ignore[type-arg]
        """What is wrapped here is thrown away."""

    framework_sanic.instrument_sanic_app(type("module", (), {"__name__": "sanic.app", "Sanic": Kept}))

    kept = Kept(f"{app.name}_kept")
    steps = []

    @kept.on_request
    async def before(request: Any) -> None:
        steps.append("before")

    @kept.get("/")
    async def index(request: Any) -> Any:
        return text("watched")

    client = await serve(kept)

    assert agent
    assert (await client.get("/")).text == "watched"
    assert (await client.get("/nowhere")).status_code == 404
    assert steps
