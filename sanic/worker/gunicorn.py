"""A worker class for Gunicorn: its arbiter instead of our manager, our own server in the worker.

The life of the server stands in `sanic.server.life`. What belongs to Gunicorn's own HTTP parser has no effect here.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from types import FrameType
from typing import TYPE_CHECKING, Any

try:
    from gunicorn.errors import AppImportError
    from gunicorn.workers.base import Worker as BaseWorker
except ImportError as error:
    raise ImportError(
        f"sanic.worker.GunicornWorker needs Gunicorn ({error}). Install it: pip install 'sanic[gunicorn]'."
    ) from error

from sanic.log import access_logger, error_logger, logger
from sanic.server.interrupts import Interrupts
from sanic.server.life import LAST_LISTENERS_SECONDS, Address, StartupFailed, Worker
from sanic.server.loop import new_loop
from sanic.worker.traces import describe_failure

if TYPE_CHECKING:
    import asyncio
    from ssl import SSLContext

    from sanic.app import Sanic

#: Gunicorn's exit status of a worker that cannot be started; it makes the arbiter give up.
_BOOT_ERROR = 3
_BEAT_SECONDS = 1.0
#: Seconds that clients which keep connections open have to send a last request to a worker that is replaced.
_LINGER_SECONDS = 1.0
#: Seconds for the end of a worker after its last connection, before the arbiter kills it.
_REST_SECONDS = LAST_LISTENERS_SECONDS + 0.5
#: Frames of a stack that are shown.
_DEEPEST = 20
_WITHOUT_EFFECT = (
    "forwarded_allow_ips",
    "http_protocols",
    "limit_request_field_size",
    "limit_request_fields",
    "limit_request_line",
    "secure_scheme_headers",
    "threads",
    "worker_connections",
)


class Requested(Interrupts):
    """What the arbiter has asked for. To be asked to hurry counts twice: as a request, and as its repetition."""

    def ask(self, count: int) -> None:
        """Take a request: 1 to finish what runs and end, 2 to end and wait for nothing."""
        while self.count < count:
            self.count += 1
            if self.on_signal is not None:
                self.on_signal()


class GunicornWorker(BaseWorker):  # type: ignore[misc]
    """Serves a Sanic app in a worker of Gunicorn: `gunicorn server:app --worker-class sanic.worker.GunicornWorker`.

    Timeouts, limits and listeners are those of the app. Of Gunicorn's settings count `bind`, `backlog`, `workers`, the
    ones of TLS, `timeout`, `graceful_timeout`, `keepalive`, `max_requests` and its jitter, `preload_app`, `reload`,
    `accesslog`, and all that concern processes.
    """

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Look at the settings before workers are started.

        Args:
            cfg: Gunicorn's settings.
            log: Gunicorn's logger.

        Raises:
            RuntimeError: One of them asks for what this server does not do.
        """
        if getattr(cfg, "proxy_protocol", False) not in (False, "off"):
            raise RuntimeError(
                "--proxy-protocol is not supported by sanic.worker.GunicornWorker. Have the proxy send Forwarded or "
                "X-Forwarded-For instead, and set FORWARDED_SECRET, PROXIES_COUNT or TRUSTED_PROXIES."
            )
        idle = [name for name in _WITHOUT_EFFECT if _is_given(cfg, name)]
        if idle:
            log.warning("Without effect with sanic.worker.GunicornWorker: %s.", ", ".join(idle))

    def init_process(self) -> None:
        """Prepare the process, and serve; in the worker, after the fork."""
        self._requested = Requested(is_active=False)
        self._app: Sanic[Any, Any]
        super().init_process()

    def init_signals(self) -> None:
        """Take the signals of the arbiter; those that are not for workers, but come to the whole group, are ignored."""
        handlers: dict[str, Any] = {
            "SIGTERM": self.handle_exit,
            "SIGINT": self.handle_quit,
            "SIGQUIT": self.handle_quit,
            "SIGABRT": self.handle_abort,
            "SIGUSR1": self.handle_usr1,
            "SIGCHLD": signal.SIG_DFL,
        }
        for name in ("SIGHUP", "SIGUSR2", "SIGWINCH", "SIGTTIN", "SIGTTOU"):
            handlers[name] = signal.SIG_IGN
        signal.set_wakeup_fd(-1)
        for name, handler in handlers.items():
            number = getattr(signal, name)
            signal.signal(number, handler)
            if callable(handler):
                signal.siginterrupt(number, False)

    def load_wsgi(self) -> None:
        """Load the app.

        Raises:
            AppImportError: It is no Sanic app.
        """
        from sanic.app import Sanic

        super().load_wsgi()
        found: Any = self.wsgi
        if isinstance(found, Sanic):
            self._app = found
            return
        if self.cfg.reload and getattr(found, "__module__", "") == "gunicorn.util":
            # In place of an app with a syntax error, which has been logged.
            self._app = _failed_app()
            return
        name = getattr(found, "__name__", type(found).__name__)
        kind = "class" if isinstance(found, type) else type(found).__name__
        uri = getattr(self.app, "app_uri", None) or name
        hint = "" if uri.endswith(")") else f" If it makes one, write '{uri}()'."
        raise AppImportError(
            f"{uri} is not a Sanic app: it is a {kind}.{hint} For WSGI apps choose another worker class of Gunicorn."
        )

    # -- The life of the server --------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until the arbiter, or a limit, ends it.

        Raises:
            SystemExit: The server could not be started, or has failed; the reason has been logged.
        """
        app = self._app
        self._has_started = False
        os.environ.setdefault("SANIC_WORKER_IDENTIFIER", f"Srv {self.age}")
        self._prepare(app)
        loop = new_loop(app.config.get("USE_UVLOOP") is not False)
        try:
            addresses = self._addresses(app)
            self._worker = worker = Worker([app], addresses, self._requested, loop)
            worker.linger = min(_LINGER_SECONDS, self.cfg.graceful_timeout / 4)
            worker.on_serving = self._on_serving
            loop.call_soon(self._beat, loop)
            worker.run()
        except StartupFailed as error:
            error_logger.error("Startup failed: %s", error)
            raise SystemExit(_BOOT_ERROR) from error
        except Exception as error:
            when = " after its start" if self._has_started else " to start"
            error_logger.error("The worker failed%s.\n%s", when, describe_failure(error))
            raise SystemExit(1 if self._has_started else _BOOT_ERROR) from error
        finally:
            self._requested.on_signal = None
            loop.close()

    def _on_serving(self, is_serving: bool) -> None:
        self._has_started = self._has_started or is_serving

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        # From the loop itself: when it stands, the arbiter hears nothing, and replaces this worker.
        self.notify()
        if self._has_started:
            self.nr = self._worker.requests
        if self._requested.count == 0 and (reason := self._reason_to_end()):
            self.log.info("%s, stopping worker [%s]", reason, self.pid)
            self._requested.ask(1)
        loop.call_later(min(_BEAT_SECONDS, self.timeout / 2 or _BEAT_SECONDS), self._beat, loop)

    def _reason_to_end(self) -> str:
        if not self.alive:
            return "Reload"
        if self.ppid != os.getppid():
            return "The arbiter is gone"
        if self.nr >= self.max_requests:
            self._worker.is_replaced = True
            return f"{self.nr} requests served (--max-requests)"
        return ""

    # -- Settings ----------------------------------------------------------------------------------------------------

    def _prepare(self, app: Sanic[Any, Any]) -> None:
        from sanic.application.settings import apply_mode

        cfg = self.cfg
        config = app.config
        if _is_given(cfg, "keepalive"):
            config.KEEP_ALIVE = cfg.keepalive > 0
            config.KEEP_ALIVE_TIMEOUT = cfg.keepalive
        # Whoever has not ended by then is killed by the arbiter.
        config.DRAIN_SECONDS = min(config.DRAIN_SECONDS, cfg.graceful_timeout / 2)
        left = cfg.graceful_timeout - config.DRAIN_SECONDS
        longest = max(left - _REST_SECONDS, left / 2)
        if _is_given(cfg, "graceful_timeout") or longest < config.GRACEFUL_SHUTDOWN_TIMEOUT:
            config.GRACEFUL_SHUTDOWN_TIMEOUT = longest
        if cfg.accesslog:
            config.ACCESS_LOG = True
        apply_mode(app, app.state.is_debug, app.state.verbosity)
        if cfg.accesslog:
            _write_access_lines(self.log.access_log.handlers, app)
        if self.age == 1:
            ignored = [event for event, listeners in app.listeners.items() if listeners]
            for event in sorted(ignored):
                logger.warning("Listener %s is ignored: Gunicorn's arbiter is the main process.", event)

    def _addresses(self, app: Sanic[Any, Any]) -> list[Address]:
        from sanic.application.state import ApplicationServerInfo

        context = self._tls_context() if self.cfg.is_ssl else None
        addresses = []
        for wrapped in self.sockets:
            sock = getattr(wrapped, "sock", wrapped)
            name = sock.getsockname()
            is_unix = not isinstance(name, tuple)
            settings = app._helper(ssl=context, sock=sock, backlog=self.cfg.backlog)
            if is_unix:
                settings["unix"] = os.fsdecode(name)
            else:
                settings["host"], settings["port"] = name[:2]
            info = ApplicationServerInfo(settings=settings)
            app.state.server_info.append(info)
            addresses.append(Address(settings, info))
        return addresses

    def _tls_context(self) -> SSLContext:
        cfg = self.cfg

        def default() -> SSLContext:
            from ssl import Purpose, create_default_context

            context = create_default_context(Purpose.CLIENT_AUTH, cafile=cfg.ca_certs)
            context.load_cert_chain(certfile=cfg.certfile, keyfile=cfg.keyfile)
            context.verify_mode = cfg.cert_reqs
            if cfg.ciphers:
                context.set_ciphers(cfg.ciphers)
            # Not HTTP/2, which this server does not speak.
            context.set_alpn_protocols(["http/1.1"])
            return context

        # Since Gunicorn 21.
        hook = getattr(cfg, "ssl_context", None)
        try:
            context: SSLContext = default() if hook is None else hook(cfg, default)
        except (OSError, ValueError) as error:
            raise StartupFailed(
                f"the certificate {cfg.certfile} with the key {cfg.keyfile or 'in it'} cannot be used: {error}. Look "
                "at --certfile, --keyfile, --ca-certs and --ciphers."
            ) from error
        return context

    # -- Signals -----------------------------------------------------------------------------------------------------

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """TERM: finish what runs, and end."""
        self.alive = False
        self._requested.ask(1)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """QUIT and INT: end, and wait for nothing; the listeners run."""
        self.alive = False
        if self._requested.count < 2:
            self.cfg.worker_int(self)
            self._requested.ask(2)

    def handle_abort(self, sig: int, frame: FrameType | None) -> None:
        """ABRT: the arbiter has not heard of the loop for `--timeout` seconds.

        Raises:
            SystemExit: From within whatever holds the loop.
        """
        stack = "".join(traceback.format_stack(frame, _DEEPEST)).rstrip()
        error_logger.critical("The event loop of worker [%s] stands, here:\n%s", self.pid, stack)
        self.cfg.worker_abort(self)
        sys.exit(1)

    def handle_usr1(self, sig: int, frame: FrameType | None) -> None:
        """USR1: open all log files again, Gunicorn's and ours."""
        self.log.reopen_files()
        for name, found in list(logging.root.manager.loggerDict.items()):
            if name.partition(".")[0] == "sanic" and isinstance(found, logging.Logger):
                for handler in found.handlers:
                    _reopen(handler)


def _is_given(cfg: Any, name: str) -> bool:
    setting = cfg.settings.get(name)
    if setting is None:
        return False
    usual = type(setting)()
    return bool(setting.get() != usual.get())


def _write_access_lines(handlers: list[logging.Handler], app: Sanic[Any, Any]) -> None:
    # Gunicorn's handlers, so that it opens their files again; in our own format.
    from sanic.logging.formatter import AutoAccessFormatter
    from sanic.logging.setup import setup_logging

    for handler in handlers:
        handler.setFormatter(AutoAccessFormatter())
    access_logger.handlers[:] = handlers
    access_logger.propagate = False
    setup_logging(app.state.is_debug, app.config.NO_COLOR, app.config.get("LOG_EXTRA"))


def _reopen(handler: logging.Handler) -> None:
    if not isinstance(handler, logging.FileHandler):
        return
    handler.acquire()
    try:
        # The next line opens it.
        if handler.stream is not None:
            handler.stream.close()
            handler.stream = None
    finally:
        handler.release()


def _failed_app() -> Sanic[Any, Any]:
    from sanic.app import Sanic
    from sanic.exceptions import ServerError

    app: Sanic[Any, Any] = Sanic("failed", configure_logging=False)

    async def fail(request: Any, path: str = "") -> None:
        raise ServerError("The app has a syntax error, which has been logged. Mend it: Gunicorn then loads it again.")

    app.add_route(fail, "/")
    app.add_route(fail, "/<path:path>", name="fail_anywhere")
    return app
