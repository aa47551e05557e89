"""The inspector as the main process sees it: its address is taken, and the manager starts its process.

What an inspector tells and does it does not know, nor how it is served.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from sanic.log import error_logger
from sanic.worker.child import Link, Linked, Requests
from sanic.worker.inspector.inspector import Inspector
from sanic.worker.inspector.stand import Stand, bind, certificate_of
from sanic.worker.logs import Logging

if TYPE_CHECKING:
    from socket import socket as SocketType

    from sanic.app import Sanic
    from sanic.http.tls.certificate import Certificate
    from sanic.worker.manager import WorkerManager

#: The process is called `Sanic-Inspector-0`.
_NAME = "Inspector"


@dataclass(frozen=True)
class Inspection:
    """An inspector that is to be started, with the socket that it listens on.

    Args:
        primary: The application whose configuration counts.
        sock: The socket.
        certificate: The certificate of TLS, if it is spoken.
    """

    primary: Sanic[Any, Any]
    sock: SocketType
    certificate: Certificate | None

    @classmethod
    def prepare(cls, apps: list[Sanic[Any, Any]]) -> Inspection | None:
        """Take the address of the inspector, if one is wanted.

        Args:
            apps: The applications, the primary one first.

        Raises:
            ValueError: The address cannot be used, or the settings of TLS are wrong.
        """
        primary = apps[0]
        for app in apps[1:]:
            if app.config.INSPECTOR and not primary.config.INSPECTOR:
                error_logger.warning("%s has no inspector: only that of %s would be started.", app.name, primary.name)
        if not primary.config.INSPECTOR:
            return None
        config = primary.config
        certificate = certificate_of(config.INSPECTOR_TLS_KEY, config.INSPECTOR_TLS_CERT, config.TLS_CERT_PASSWORD)
        sock = bind(config.INSPECTOR_HOST, config.INSPECTOR_PORT)
        if not config.INSPECTOR_API_KEY and not _is_loopback(sock):
            error_logger.warning(
                "The inspector at %s takes commands from anybody who can reach it: set INSPECTOR_API_KEY.", _where(sock)
            )
        return cls(primary, sock, certificate)

    def add_to(self, manager: WorkerManager) -> Inspector:
        """Have the manager start it; returns the inspector as the main process sees it."""
        config = self.primary.config
        make: Any = self.primary.inspector_class or Inspector
        inspector: Inspector = make(
            manager.monitor_publisher,
            describe(self.primary),
            manager.worker_state,
            config.INSPECTOR_HOST,
            self.sock.getsockname()[1],
            config.INSPECTOR_API_KEY,
            config.INSPECTOR_TLS_KEY,
            config.INSPECTOR_TLS_CERT,
        )
        logging = Logging.of(self.primary)
        stand = Stand(self.sock, logging, config.GRACEFUL_SHUTDOWN_TIMEOUT, self.certificate)
        manager.manage(_NAME, Linked(run_inspector), {"inspector": inspector, "stand": stand}, restartable=True)
        for process in manager.processes:
            if process.group == _NAME:
                process.ident = _NAME
                process.is_revived = True
                # Only what is the program's own is found in its modules.
                process.parcel.imports_main = type(inspector) is not Inspector or logging.config is not None
        return inspector


def describe(app: Sanic[Any, Any]) -> dict[str, Any]:
    """What an inspector tells of an application."""
    from sanic.application.settings import banner_rows

    rows: dict[str, Any] = dict(banner_rows(app, app.state.server_info[0].settings))
    rows["packages"] = [package for package in rows.get("packages", "").split(", ") if package]
    rows["extra"] = {str(name): str(value) for name, value in app.config.MOTD_DISPLAY.items()}
    return rows


def _is_loopback(sock: SocketType) -> bool:
    with suppress(ValueError):
        return ip_address(sock.getsockname()[0].partition("%")[0]).is_loopback
    return False


def _where(sock: SocketType) -> str:
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def run_inspector(link: Link, requests: Requests, inspector: Inspector, stand: Stand) -> None:
    """Serve an inspector until this process is told to stop.

    Args:
        link: The link to the manager.
        requests: Tells that the process is to end.
        inspector: The inspector.
        stand: Where it stands.
    """
    if stand.logging is not None:
        stand.logging.set_up()
    stand.requests = requests
    inspector._publisher = link
    inspector.worker_state = link.states
    inspector._stand = stand
    inspector(run=True)
