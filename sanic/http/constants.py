"""Stages of an exchange, and the versions of HTTP."""

from __future__ import annotations

from enum import Enum

from sanic.models.http_version import HTTP


class Stage(Enum):
    """How far an exchange has come."""

    IDLE = 0  # the response is complete
    REQUEST = 1  # the head has been read
    HANDLER = 3  # the application works on it
    RESPONSE = 4  # the head of the response has been sent
    FAILED = 100  # the response cannot be completed


__all__ = ("HTTP", "Stage")
