"""The inspector: tells the state of the workers, and takes wishes to the manager; each public method is a command.

How a command arrives, and who may give one, stands in `app.py`; how its process is started, in `process.py`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from sanic.exceptions import BadRequest
from sanic.worker.inspector.metrics import restarts, uptime
from sanic.worker.inspector.plain import as_json
from sanic.worker.messages import Restart, Scale, Terminate

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.worker.inspector.stand import Stand

#: How many workers there may be.
_NUMBER = re.compile(r"0{0,9}[1-9][0-9]{0,3}")


class Inspector:
    """Tells the state of the workers, and takes wishes to the manager.

    A subclass adds commands: each of its public methods, plain or async, is called by `POST /<name of the method>`
    with what the JSON of the body holds, and its result is what is answered.

    Args:
        publisher: Takes messages to the manager.
        app_info: What is known of the application.
        worker_state: The state of each process, by name.
        host: Address to listen on.
        port: Port to listen on, 0 for any.
        api_key: What a client has to know; empty for nothing.
        tls_key: Path of the key for TLS.
        tls_cert: Path of the certificate for TLS.
    """

    #: Set in the process that the manager has started.
    _stand: Stand | None = None

    def __init__(
        self,
        publisher: Any,
        app_info: dict[str, Any],
        worker_state: Mapping[str, Any],
        host: str,
        port: int,
        api_key: str,
        tls_key: Any,
        tls_cert: Any,
    ) -> None:
        self._publisher = publisher
        self.app_info = app_info
        self.worker_state = worker_state
        self.host = host
        self.port = port
        self.api_key = api_key
        self.tls_key = tls_key
        self.tls_cert = tls_cert
        #: Serves the commands, in the inspector's own process.
        self.app: Sanic[Any, Any]

    def __call__(self, run: bool = True, **_: Any) -> Inspector:
        """Make the HTTP application, as `app`, and serve it until this process is told to stop.

        Args:
            run: False only makes it.

        Raises:
            OSError: The address cannot be used.
        """
        from sanic.worker.inspector.app import make_app

        self.app = make_app(self)
        if run:
            from sanic.worker.inspector.stand import Stand

            asyncio.run((self._stand or Stand.of(self)).serve(self.app))
        return self

    # -- Commands ----------------------------------------------------------------------------------------------------

    def reload(self, zero_downtime: bool = False) -> None:
        """Replace all workers, and what else is replaced together with them.

        Args:
            zero_downtime: Stop each one only when the one that takes its place has started.

        Raises:
            BadRequest: It is neither true nor false.
        """
        if not isinstance(zero_downtime, bool):
            raise BadRequest(f"zero_downtime must be true or false, not {zero_downtime!r}.")
        self._publisher.send(Restart((), zero_downtime))

    def shutdown(self) -> None:
        """End everything, in order."""
        self._publisher.send(Terminate())

    def scale(self, replicas: Any) -> str:
        """Have so many workers.

        Args:
            replicas: Their number, which may be written as text.

        Raises:
            BadRequest: It is no whole number above zero, or one that no machine has the memory for.
        """
        text = str(replicas)
        if not _NUMBER.fullmatch(text):
            raise BadRequest(f"replicas must be a whole number from 1 to 9999, not {replicas!r}.")
        self._publisher.send(Scale(int(text)))
        return f"Scaling to {int(text)}"

    # -- What is known -----------------------------------------------------------------------------------------------

    def _info(self) -> dict[str, Any]:
        now = datetime.now(timezone.utc)
        workers: dict[str, Any] = {}
        # A copy, since another thread keeps it up to date.
        for name, state in dict(self.worker_state).items():
            known = {"restarts": restarts(state), "uptime": uptime(state, now)}
            workers[name] = {**state, **{key: value for key, value in known.items() if value is not None}}
        return {"info": self._make_safe(self.app_info), "workers": self._make_safe(workers)}

    @staticmethod
    def _make_safe(obj: Mapping[str, Any]) -> dict[str, Any]:
        # Extension packages call this.
        return {str(key): as_json(value, repr) for key, value in obj.items()}
