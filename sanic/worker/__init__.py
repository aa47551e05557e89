"""Many processes that serve: started, watched, replaced and stopped."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # Gunicorn is there for those who use it.
    if name == "GunicornWorker":
        from sanic.worker.gunicorn import GunicornWorker

        return GunicornWorker
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
