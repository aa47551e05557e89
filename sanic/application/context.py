"""The namespaces of an application: what is shared by processes, and what the console knows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

from sanic.log import error_logger

_SHARED_MODULES = ("multiprocessing", "ctypes", "_ctypes")
_DESCRIPTION_WIDTH = 40
_RESERVED = ("app", "sanic", "do", "client")


class SharedContext(SimpleNamespace):
    """Objects that all processes of an application see: those of `multiprocessing` and `ctypes`.

    To be filled in `main_process_start`; in a worker it is locked.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        object.__setattr__(self, "_is_locked", False)
        for name, value in kwargs.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if self.is_locked:
            raise RuntimeError(f"Cannot set {name} on locked SharedContext object: set it in main_process_start.")
        for item in value if isinstance(value, (tuple, frozenset)) else (value,):
            module = type(item).__module__
            if not module.startswith(_SHARED_MODULES):
                error_logger.warning(
                    "Unsafe object %s with type %s was added to shared_ctx. It may not be shared by the processes: "
                    "use the objects of multiprocessing or ctypes.",
                    name,
                    type(item),
                )
        super().__setattr__(name, value)

    @property
    def is_locked(self) -> bool:
        """Whether it can be changed no longer."""
        return bool(self.__dict__.get("_is_locked"))

    def lock(self) -> None:
        """Allow no more changes."""
        object.__setattr__(self, "_is_locked", True)


class ConsoleObject(NamedTuple):
    """An object that the console knows by name."""

    obj: Any
    name: str
    desc: str


class ConsoleContext:
    """What the console of an application knows besides the application itself."""

    def __init__(self) -> None:
        object.__setattr__(self, "_objects", {})

    def add(self, obj: Any, name: str | None = None, desc: str | None = None) -> None:
        """Make an object known.

        Args:
            obj: The object.
            name: Its name; default `__name__`, or that of its class.
            desc: What it is; default its docstring, cut.

        Raises:
            ValueError: The name is one of the console's own.
        """
        name = name or getattr(obj, "__name__", None) or type(obj).__name__
        if name in _RESERVED:
            raise ValueError(f"{name!r} is reserved in the console, as are {', '.join(_RESERVED)}: use another name.")
        desc = desc or (obj.__doc__ or "").strip().partition("\n")[0]
        if len(desc) > _DESCRIPTION_WIDTH:
            desc = desc[: _DESCRIPTION_WIDTH - 3] + "..."
        self._objects[name] = ConsoleObject(obj, name, desc)

    def __setattr__(self, name: str, value: Any) -> None:
        self.add(value, name)

    def __getattr__(self, name: str) -> Any:
        try:
            return object.__getattribute__(self, "_objects")[name].obj
        except KeyError:
            raise AttributeError(f"The console knows no {name!r}.") from None

    def __iter__(self) -> Any:
        return iter(self._objects.values())
