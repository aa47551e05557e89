"""What a registration lays over the declarations of a blueprint: prefixes, version, strictness, name.

The setting that stands nearest to the route wins. Where several stand around it, paths add up, and of the prefixes of
names the outermost wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from inspect import currentframe
from typing import Any, Protocol, TypeVar

from sanic.models.futures import RouteSpec, StaticSpec

USUAL_VERSION_PREFIX = "/v"

Version = int | str | float | None
Value = TypeVar("Value")
Declared = TypeVar("Declared", bound=RouteSpec | StaticSpec)


class Settings(Protocol):
    """What blueprints and groups alike say about the routes inside of them."""

    @property
    def url_prefix(self) -> str | None: ...
    @property
    def version(self) -> Version: ...
    @property
    def version_prefix(self) -> str | None: ...
    @property
    def strict_slashes(self) -> bool | None: ...


class GroupSettings(Settings, Protocol):
    """What groups say besides."""

    @property
    def name_prefix(self) -> str | None: ...


@dataclass(frozen=True, eq=False)
class Registration:
    """The arguments of `Sanic.blueprint`; what is None was not given."""

    url_prefix: str | None = None
    version: Version = None
    version_prefix: str | None = None
    strict_slashes: bool | None = None
    name_prefix: str | None = None


@dataclass(frozen=True, eq=False)
class Overlay:
    """What a registration lays over the routes of a blueprint.

    Attributes:
        url_prefix: Stands in front of each path.
        version: For routes without one.
        version_prefix: For routes that have the usual one.
        strict_slashes: For routes that do not say.
        name_prefix: Stands in front of the blueprint's name.
    """

    url_prefix: str = ""
    version: Version = None
    version_prefix: str = USUAL_VERSION_PREFIX
    strict_slashes: bool | None = None
    name_prefix: str = ""

    @classmethod
    def of(cls, blueprint: Settings, groups: tuple[GroupSettings, ...], given: Registration) -> Overlay:
        """What a registration lays over a blueprint.

        Args:
            blueprint: The blueprint.
            groups: The groups around it, innermost first.
            given: What was given for the blueprint, or for the outermost of the groups.
        """
        # From the nearest to the route to the farthest. What was given for this very blueprint comes before its own.
        nearest: tuple[Settings, ...] = (blueprint, *groups, given) if groups else (given, blueprint)
        if groups:
            paths = [given.url_prefix, *(group.url_prefix for group in reversed(groups)), blueprint.url_prefix]
        else:
            paths = [blueprint.url_prefix if given.url_prefix is None else given.url_prefix]
        version = next((settings.version for settings in nearest if settings.version is not None), None)
        strict = (blueprint.strict_slashes, *(group.strict_slashes for group in groups), given.strict_slashes)
        return cls(
            url_prefix="".join(map(_as_prefix, paths)),
            version=version,
            version_prefix=first_unusual(*(settings.version_prefix for settings in nearest)),
            strict_slashes=_first(strict),
            name_prefix=_first([given.name_prefix or None, *(group.name_prefix or None for group in reversed(groups))])
            or "",
        )

    def over(self, route: Declared, host: Any, prefix: str) -> Declared:
        """A route, or files, of a blueprint as the application gets them.

        Args:
            route: As declared on the blueprint.
            host: For routes without one.
            prefix: What stands in front of its name, instead of the blueprint's name alone.
        """
        path = f"/{route.uri.lstrip('/')}" if route.uri else ""
        return replace(
            route,
            uri=self.url_prefix + path,
            host=host if route.host is None else route.host,
            version=self.version if route.version is None else route.version,
            version_prefix=first_unusual(route.version_prefix, self.version_prefix),
            strict_slashes=self.strict_slashes if route.strict_slashes is None else route.strict_slashes,
            name=prefix + route.name.partition(".")[2],
        )


def calling_place() -> str:
    """File and line of the nearest caller outside of this package, and of the sequences that groups are."""
    frame = currentframe()
    while frame is not None and str(frame.f_globals.get("__name__", "")).split(".")[0] in ("sanic", "collections"):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "an unknown place"


def first_unusual(*prefixes: str | None) -> str:
    """The first version prefix that is not the usual one."""
    return next((prefix for prefix in prefixes if prefix not in (None, USUAL_VERSION_PREFIX)), None) or (
        USUAL_VERSION_PREFIX
    )


def without_trailing_slash(prefix: str | None) -> str | None:
    """A prefix without one slash at its end."""
    return prefix[:-1] if prefix and prefix.endswith("/") else prefix


def _first(values: Iterable[Value | None]) -> Value | None:
    return next((value for value in values if value is not None), None)


def _as_prefix(path: str | None) -> str:
    path = (path or "").rstrip("/")
    return f"/{path.lstrip('/')}" if path else ""
