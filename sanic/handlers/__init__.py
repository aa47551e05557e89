"""Handlers that the package brings along."""

from __future__ import annotations

from sanic.handlers.error import ErrorHandler

__all__ = ["ErrorHandler"]
