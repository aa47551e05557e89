"""Which request the running task is working for.

Kept apart from the request itself so that responses can ask for the current application without importing requests.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sanic.request import Request

#: Set once per request by its exchange; tasks that a handler creates inherit it.
current_request: ContextVar[Request[Any, Any] | None] = ContextVar("sanic_current_request", default=None)
