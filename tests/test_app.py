"""The application as such: how it is made, found again, extended and changed while it runs."""

from __future__ import annotations

import logging
import multiprocessing
from types import SimpleNamespace
from typing import Any

import pytest
from sanic_routing.exceptions import FinalizationError

import sanic
from sanic import Sanic
from sanic.blueprints import Blueprint
from sanic.config import Config
from sanic.exceptions import SanicException, ServerError
from sanic.handlers import ErrorHandler
from sanic.request import Request
from sanic.response import json, text
from sanic.router import Router
from sanic.signals import SignalRouter
from tests.harness import serving


async def another_handler(request: Any) -> Any:
    return text("ok")


async def handler(request: Any) -> Any:
    return text("ok")


# -- Construction


@pytest.mark.parametrize("kind", [Sanic, Blueprint])
@pytest.mark.parametrize("name", ["app", "_app", "App-1_b", "a"])
def test_a_name_is_of_letters_digits_dashes_and_underscores(kind: Any, name: str) -> None:
    assert kind(name).name == name


@pytest.mark.parametrize("kind", [Sanic, Blueprint])
@pytest.mark.parametrize("name", ["1app", "-a", "", "a b", "a.b", "ä", "a\n", 7])
def test_a_malformed_name_is_refused(kind: Any, name: Any) -> None:
    with pytest.raises(SanicException, match="uses an invalid format"):
        kind(name)


@pytest.mark.parametrize("kind", [Sanic, Blueprint])
def test_a_name_is_needed(kind: Any) -> None:
    with pytest.raises(SanicException, match="cannot be unnamed"):
        kind(None)
    with pytest.raises(TypeError):
        kind()


def test_classes_live_where_users_import_them_from() -> None:
    assert Sanic.__module__ == "sanic.app"
    assert Blueprint.__module__ == "sanic.blueprints"
    assert sanic.blueprints.BlueprintGroup.__module__ == "sanic.blueprints"
    assert sanic.blueprints.lazy.__module__ == "sanic.blueprints"


def test_a_config_is_kept_as_it_is() -> None:
    class Mine(Config):
        SETTING = 3

    config = Mine()
    assert Sanic("a", config=config).config is config
    with pytest.raises(SanicException, match="env_prefix"):
        Sanic("b", config=config, env_prefix="MY_")


@pytest.mark.parametrize(("prefix", "found"), [("MY_", True), ("SANIC_", False), ("", False), (None, False)])
def test_the_prefix_says_which_environment_is_read(
    monkeypatch: pytest.MonkeyPatch, prefix: str | None, found: bool
) -> None:
    monkeypatch.setenv("MY_SETTING", "3")
    app: Any = Sanic("a", env_prefix=prefix)
    assert app.config.get("SETTING") == (3 if found else None)


def test_an_empty_context_is_kept() -> None:
    ctx: dict[str, int] = {}
    assert Sanic("a", ctx=ctx).ctx is ctx
    assert isinstance(Sanic("b").ctx, SimpleNamespace)


def test_parts_can_be_given() -> None:
    router, signal_router, error_handler = Router(), SignalRouter(), ErrorHandler()
    app: Any = Sanic("a", router=router, signal_router=signal_router, error_handler=error_handler, strict_slashes=True)
    assert app.router is router
    assert app.signal_router is signal_router
    assert app.error_handler is error_handler
    assert router.ctx.app is signal_router.ctx.app is app
    assert app.strict_slashes is True
    assert Sanic("b", inspector=True).config.INSPECTOR is True


async def test_a_request_class_of_ones_own_makes_the_requests(app_name: str) -> None:
    class Mine(Request[Any, Any]):
        @staticmethod
        def make_context() -> Any:
            return SimpleNamespace(number=7)

    app: Any = Sanic(app_name, request_class=Mine)

    @app.get("/")
    async def show(request: Any) -> Any:
        return text(f"{type(request).__name__} {request.ctx.number}")

    async with serving(app) as server:
        assert (await server.get("/")).text == "Mine 7"


async def test_each_app_has_its_own_way_with_json() -> None:
    def shout(value: object, **_: object) -> str:
        return '"!"'

    loud: Any = Sanic("loud", dumps=shout, loads=lambda data: "heard")
    usual: Any = Sanic("usual")
    for app in (loud, usual):
        app.add_route(lambda request: json(request.json), "/", methods=["POST"], name="echo")
    async with serving(loud) as server:
        assert (await server.post("/", content=b"1")).text in ('"heard"', '"!"')
    async with serving(usual) as server:
        assert (await server.post("/", content=b"1")).text == "1"


def test_an_error_handler_can_be_put_in_later_and_learns_of_debug_mode(app: Any) -> None:
    app.state.mode = "debug"
    later = ErrorHandler()
    app.error_handler = later
    assert app.error_handler is later
    assert later.debug is True


@pytest.mark.parametrize("make", [Sanic, Blueprint])
def test_unknown_attributes_are_meant_for_the_context(make: Any) -> None:
    thing = make("thing")
    with pytest.raises(AttributeError, match=r"instance\.ctx\.foo"):
        thing.foo = 1
    thing.ctx.foo = 1


def test_apps_and_blueprints_show_their_names() -> None:
    app: Any = Sanic("shop")
    assert (str(app), repr(app)) == ("<Sanic shop>", 'Sanic(name="shop")')
    bp = Blueprint("basket", url_prefix="/b/", version=1)
    assert str(bp) == "<Blueprint basket>"
    assert repr(bp) == 'Blueprint(name="basket", url_prefix="/b", host=None, version=1, strict_slashes=None)'


def test_aliases_for_typing() -> None:
    assert Sanic[Config, SimpleNamespace] is not None
    assert sanic.DefaultSanic is not None
    assert Sanic.go_fast is Sanic.run


# -- The registry


def test_a_name_is_taken_once() -> None:
    Sanic("one")
    with pytest.raises(SanicException, match="already in use"):
        Sanic("one")


def test_in_test_mode_a_second_app_takes_the_place_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    Sanic("one")
    monkeypatch.setattr(Sanic, "test_mode", True)
    second: Any = Sanic("one")
    assert Sanic.get_app("one") is second


def test_the_only_app_needs_no_name() -> None:
    with pytest.raises(SanicException, match="No Sanic apps"):
        Sanic.get_app()
    app: Any = Sanic("one")
    assert Sanic.get_app() is app
    Sanic("two")
    with pytest.raises(SanicException, match=r"Multiple Sanic apps found.*one, two"):
        Sanic.get_app()


def test_an_unknown_name_is_explained_or_created() -> None:
    with pytest.raises(SanicException, match=r'"nobody" not found.*__main__.*AppLoader'):
        Sanic.get_app("nobody")
    created = Sanic.get_app("nobody", force_create=True)
    assert Sanic.get_app("nobody") is created


def test_the_main_module_is_found_under_its_name_in_a_spawned_process() -> None:
    app: Any = Sanic("__mp_main__")
    assert Sanic.get_app("__main__") is app


def test_apps_are_registered_and_forgotten() -> None:
    app: Any = Sanic("one")
    Sanic.unregister_app(app)
    Sanic.unregister_app(app)
    with pytest.raises(SanicException):
        Sanic.get_app("one")
    Sanic.register_app(app)
    assert Sanic.get_app("one") is app
    for function in (Sanic.register_app, Sanic.unregister_app):
        with pytest.raises(SanicException, match="must be an instance of Sanic"):
            function("one")  # type: ignore[arg-type]


def test_refresh_finds_the_registered_app_and_sets_attributes(app: Any) -> None:
    assert app.refresh({"strict_slashes": True, "config": {"ACCESS_LOG": True}}) is app
    assert app.strict_slashes is True
    assert app.config.ACCESS_LOG is True


# -- What is known while it runs


def test_some_things_are_known_only_in_some_processes(app: Any) -> None:
    for name in ("loop", "manager", "inspector"):
        with pytest.raises(SanicException):
            getattr(app, name)
    for name in ("m", "multiplexer"):
        with pytest.raises(AttributeError):
            getattr(app, name)


async def test_the_loop_is_known_while_serving(app: Any) -> None:
    app.add_route(handler, "/")
    seen: list[Any] = []
    app.before_server_start(lambda app: seen.append(app.loop))
    async with serving(app):
        assert seen == [app.loop]


@pytest.mark.parametrize(
    ("settings", "location"),
    [
        (None, "http://<unknown>"),
        ({"host": "127.0.0.1", "port": 9000}, "http://127.0.0.1:9000"),
        ({"host": "::1", "port": 9000}, "http://[::1]:9000"),
        ({"host": "a.com", "port": 443, "ssl": object()}, "https://a.com:443"),
        ({"unix": "/tmp/x.sock"}, "/tmp/x.sock http://..."),
    ],
)
def test_the_location_of_an_address(app: Any, settings: Any, location: str) -> None:
    assert app.get_server_location(settings) == location


def test_the_first_prepared_address_is_the_location(app: Any) -> None:
    assert app.serve_location == "http://<unknown>"
    app.prepare(port=9001, single_process=True)
    app.prepare(port=9002, single_process=True)
    assert app.serve_location == "http://127.0.0.1:9001"


def test_prepare_writes_options_to_the_configuration(app: Any) -> None:
    app.prepare(
        single_process=True, debug=True, motd=False, noisy_exceptions=True, motd_display={"a": "b"}, verbosity=2
    )
    assert app.config.ACCESS_LOG is True
    assert app.config.MOTD is False
    assert app.config.NOISY_EXCEPTIONS is True
    assert app.config.MOTD_DISPLAY == {"a": "b"}
    assert app.debug is True
    assert app.state.verbosity == 2
    other: Any = Sanic("other")
    assert other.config.MOTD_DISPLAY == {}


def test_auto_reload_mirrors_the_configuration(app: Any) -> None:
    assert app.auto_reload is False
    app.auto_reload = True
    assert app.config.AUTO_RELOAD is True
    assert Sanic.should_auto_reload() is True


def test_coffee_is_made_with_another_banner(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sanic, "serve_single", classmethod(lambda cls, primary=None: None))
    app.make_coffee(single_process=True)
    assert app.state.coffee is True


# -- Contexts


def test_shared_objects_are_those_of_multiprocessing(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    app.shared_ctx.queue = multiprocessing.Queue()
    assert not caplog.records
    app.shared_ctx.number = 1
    assert "number" in caplog.text
    app.shared_ctx.lock()
    with pytest.raises(RuntimeError):
        app.shared_ctx.more = multiprocessing.Value("i")


def test_the_console_knows_objects_by_name(app: Any) -> None:
    def tool() -> None:
        """What the tool does."""

    app.repl_ctx.add(tool)
    app.repl_ctx.number = 7
    assert app.repl_ctx.tool is tool
    assert [entry.name for entry in app.repl_ctx] == ["tool", "number"]
    assert next(iter(app.repl_ctx)).desc == "What the tool does."
    for name in ("app", "sanic", "do", "client"):
        with pytest.raises(ValueError, match=name):
            app.repl_ctx.add(tool, name=name)


# -- Extensions


class Extend:
    """Stands for the class of the extension package."""

    def __init__(self, app: Any, **options: Any) -> None:
        self.app = app
        self.options = options


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sanic_ext", SimpleNamespace(Extend=Extend))


def test_the_extension_is_loaded_once_with_its_options(app: Any, extension: None) -> None:
    extended = app.extend(built_in_extensions=False, config={"x": 1}, more=2)
    assert app.ext is extended
    assert extended.options == {"extensions": None, "built_in_extensions": False, "config": {"x": 1}, "more": 2}
    with pytest.raises(RuntimeError, match="Cannot extend"):
        app.extend()


def test_the_extension_is_loaded_when_asked_for(app: Any, extension: None) -> None:
    assert isinstance(app.ext, Extend)
    assert app.ext is app.ext


def test_a_missing_extension_says_how_to_get_it(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sanic_ext", None)
    with pytest.raises(RuntimeError, match=r"pip install sanic\[ext\]"):
        _ = app.ext
    with pytest.raises(RuntimeError, match=r"pip install sanic\[ext\]"):
        app.extend()


# -- Starting, and changing what runs


async def test_an_app_without_routes_does_not_start(app: Any) -> None:
    with pytest.raises(FinalizationError, match="no routes"):
        async with serving(app):
            pass


def test_finalizing_twice_is_refused_outside_of_test_mode(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    app.add_route(handler, "/")
    app.finalize()
    app.signalize()
    for again in (app.finalize, app.signalize):
        with pytest.raises(FinalizationError):
            again()
    monkeypatch.setattr(Sanic, "test_mode", True)
    app.finalize()
    app.signalize()


async def test_two_routes_of_one_name_do_not_start(app: Any) -> None:
    app.add_route(handler, "/a")
    app.add_route(another_handler, "/b", name="handler")
    places = r"handler \(.*test_app\.py:\d+\), another_handler \(.*test_app\.py:\d+\)"
    with pytest.raises(ServerError, match=rf"Duplicate route names detected: {app.name}\.handler\. .*: {places}"):
        async with serving(app):
            pass


async def test_routes_can_be_added_after_the_start(app: Any) -> None:
    app.add_route(handler, "/")
    async with serving(app) as server:
        assert (await server.get("/late")).status_code == 404
        app.add_route(handler, "/late", name="late")
        assert (await server.get("/late")).status_code == 200
        with app.amend():
            app.add_route(handler, "/later", name="later")
            app.on_response(lambda request, response: response.headers.update({"x-late": "1"}))
        assert (await server.get("/later")).headers["x-late"] == "1"
        assert (await server.get("/")).headers["x-late"] == "1"


async def test_a_route_that_is_refused_after_the_start_changes_nothing(app: Any) -> None:
    app.add_route(handler, "/")
    async with serving(app) as server:
        with pytest.raises(Exception, match="already registered"):
            app.add_route(handler, "/", name="again")
        assert (await server.get("/")).status_code == 200
        with pytest.raises(FinalizationError):
            app.router.add("/direct", ["GET"], handler)


async def test_an_app_can_be_served_again(app: Any) -> None:
    app.add_route(handler, "/")
    for _ in range(2):
        async with serving(app) as server:
            assert (await server.get("/")).text == "ok"
        app.router.reset()
        app.signal_router.reset()
        app.state.is_started = False


def test_declaring_without_applying_leaves_no_trace(app: Any) -> None:
    app.route("/", apply=False)(handler)
    app.middleware(handler, apply=False)
    app.exception(ValueError, apply=False)(handler)
    app.listener("before_server_start", apply=False)(handler)
    app.signal("a.b.c", apply=False)(handler)
    assert app.router.routes == ()
    assert not app.request_middleware


def test_decorators_return_the_function(app: Any) -> None:
    async def function(*args: Any, **kwargs: Any) -> Any:
        return text("")

    for decorate in (
        app.get("/a"),
        app.on_request,
        app.on_response(priority=1),
        app.middleware("response"),
        app.exception(KeyError),
        app.all_exceptions,
        app.before_server_start,
        app.listener("after_server_stop"),
        app.signal("a.b.c"),
        app.command,
        app.command(name="other"),
        app.report_exception,
    ):
        assert decorate(function) is function


# -- Commands


def test_commands_are_kept_under_their_names(app: Any) -> None:
    @app.command
    async def one() -> None: ...

    @app.command(name="second")
    def two(number: int = 1) -> None: ...

    assert {command.name: command.func for command in app._future_commands} == {"one": one, "second": two}


def test_blueprints_have_no_commands(app: Any) -> None:
    bp = Blueprint("bp")
    bp.command(name="run")(handler)
    with pytest.raises(SanicException, match="'run'"):
        app.blueprint(bp)
    late = Blueprint("late")
    late.add_route(handler, "/")
    app.blueprint(late)
    with pytest.raises(SanicException, match="'run'"):
        late.command(name="run")(handler)


# -- Hints


def test_options_that_contradict_are_refused(app: Any) -> None:
    for error, options in (
        (RuntimeError, {"fast": True, "workers": 2}),
        (RuntimeError, {"single_process": True, "workers": 2}),
        (RuntimeError, {"single_process": True, "auto_reload": True}),
        (RuntimeError, {"register_sys_signals": False}),
        (TypeError, {"loop": object()}),
    ):
        with pytest.raises(error):
            app.prepare(**options)
    app.config.PROXIES_COUNT = -1
    with pytest.raises(ValueError, match="PROXIES_COUNT"):
        app.prepare()


async def test_a_negative_number_of_proxies_is_refused_in_a_running_loop_too(app: Any) -> None:
    app.config.PROXIES_COUNT = -1
    with pytest.raises(ValueError, match="PROXIES_COUNT"):
        await app.create_server(port=0)


def test_a_reload_directory_that_is_missing_is_warned_of(
    app: Any, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    with caplog.at_level(logging.WARNING):
        app.prepare(reload_dir=[str(tmp_path), str(tmp_path / "missing")])
    assert app.reload_dirs == {tmp_path, tmp_path / "missing"}
    assert "missing could not be located" in caplog.text
