"""The application: where a request meets the code that answers it.

`Sanic` holds the parts of an application together: configuration, router, signals, error handler, background tasks.
Each of them lives in a module of its own; what is here is their order. How the application is run stands in
`sanic.runnable`, and how requests arrive neither of them knows.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Generic, cast

from sanic_routing.exceptions import FinalizationError
from sanic_routing.exceptions import NotFound as SignalNotFound

from sanic.answering import allowed_options, answer, answer_exception, answer_failure, cut_off
from sanic.application.context import ConsoleContext
from sanic.application.extension import auto_extend, load_extension, testing_client
from sanic.application.listeners import SERVER_EVENTS, ServerListeners
from sanic.application.review import review_routes
from sanic.application.tasks import BackgroundTasks, running_loop
from sanic.blueprints import Blueprint, BlueprintGroup, overlays
from sanic.config import SANIC_PREFIX, Config
from sanic.exceptions import ClientDisconnected, SanicException
from sanic.handlers import ErrorHandler
from sanic.helpers import Default, _default
from sanic.middleware import Middleware, MiddlewareLocation, MiddlewareQueue
from sanic.models.futures import Spec
from sanic.pipeline import PLAIN_RESPONSES, RequestPipeline, ResponsePipeline, call_handler, compile_pipelines
from sanic.registration.applying import apply
from sanic.registration.hooks import event_name
from sanic.registration.overlay import Registration
from sanic.request import Request
from sanic.response.json import Dumps, Loads, default_json
from sanic.router import Router
from sanic.router.urls import build_url
from sanic.runnable import Runnable
from sanic.signals import Event, SignalRouter

if TYPE_CHECKING:
    # With defaults (PEP 696), which type checkers know before the standard library does.
    from typing_extensions import TypeVar

    config_type = TypeVar("config_type", bound=Config, default=Config)
    ctx_type = TypeVar("ctx_type", default=SimpleNamespace)
else:
    from typing import TypeVar

    config_type = TypeVar("config_type", bound=Config)
    ctx_type = TypeVar("ctx_type")

_REQUEST_EVENTS = tuple(event.value for event in Event if event.value.startswith("http."))


class Sanic(Runnable, Generic[config_type, ctx_type]):
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

    # fmt: off
    __slots__ = (
        "blueprints", "certloader_class", "config", "dumps", "inspector_class", "loads", "named_request_middleware",
        "named_response_middleware", "observed_signals", "repl_ctx", "request_class", "request_middleware",
        "request_pipeline", "response_middleware", "response_pipeline", "router", "signal_router", "strict_slashes",
        "websocket_enabled", "websocket_tasks",
    )
    # fmt: on
    config: config_type
    ctx: ctx_type

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
        super().__init__(name, configure_logging, log_config)
        if config is not None and env_prefix != SANIC_PREFIX:
            raise SanicException(
                f"When instantiating Sanic with config, you cannot also pass env_prefix ({env_prefix!r}): give it to "
                "the Config instead."
            )
        self.config = config if config is not None else cast(config_type, Config(env_prefix=env_prefix))
        self.ctx = ctx if ctx is not None else cast(ctx_type, SimpleNamespace())
        self.repl_ctx = ConsoleContext()
        self.router = router or Router()
        self.signal_router = signal_router or SignalRouter()
        self.router.ctx.app = self.signal_router.ctx.app = self
        self._error_handler = error_handler or ErrorHandler()
        self.request_class: type[Request[Any, Any]] = request_class or Request
        self.strict_slashes = strict_slashes
        self.dumps = dumps or default_json()[0]
        self.loads = loads or default_json()[1]
        self.inspector_class = inspector_class
        self.certloader_class = certloader_class
        if inspector:
            self.config.INSPECTOR = True
        # What has been declared.
        self.blueprints: dict[str, Blueprint] = {}
        self.listeners = defaultdict(list)
        self._server_listeners = ServerListeners()
        self.request_middleware = MiddlewareQueue((), self._recompile, MiddlewareLocation.REQUEST)
        self.response_middleware = MiddlewareQueue((), self._recompile, MiddlewareLocation.RESPONSE)
        self.named_request_middleware: dict[str, MiddlewareQueue] = {}
        self.named_response_middleware: dict[str, MiddlewareQueue] = {}
        # Decided at the start: what requests without a route go through, and which `http.*` signals are heard.
        self.request_pipeline: RequestPipeline | None = None
        self.response_pipeline: ResponsePipeline | None = None
        self.observed_signals: frozenset[str] = frozenset()
        self.signal_router.on_change.append(self._observe_signals)
        for event, signal in SERVER_EVENTS.items():
            self.signal_router.add(self._server_listeners.runner(event), signal)
        # What goes on beside requests.
        self.websocket_enabled = False
        self.websocket_tasks: set[Any] = set()
        self._tasks = BackgroundTasks(report=self.signal_router.report)
        self._has_delayed_tasks = False
        self._ext: Any = None
        self._test_manager: Any = None
        self._test_client: Any = None
        self._asgi_client: Any = None
        type(self).register_app(self)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(name="{self.name}")'

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
            if route.reads_body:
                await request.receive_body()
            pipeline = route.pipeline
            if pipeline is not None:
                response = await pipeline(request, handler)
            elif handler is route.handler:
                arguments = request._match_info  # to unpack none has its price, too
                response = await (handler(request, **arguments) if arguments else handler(request))
            else:
                # Somebody has put a function of their own in place of `router.get`.
                response = await call_handler(request, handler)
            stream = request.stream
            if route.sends_directly and response.__class__ in PLAIN_RESPONSES and stream.response is None:
                # What `respond` and `send` come down to where nothing has been added to them.
                rest = stream.send_whole(response)
                if rest is not None:
                    await rest
            else:
                await answer(request, response)
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
        options = allowed_options(request, exception) if self.config.AUTO_OPTIONS else None
        if options is None:
            if self.signal_router.report(exception) is not None:
                await asyncio.sleep(0)  # those who are told of exceptions are told first
            try:
                await self._announce("http.lifecycle.exception", request=request, exception=exception)
            except Exception as error:
                exception = error
        if request.stream.head_sent:
            cut_off(self.error_handler, request, exception)
            return
        if request.responded:
            request.reset_response()
        try:
            response: Any = options
            if run_middleware and not request.request_middleware_started and self.request_pipeline is not None:
                try:
                    response = await self.request_pipeline(request) or options
                except Exception as error:
                    # Answered as if a handler had raised it; it has started now, so it does not run again.
                    await self.handle_exception(request, error)
                    return
            await answer_exception(self.error_handler, request, exception, response)
        except Exception as error:
            if request.stream.head_sent or isinstance(error, ClientDisconnected):
                raise
            await answer_failure(self.error_handler, request, exception, error)

    async def _announce(self, event: str, **context: Any) -> None:
        if event in self.observed_signals:
            await self.dispatch(event, inline=True, context=context, fail_not_found=False)

    # -- Declaring ---------------------------------------------------------------------------------------------------

    def _declare(self, spec: Spec) -> None:
        with self.amend():
            apply(self, spec)
        self._record(spec)

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
            AssertionError, TypeError: Another blueprint of the same name is registered; it is no blueprint.
        """
        given = Registration(url_prefix, version, version_prefix, strict_slashes, name_prefix)
        for leaf, overlay in overlays(blueprint, given):
            if self.blueprints.setdefault(leaf.name, leaf) is not leaf:
                raise AssertionError(
                    f'A blueprint with the name "{leaf.name}" is already registered on {self}. Blueprint names must '
                    "be unique: name one of them otherwise."
                )
            leaf.register(self, vars(overlay))

    def register_middleware(
        self,
        middleware: Callable[..., Any] | Middleware,
        attach_to: str = "request",
        *,
        priority: int | Default = _default,
    ) -> Callable[..., Any] | Middleware:
        """Attach a middleware to all routes; see `middleware`."""
        item = Middleware.of(middleware, MiddlewareLocation.named(attach_to), priority)
        queue = self.request_middleware if attach_to == "request" else self.response_middleware
        if item not in queue:
            queue.append(item)
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
        location = MiddlewareLocation.named(attach_to)
        item = Middleware.of(middleware, location, priority)
        named = self.named_request_middleware if attach_to == "request" else self.named_response_middleware
        for name in route_names:
            queue = named.setdefault(name, MiddlewareQueue((), self._recompile, location))
            if item not in queue:
                queue.append(item)
        return middleware

    def register_listener(self, listener: Callable[..., Any], event: str, *, priority: int = 0) -> Callable[..., Any]:
        """Run a function at an event of the server's life; see `listener`."""
        return cast("Callable[..., Any]", self.listener(listener, event, priority=priority))

    # -- Starting ----------------------------------------------------------------------------------------------------

    async def _startup(self) -> None:
        auto_extend(self)
        self.signalize(bool(self.config.get("TOUCHUP", True)))
        self.finalize()
        review_routes(self.router)
        if self._ext is not None and hasattr(self._ext, "_display"):
            self._ext._display()
        self.state.is_started = True

    def finalize(self) -> None:
        """Freeze the routes and compose what each of them goes through.

        Raises:
            FinalizationError: There are no routes, or it is frozen already (except in test mode).
        """
        self.router.auto_head = self.config.AUTO_HEAD
        self.router.auto_options = self.config.AUTO_OPTIONS
        with suppress(*([FinalizationError] if self.test_mode else [])):
            self.router.finalize()
        self.finalize_middleware()

    def signalize(self, allow_fail_builtin: bool = True) -> None:
        """Freeze the signals.

        Args:
            allow_fail_builtin: Whether dispatching a built-in signal that nobody listens to may fail.

        Raises:
            FinalizationError: They are frozen already (except in test mode).
        """
        with suppress(*([FinalizationError] if self.test_mode else [])):
            self.signal_router.finalize(allow_fail_builtin=allow_fail_builtin)

    def finalize_middleware(self) -> None:
        """Compose the middleware of each route."""
        compile_pipelines(self)

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
                self.signalize(self.signal_router.allow_fail_builtin)
            if has_routes and not self.router.finalized:
                self.finalize()

    def _recompile(self) -> None:
        # Before the start, and within `amend`, it is done once at the end.
        if self.router.finalized:
            self.finalize_middleware()

    def _observe_signals(self) -> None:
        observed = frozenset(event for event in _REQUEST_EVENTS if self.signal_router.has_listeners(event))
        if observed != self.observed_signals:
            self.observed_signals = observed
            self._recompile()

    async def _server_event(self, concern: str, action: str, loop: asyncio.AbstractEventLoop | None = None) -> None:
        await self.dispatch(
            f"server.{concern}.{action}",
            context={"app": self, "loop": loop or asyncio.get_running_loop()},
            fail_not_found=False,
            inline=True,
            reverse=concern == "shutdown",
        )

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
        """Run the handlers of a signal; for the arguments see `SignalRouter.dispatch`.

        Returns:
            The task, or when inline the first true value that a handler returned.

        Raises:
            NotFound: The signal is unknown.
        """
        return self.signal_router.dispatch(
            event, context=context, condition=condition, inline=inline, reverse=reverse, fail_not_found=fail_not_found
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
        loop = running_loop() if self.state.is_running or self.state.is_started or self.asgi else None
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
        loop = running_loop() or asyncio.get_event_loop_policy().get_event_loop()
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

    # -- Parts -------------------------------------------------------------------------------------------------------

    @property
    def error_handler(self) -> ErrorHandler:
        """Answers exceptions."""
        return self._error_handler

    @error_handler.setter
    def error_handler(self, value: ErrorHandler) -> None:
        value.debug = self.state.is_debug
        self._error_handler = value

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

    def update_config(self, config: Any) -> None:
        """Update the configuration; see `Config.update_config`."""
        self.config.update_config(config)

    def enable_websocket(self, enable: bool = True) -> None:
        """Serve websockets."""
        self.websocket_enabled = enable

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
    def ext(self) -> Any:
        """The extension of sanic-ext, loaded when first asked for.

        Raises:
            RuntimeError: It is not installed.
        """
        return self._ext if self._ext is not None else load_extension(self)

    @property
    def test_client(self) -> Any:
        """A client for tests, from sanic-testing."""
        return testing_client(self, "test_client")

    @property
    def asgi_client(self) -> Any:
        """A client for tests through ASGI, from sanic-testing."""
        return testing_client(self, "asgi_client")
