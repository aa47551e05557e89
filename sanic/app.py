"""The application: where a request meets the code that answers it.

`Sanic` holds the parts of an application together: configuration, router, signals, error handler, background tasks.
Each of them lives in a module of its own; what is here is their order. How requests arrive it does not know: `run`,
`serve`, `prepare` and `create_server` reach up to the server in their bodies, and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from inspect import isawaitable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

from sanic_routing.exceptions import FinalizationError
from sanic_routing.exceptions import NotFound as SignalNotFound

from sanic.application import settings as address
from sanic.application.context import ConsoleContext, SharedContext
from sanic.application.extension import auto_extend, load_extension
from sanic.application.listeners import SERVER_EVENTS, ServerListeners
from sanic.application.state import ApplicationState
from sanic.application.tasks import BackgroundTasks
from sanic.blueprints import Blueprint, BlueprintGroup, calling_place, overlay_for
from sanic.config import SANIC_PREFIX, Config
from sanic.exceptions import MethodNotAllowed, SanicException, ServerError
from sanic.handlers import ErrorHandler
from sanic.helpers import Default, _default
from sanic.log import error_logger
from sanic.middleware import Middleware, MiddlewareLocation, MiddlewareQueue
from sanic.models.futures import ExceptionSpec, ListenerSpec, MiddlewareSpec, RouteSpec, SignalSpec, Spec
from sanic.models.http_version import HTTP
from sanic.pipeline import (
    RequestPipeline,
    ResponsePipeline,
    compile_request_middleware,
    compile_response_middleware,
    compile_route,
    in_request_order,
    in_response_order,
)
from sanic.registration import Registrar
from sanic.registration.hooks import event_name
from sanic.request import Request
from sanic.response import BaseHTTPResponse, HTTPResponse, ResponseStream
from sanic.response.json import Dumps, Loads, default_dumps, default_loads
from sanic.router import Route, Router
from sanic.router.route import describe_handler
from sanic.router.urls import build_url
from sanic.signals import Event, SignalRouter

if TYPE_CHECKING:
    from socket import socket as SocketType

    # With defaults (PEP 696), which type checkers know before the standard library does.
    from typing_extensions import TypeVar

    from sanic.server import AsyncioServer

    config_type = TypeVar("config_type", bound=Config, default=Config)
    ctx_type = TypeVar("ctx_type", default=SimpleNamespace)
else:
    from typing import TypeVar

    config_type = TypeVar("config_type", bound=Config)
    ctx_type = TypeVar("ctx_type")

_LIFECYCLE_EVENTS = tuple(event.value for event in Event if event.value.startswith("http."))


class Sanic(Registrar, Generic[config_type, ctx_type]):
    """An application.

    Args:
        name: Letters, digits, `_` and `-`, the first one a letter or `_`; unique in the process.
        config: The configuration; default one that reads the environment.
        ctx: A namespace of the application's own, one in each process.
        router: Finds routes.
        signal_router: Finds signal handlers.
        error_handler: Answers exceptions.
        env_prefix: Environment variables that begin with it are configuration; none are with `None` or `""`.
        request_class: Class of the requests.
        strict_slashes: Whether a trailing slash matters in the paths of routes that do not say.
        log_config: For `logging.config.dictConfig`, applied when the application starts to run.
        configure_logging: False leaves logging alone.
        dumps: Writes JSON.
        loads: Reads JSON.
        inspector: Whether the inspector runs.
        inspector_class: Class of the inspector.
        certloader_class: Class that loads certificates.

    Raises:
        SanicException: The name is malformed or taken, or an `env_prefix` is given beside a `config`.
    """

    # Of the class.
    test_mode: ClassVar[bool] = False
    start_method: ClassVar[str | Default] = _default
    START_METHOD_SET: ClassVar[bool] = False
    _app_registry: ClassVar[dict[str, Sanic[Any, Any]]] = {}

    __slots__ = (
        "blueprints",
        "certloader_class",
        "config",
        "configure_logging",
        "dumps",
        "inspector_class",
        "listeners",
        "loads",
        "named_request_middleware",
        "named_response_middleware",
        "observed_signals",
        "repl_ctx",
        "request_class",
        "request_middleware",
        "request_pipeline",
        "response_middleware",
        "response_pipeline",
        "router",
        "shared_ctx",
        "signal_router",
        "state",
        "strict_slashes",
        "websocket_enabled",
        "websocket_tasks",
    )

    # Set by the constructor.
    config: config_type
    ctx: ctx_type
    router: Router
    signal_router: SignalRouter
    request_class: type[Request[Any, Any]]
    strict_slashes: bool
    configure_logging: bool
    dumps: Dumps
    loads: Loads
    inspector_class: Any
    certloader_class: Any
    blueprints: dict[str, Blueprint]
    listeners: dict[str, list[Callable[..., Any]]]
    request_middleware: MiddlewareQueue
    response_middleware: MiddlewareQueue
    named_request_middleware: dict[str, deque[Middleware]]
    named_response_middleware: dict[str, deque[Middleware]]
    state: ApplicationState
    shared_ctx: SharedContext
    repl_ctx: ConsoleContext
    websocket_enabled: bool
    websocket_tasks: set[Any]
    # Decided when the application starts: what requests without a route go through, and the `http.*` signals heard.
    request_pipeline: RequestPipeline | None
    response_pipeline: ResponsePipeline | None
    observed_signals: frozenset[str]

    def __init__(
        self,
        name: str,
        config: config_type | None = None,
        ctx: ctx_type | None = None,
        router: Router | None = None,
        signal_router: SignalRouter | None = None,
        error_handler: ErrorHandler | None = None,
        env_prefix: str | None = SANIC_PREFIX,
        request_class: type[Request[Any, Any]] | None = None,
        strict_slashes: bool = False,
        log_config: dict[str, Any] | None = None,
        configure_logging: bool = True,
        dumps: Dumps | None = None,
        loads: Loads | None = None,
        inspector: bool = False,
        inspector_class: Any = None,
        certloader_class: Any = None,
    ) -> None:
        super().__init__(name)
        if config is not None and env_prefix != SANIC_PREFIX:
            raise SanicException(
                f"When instantiating Sanic with config, you cannot also pass env_prefix ({env_prefix!r}): give it to "
                "the Config instead."
            )
        self.config = config if config is not None else cast(config_type, Config(env_prefix=env_prefix))
        self.ctx = ctx if ctx is not None else cast(ctx_type, SimpleNamespace())
        self.router = router or Router()
        self.signal_router = signal_router or SignalRouter()
        self.router.ctx.app = self.signal_router.ctx.app = self
        self._error_handler = error_handler or ErrorHandler()
        self.request_class = request_class or Request
        self.strict_slashes = strict_slashes
        self.dumps = dumps or default_dumps
        self.loads = loads or default_loads
        self.inspector_class = inspector_class
        self.certloader_class = certloader_class
        if inspector:
            self.config.INSPECTOR = True
        # Logging.
        self.configure_logging = configure_logging
        self._log_config = log_config
        self._log_config_applied = False
        # What has been declared.
        self.blueprints = {}
        self.listeners = defaultdict(list)
        self._server_listeners = ServerListeners()
        self.request_middleware = MiddlewareQueue(on_change=self._compile_unrouted)
        self.response_middleware = MiddlewareQueue(on_change=self._compile_unrouted)
        self.named_request_middleware = {}
        self.named_response_middleware = {}
        self.request_pipeline = self.response_pipeline = None
        self.observed_signals = frozenset()
        self.signal_router.on_change.append(self._observe_signals)
        for event, signal in SERVER_EVENTS.items():
            self.signal_router.add(self._run_listeners(event), signal)
        # What is running.
        self.state = ApplicationState(app=self)
        self.shared_ctx = SharedContext()
        self.repl_ctx = ConsoleContext()
        self.websocket_enabled = False
        self.websocket_tasks = set()
        self._tasks = BackgroundTasks(report=self.signal_router.report)
        self._has_delayed_tasks = False
        self._ext: Any = None
        self._manager: Any = None
        self._inspector: Any = None
        self._multiplexer: Any = None
        self._test_manager: Any = None
        self._test_client: Any = None
        self._asgi_client: Any = None
        self._stop_requested: Callable[[], None] | None = None
        type(self).register_app(self)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(name="{self.name}")'

    # -- The registry ------------------------------------------------------------------------------------------------

    @classmethod
    def register_app(cls, app: Sanic[Any, Any]) -> None:
        """Make an application known by its name.

        Raises:
            SanicException: It is no application, or its name is taken (except in test mode).
        """
        if not isinstance(app, Sanic):
            raise SanicException(f"Registered app must be an instance of Sanic, not {app!r}.")
        if app.name in cls._app_registry and not cls.test_mode:
            raise SanicException(f'Sanic app name "{app.name}" already in use: give each application its own name.')
        cls._app_registry[app.name] = app

    @classmethod
    def unregister_app(cls, app: Sanic[Any, Any]) -> None:
        """Forget an application.

        Raises:
            SanicException: It is no application.
        """
        if not isinstance(app, Sanic):
            raise SanicException(f"Registered app must be an instance of Sanic, not {app!r}.")
        if cls._app_registry.get(app.name) is app:
            del cls._app_registry[app.name]

    @classmethod
    def get_app(cls, name: str | None = None, *, force_create: bool = False) -> Sanic[Any, Any]:
        """The application of a name, or the only one there is.

        Args:
            name: Its name.
            force_create: Make it if there is none.

        Raises:
            SanicException: There is none, or without a name more than one.
        """
        registry = cls._app_registry
        if name is None:
            if len(registry) > 1:
                raise SanicException(
                    f"Multiple Sanic apps found, use Sanic.get_app(name) with one of: {', '.join(registry)}."
                )
            if not registry:
                raise SanicException("No Sanic apps have been registered.")
            return next(iter(registry.values()))
        app = registry.get(name) or (registry.get("__mp_main__") if name == "__main__" else None)
        if app is not None:
            return app
        if force_create:
            return cls(name)
        hint = ""
        if name == "__main__":
            hint = " An app that is named after __name__ has another name in a worker: name it, or use an AppLoader."
        raise SanicException(f'Sanic app name "{name}" not found.{hint} Known are: {", ".join(registry) or "none"}.')

    # -- Applying declarations ---------------------------------------------------------------------------------------

    def _declare(self, spec: Spec) -> Any:
        with self.amend():
            if isinstance(spec, RouteSpec):
                return self._apply_route(spec)
            if isinstance(spec, MiddlewareSpec):
                self._apply_middleware(spec)
            elif isinstance(spec, ListenerSpec):
                self._apply_listener(spec)
            elif isinstance(spec, ExceptionSpec):
                self._apply_exception(spec)
            elif isinstance(spec, SignalSpec):
                condition = dict(spec.condition) if spec.condition else None
                return self.signal_router.add(
                    spec.handler, spec.event, condition, spec.exclusive, priority=spec.priority
                )
            self._record(spec)
        return None

    def _apply_route(self, spec: RouteSpec) -> list[Route]:
        fallback = self.config.FALLBACK_ERROR_FORMAT
        strict = spec.strict_slashes if spec.strict_slashes is not None else self.strict_slashes
        routes = self.router.add(
            uri=spec.uri,
            methods=spec.methods,
            handler=spec.handler,
            host=spec.host,
            strict_slashes=strict,
            stream=spec.stream,
            ignore_body=spec.ignore_body,
            version=spec.version,
            name=spec.name,
            unquote=spec.unquote,
            static=spec.static,
            version_prefix=spec.version_prefix,
            overwrite=spec.overwrite,
            error_format=spec.error_format or (fallback if fallback != "auto" else None),
        )
        for route in routes:
            vars(route.ctx).update(spec.context)
        self._record(spec)
        return routes

    def _apply_middleware(self, spec: MiddlewareSpec, route_names: Iterable[str] | None = None) -> None:
        if route_names is None:
            self.register_middleware(spec.middleware, spec.attach_to, priority=spec.priority)
        else:
            self.register_named_middleware(spec.middleware, route_names, spec.attach_to, priority=spec.priority)

    def _apply_exception(self, spec: ExceptionSpec, route_names: list[str] | None = None) -> None:
        for exception in spec.exceptions:
            self.error_handler.add(exception, spec.handler, route_names)

    def _apply_listener(self, spec: ListenerSpec, from_blueprint: bool = False) -> None:
        if spec.event in SERVER_EVENTS:
            self._server_listeners.add(spec.listener, spec.event, spec.priority, from_blueprint)
            return
        if spec.priority:
            error_logger.warning("Priority is not supported for %s", spec.event)
        self.listeners[spec.event].append(spec.listener)

    def register_listener(self, listener: Callable[..., Any], event: str, *, priority: int = 0) -> Callable[..., Any]:
        """Run a function at an event of the server's life; see `listener`."""
        return cast("Callable[..., Any]", self.listener(listener, event, priority=priority))

    def register_middleware(
        self,
        middleware: Callable[..., Any] | Middleware,
        attach_to: str = "request",
        *,
        priority: int | Default = _default,
    ) -> Callable[..., Any] | Middleware:
        """Attach a middleware to all routes; see `middleware`."""
        queue = self.request_middleware if attach_to == "request" else self.response_middleware
        if middleware not in queue:
            queue.append(_as_middleware(middleware, attach_to, priority))
        return middleware

    def register_named_middleware(
        self,
        middleware: Callable[..., Any],
        route_names: Iterable[str],
        attach_to: str = "request",
        *,
        priority: int | Default = _default,
    ) -> Callable[..., Any]:
        """Attach a middleware to the routes of these names; see `middleware`."""
        named = self.named_request_middleware if attach_to == "request" else self.named_response_middleware
        item = _as_middleware(middleware, attach_to, priority)
        for name in route_names:
            queue = named.setdefault(name, deque())
            if item not in queue:
                queue.append(item)
        return middleware

    def blueprint(
        self,
        blueprint: Blueprint | BlueprintGroup | Iterable[Any],
        *,
        url_prefix: str | None = None,
        version: int | float | str | None = None,
        strict_slashes: bool | None = None,
        version_prefix: str | None = None,
        name_prefix: str | None = None,
    ) -> None:
        """Register a blueprint, a group, or several of them.

        Args:
            blueprint: What to register.
            url_prefix: Instead of the blueprint's own prefix; in front of a group's.
            version: Instead of the blueprint's own version; for what has none in a group.
            strict_slashes: For routes that do not say.
            version_prefix: What stands in front of versions.
            name_prefix: What stands in front of the blueprint's name.

        Raises:
            AssertionError: Another blueprint of the same name is registered.
        """
        given = {
            "url_prefix": url_prefix,
            "version": version,
            "strict_slashes": strict_slashes,
            "version_prefix": version_prefix,
            "name_prefix": name_prefix,
        }
        if isinstance(blueprint, BlueprintGroup):
            blueprint.mark_registered(calling_place())
            for leaf, groups in blueprint.leaves():
                self._register_blueprint(leaf, overlay_for(leaf, groups, given))
        elif isinstance(blueprint, Blueprint):
            self._register_blueprint(blueprint, overlay_for(blueprint, (), given))
        else:
            for item in blueprint:
                self.blueprint(item, **given)  # type: ignore[arg-type]

    def _register_blueprint(self, blueprint: Blueprint, options: dict[str, Any]) -> None:
        known = self.blueprints.get(blueprint.name)
        if known is not None and known is not blueprint:
            raise AssertionError(
                f'A blueprint with the name "{blueprint.name}" is already registered on {self}. Blueprint names must '
                "be unique: name one of them otherwise."
            )
        self.blueprints[blueprint.name] = blueprint
        blueprint.register(self, options)

    @contextmanager
    def amend(self) -> Iterator[None]:
        """Allow routes, middleware and signals to be added after the start, while the block lasts."""
        has_routes, has_signals = self.router.finalized, self.signal_router.finalized
        if has_routes:
            self.router.reset()
        if has_signals:
            self.signal_router.reset()
        try:
            yield
        finally:
            if has_signals and not self.signal_router.finalized:
                self.signalize()
            if has_routes and not self.router.finalized:
                self.finalize()

    # -- Starting ----------------------------------------------------------------------------------------------------

    def finalize(self) -> None:
        """Freeze the routes and compose what each of them goes through.

        Raises:
            FinalizationError: There are no routes, or it is frozen already (except in test mode).
        """
        self.router.auto_head = self.config.AUTO_HEAD
        self.router.auto_options = self.config.AUTO_OPTIONS
        try:
            self.router.finalize()
        except FinalizationError:
            if not Sanic.test_mode:
                raise
        self.finalize_middleware()

    def signalize(self, allow_fail_builtin: bool = True) -> None:
        """Freeze the signals.

        Args:
            allow_fail_builtin: Whether dispatching a built-in signal that nobody listens to may fail.

        Raises:
            FinalizationError: They are frozen already (except in test mode).
        """
        try:
            self.signal_router.finalize(allow_fail_builtin=allow_fail_builtin)
        except FinalizationError:
            if not Sanic.test_mode:
                raise

    def finalize_middleware(self) -> None:
        """Compose the middleware of each route."""
        for route in self.router.routes:
            request_middleware = Middleware.convert(
                self.request_middleware,
                self.named_request_middleware.get(route.name, ()),
                location=MiddlewareLocation.REQUEST,
            )
            response_middleware = Middleware.convert(
                self.response_middleware,
                self.named_response_middleware.get(route.name, ()),
                location=MiddlewareLocation.RESPONSE,
            )
            recompile = _recompile(self, route)
            route.extra.request_middleware = MiddlewareQueue(in_request_order(request_middleware), recompile)
            route.extra.response_middleware = MiddlewareQueue(in_response_order(response_middleware), recompile)
            compile_route(self, route)
        self._compile_unrouted()

    def _compile_unrouted(self) -> None:
        self.request_pipeline = compile_request_middleware(self, in_request_order(self.request_middleware))
        self.response_pipeline = compile_response_middleware(self, in_response_order(self.response_middleware))

    def _observe_signals(self) -> None:
        observed = frozenset(event for event in _LIFECYCLE_EVENTS if self.signal_router.has_listeners(event))
        if observed != self.observed_signals:
            self.observed_signals = observed
            if self.router.finalized:
                self.finalize_middleware()

    async def _startup(self) -> None:
        self.signalize(bool(self.config.get("TOUCHUP", True)))
        self.finalize()
        duplicates = self.router.duplicate_names()
        if duplicates:
            raise ServerError(
                f"Duplicate route names detected: {', '.join(sorted(duplicates))}. Give each route its own name."
            )
        if self._ext is not None and hasattr(self._ext, "_display"):
            self._ext._display()
        self.state.is_started = True

    def _run_listeners(self, event: str) -> Callable[..., Coroutine[Any, Any, None]]:
        async def run(app: Any, loop: Any) -> None:
            await self._server_listeners.run(event, app, loop)

        run.__name__ = run.__qualname__ = event
        return run

    async def _server_event(self, concern: str, action: str, loop: asyncio.AbstractEventLoop | None = None) -> None:
        await self.dispatch(
            f"server.{concern}.{action}",
            context={"app": self, "loop": loop or asyncio.get_running_loop()},
            fail_not_found=False,
            inline=True,
            reverse=concern == "shutdown",
        )

    # -- Handling requests -------------------------------------------------------------------------------------------

    async def handle_request(self, request: Request[Any, Any]) -> None:
        """Have a request answered: find its route, read its body, run what is registered, send the response."""
        try:
            observed = self.observed_signals
            if observed:
                await self._announce("http.lifecycle.handle", request=request)
                await self._announce("http.routing.before", request=request)
            router = self.router
            host = request.headers.getone("host", None) if router.uses_hosts else None
            route, handler, request._match_info = router.get(request.path, request.method, host)
            request.route = route
            if observed:
                await self._announce(
                    "http.routing.after", request=request, route=route, kwargs=request.match_info, handler=handler
                )
            extra = route.extra
            if not (extra.ignore_body or extra.stream):
                await request.receive_body()
            pipeline = route.pipeline
            if pipeline is None:
                response = await handler(request, **request._match_info)
            else:
                response = await pipeline(request, handler)
            if isinstance(response, BaseHTTPResponse) and request.stream.response is None:
                response = await request.respond(response)
                await response.send(end_stream=True)
            else:
                await self._answer(request, response)
        except MethodNotAllowed as error:
            if request.method == "OPTIONS" and self.config.AUTO_OPTIONS and request.route is None:
                allowed = HTTPResponse(None, 204, {"Allow": ", ".join(error.headers["Allow"].split(", "))})
                await self._answer(request, allowed)
            else:
                await self.handle_exception(request, error)
        except Exception as error:
            await self.handle_exception(request, error)

    async def handle_exception(
        self, request: Request[Any, Any], exception: BaseException, run_middleware: bool = True
    ) -> None:
        """Answer an exception.

        Args:
            request: The request that it was raised for.
            exception: The exception.
            run_middleware: Whether request middleware runs first, if it has not run.
        """
        self.signal_router.report(exception)
        await self._announce("http.lifecycle.exception", request=request, exception=exception)
        stream = request.stream
        if stream is not None and stream.head_sent:
            stream.fail()
            if not stream.protocol.is_lost:
                self.error_handler.log(request, exception)
                error_logger.warning("The response to %r was on its way already: it is cut off.", request)
            return
        if request.responded:
            request.reset_response()
        response: Any = None
        if run_middleware and not request.request_middleware_started and self.request_pipeline is not None:
            try:
                response = await self.request_pipeline(request)
            except Exception as error:
                await self.handle_exception(request, error, False)
                return
        if not response:
            response = await self._error_response(request, exception)
        try:
            await self._answer(request, response)
        except ConnectionError:
            raise
        except Exception as error:
            if stream.head_sent:
                raise
            request.reset_response()
            response = self.error_handler.handler_failed(request, exception, error)
            await self._answer(request, response)

    async def _error_response(self, request: Request[Any, Any], exception: BaseException) -> Any:
        response = self.error_handler.response(request, exception)
        if isawaitable(response):
            try:
                response = await response
            except Exception as error:
                return self.error_handler.handler_failed(request, exception, error)
        return self.error_handler.default(request, exception) if response is None else response

    async def _answer(self, request: Request[Any, Any], response: Any) -> None:
        # Everything a handler may return, and may have done before.
        if isawaitable(response):
            response = await response
        attached = request.stream.response
        if isinstance(response, ResponseStream) and attached is None:
            await response(request).stream()
            await response.eof()
        elif isinstance(response, BaseHTTPResponse) and attached is None:
            response = await request.respond(response)
            await response.send(end_stream=True)
        elif attached is not None:
            if response is not None and response is not attached:
                error_logger.error("The response %r is dropped: the handler of %r responded before.", response, request)
            await attached.send(end_stream=True)
        else:
            raise _wrong_result(request, response)

    async def _announce(self, event: str, **context: Any) -> None:
        if event in self.observed_signals:
            await self.dispatch(event, inline=True, context=context, fail_not_found=False)

    # -- Signals -----------------------------------------------------------------------------------------------------

    def dispatch(
        self,
        event: str | Enum,
        *,
        condition: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        fail_not_found: bool = True,
        inline: bool = False,
        reverse: bool = False,
    ) -> Coroutine[Any, Any, Awaitable[Any]]:
        """Run the handlers of a signal.

        Args:
            event: The signal.
            condition: Run the handlers that were registered with an equal condition.
            context: Keyword arguments of the handlers.
            fail_not_found: Whether an unknown signal is an error, when inline.
            inline: Run them here instead of in a task.
            reverse: Run them in reverse order.

        Returns:
            The task, or when inline the first true value that a handler returned.

        Raises:
            NotFound: The signal is unknown.
        """
        return self.signal_router.dispatch(
            event,
            context=context,
            condition=condition,
            inline=inline,
            reverse=reverse,
            fail_not_found=fail_not_found,
        )

    async def event(
        self,
        event: str | Enum,
        timeout: float | None = None,
        *,
        condition: dict[str, Any] | None = None,
        exclusive: bool = True,
    ) -> Any:
        """Wait until a signal is dispatched.

        Args:
            event: The signal.
            timeout: Seconds to wait.
            condition: Wait for a dispatch with an equal condition.
            exclusive: False also takes a dispatch without condition.

        Returns:
            The context of the dispatch.

        Raises:
            NotFound: The signal is unknown, and `EVENT_AUTOREGISTER` is off.
            asyncio.TimeoutError: It was not dispatched in time.
        """
        waiter = self.signal_router.get_waiter(event, condition, exclusive)
        if waiter is None and self.config.EVENT_AUTOREGISTER:
            self.signal_router.add(None, event)
            waiter = self.signal_router.get_waiter(event, condition, exclusive)
        if waiter is None:
            raise SignalNotFound(f"Could not find signal {event_name(event)}: register it with add_signal(None, …).")
        return await waiter.wait(timeout)

    def report_exception(self, handler: Callable[[Any, Exception], Any]) -> Callable[[Exception], Any]:
        """Run a function `(app, exception)` for each exception that is reported."""
        self.catch_exception(handler)
        return cast("Callable[[Exception], Any]", handler)

    # -- Background tasks --------------------------------------------------------------------------------------------

    def add_task(
        self,
        task: Callable[..., Any] | Awaitable[Any] | asyncio.Future[Any],
        *,
        name: str | None = None,
        register: bool = True,
    ) -> Any:
        """Run something in the background; before the start it is kept for it.

        Args:
            task: A coroutine, an awaitable, a task, or a callable that takes the application or nothing.
            name: Name to find the task by.
            register: Whether it can be found.

        Returns:
            The task, None before the start.

        Raises:
            RuntimeError: A name was given before the start.
        """
        loop = _running_loop() if self.state.is_running or self.state.is_started or self.asgi else None
        if loop is None and not name and not self._has_delayed_tasks:
            self._has_delayed_tasks = True
            self.after_server_start(self.dispatch_delayed_tasks)
        return self._tasks.add(task, app=self, name=name, register=register, loop=loop)

    def get_task(self, name: str, *, raise_exception: bool = True) -> Any:
        """The task of a name.

        Raises:
            SanicException: There is none, and `raise_exception` is set.
        """
        return self._tasks.get(name, raise_exception=raise_exception)

    async def cancel_task(self, name: str, msg: str | None = None, *, raise_exception: bool = True) -> None:
        """Cancel the task of a name and wait for its end.

        Raises:
            SanicException: There is none, and `raise_exception` is set.
        """
        await self._tasks.cancel(name, msg, raise_exception=raise_exception)

    def purge_tasks(self) -> None:
        """Forget tasks that have ended."""
        self._tasks.purge()

    def shutdown_tasks(self, timeout: float | None = None, increment: float = 0.1) -> None:
        """Cancel all tasks and wait for their end.

        Args:
            timeout: Seconds to wait; default `GRACEFUL_SHUTDOWN_TIMEOUT`.
            increment: Seconds between two looks at them.
        """
        if timeout is None:
            timeout = self.config.GRACEFUL_SHUTDOWN_TIMEOUT
        loop = _running_loop() or asyncio.get_event_loop_policy().get_event_loop()
        self._tasks.shutdown_blocking(loop, timeout, increment)

    @property
    def tasks(self) -> Iterable[asyncio.Future[Any]]:
        """The named tasks."""
        return iter(self._tasks)

    @staticmethod
    async def dispatch_delayed_tasks(app: Sanic[Any, Any]) -> None:
        """Start the tasks that were added before the start."""
        await app._tasks.dispatch_delayed(app)

    @staticmethod
    async def run_delayed_task(app: Sanic[Any, Any], loop: Any, task: Any) -> Any:
        """Run what could be given to `add_task`, and wait for it."""
        return await app._tasks.run(task, app)

    # -- Running -----------------------------------------------------------------------------------------------------

    def run(
        self,
        host: str | None = None,
        port: int | None = None,
        *,
        dev: bool = False,
        debug: bool = False,
        auto_reload: bool | None = None,
        version: HTTP | int = HTTP.VERSION_1,
        ssl: Any = None,
        sock: SocketType | None = None,
        workers: int = 1,
        protocol: Any = None,
        backlog: int = 100,
        register_sys_signals: bool = True,
        access_log: bool | None = None,
        unix: str | None = None,
        loop: Any = None,
        reload_dir: list[str] | str | None = None,
        noisy_exceptions: bool | None = None,
        motd: bool = True,
        fast: bool = False,
        verbosity: int = 0,
        motd_display: dict[str, str] | None = None,
        auto_tls: bool = False,
        single_process: bool = False,
    ) -> None:
        """Serve the application until it is stopped; the arguments are those of `prepare`."""
        self.prepare(
            host,
            port,
            dev=dev,
            debug=debug,
            auto_reload=auto_reload,
            version=version,
            ssl=ssl,
            sock=sock,
            workers=workers,
            protocol=protocol,
            backlog=backlog,
            register_sys_signals=register_sys_signals,
            access_log=access_log,
            unix=unix,
            loop=loop,
            reload_dir=reload_dir,
            noisy_exceptions=noisy_exceptions,
            motd=motd,
            fast=fast,
            verbosity=verbosity,
            motd_display=motd_display,
            auto_tls=auto_tls,
            single_process=single_process,
        )
        if single_process:
            type(self).serve_single(primary=self)
        else:
            type(self).serve(primary=self)

    def prepare(
        self,
        host: str | None = None,
        port: int | None = None,
        *,
        dev: bool = False,
        debug: bool = False,
        auto_reload: bool | None = None,
        version: HTTP | int = HTTP.VERSION_1,
        ssl: Any = None,
        sock: SocketType | None = None,
        workers: int = 1,
        protocol: Any = None,
        backlog: int = 100,
        register_sys_signals: bool = True,
        access_log: bool | None = None,
        unix: str | None = None,
        loop: Any = None,
        reload_dir: list[str] | str | None = None,
        noisy_exceptions: bool | None = None,
        motd: bool = True,
        fast: bool = False,
        verbosity: int = 0,
        motd_display: dict[str, str] | None = None,
        coffee: bool = False,
        auto_tls: bool = False,
        single_process: bool = False,
    ) -> None:
        """Prepare an address to be served with `Sanic.serve`; may be called for several addresses.

        Args:
            host: Address or name to listen on; default 127.0.0.1.
            port: Port; default 8000, or 8443 with `auto_tls` and HTTP/3.
            dev: Debug mode and automatic reload.
            debug: Debug mode: details on error pages, more logs.
            auto_reload: Restart when source files change.
            version: Version of HTTP, 1 or 3.
            ssl: Certificates: a context, a dict, a directory, or several of them.
            sock: A socket to listen on, instead of host and port.
            workers: Number of worker processes.
            protocol: Class of the connections.
            backlog: Connections that may wait to be accepted.
            register_sys_signals: Whether SIGINT and SIGTERM stop the server.
            access_log: Whether each response is logged.
            unix: Path of a unix socket to listen on, instead of host and port.
            loop: Not accepted; see `create_server`.
            reload_dir: Further directories to watch.
            noisy_exceptions: Whether quiet exceptions are logged, too.
            motd: Whether the banner is shown.
            fast: One worker for each processor.
            verbosity: 0 to 2.
            motd_display: Further rows of the banner.
            coffee: Another banner.
            auto_tls: Make a certificate for development.
            single_process: Serve in this process, without manager.

        Raises:
            RuntimeError: Two of them contradict each other.
            TypeError: A loop is given.
        """
        address.check_settings(
            loop=loop,
            fast=fast,
            workers=workers,
            single_process=single_process,
            auto_reload=auto_reload or dev,
            register_sys_signals=register_sys_signals,
            proxies_count=self.config.PROXIES_COUNT,
        )
        debug = debug or dev
        if dev:
            auto_reload = True
        if access_log is None and debug:
            access_log = True
        address.apply_to_config(
            self,
            {
                "ACCESS_LOG": access_log,
                "NOISY_EXCEPTIONS": noisy_exceptions,
                "AUTO_RELOAD": auto_reload,
                "MOTD": None if motd else False,
            },
        )
        if motd_display:
            self.config.MOTD_DISPLAY.update(motd_display)
        address.watch_directories(self, reload_dir)
        address.apply_mode(self, debug, verbosity)
        self.state.coffee = coffee
        self.state.fast = fast
        self.state.workers = workers
        settings = self._helper(
            host=host,
            port=port,
            version=HTTP(version),
            ssl=ssl,
            sock=sock,
            unix=unix,
            protocol=protocol,
            backlog=backlog,
            register_sys_signals=register_sys_signals,
            auto_tls=auto_tls,
        )
        address.record_address(self, settings)

    def _helper(
        self,
        host: str | None = None,
        port: int | None = None,
        ssl: Any = None,
        sock: SocketType | None = None,
        unix: str | None = None,
        loop: Any = None,
        protocol: Any = None,
        backlog: int = 100,
        register_sys_signals: bool = True,
        run_async: bool = False,
        version: HTTP | int = HTTP.VERSION_1,
        auto_tls: bool = False,
        **_: Any,
    ) -> dict[str, Any]:
        # The arguments of `sanic.server.serve` for one address; test packages call this, too.
        if sock is None and unix is None:
            host, port = self.get_address(host, port, HTTP(version), auto_tls)
        return {
            "app": self,
            "host": host,
            "port": port,
            "ssl": ssl,
            "sock": sock,
            "unix": unix,
            "loop": loop,
            "protocol": protocol or self._protocol_class(),
            "backlog": backlog,
            "register_sys_signals": register_sys_signals,
            "run_async": run_async,
            "version": HTTP(version),
        }

    def _protocol_class(self) -> Any:
        from sanic.server import HttpProtocol

        return HttpProtocol

    @staticmethod
    def get_address(
        host: str | None, port: int | None, version: HTTP = HTTP.VERSION_1, auto_tls: bool = False
    ) -> tuple[str, int]:
        """Complete an address with the usual host and port."""
        usual = 8443 if version is HTTP.VERSION_3 or auto_tls else 8000
        return host or "127.0.0.1", usual if port is None else port

    @classmethod
    def serve(
        cls,
        primary: Sanic[Any, Any] | None = None,
        *,
        app_loader: Any = None,
        factory: Callable[[], Sanic[Any, Any]] | None = None,
    ) -> None:
        """Serve every prepared address of every application.

        Args:
            primary: The application whose settings count; default the first.
            app_loader: Loads the application in a worker.
            factory: Makes the application in a worker.

        Raises:
            RuntimeError: There is no application.
        """
        cls.serve_single(primary)

    @classmethod
    def serve_single(cls, primary: Sanic[Any, Any] | None = None) -> None:
        """Serve every prepared address of every application in this process.

        Args:
            primary: The application whose settings count; default the first.

        Raises:
            RuntimeError: There is no application.
        """
        from sanic.server.runner import run_server

        apps = list(cls._app_registry.values())
        if primary is None:
            if not apps:
                raise RuntimeError("Did not find any applications.")
            primary = apps[0]
        run_server(primary, [app for app in apps if app is not primary and app.state.server_info])

    async def create_server(
        self,
        host: str | None = None,
        port: int | None = None,
        *,
        debug: bool = False,
        ssl: Any = None,
        sock: SocketType | None = None,
        protocol: Any = None,
        backlog: int = 100,
        access_log: bool | None = None,
        unix: str | None = None,
        return_asyncio_server: bool = True,
        asyncio_server_kwargs: dict[str, Any] | None = None,
        noisy_exceptions: bool | None = None,
    ) -> AsyncioServer:
        """Make a server in the running loop; the arguments are those of `prepare`.

        Args:
            return_asyncio_server: Kept for compatibility.
            asyncio_server_kwargs: Further arguments of `loop.create_server`.

        Returns:
            A bound server: `await server.startup()`, then `await server.serve_forever()`.

        Raises:
            OSError: The address cannot be used.
        """
        from sanic.server.runner import create_async_server

        if not return_asyncio_server:
            from sanic.log import deprecation

            deprecation("return_asyncio_server=False is ignored: create_server always returns a server.", 27.6)
        if self.config.get("USE_UVLOOP") is not None and not isinstance(self.config.USE_UVLOOP, Default):
            error_logger.warning("USE_UVLOOP has no effect with create_server: the running loop is used.")
        for event in self.listeners:
            if self.listeners[event]:
                error_logger.warning("Listener %s is ignored by create_server: there is no main process.", event)
        address.apply_to_config(self, {"ACCESS_LOG": access_log, "NOISY_EXCEPTIONS": noisy_exceptions})
        address.apply_mode(self, debug, 0)
        auto_extend(self)
        settings = self._helper(
            host=host, port=port, ssl=ssl, sock=sock, unix=unix, protocol=protocol, backlog=backlog, run_async=True
        )
        return await create_async_server(settings, asyncio_server_kwargs)

    def stop(self, terminate: bool = True, unregister: bool = False) -> None:
        """Stop the server from inside: what runs is finished, listeners run, then it ends.

        Args:
            terminate: Whether all workers are stopped, not only this one.
            unregister: Whether the application is forgotten, too.
        """
        if self._stop_requested is not None:
            self._stop_requested()
        if unregister:
            type(self).unregister_app(self)

    # -- What is known while running ---------------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether the application is served; test packages set it."""
        return self.state.is_running

    @is_running.setter
    def is_running(self, value: bool) -> None:
        self.state.is_running = value

    @property
    def debug(self) -> bool:
        """Whether it runs in debug mode."""
        return self.state.is_debug

    @property
    def asgi(self) -> bool:
        """Whether it runs under an ASGI server."""
        return self.state.asgi

    @asgi.setter
    def asgi(self, value: bool) -> None:
        self.state.asgi = value

    @property
    def auto_reload(self) -> bool:
        """Whether it restarts when source files change."""
        return bool(self.config.AUTO_RELOAD)

    @auto_reload.setter
    def auto_reload(self, value: bool) -> None:
        self.config.AUTO_RELOAD = value
        self.state.auto_reload = value

    @classmethod
    def should_auto_reload(cls) -> bool:
        """Whether any application restarts when source files change."""
        return any(app.auto_reload for app in cls._app_registry.values())

    @property
    def error_handler(self) -> ErrorHandler:
        """Answers exceptions."""
        return self._error_handler

    @error_handler.setter
    def error_handler(self, value: ErrorHandler) -> None:
        value.debug = self.state.is_debug
        self._error_handler = value

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop.

        Raises:
            SanicException: The application does not run.
        """
        loop = _running_loop() if self.state.is_running or self.state.is_started or self.asgi else None
        if loop is None:
            raise SanicException(
                "Loop can only be retrieved after the app has started running: use it in a listener or a handler."
            )
        return loop

    @property
    def sock(self) -> SocketType | None:
        """The socket it listens on, if it was given one."""
        return self.state.sock

    @property
    def reload_dirs(self) -> set[Any]:
        """Further directories whose changes restart the server."""
        return self.state.reload_dirs

    @property
    def ext(self) -> Any:
        """The extension of sanic-ext, loaded when first asked for.

        Raises:
            RuntimeError: It is not installed.
        """
        return self._ext if self._ext is not None else load_extension(self)

    def extend(
        self,
        *,
        extensions: list[Any] | None = None,
        built_in_extensions: bool = True,
        config: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Load sanic-ext with options of its own.

        Raises:
            RuntimeError: It is loaded already, or not installed.
        """
        if self._ext is not None:
            raise RuntimeError("Cannot extend Sanic after Sanic Extensions has been setup: call extend() first.")
        return load_extension(
            self, extensions=extensions, built_in_extensions=built_in_extensions, config=config, **kwargs
        )

    @property
    def test_client(self) -> Any:
        """A client for tests, from sanic-testing."""
        if self._test_manager is not None:
            return self._test_manager.test_client
        if self._test_client is None:
            from sanic_testing.testing import SanicTestClient

            self._test_client = SanicTestClient(self)
        return self._test_client

    @property
    def asgi_client(self) -> Any:
        """A client for tests through ASGI, from sanic-testing."""
        if self._test_manager is not None:
            return self._test_manager.asgi_client
        if self._asgi_client is None:
            from sanic_testing.testing import SanicASGITestClient

            self._asgi_client = SanicASGITestClient(self)
        return self._asgi_client

    def update_config(self, config: Any) -> None:
        """Update the configuration; see `Config.update_config`."""
        self.config.update_config(config)

    def enable_websocket(self, enable: bool = True) -> None:
        """Serve websockets."""
        self.websocket_enabled = enable

    def url_for(self, view_name: str, **kwargs: Any) -> str:
        """Build the URL of a route.

        Args:
            view_name: `handler`, `blueprint.handler` or the full name.
            **kwargs: Path parameters; `_anchor`, `_external`, `_scheme`, `_server`, `_host`; all others are the query.

        Raises:
            URLBuildError: There is no such route, or a parameter is missing or does not fit.
            ValueError: The options contradict each other.
        """
        return build_url(self.name, self.router, self.config, view_name, **kwargs)

    @property
    def serve_location(self) -> str:
        """The URL of the first prepared address."""
        infos = self.state.server_info
        if not infos and self.asgi:
            return "http://<ASGI>"
        return self.get_server_location(infos[0].settings if infos else None)

    @staticmethod
    def get_server_location(server_settings: Mapping[str, Any] | None = None) -> str:
        """The URL of an address."""
        return address.location(server_settings) or "http://<unknown>"

    def get_motd_data(self, server_settings: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """The rows of the start banner, and the further ones of `MOTD_DISPLAY`."""
        return address.banner_rows(self, server_settings), dict(self.config.MOTD_DISPLAY)

    def motd(self, server_settings: Mapping[str, Any] | None = None) -> None:
        """Show the start banner."""
        from sanic.application.motd import MOTD

        if self.config.MOTD:
            data, extra = self.get_motd_data(server_settings)
            where = self.get_server_location(server_settings)
            MOTD.output(where, data, extra, coffee=self.state.coffee, no_color=self.config.NO_COLOR)

    def make_coffee(self, *args: Any, **kwargs: Any) -> None:
        """Run with another banner."""
        self.state.coffee = True
        self.run(*args, **kwargs)

    def go_fast(self, *args: Any, **kwargs: Any) -> None:
        """The same as `run`."""
        self.run(*args, **kwargs)

    @property
    def multiplexer(self) -> Any:
        """What a worker tells the manager through.

        Raises:
            AttributeError: The process is no managed worker.
        """
        if self._multiplexer is None:
            raise AttributeError("The multiplexer exists in managed workers only, and this process is none.")
        return self._multiplexer

    @property
    def m(self) -> Any:
        """The same as `multiplexer`."""
        return self.multiplexer

    @property
    def manager(self) -> Any:
        """The manager of the workers.

        Raises:
            SanicException: This is not the main process, or it has none yet.
        """
        if self._manager is None:
            raise SanicException("Can only access the manager from the main process, from main_process_ready on.")
        return self._manager

    @property
    def inspector(self) -> Any:
        """The inspector.

        Raises:
            SanicException: This is not the main process, or it has none.
        """
        if self._inspector is None:
            raise SanicException("Can only access the inspector from the main process, from main_process_ready on.")
        return self._inspector

    def ack(self) -> None:
        """Tell the manager, if there is one, that this worker has started."""
        if self._multiplexer is not None:
            self._multiplexer.ack()

    def set_serving(self, serving: bool) -> None:
        """Tell the manager, if there is one, whether this worker serves."""
        self.state.is_running = serving
        if self._multiplexer is not None:
            self._multiplexer.set_serving(serving)

    def refresh(self, passthru: dict[str, Any] | None = None) -> Sanic[Any, Any]:
        """The registered application of this name, with attributes set on it.

        Args:
            passthru: Attributes, or dicts of items of them.
        """
        app = type(self).get_app(self.name)
        for name, value in (passthru or {}).items():
            if isinstance(value, dict):
                for key, item in value.items():
                    setattr(getattr(app, name), key, item)
            else:
                setattr(app, name, value)
        return app

    def setup_loop(self) -> None:
        """Use uvloop, unless the configuration says otherwise."""
        from sanic.server.loop import try_use_uvloop

        if self.config.get("USE_UVLOOP", True) is not False:
            try_use_uvloop()


def _as_middleware(middleware: Any, attach_to: str, priority: int | Default) -> Middleware:
    if isinstance(middleware, Middleware):
        return middleware
    location = MiddlewareLocation.REQUEST if attach_to == "request" else MiddlewareLocation.RESPONSE
    return Middleware(middleware, location, 0 if isinstance(priority, Default) else priority)


def _recompile(app: Sanic[Any, Any], route: Route) -> Callable[[], None]:
    return lambda: compile_route(app, route)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _wrong_result(request: Request[Any, Any], response: Any) -> ServerError:
    # The client learns no more than the type; who wrote the handler finds it in the log, and on a page in debug mode.
    route = request.route
    where = describe_handler(route.handler) if route is not None else "an exception handler or a middleware"
    error_logger.error("%s returned %r for %r, but a handler must return a response.", where, response, request)
    return ServerError(
        f"Invalid response type {response!r} (need HTTPResponse)",
        extra={"handler": str(where), "returned": repr(response)},
    )
