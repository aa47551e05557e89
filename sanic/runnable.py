"""An application as something that runs: the addresses it is prepared for, starting and stopping, what is known of it
while it runs.

What it answers it does not know; that is for `sanic.app`. Servers stand above it: the bodies of `serve`,
`serve_single`, `create_server` and `__call__` reach up to them, and nothing else does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, cast

from sanic.application import settings as address
from sanic.application.context import SharedContext
from sanic.application.extension import auto_extend
from sanic.application.registry import Registry
from sanic.application.state import ApplicationState
from sanic.application.tasks import running_loop
from sanic.config import Config
from sanic.exceptions import SanicException
from sanic.handlers import ErrorHandler
from sanic.helpers import Default, _default
from sanic.models.http_version import HTTP
from sanic.registration import Registrar

if TYPE_CHECKING:
    from socket import socket as SocketType

    from sanic.app import Sanic
    from sanic.request import Request
    from sanic.server import AsyncioServer


class Runnable(Registrar):
    """The part of `Sanic` that runs it.

    Args:
        name: Name of the application.
        configure_logging: False leaves logging alone.
        log_config: For `logging.config.dictConfig`, applied when the application starts to run.
    """

    # Of the class.
    test_mode: ClassVar[bool] = False
    start_method: ClassVar[str | Default] = _default
    START_METHOD_SET: ClassVar[bool] = False
    _app_registry: ClassVar[Registry] = Registry()

    __slots__ = ("configure_logging", "listeners", "shared_ctx", "state")

    config: Config
    error_handler: ErrorHandler
    listeners: dict[str, list[Callable[..., Any]]]
    _ext: Any
    _test_manager: Any

    def __init__(self, name: str, configure_logging: bool = True, log_config: dict[str, Any] | None = None) -> None:
        super().__init__(name)
        self.configure_logging = configure_logging
        self._log_config = log_config
        self._log_config_applied = False
        self.state = ApplicationState(app=cast("Sanic[Any, Any]", self))
        self.shared_ctx = SharedContext()
        # Set by whoever runs it.
        self._manager: Any = None
        self._inspector: Any = None
        self._multiplexer: Any = None
        self._stop_requested: Callable[[], None] | None = None
        self._late_start: asyncio.Task[None] | None = None

    # -- All applications --------------------------------------------------------------------------------------------

    @classmethod
    def get_app(cls, name: str | None = None, *, force_create: bool = False) -> Sanic[Any, Any]:
        """The application of a name, or the only one there is.

        Args:
            name: Its name.
            force_create: Make it if there is none.

        Raises:
            SanicException: There is none, or without a name more than one.
        """
        app: Any = cls._app_registry.only() if name is None else cls._app_registry.find(name, not force_create)
        return cls(str(name)) if app is None else app  # type: ignore[return-value]

    @classmethod
    def register_app(cls, app: Sanic[Any, Any]) -> None:
        """Make an application known by its name.

        Raises:
            SanicException: It is no application, or its name is taken (except in test mode).
        """
        if not isinstance(app, Runnable):
            raise SanicException(f"Registered app must be an instance of Sanic, not {app!r}.")
        cls._app_registry.add(app, replace=cls.test_mode)

    @classmethod
    def unregister_app(cls, app: Sanic[Any, Any]) -> None:
        """Forget an application.

        Raises:
            SanicException: It is no application.
        """
        if not isinstance(app, Runnable):
            raise SanicException(f"Registered app must be an instance of Sanic, not {app!r}.")
        cls._app_registry.remove(app)

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
        # All of them are arguments of `prepare`, too.
        options = dict(locals())
        del options["self"]
        self.prepare(**options)
        if single_process:
            type(self).serve_single(primary=cast("Sanic[Any, Any]", self))
        else:
            type(self).serve(primary=cast("Sanic[Any, Any]", self))

    go_fast = run

    def make_coffee(self, *args: Any, **kwargs: Any) -> None:
        """Run with another banner."""
        self.state.coffee = True
        self.run(*args, **kwargs)

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
        address.apply_options(
            self,
            debug=debug or dev,
            auto_reload=True if dev else auto_reload,
            access_log=access_log,
            noisy_exceptions=noisy_exceptions,
            motd=motd,
            motd_display=motd_display,
            reload_dir=reload_dir,
            verbosity=verbosity,
            coffee=coffee,
            fast=fast,
            workers=workers,
        )
        settings = self._helper(
            host=host,
            port=port,
            version=HTTP(version),
            ssl=address.protection_of(self, version=HTTP(version), ssl=ssl, auto_tls=auto_tls),
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
        from sanic.server.protocols.websocket_protocol import WebSocketProtocol

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
            "protocol": protocol or WebSocketProtocol,
            "backlog": backlog,
            "register_sys_signals": register_sys_signals,
            "run_async": run_async,
            "version": HTTP(version),
        }

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
        from sanic.worker.loader import AppLoader
        from sanic.worker.main import serve_apps

        primary, secondary = cls._app_registry.prepared(primary)
        serve_apps(primary, secondary, AppLoader(factory=factory) if app_loader is None and factory else app_loader)

    @classmethod
    def serve_single(cls, primary: Sanic[Any, Any] | None = None) -> None:
        """Serve every prepared address of every application in this process.

        Args:
            primary: The application whose settings count; default the first.

        Raises:
            RuntimeError: There is no application.
        """
        from sanic.server.runner import run_server

        run_server(*cls._app_registry.prepared(primary))

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

        address.apply_running_loop_options(
            self,
            debug=debug,
            access_log=access_log,
            noisy_exceptions=noisy_exceptions,
            returns_server=return_asyncio_server,
        )
        auto_extend(self)
        settings = self._helper(
            host=host, port=port, ssl=ssl, sock=sock, unix=unix, protocol=protocol, backlog=backlog, run_async=True
        )
        return await create_async_server(settings, asyncio_server_kwargs)

    @asynccontextmanager
    async def serving(
        self, host: str | None = None, port: int | None = None, **options: Any
    ) -> AsyncIterator[AsyncioServer]:
        """Serve the application in the running loop while a block lasts, with every listener of the server.

        Args:
            host: Address to listen on; default 127.0.0.1.
            port: Port, 0 for any; default 8000. The server has it as `server.port`, and the URL as `server.url`.
            **options: Those of `create_server`.

        Yields:
            The server, which accepts connections.

        Raises:
            FinalizationError: The application has no routes.
            OSError: The address cannot be used.
        """
        options["asyncio_server_kwargs"] = {**(options.get("asyncio_server_kwargs") or {}), "start_serving": False}
        async with await self.create_server(host, port, **options) as server:
            yield server

    async def __call__(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        """Serve an ASGI scope: a request, a websocket, or the application's lifespan.

        Args:
            scope: The scope.
            receive: Receives a message from the ASGI server.
            send: Sends one to it.
        """
        from sanic.asgi import ASGIApp

        await (await ASGIApp.create(cast("Sanic[Any, Any]", self), scope, receive, send))()

    def stop(self, terminate: bool = True, unregister: bool = False) -> None:
        """Stop the server from inside: what runs is finished, listeners run, then it ends.

        Args:
            terminate: Whether all workers are stopped, not only this one.
            unregister: Whether the application is forgotten, too.
        """
        if terminate and self._multiplexer is not None:
            self._multiplexer.terminate()
        if self._stop_requested is not None:
            self._stop_requested()
        if unregister:
            type(self).unregister_app(cast("Sanic[Any, Any]", self))

    async def _websocket_handler(
        self,
        handler: Callable[..., Any],
        request: Request[Any, Any],
        *,
        subprotocols: tuple[str, ...] = (),
        origins: tuple[str, ...] | None = None,
        **kwargs: Any,
    ) -> None:
        # What a websocket route calls; extension packages look for this name.
        from sanic.server.websockets.handler import handle_websocket

        await handle_websocket(cast("Sanic[Any, Any]", self), handler, request, kwargs, subprotocols, origins)

    # -- What is known while it runs ---------------------------------------------------------------------------------

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
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop.

        Raises:
            SanicException: The application does not run.
        """
        loop = running_loop() if self.state.is_running or self.state.is_started or self.asgi else None
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
    def reload_dirs(self) -> set[Any]:
        """Further directories whose changes restart the server."""
        return self.state.reload_dirs

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
        return self._of_main_process("manager", self._manager)

    @property
    def inspector(self) -> Any:
        """The inspector.

        Raises:
            SanicException: This is not the main process, or it has none.
        """
        return self._of_main_process("inspector", self._inspector)

    @staticmethod
    def _of_main_process(what: str, thing: Any) -> Any:
        if thing is None:
            raise SanicException(f"Can only access the {what} from the main process, from main_process_ready on.")
        return thing

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
        address.set_attributes(app, passthru or {})
        return app

    def setup_loop(self) -> None:
        """Use uvloop, unless the configuration says otherwise."""
        from sanic.server.loop import try_use_uvloop

        if self.config.get("USE_UVLOOP", True) is not False:
            try_use_uvloop()
