"""What is told of the workers from outside: their state, as JSON can hold it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import Any


class Inspector:
    """Tells the state of the workers.

    Args:
        publisher: Takes commands to the manager.
        app_info: What is known of the application.
        worker_state: The state of each worker, by name.
        host: Address to listen on.
        port: Port to listen on.
        api_key: What a client has to know.
        tls_key: Path of the key for TLS.
        tls_cert: Path of the certificate for TLS.
    """

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

    @staticmethod
    def _make_safe(obj: Mapping[str, Any]) -> dict[str, Any]:
        # Extension packages call this.
        return {str(key): _as_json(value) for key, value in obj.items()}


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Inspector._make_safe(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_as_json(item) for item in value]
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    return value
