"""Requests made by hand, for what needs no connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sanic import Request, Sanic
from sanic.compat import Header


def make_request(
    app: Sanic[Any, Any],
    target: bytes = b"/path",
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    method: str = "GET",
    body: bytes = b"",
    request_class: type[Request[Any, Any]] = Request,
) -> Request[Any, Any]:
    request = request_class(target, Header(headers), "1.1", method, None, app)
    request.body = body
    return request
