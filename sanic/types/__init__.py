"""Small general types that the rest of the package builds on."""

from __future__ import annotations

from sanic.types.hashable_dict import HashableDict

__all__ = ("HashableDict",)
