"""Declaring: what applications and blueprints have in common.

Every decorator and every `add_…` method ends in one place, `_declare`, with one small piece of data. What becomes of it
is up to the subclass: an application applies it, a blueprint keeps it. This package knows neither.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from sanic.exceptions import SanicException
from sanic.models.futures import (
    CommandSpec,
    ExceptionSpec,
    ListenerSpec,
    MiddlewareSpec,
    RouteSpec,
    SignalSpec,
    Spec,
    StaticSpec,
)
from sanic.registration.hooks import HookDeclarations
from sanic.registration.routes import RouteDeclarations
from sanic.registration.static import StaticDeclarations
from sanic.registration.websocket import WebsocketDeclarations

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_\-]*")


class Registrar(RouteDeclarations, WebsocketDeclarations, StaticDeclarations, HookDeclarations, ABC):
    """The base class of `Sanic` and `Blueprint`.

    Args:
        name: Letters, digits, `_` and `-`; the first one is a letter or `_`.

    Raises:
        SanicException: The name does not look like that.
    """

    # What applications and blueprints have is fixed here and in their `__slots__`; see `__setattr__`.
    __slots__ = ("ctx", "name")

    name: str
    ctx: Any

    def __init__(self, name: str) -> None:
        self.name = checked_name(type(self).__name__, name)
        # What has been declared, kind by kind, in order; extension packages look into these.
        self._future_routes: list[RouteSpec] = []
        self._future_statics: list[StaticSpec] = []
        self._future_middleware: list[MiddlewareSpec] = []
        self._future_listeners: list[ListenerSpec] = []
        self._future_exceptions: list[ExceptionSpec] = []
        self._future_signals: list[SignalSpec] = []
        self._future_commands: set[CommandSpec] = set()

    def __setattr__(self, name: str, value: Any) -> None:
        # An attribute that the class does not know is most often meant for `ctx`, and would vanish with a new version.
        if not name.startswith("_") and not hasattr(type(self), name):
            kind = type(self).__name__
            raise AttributeError(
                f"Setting variables on {kind} instances is not allowed. You should change your {kind} instance to use "
                f"instance.ctx.{name} instead."
            )
        super().__setattr__(name, value)

    def __str__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @abstractmethod
    def _declare(self, spec: Spec) -> Any:
        """Take a declaration."""

    def _record(self, spec: Spec) -> None:
        # Looked up each time, since packages put collections of their own in place of these.
        if isinstance(spec, RouteSpec):
            self._future_routes.append(spec)
        elif isinstance(spec, StaticSpec):
            self._future_statics.append(spec)
        elif isinstance(spec, MiddlewareSpec):
            self._future_middleware.append(spec)
        elif isinstance(spec, ListenerSpec):
            self._future_listeners.append(spec)
        elif isinstance(spec, ExceptionSpec):
            self._future_exceptions.append(spec)
        elif isinstance(spec, SignalSpec):
            self._future_signals.append(spec)
        else:
            self._future_commands.add(spec)

    def generate_name(self, *objects: Any) -> str:
        """The full name of a route: the application's or blueprint's name, a dot, and the first name found.

        Args:
            *objects: A name, or an object that has one (`name`, `__name__`), in order of preference.

        Raises:
            ValueError: None of them has a name.
        """
        name = next((found for found in map(_name_of, objects) if found), None)
        if name is None:
            raise ValueError(
                f"Could not generate a name for handler {objects[-1] if objects else None!r}: give it one with name=…"
            )
        return name if name.startswith(f"{self.name}.") else f"{self.name}.{name}"


def checked_name(kind: str, name: Any) -> str:
    """The name given to an application or a blueprint, if it can be one.

    Raises:
        SanicException: It cannot.
    """
    if name is None:
        raise SanicException(f"{kind} instance cannot be unnamed. Please give it a name: {kind}('my_name').")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SanicException(
            f"{kind} instance named '{name}' uses an invalid format. Names must begin with a letter or _ and may "
            "only contain alphanumeric characters, _ or -."
        )
    return name


def _name_of(thing: str | Callable[..., Any] | None) -> str | None:
    if isinstance(thing, str) or thing is None:
        return thing
    name = getattr(thing, "name", None)
    return name if isinstance(name, str) else getattr(thing, "__name__", None)
