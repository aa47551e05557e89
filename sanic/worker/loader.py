"""Finding the application that a process serves; how it is served this module does not know."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sanic.application.loading import loading
from sanic.http.tls import CertLoader

if TYPE_CHECKING:
    from sanic.app import Sanic

__all__ = ("AppLoader", "CertLoader", "TargetError")

_EXAMPLE = "Give the target as module:name, for example 'sanic server:app' for the app in server.py."


class TargetError(Exception):
    """The target of a command line leads to no application; the message says what is wrong and what would be right."""


class AppLoader:
    """Loads an application from what a user has typed, or from a factory.

    Args:
        module_input: `package.module:name`, `package.module.name`, `package.module` for its `app`, `module:factory()`,
            or a directory.
        as_factory: Whether the name is that of a function which makes the application.
        as_simple: Whether it is a directory, to be served as it is.
        args: What a factory is called with; if it takes no argument, it is called without.
        factory: Makes the application; takes the place of `module_input`.
    """

    def __init__(
        self,
        module_input: str = "",
        as_factory: bool = False,
        as_simple: bool = False,
        args: Any = None,
        factory: Callable[..., Sanic[Any, Any]] | None = None,
    ) -> None:
        self.module_input = module_input
        self.as_factory = as_factory or module_input.endswith("()")
        self.as_simple = as_simple or (os.sep in module_input or "/" in module_input)
        self.args = args
        self.factory = factory
        #: Where the target was given, if a process that works elsewhere is to find it, too; "" for wherever it is.
        self.directory = ""

    def load(self) -> Sanic[Any, Any]:
        """Load it.

        Raises:
            TargetError: There is no such application.
            Exception: What the module, or the factory, raised.
        """
        with _within(self.directory), loading(self.module_input or "The program"):
            return self._load()

    def _load(self) -> Sanic[Any, Any]:
        from sanic.app import Sanic

        if self.factory is not None:
            app: Any = self._call(self.factory)
        elif self.as_simple:
            return self._load_directory()
        else:
            app = self._load_name()
            if self.as_factory and not callable(app):
                raise TargetError(f"{self.module_input} is no factory: it is a {type(app).__name__}, not a function.")
            # An app is callable, too: by ASGI servers.
            if callable(app) and not isinstance(app, (Sanic, type)):
                app = self._call(app)
        if isinstance(app, Sanic):
            return app
        raise TargetError(self._describe_other(app))

    def _load_directory(self) -> Sanic[Any, Any]:
        from sanic.simple import create_simple_server

        path, colon, name = self.module_input.partition(":")
        if (colon or path.endswith(".py")) and not os.path.isdir(self.module_input):
            module = os.path.splitext(os.path.relpath(path))[0].replace(os.sep, ".")
            raise TargetError(
                f"{self.module_input} is no directory. For a module give its name, such as {module}:{name or 'app'}."
            )
        try:
            return create_simple_server(Path(self.module_input))
        except ValueError as error:
            raise TargetError(str(error)) from error

    def _load_name(self) -> Any:
        if (directory := os.getcwd()) not in sys.path:
            sys.path.append(directory)
        module, name = self._find_module()
        try:
            return getattr(module, name)
        except AttributeError:
            raise TargetError(f"Module {module.__name__} has no {name!r}. {self._hint(module)}") from None

    def _find_module(self) -> tuple[ModuleType, str]:
        path, colon, name = self.module_input.removesuffix("()").partition(":")
        if path.endswith(".py") and os.path.isfile(path):
            raise TargetError(
                f"{path} is a file. Give the name of its module, such as {path.removesuffix('.py')}:{name or 'app'}."
            )
        if path in (os.curdir, os.pardir):
            raise TargetError(f"{path} is a directory. {_serve_directory(path)}")
        if colon:
            return _import(path), name or "app"
        try:
            return _import(path), "app"
        except TargetError:
            # `module.app` as well as `module`: the last part may be a name in the module before it.
            path, dot, name = path.rpartition(".")
            if not dot:
                raise
            return _import(path), name

    def _call(self, factory: Callable[..., Any]) -> Any:
        from inspect import iscoroutinefunction, signature

        if iscoroutinefunction(factory):
            raise TargetError(f"{self._where} is an async function. Make the app in one that is not: no loop runs yet.")
        # Not by trying: a TypeError of the factory's own must not be taken for a wrong number of arguments.
        try:
            parameters = signature(factory)
        except (TypeError, ValueError):
            return factory()
        needs_nothing = self._fits(parameters)
        if self._fits(parameters, self.args) and not (needs_nothing and self.args is None):
            return factory(self.args)
        if needs_nothing:
            return factory()
        raise TargetError(
            f"{self._where} takes {parameters}, but a factory is called with the parsed options alone, or with nothing."
        )

    @staticmethod
    def _fits(parameters: Any, *arguments: Any) -> bool:
        try:
            parameters.bind(*arguments)
        except TypeError:
            return False
        return True

    @property
    def _where(self) -> str:
        return self.module_input or getattr(self.factory, "__qualname__", repr(self.factory))

    def _describe_other(self, found: Any) -> str:
        kind = type(found).__name__
        if self.as_factory or self.factory is not None:
            return f"{self._where} makes no Sanic app, but a {kind}. Return the app."
        module = found if isinstance(found, ModuleType) else self._find_module()[0]
        return f"Module is not a Sanic app, it is a {kind}: {self._where}. {self._hint(module)}"

    def _hint(self, module: ModuleType) -> str:
        hint = _suggestion(module) or _hidden(module)
        if not hint and getattr(module, "__file__", None) is None and os.path.isdir(self.module_input):
            hint = f"{_EXAMPLE} {_serve_directory(self.module_input)}"
        return hint or _EXAMPLE


@contextmanager
def _within(directory: str) -> Iterator[None]:
    # Paths that a program reads while it is imported are relative to where it was started, which a daemon has left.
    before = os.getcwd() if directory else ""
    if directory == before:
        yield
        return
    with suppress(OSError):
        os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


def _suggestion(module: ModuleType) -> str:
    from sanic.app import Sanic

    name = next((name for name, value in vars(module).items() if isinstance(value, Sanic)), "")
    return f"Perhaps you meant {module.__name__}:{name}?" if name else ""


def _hidden(module: ModuleType) -> str:
    # The working directory comes last: of `code.py` there, and that of the standard library, the latter is found.
    place = os.path.join(*module.__name__.split("."))
    found = getattr(module, "__file__", None)
    for own in (f"{place}.py", os.path.join(place, "__init__.py")):
        if os.path.isfile(own) and (found is None or os.path.realpath(own) != os.path.realpath(found)):
            return f"It is {found or 'built in'}, which hides {own}: choose another name for yours."
    return ""


def _serve_directory(path: str) -> str:
    return f"To serve the directory as it is, write {os.path.join(path, '')!r}."


def _import(path: str) -> ModuleType:
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        # A module that the target itself fails to import is another matter: its traceback names the place.
        missing = error.name or ""
        if path != missing and not path.startswith(f"{missing}."):
            raise
        raise TargetError(
            f"No module named {missing} found. It is neither in {os.getcwd()} nor on sys.path. {_EXAMPLE}"
        ) from None
    except (TypeError, ValueError) as error:
        if path and not path.startswith("."):
            raise
        raise TargetError(f"{path!r} is no name of a module. {_EXAMPLE}") from error
