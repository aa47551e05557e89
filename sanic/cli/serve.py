"""From the options of the command line to a server: how it is run, the server knows."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from sanic.cli.failure import CommandError
from sanic.exceptions import SanicException

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.worker.loader import AppLoader

#: Options that only write a key of the configuration.
_CONFIG = {
    "max_requests": "WORKER_MAX_REQUESTS",
    "max_requests_jitter": "WORKER_MAX_REQUESTS_JITTER",
    "max_rss": "WORKER_MAX_RSS",
    "drain_seconds": "DRAIN_SECONDS",
}
_USUAL_PORT = 8000
_USUAL_TLS_PORT = 8443


def check_options(args: Namespace) -> None:
    """Refuse options that need another one, or exclude each other.

    Raises:
        CommandError: They do.
    """
    if bool(args.cert) != bool(args.key):
        given, missing = ("--cert", "--key") if args.cert else ("--key", "--cert")
        raise CommandError(f"{given} needs {missing}: a certificate is of no use without its private key.")
    if args.tls and args.cert:
        raise CommandError("--tls and --cert exclude each other: give --tls once more for another certificate.")
    if args.tls_strict_host and not args.tls:
        raise CommandError("--tls-strict-host needs --tls: it refuses clients that ask for none of its names.")
    if args.auto_tls and (args.tls or args.cert):
        raise CommandError("--auto-tls makes a certificate: leave it away, or --cert and --tls.")
    for option in ("pidfile", "logfile", "user", "group"):
        if getattr(args, option) is not None and not args.daemon:
            raise CommandError(f"--{option} is for a daemon: add -D.")
    for option, name in (("dev", "--dev"), ("auto_reload", "--reload"), ("reload_dir", "--reload-dir")):
        if getattr(args, option) and args.daemon:
            raise CommandError(f"--daemon and {name} exclude each other: nobody develops in the background.")
    if args.repl and args.daemon:
        raise CommandError("--daemon and --repl exclude each other: a daemon has no terminal.")


def serve(app: Sanic[Any, Any], loader: AppLoader, args: Namespace) -> int:
    """Serve an application until it is stopped.

    Args:
        app: The application.
        loader: Loads it in a worker.
        args: The options.

    Returns:
        The exit status.

    Raises:
        CommandError: It cannot be prepared, or not be made a daemon.
        SystemExit: The server failed, and has said so.
    """
    for option, key in _CONFIG.items():
        value = getattr(args, option)
        if value is not None:
            app.config[key] = value
    try:
        for settings in addresses(args):
            app.prepare(**settings)
    except (RuntimeError, ValueError, OSError, SanicException) as error:
        # Options that do not go together, certificates that cannot be used, packages that are missing.
        raise CommandError(str(error)) from error
    _prepare_console(app, loader, args)
    if not args.daemon:
        _serve(app, loader, args)
        return 0
    from sanic.cli.daemon import daemonize

    with daemonize(app, args) as is_daemon:
        if is_daemon:
            _serve(app, loader, args)
    return 0


def _serve(app: Sanic[Any, Any], loader: AppLoader, args: Namespace) -> None:
    if args.single_process:
        from sanic.worker.traces import describe_failure

        try:
            type(app).serve_single(primary=app)
        except Exception as error:
            raise CommandError(describe_failure(error)) from error
    else:
        type(app).serve(primary=app, app_loader=loader)


def addresses(args: Namespace) -> list[dict[str, Any]]:
    """The arguments of `Sanic.prepare`, one for each version of HTTP; the highest one first."""
    versions = sorted(set(args.http or (1,)), reverse=True)
    tls = tls_setting(args)
    port = args.port
    if port is None and not args.unix and 3 in versions:
        # All versions on one port, so that a client can go from one to the other.
        port = _USUAL_TLS_PORT
    settings = {
        "host": args.host,
        "port": port,
        "unix": _absolute(args.unix, args),
        "ssl": tls,
        "auto_tls": args.auto_tls,
        "workers": args.workers or 1,
        "fast": args.fast,
        "single_process": args.single_process,
        "dev": args.dev,
        "debug": args.debug,
        "auto_reload": True if args.auto_reload or args.reload_dir else None,
        "reload_dir": args.reload_dir,
        "access_log": args.access_logs,
        "noisy_exceptions": args.noisy_exceptions,
        "motd": args.motd,
        "coffee": args.coffee,
        "verbosity": args.verbosity,
    }
    return [{**settings, "version": version} for version in versions]


def tls_setting(args: Namespace) -> Any:
    """What the options say of TLS, as `ssl=` of `Sanic.prepare` takes it."""
    if args.cert:
        return {"cert": _absolute(args.cert, args), "key": _absolute(args.key, args)}
    if not args.tls:
        return None
    directories = [_absolute(directory, args) for directory in args.tls]
    if args.tls_strict_host:
        return [None, *directories]
    return directories[0] if len(directories) == 1 else directories


def _absolute(path: str | None, args: Namespace) -> str | None:
    # A daemon works in another directory than the one that the path was written in.
    return os.path.abspath(path) if path and args.daemon else path


def _prepare_console(app: Sanic[Any, Any], loader: AppLoader, args: Namespace) -> None:
    from sanic.log import error_logger
    from sanic.logging.color import is_terminal

    on_terminal = is_terminal(sys.stdin) and is_terminal(sys.stdout) and _is_in_foreground()
    if args.repl and not on_terminal:
        error_logger.error("There is no console: --repl needs a terminal. The server runs without.")
    elif args.repl and args.single_process:
        error_logger.error("There is no console: it needs the manager, which a single process does not have.")
    elif args.repl or (args.dev and args.repl is None and on_terminal):
        from sanic.cli.console import attach_console

        attach_console(app, loader, opens_at_once=bool(args.repl), is_reloaded=app.auto_reload)


def _is_in_foreground() -> bool:
    # Who was started with & may not read what is typed.
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (AttributeError, OSError):
        # There are no jobs, on this system or on this terminal.
        return True
