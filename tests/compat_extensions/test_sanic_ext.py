"""sanic-ext: found without being asked for, and everything it adds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sanic import Blueprint, Request, Sanic, json, text
from sanic.views import HTTPMethodView
from tests.harness import free_port
from tests.processes import get, running

sanic_ext = pytest.importorskip("sanic_ext")

TEMPLATES = Path(__file__).parent / "templates"


@dataclass
class Order:
    name: str
    count: int


class Name:
    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    async def create(cls, request: Request, name: str) -> Name:
        return cls(name.upper())


class Counter:
    def __init__(self) -> None:
        self.value = 41

    def next(self) -> int:
        self.value += 1
        return self.value


@pytest.fixture
def app(app: Sanic[Any, Any]) -> Sanic[Any, Any]:
    app.config.TEMPLATING_PATH_TO_TEMPLATES = str(TEMPLATES)
    app.config.CORS_ORIGINS = "http://example.com"

    @app.get("/")
    async def index(request: Any) -> Any:
        """The front page.

        openapi:
        ---
        operationId: front
        """
        return text("hello")

    @app.websocket("/feed")
    async def feed(request: Any, ws: Any) -> None:
        """News as they come."""

    return app


async def test_it_is_loaded_by_itself(app: Sanic[Any, Any], serve: Any) -> None:
    await serve(app)

    assert isinstance(app.ext, sanic_ext.Extend)


async def test_it_stays_away_when_told_to(app: Sanic[Any, Any], serve: Any) -> None:
    app.config.AUTO_EXTEND = False
    client = await serve(app)

    assert app._ext is None
    assert (await client.get("/docs/openapi.json")).status_code == 404


async def test_it_can_be_given_options(app: Sanic[Any, Any], serve: Any) -> None:
    app.extend(config=sanic_ext.Config(oas_url_prefix="/apidocs", cors=False))
    client = await serve(app)

    assert (await client.get("/apidocs/openapi.json")).status_code == 200
    assert "access-control-allow-origin" not in (await client.get("/")).headers


async def test_the_api_is_documented(app: Sanic[Any, Any], serve: Any) -> None:
    api = Blueprint("api", url_prefix="/api", version=1)

    @api.post("/orders/<number:int>")
    @sanic_ext.openapi.summary("Place an order")
    @sanic_ext.openapi.body({"application/json": Order})
    @sanic_ext.openapi.response(201, {"application/json": Order})
    async def place(request: Any, number: int) -> Any:
        return json({}, 201)

    class View(HTTPMethodView):
        async def get(self, request: Any) -> Any:
            """What there is."""
            return text("")

        async def put(self, request: Any) -> Any:
            return text("")

    app.add_route(View.as_view(), "/view")
    app.blueprint(api)
    client = await serve(app)

    assert "redoc" in (await client.get("/docs")).text.lower()
    assert "swagger" in (await client.get("/docs/swagger")).text.lower()
    spec = (await client.get("/docs/openapi.json")).json()
    assert spec["openapi"].startswith("3.")
    assert spec["paths"]["/"]["get"]["operationId"] == "front"
    place_spec = spec["paths"]["/v1/api/orders/{number}"]["post"]
    assert place_spec["summary"] == "Place an order"
    assert place_spec["parameters"][0]["name"] == "number"
    assert "201" in place_spec["responses"]
    assert spec["paths"]["/view"]["get"]["summary"] == "What there is."
    assert "put" in spec["paths"]["/view"]


async def test_dependencies_are_injected(app: Sanic[Any, Any], serve: Any) -> None:
    app.ext.add_dependency(Name, Name.create)
    app.ext.dependency(Counter())

    @app.get("/hello/<name>")
    async def hello(request: Any, name: Name, counter: Counter) -> Any:
        return text(f"{name.name} {counter.next()}")

    client = await serve(app)

    assert (await client.get("/hello/ann")).text == "ANN 42"
    assert (await client.get("/hello/ann")).text == "ANN 43"


@pytest.mark.parametrize(
    ("sent", "status"), [({"name": "x", "count": 2}, 200), ({"name": "x"}, 400), ({"name": "x", "count": "y"}, 400)]
)
async def test_bodies_are_validated(app: Sanic[Any, Any], serve: Any, sent: Any, status: int) -> None:
    @app.post("/orders")
    @sanic_ext.validate(json=Order)
    async def place(request: Any, body: Any) -> Any:
        return json({"type": type(body).__name__, "name": body.name})

    client = await serve(app)
    response = await client.post("/orders", json=sent)

    assert response.status_code == status
    if status == 200:
        assert response.json() == {"type": "Order", "name": "x"}


async def test_queries_are_validated_with_pydantic(app: Sanic[Any, Any], serve: Any) -> None:
    pydantic = pytest.importorskip("pydantic")
    query_model = pydantic.create_model("Query", q=(str, ...), page=(int, 1))

    @app.get("/search")
    @sanic_ext.validate(query=query_model)
    async def search(request: Any, query: Any) -> Any:
        return json({"q": query.q, "page": query.page})

    client = await serve(app)

    assert (await client.get("/search?q=x")).json() == {"q": "x", "page": 1}
    assert (await client.get("/search")).status_code == 400


async def test_cross_origin_requests_are_allowed_where_configured(app: Sanic[Any, Any], serve: Any) -> None:
    client = await serve(app)
    origin = {"origin": "http://example.com"}
    plain = await client.get("/", headers=origin)
    preflight = await client.options("/", headers={**origin, "access-control-request-method": "GET"})

    assert plain.headers["access-control-allow-origin"] == "http://example.com"
    assert preflight.status_code == 204
    assert "GET" in preflight.headers["access-control-allow-methods"]


async def test_templates_are_rendered(app: Sanic[Any, Any], serve: Any) -> None:
    pytest.importorskip("jinja2")

    @app.get("/greet/<name>")
    @app.ext.template("greeting.html")
    async def greet(request: Any, name: str) -> Any:
        return {"name": name}

    @app.get("/render")
    async def render(request: Any) -> Any:
        return await sanic_ext.render("greeting.html", context={"name": "<you>"}, status=201)

    client = await serve(app)
    greeting, rendered = await client.get("/greet/me"), await client.get("/render")

    assert greeting.text.strip() == "<p>Hello, me!</p>"
    assert (rendered.status_code, rendered.text.strip()) == (201, "<p>Hello, &lt;you&gt;!</p>")


async def test_methods_are_added(app: Sanic[Any, Any], serve: Any) -> None:
    app.config.HTTP_AUTO_TRACE = True
    client = await serve(app)
    head, options, trace = await client.head("/"), await client.options("/"), await client.request("TRACE", "/")

    assert (head.status_code, head.headers["content-length"], head.text) == (200, "5", "")
    assert options.status_code == 204
    assert {"GET", "HEAD", "OPTIONS"} <= set(options.headers["allow"].replace(" ", "").split(","))
    assert trace.status_code == 200
    assert trace.text.startswith("TRACE / HTTP/1.1")


async def test_static_files_are_served_beside_it(app: Sanic[Any, Any], serve: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    app.static("/files", tmp_path, name="files")
    app.static("/one", tmp_path / "a.txt", name="one")
    client = await serve(app)

    for path in ("/files/a.txt", "/one"):
        assert (await client.get(path)).text == "hello"
        assert (await client.head(path)).headers["content-length"] == "5"
        assert (await client.options(path)).status_code == 204


async def test_responses_are_serialized_and_counted(app: Sanic[Any, Any], serve: Any) -> None:
    @app.get("/data")
    @sanic_ext.serializer(json)
    async def data(request: Any) -> Any:
        return {"a": 1}

    client = await serve(app)

    assert (await client.get("/data")).json() == {"a": 1}


async def test_an_extension_of_ones_own_starts_with_the_app(app: Sanic[Any, Any], serve: Any) -> None:
    started = []

    class Mine(sanic_ext.Extension):  # type: ignore[misc]
        name = "mine"

        def startup(self, bootstrap: Any) -> None:
            started.append(self.app.name)

        def label(self) -> str:
            return "MINE"

    app.extend(extensions=[Mine])
    await serve(app)

    assert started == [app.name]


async def test_the_asgi_client_of_sanic_testing_meets_it(app: Sanic[Any, Any]) -> None:
    pytest.importorskip("sanic_testing")
    _, response = await app.asgi_client.get("/docs/openapi.json")

    assert response.status == 200
    assert isinstance(app.ext, sanic_ext.Extend)


def test_the_reusable_client_of_sanic_testing_meets_it(app: Sanic[Any, Any]) -> None:
    reusable = pytest.importorskip("sanic_testing.reusable")
    origin = {"origin": "http://example.com"}
    with reusable.ReusableClient(app, host="127.0.0.1", port=free_port()) as client:
        _, response = client.get("/", headers=origin)

    assert response.headers["access-control-allow-origin"] == "http://example.com"


async def test_its_logger_and_its_health_monitor_run_beside_the_workers(tmp_path: Path) -> None:
    source = """
        app.config.update(LOGGING=True, HEALTH=True, HEALTH_ENDPOINT=True)

        if __name__ == "__main__":
            app.run(port=0, access_log=True)
        """
    async with running(source, directory=tmp_path) as program:
        url = await program.line(r"Goin' Fast @ (\S+)")
        await program.line("Setup background logging")
        await program.line("Worker ready")
        states = (await get(url, "/__health__/")).json()
        await program.line(r"Logge.*GET .*/__health__/ 200")

        assert await program.stop() == 0
    assert {states[f"Sanic-{name}-0"]["state"] for name in ("Logger", "HealthMonitor")} == {"STARTED"}
