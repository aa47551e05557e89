"""Where an inspector stands in its own process: its socket, TLS, logging, and the time until it is told to end.

What it tells and does it does not know, nor who has started the process.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sanic.helpers import Default
from sanic.http.tls.certificate import Certificate
from sanic.http.tls.context import read
from sanic.log import logger
from sanic.server.interrupts import Interrupts
from sanic.server.socket import bind_socket
from sanic.worker.logs import Logging

if TYPE_CHECKING:
    from socket import socket as SocketType

    from sanic.app import Sanic
    from sanic.worker.inspector.inspector import Inspector

_BACKLOG = 20
#: Seconds for what runs when the end comes, unless it is said otherwise.
_GRACE_SECONDS = 5.0


def bind(host: str, port: int) -> SocketType:
    """Take the address of an inspector.

    Raises:
        ValueError: It is in use, or can be no address of this machine.
    """
    try:
        sock = bind_socket(host, port)
        try:
            # Now, so that a port that somebody else listens on is known before anything is started.
            sock.listen(_BACKLOG)
        except BaseException:
            sock.close()
            raise
    except (OSError, ValueError) as error:
        message = getattr(error, "strerror", None) or str(error)
        raise ValueError(f"The inspector cannot be reached at INSPECTOR_HOST and INSPECTOR_PORT: {message}") from error
    return sock


def certificate_of(key: Any, certificate: Any, password: str = "") -> Certificate | None:
    """The certificate of an inspector, None if neither path is set.

    Args:
        key: Path of the key.
        certificate: Path of the certificate.
        password: That of the key.

    Raises:
        ValueError: Only one of them is given, or they cannot be used.
    """
    paths = {"INSPECTOR_TLS_KEY": key, "INSPECTOR_TLS_CERT": certificate}
    missing = [name for name, path in paths.items() if not path or isinstance(path, Default)]
    if len(missing) == 1:
        (given,) = paths.keys() - set(missing)
        raise ValueError(f"{given} is set and {missing[0]} is not: set both, or none for an inspector without TLS.")
    if missing:
        return None
    try:
        known = Certificate.of({"cert": certificate, "key": key}, password)
        read(known)
    except ValueError as error:
        raise ValueError(f"INSPECTOR_TLS_KEY and INSPECTOR_TLS_CERT cannot be used: {error}") from None
    return known


@dataclass
class Stand:
    """Where an inspector stands in its process.

    Args:
        sock: The socket that it listens on.
        logging: How lines are logged.
        grace: Seconds for what runs when the end comes.
        certificate: The certificate of TLS, which is read again when its files change.
        requests: Tells that the process is to end.
    """

    sock: SocketType
    logging: Logging | None = None
    grace: float = _GRACE_SECONDS
    certificate: Certificate | None = None
    requests: Interrupts | None = field(default=None, compare=False)

    @classmethod
    def of(cls, inspector: Inspector) -> Stand:
        """That of an inspector which nobody has prepared a socket for."""
        certificate = certificate_of(inspector.tls_key, inspector.tls_cert)
        return cls(bind(inspector.host, inspector.port), certificate=certificate)

    async def serve(self, app: Sanic[Any, Any]) -> None:
        """Serve until the process is told to end."""
        loop = asyncio.get_running_loop()
        stopping = asyncio.Event()
        app.config.GRACEFUL_SHUTDOWN_TIMEOUT = self.grace
        with Interrupts(self.requests is None) as own:
            requests = self.requests or own
            requests.on_signal = lambda: loop.call_soon_threadsafe(stopping.set)
            try:
                if requests.count:
                    return
                async with app.serving(sock=self.sock, ssl=self.certificate, backlog=_BACKLOG) as server:
                    logger.info("Inspector ready at %s", server.url)
                    await stopping.wait()
            finally:
                requests.on_signal = None
                self.sock.close()
