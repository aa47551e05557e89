"""Declaring routes and everything around them, for applications and blueprints alike."""

from sanic.registration.registrar import Registrar

__all__ = ("Registrar",)
