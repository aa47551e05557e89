"""The addresses that an application is prepared to serve, checked when they are given."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sanic.application.state import ApplicationServerInfo
from sanic.constants import LocalCertCreator
from sanic.exceptions import SanicException, ServerError
from sanic.log import deprecation, error_logger
from sanic.models.http_version import HTTP

if TYPE_CHECKING:
    from sanic.runnable import Runnable


def check_settings(
    *,
    loop: Any,
    fast: bool,
    workers: int,
    single_process: bool,
    auto_reload: bool | None,
    register_sys_signals: bool,
    proxies_count: Any,
) -> None:
    """Refuse combinations that cannot work.

    Raises:
        TypeError: A loop was given, or a number of workers that is no whole number.
        RuntimeError: Two options contradict each other.
        ValueError: `PROXIES_COUNT` is negative.
    """
    if loop is not None:
        raise TypeError(
            "loop is not a valid argument: a running loop is served with 'await app.create_server(...)', see its "
            "documentation."
        )
    if not isinstance(workers, int):
        raise TypeError(f"workers={workers!r} is no number of worker processes: give a whole number.")
    if fast and workers != 1:
        raise RuntimeError("You cannot use both fast=True and workers=X")
    if single_process and (fast or workers > 1 or auto_reload):
        raise RuntimeError("Single process cannot be run with multiple workers or auto-reload")
    if not register_sys_signals and not single_process:
        raise RuntimeError("Cannot run Sanic.serve with register_sys_signals=False. Use single_process=True.")
    check_proxies_count(proxies_count)


def check_proxies_count(count: Any) -> None:
    """Refuse a number of proxies that is none.

    Raises:
        ValueError: It is negative.
    """
    if count is not None and count < 0:
        raise ValueError(f"PROXIES_COUNT cannot be negative, got {count}. Set it to the number of proxies, or to None.")


def protection_of(app: Runnable, *, version: HTTP, ssl: Any, auto_tls: bool) -> Any:
    """What an address is to be protected by: what was given, or the tool that makes a certificate for development.

    Raises:
        SanicException: A certificate is to be made in production, or by a tool whose HTTP/3 refuses.
        ServerError: A package that is needed is not installed.
    """
    if version is HTTP.VERSION_3:
        check_http3()
    if ssl is not None or not (auto_tls or version is HTTP.VERSION_3):
        return ssl
    if not app.state.is_debug:
        raise SanicException(
            "A certificate is made for development only, and this is production mode: give one as ssl=…, or run with "
            "debug=True."
        )
    creator = app.config.LOCAL_CERT_CREATOR
    if version is HTTP.VERSION_3:
        if creator is LocalCertCreator.TRUSTME:
            raise SanicException(
                "Browsers speak HTTP/3 only where they trust the certificate, and they do not trust those of trustme: "
                "set LOCAL_CERT_CREATOR to mkcert, or give a certificate as ssl=…."
            )
        return LocalCertCreator.MKCERT
    return creator


def check_http3() -> None:
    """Refuse HTTP/3 without what it needs.

    Raises:
        ServerError: aioquic is not installed.
    """
    from importlib.util import find_spec

    if find_spec("aioquic") is None:
        raise ServerError("HTTP/3 needs aioquic, which is not installed: pip install 'sanic[http3]'")


def apply_to_config(app: Runnable, values: Mapping[str, Any]) -> None:
    """Write the options that were given to the configuration."""
    for key, value in values.items():
        if value is not None:
            app.config[key] = value


def apply_options(
    app: Runnable,
    *,
    debug: bool,
    auto_reload: bool | None,
    access_log: bool | None,
    noisy_exceptions: bool | None,
    motd: bool,
    motd_display: Mapping[str, str] | None,
    reload_dir: list[str] | str | None,
    verbosity: int,
    coffee: bool,
    fast: bool,
    workers: int,
) -> None:
    """Keep the options of `Sanic.prepare` that are about the application, not about one of its addresses."""
    given = {
        "ACCESS_LOG": True if debug and access_log is None else access_log,
        "NOISY_EXCEPTIONS": noisy_exceptions,
        "AUTO_RELOAD": auto_reload,
        "MOTD": None if motd else False,
    }
    apply_to_config(app, given)
    app.config.MOTD_DISPLAY.update(motd_display or {})
    watch_directories(app, reload_dir)
    apply_mode(app, debug, verbosity)
    app.state.coffee = coffee or app.state.coffee
    app.state.fast = fast
    app.state.workers = workers


def apply_mode(app: Runnable, debug: bool, verbosity: int) -> None:
    """Set debug mode, how much is told, and fit logging to both."""
    from sanic.logging.setup import apply_log_config, setup_logging

    if verbosity:
        app.state.verbosity = verbosity
    if debug:
        app.state.begin_debug()
    if app.configure_logging:
        if not app._log_config_applied:
            apply_log_config(app._log_config)
            app._log_config_applied = True
        setup_logging(app.state.is_debug, app.config.NO_COLOR, app.config.get("LOG_EXTRA"))


def apply_running_loop_options(
    app: Runnable, *, debug: bool, access_log: bool | None, noisy_exceptions: bool | None, returns_server: bool
) -> None:
    """Keep the options of `Sanic.create_server`, and tell what has no effect in a loop that runs already.

    Raises:
        ValueError: `PROXIES_COUNT` is negative.
    """
    check_proxies_count(app.config.PROXIES_COUNT)
    if not returns_server:
        deprecation("return_asyncio_server=False is ignored: create_server always returns a server.", 27.6)
    if isinstance(app.config.get("USE_UVLOOP"), bool):
        error_logger.warning("USE_UVLOOP has no effect with create_server: the running loop is used.")
    for event in [event for event, listeners in app.listeners.items() if listeners]:
        error_logger.warning("Listener %s is ignored by create_server: there is no main process.", event)
    apply_to_config(app, {"ACCESS_LOG": access_log, "NOISY_EXCEPTIONS": noisy_exceptions})
    apply_mode(app, debug, 0)


def set_attributes(app: object, values: Mapping[str, Any]) -> None:
    """Set attributes of an object; where a value is a dict, attributes of that attribute."""
    for name, value in values.items():
        if isinstance(value, dict):
            for key, item in value.items():
                setattr(getattr(app, name), key, item)
        else:
            setattr(app, name, value)


def watch_directories(app: Runnable, reload_dir: list[str] | str | None) -> None:
    """Add directories to those whose changes restart the server; a missing one is only warned of."""
    if not reload_dir:
        return
    from pathlib import Path

    for directory in [reload_dir] if isinstance(reload_dir, str) else reload_dir:
        path = Path(directory)
        app.state.reload_dirs.add(path)
        if not path.exists():
            error_logger.warning("Directory %s could not be located", path)


def record_address(app: Runnable, settings: dict[str, Any]) -> None:
    """Keep an address to be served.

    Raises:
        RuntimeError: HTTP/3 is not the first one, or comes twice.
    """
    if settings["version"] is HTTP.VERSION_3 and app.state.server_info:
        raise RuntimeError("Serving HTTP/3 instances as a secondary server is not supported: prepare it first.")
    app.state.server_info.append(ApplicationServerInfo(settings=settings))
    app.state.host = settings.get("host") or ""
    app.state.port = settings.get("port") or 0
    app.state.ssl = settings.get("ssl")
    app.state.sock = settings.get("sock")
    app.state.unix = settings.get("unix")


def location(settings: Mapping[str, Any] | None) -> str:
    """The URL of an address, `""` when there is none."""
    if not settings:
        return ""
    scheme = "https" if settings.get("ssl") is not None else "http"
    if settings.get("unix"):
        return f"{settings['unix']} {scheme}://..."
    host, port = settings.get("host"), settings.get("port")
    if settings.get("sock") is not None:
        name = settings["sock"].getsockname()
        if isinstance(name, tuple):
            host, port = name[:2]
    if host is None or not port:
        return f"{scheme}://<unknown>"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def banner_rows(app: Runnable, settings: Mapping[str, Any] | None) -> dict[str, str]:
    """The rows of the start banner."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    state = app.state
    rows = {"app": app.name}
    if settings is None and app.asgi:
        how = "ASGI"
    elif state.fast:
        how = f"goin' fast w/ {state.workers} workers"
    else:
        how = "single worker" if state.workers <= 1 else f"w/ {state.workers} workers"
    rows["mode"] = f"{state.mode.value}, {how}"
    given = [settings or {}, *(info.settings for info in state.server_info)]
    spoken = {http for address in given if isinstance(http := address.get("version"), HTTP)} or {HTTP.VERSION_1}
    versions = ", ".join(http.display() for http in sorted(spoken, reverse=True))
    rows["server"] = "ASGI" if app.asgi else f"sanic, {versions}"
    rows["python"] = platform.python_version()
    rows["platform"] = platform.platform()
    if app.auto_reload:
        rows["auto-reload"] = ", ".join(["enabled", *sorted(map(str, state.reload_dirs))])
    packages = []
    for package in ("sanic-routing", "sanic-testing", "sanic-ext"):
        with suppress(PackageNotFoundError):
            packages.append(f"{package}=={version(package)}")
    if packages:
        rows["packages"] = ", ".join(packages)
    return rows
