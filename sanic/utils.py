"""Reading settings out of text and files: truth words, modules found by path or by dotted name.

Knows nothing of configuration keys; `sanic.config` decides what to take from what is loaded here.
"""

from __future__ import annotations

import os
import re
from os import PathLike
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from sanic.exceptions import LoadFileException, PyFileError
from sanic.helpers import import_string

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ("load_module_from_file_location", "str_to_bool")

_TRUE_WORDS: Final = frozenset(("y", "yes", "yep", "yup", "t", "true", "on", "enable", "enabled", "1"))
_FALSE_WORDS: Final = frozenset(("n", "no", "f", "nope", "false", "off", "disable", "disabled", "0"))


def str_to_bool(val: str) -> bool:
    """Read a truth word in any case.

    :param val: ``y yes yep yup t true on enable enabled 1`` or ``n no f nope false off disable disabled 0``.
    :raises ValueError: any other text, blanks included.
    """
    word = val.lower()
    if word in _TRUE_WORDS:
        return True
    if word in _FALSE_WORDS:
        return False
    raise ValueError(f"Invalid truth value {val!r}; use one of the words true, false, yes, no, on, off, 1, 0")


def load_module_from_file_location(
    location: bytes | str | PathLike[str], encoding: str = "utf8", *args: Any, **kwargs: Any
) -> Any:
    """Load a Python file by its path, or import an object by its dotted name.

    A `Path`, or text with ``/`` or ``$`` in it, is a file: one with ``.py`` in its name is loaded as a module,
    the text of any other is executed as Python. ``${NAME}`` is replaced from the environment; ``$NAME`` is not.
    Any other text goes to `sanic.helpers.import_string`.

    :param location: path or dotted name.
    :param encoding: of ``location`` when it is bytes.
    :param args: passed on to `importlib.util.spec_from_file_location`.
    :param kwargs: likewise.
    :return: the module; for a dotted name the module or what calling the object gives.
    :raises LoadFileException: environment variables named in the path are not set.
    :raises FileNotFoundError: there is no such file.
    :raises PyFileError: executing the text of a file failed.
    :raises OSError: a name without a dot.
    """
    if isinstance(location, bytes):
        location = location.decode(encoding)
    if isinstance(location, str) and "/" not in location and "$" not in location:
        if "." not in location:
            raise OSError(
                f"Unable to load configuration {location}: give a path with '/' in it, or a dotted name "
                "such as 'package.settings'"
            )
        return import_string(location)

    from pathlib import Path

    path = Path(_replace_variables(str(location)))
    if ".py" in path.name:
        return _load_python_module(path, *args, **kwargs)
    return _execute_text(path)


def _replace_variables(text: str) -> str:
    names = sorted(set(re.findall(r"\$\{(\w+)\}", text)))
    missing = [name for name in names if name not in os.environ]
    if missing:
        raise LoadFileException(f"The following environment variables are not set: {', '.join(missing)}")
    return re.sub(r"\$\{(\w+)\}", lambda match: os.environ[match[1]], text)


def _load_python_module(path: Path, *args: Any, **kwargs: Any) -> ModuleType:
    from importlib.machinery import SourceFileLoader
    from importlib.util import module_from_spec, spec_from_file_location

    name = path.name.split(".", 1)[0]
    # The loader is named, because by itself the import system accepts no name like "settings.py.local".
    if path.suffix != ".pyc":
        kwargs.setdefault("loader", SourceFileLoader(name, str(path)))
    spec = spec_from_file_location(name, path, *args, **kwargs)
    if spec is None or spec.loader is None:
        raise LoadFileException(f"Unable to load {path}: it is not a Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _execute_text(path: Path) -> ModuleType:
    module = ModuleType("config")
    module.__file__ = str(path)
    try:
        source = path.read_bytes()
    except OSError as error:
        error.strerror = f"Unable to load configuration file ({error.strerror})"
        raise
    try:
        exec(compile(source, path, "exec"), module.__dict__)
    except Exception as error:
        raise PyFileError(path) from error
    return module
