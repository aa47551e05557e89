"""Where an inspector stands in its own process: its socket, TLS, logging, and the time until it is told to end.

What it tells and does it does not know, nor who has started the process.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sanic.log import logger
from sanic.server.interrupts import Interrupts
from sanic.server.socket import bind_socket
from sanic.worker.inspector.certificate import Certificate
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


@dataclass
class Stand:
    """Where an inspector stands in its process.

    Args:
        sock: The socket that it listens on.
        logging: How lines are logged.
        grace: Seconds for what runs when the end comes.
        certificate: The certificate of TLS.
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
        certificate = Certificate.of(inspector.tls_key, inspector.tls_cert)
        return cls(bind(inspector.host, inspector.port), certificate=certificate)

    async def serve(self, app: Sanic[Any, Any]) -> None:
        """Serve until the process is told to end."""
        loop = asyncio.get_running_loop()
        stopping = asyncio.Event()
        app.config.GRACEFUL_SHUTDOWN_TIMEOUT = self.grace
        with Interrupts(self.requests is None) as own:
            requests = self.requests or own
            renewal: asyncio.Task[None] | None = None
            requests.on_signal = lambda: loop.call_soon_threadsafe(stopping.set)
            try:
                if requests.count:
                    return
                context = self.certificate.context if self.certificate is not None else None
                async with app.serving(sock=self.sock, ssl=context, backlog=_BACKLOG) as server:
                    logger.info("Inspector ready at %s", server.url)
                    if self.certificate is not None:
                        renewal = loop.create_task(self.certificate.renew(), name="renewal of the certificate")
                    await stopping.wait()
            finally:
                if renewal is not None:
                    renewal.cancel()
                requests.on_signal = None
                self.sock.close()
